"""A question with its picture, read in that order: the picture is not taken from the connection before the question may be asked."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import BodyPartReader, web

from assent.deployment.body_pace import BodyPace
from assent.deployment.sent_form import bytes_of, parts_of
from assent.identity.errors import ApiError

MAX_FIELD_BYTES = 1_024
MAX_FIELDS = 16
FIELD_STEP_BYTES, PICTURE_STEP_BYTES = 256, 65_536
"""A field is read in small steps: the parser wants one more step behind it, and that should not wait for much of a picture."""

PICTURE = "image"
Check = Callable[[dict[str, str]], None]


async def read_question(
    request: web.Request, check: Check, *, max_bytes: int, max_field_bytes: int = MAX_FIELD_BYTES
) -> tuple[dict[str, str], bytes]:
    """The fields and the picture of a form. `check` is called with the fields before the picture is read, and raises to refuse.

    Raises ApiError: 415 for no form, 400 for one that is malformed or has fields behind the picture, 413 for too much, 408
    for one that hardly moves.
    """
    if request.content_type != "multipart/form-data":
        raise ApiError(415, "not_a_form", "This takes multipart/form-data.", "Send the fields first and the picture last, as image.")
    return await BodyPace(request).of(_read(request, check, max_bytes, max_field_bytes))


async def _read(request: web.Request, check: Check, max_bytes: int, max_field_bytes: int) -> tuple[dict[str, str], bytes]:
    fields: dict[str, str] = dict(request.query)
    picture: bytes | None = None
    async for part in parts_of(request):
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise ApiError(400, "malformed", "The form holds a part without a name.", "Name every part.")
        if picture is not None:
            raise ApiError(400, "picture_not_last", "A field stands behind the picture.", "Send the picture last.")
        if part.name == PICTURE:
            check(fields)
            picture = await bytes_of(part, max_bytes=max_bytes, step_bytes=PICTURE_STEP_BYTES)
        elif len(fields) >= MAX_FIELDS:
            raise ApiError(413, "too_large", f"The form holds more than {MAX_FIELDS} fields.", "Leave out what is not asked for.")
        else:
            sent = await bytes_of(part, max_bytes=max_field_bytes, step_bytes=FIELD_STEP_BYTES)
            fields[part.name] = sent.decode(errors="replace").strip()
    if picture is None:
        check(fields)
    return fields, picture or b""
