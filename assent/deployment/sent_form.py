"""The one place that reads a form: whatever its parser cannot take was sent like that, and is a fault of the caller, never of ours."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import AsyncIterator, Iterator

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http import HttpProcessingError
from aiohttp.web_request import FileField
from multidict import MultiDictProxy

from assent.deployment.body_pace import BodyPace
from assent.identity.errors import ApiError

Fields = MultiDictProxy[str | bytes | bytearray | FileField]
_UNREADABLE = (
    ValueError,  # no boundary, a part without a name, letters that the charset has not
    AssertionError,  # a body that is no multipart
    LookupError,  # a charset that nobody knows
    RuntimeError,  # a default charset that is too long
    HttpProcessingError,  # headers of a part that are none
    web.RequestPayloadError,  # a Content-Encoding that the body does not have, or half a body
    zlib.error,
)


@contextlib.contextmanager
def sent_so() -> Iterator[None]:
    """For reading alone, never for what is made of it. Raises ApiError 400 for what cannot be read."""
    try:
        yield
    except _UNREADABLE as error:
        remedy = "Send it as the page does, or as multipart/form-data with a boundary and a name for every part."
        raise ApiError(400, "malformed", "The form cannot be read.", remedy) from error


async def posted(request: web.Request) -> Fields:
    """The fields of a form of a page. Raises ApiError: 400 for one that cannot be read, 408 for one that hardly moves, 413 for too much."""
    try:
        with sent_so():
            return await BodyPace(request).of(request.post())
    except web.HTTPException as error:
        raise ApiError(413, "too_large", "The form holds too much.", "Send less.") from error


async def parts_of(request: web.Request) -> AsyncIterator[BodyPartReader | MultipartReader]:
    """The parts of a multipart form, in the order in which they were sent. Raises ApiError 400."""
    with sent_so():
        reader = await request.multipart()
    while True:
        with sent_so():
            part = await reader.next()
        if part is None:
            return
        yield part


async def bytes_of(part: BodyPartReader, *, max_bytes: int, step_bytes: int) -> bytes:
    """What the part holds. Raises ApiError 400, and 413 as soon as it is too long."""
    data = bytearray()
    while not part.at_eof():
        with sent_so():
            data.extend(await part.read_chunk(step_bytes))
        if len(data) > max_bytes:
            raise ApiError(413, "too_large", f"A part holds more than {max_bytes} bytes.", "Send a smaller file.")
    return bytes(data)
