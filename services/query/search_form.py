"""A question with its picture, read in that order: the picture is not taken from the connection before the question may be asked."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import BodyPartReader, web

from assent.identity.errors import ApiError

MAX_FIELD_BYTES = 1_024
PICTURE = "image"
Check = Callable[[dict[str, str]], None]


async def read_question(request: web.Request, check: Check, *, max_bytes: int) -> tuple[dict[str, str], bytes]:
    """The fields and the picture of a form. `check` is called with the fields before the picture is read, and raises to refuse.

    Raises ApiError: 415 for no form, 400 for fields behind the picture, 413 for too much of either, 422 for no picture.
    """
    if request.content_type != "multipart/form-data":
        raise ApiError(415, "not_a_form", "This takes multipart/form-data.", "Send the fields first and the picture last, as image.")
    fields: dict[str, str] = dict(request.query)
    picture: bytes | None = None
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise ApiError(422, "malformed", "The form holds a part without a name.", "Name every part.")
        if picture is not None:
            raise ApiError(400, "picture_not_last", "A field stands behind the picture.", "Send the picture last.")
        if part.name == PICTURE:
            check(fields)
            picture = await _part(part, max_bytes)
        else:
            fields[part.name] = (await _part(part, MAX_FIELD_BYTES)).decode(errors="replace").strip()
    if picture is None:
        check(fields)
    return fields, picture or b""


async def _part(part: BodyPartReader, max_bytes: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(65_536):
        data.extend(chunk)
        if len(data) > max_bytes:
            raise ApiError(413, "too_large", f"A part holds more than {max_bytes} bytes.", "Send a smaller picture.")
    return bytes(data)
