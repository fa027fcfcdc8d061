"""HTTP for photos she hands in: the grant's secret or her own session, one image, perhaps a box; nothing is kept of a refused one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import BodyPartReader, web

from assent.deployment.body_pace import BodyPace
from assent.deployment.sent_form import bytes_of, parts_of
from assent.events.faces import FaceBox
from assent.identity.errors import ApiError
from services.registry.access import GrantAccess
from services.registry.api_models import UploadedOut
from services.registry.grant_handlers import SECRET_HEADER, grant_of
from services.registry.grants import Grants
from services.registry.her_request import only_she
from services.registry.intake import chunks_of, read_capped
from services.registry.request_body import parsed_bytes
from services.registry.route import Parameter, Route, answer
from services.registry.uploads import Uploads

BOX_HEADER = "Assent-Face-Box"
MAX_FIELD_BYTES = 4096
MAX_PARTS = 8
FIELD_STEP_BYTES, IMAGE_STEP_BYTES = 256, 65_536
"""A field is read in small steps: the parser wants one more step behind it, and that should not wait for much of an image."""
Allow = Callable[[str | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class SentPhoto:
    """What arrived: the image, and what came beside it."""

    image: bytes
    box: FaceBox | None


class UploadHandlers:
    """One route, two ways to send: the image as the body, or a form."""

    def __init__(self, *, uploads: Uploads, access: GrantAccess, grants: Grants, max_bytes: int) -> None:
        self._uploads = uploads
        self._access = access
        self._grants = grants
        self._max_bytes = max_bytes

    def routes(self) -> list[Route]:
        """The routes of this area."""
        return [
            Route(
                "POST",
                "/v1/grants/{grant_id}/images",
                self.upload,
                "The subject hands in a photo; with several faces, her box beside it.",
                (),
                None,
                UploadedOut,
                takes_bytes=("image/*", "multipart/form-data"),
                status=202,
                parameters=(
                    Parameter(SECRET_HEADER, "Her secret of this grant, where neither a token nor the form holds it.", place="header"),
                    Parameter(BOX_HEADER, "Her box as JSON, where the form does not hold it.", place="header"),
                ),
            )
        ]

    async def upload(self, request: web.Request) -> web.Response:
        grant_id = grant_of(request)

        async def allow(secret: str | None) -> None:
            await only_she(request, grant_id, secret, access=self._access, grants=self._grants)

        sent = await read_photo(request, max_bytes=self._max_bytes, allow=allow)
        uploaded = await self._uploads.take(grant_id, sent.image, box=sent.box)
        return answer(UploadedOut(sighting_id=uploaded.sighting_id, revision=uploaded.revision), status=202)


async def read_photo(request: web.Request, *, max_bytes: int, allow: Allow) -> SentPhoto:
    """The photo of a request, in memory only and never more than `max_bytes`.

    `allow` is called once, with the grant's secret if one was sent, before a byte of the image is read, and raises to refuse.
    """
    if request.content_type == "multipart/form-data":
        return await BodyPace(request).of(_form(request, max_bytes, allow))
    await allow(request.headers.get(SECRET_HEADER))
    image = await read_capped(chunks_of(request), max_bytes=max_bytes, length=request.content_length)
    return SentPhoto(image, _box(request.headers.get(BOX_HEADER)))


async def _form(request: web.Request, max_bytes: int, allow: Allow) -> SentPhoto:
    image: bytes | None = None
    fields, parts, header = dict[str, str](), 0, request.headers.get(SECRET_HEADER)
    async for part in parts_of(request):
        parts += 1
        if parts > MAX_PARTS:
            raise ApiError(413, "too_large", f"The form holds more than {MAX_PARTS} parts.", "Send image, box and grant_secret.")
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise ApiError(422, "malformed", "The form holds a part without a name.", "Send image, box and grant_secret.")
        if part.name != "image":
            fields[part.name] = (await bytes_of(part, max_bytes=MAX_FIELD_BYTES, step_bytes=FIELD_STEP_BYTES)).decode(errors="replace")
            continue
        if image is not None:
            raise ApiError(422, "malformed", "The form holds two images.", "Send one photo at a time.")
        # A secret behind the image would come too late: nobody has 20 MB read who did not say who she is.
        await allow(fields.get("grant_secret") or header)
        image = await bytes_of(part, max_bytes=max_bytes, step_bytes=IMAGE_STEP_BYTES)
    if image is None:
        await allow(fields.get("grant_secret") or header)
    return SentPhoto(image or b"", _box(fields.get("box")))


def _box(text: str | None) -> FaceBox | None:
    return parsed_bytes(text.encode(errors="surrogateescape"), FaceBox) if text else None
