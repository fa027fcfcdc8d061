"""HTTP for the face that she confirms as hers: by the secret of her grant or her own session, and by nobody else."""

from __future__ import annotations

from aiohttp import web

from services.registry.access import GrantAccess
from services.registry.api_models import FacesOut, HeldFaceOut, ReferenceIn, RevisedOut
from services.registry.grant_handlers import SECRET_HEADER, grant_of
from services.registry.grants import Grants
from services.registry.her_request import only_she
from services.registry.references import References
from services.registry.request_body import parsed
from services.registry.route import Parameter, Route, answer


class ReferenceHandlers:
    """Staff have no way in: which picture shows her is for her to say."""

    def __init__(self, *, references: References, grants: Grants, access: GrantAccess) -> None:
        self._references = references
        self._grants = grants
        self._access = access

    def routes(self) -> list[Route]:
        """The routes of this area."""
        path = "/v1/grants/{grant_id}/reference"
        hers = (Parameter(SECRET_HEADER, "Her secret of this grant, where no token of hers is sent.", place="header"),)
        return [
            Route(
                "GET",
                path,
                self.show,
                "The face she confirmed as hers, and those she may choose from.",
                gives=FacesOut,
                parameters=hers,
            ),
            Route(
                "PUT",
                path,
                self.confirm,
                "The subject confirms one held face as hers.",
                takes=ReferenceIn,
                gives=RevisedOut,
                parameters=hers,
            ),
            Route("DELETE", path, self.take_back, "The subject takes it back.", gives=RevisedOut, parameters=hers),
        ]

    async def show(self, request: web.Request) -> web.Response:
        await self._only_she(request)
        record = await self._grants.live(grant_of(request))
        faces = tuple(
            HeldFaceOut(face_id=face.face_id, embedded_at=face.embedded_at) for face in await self._references.faces(record.grant_id)
        )
        return answer(FacesOut(reference=record.reference, is_reference_gone=await self._references.is_gone(record), faces=faces))

    async def confirm(self, request: web.Request) -> web.Response:
        await self._only_she(request)
        body = await parsed(request, ReferenceIn)
        record, offsets = await self._references.confirm(grant_of(request), body.face_id, expected_revision=body.expected_revision)
        return answer(RevisedOut(grant_id=record.grant_id, revision=record.revision, offsets=offsets))

    async def take_back(self, request: web.Request) -> web.Response:
        await self._only_she(request)
        record, offsets = await self._references.take_back(grant_of(request))
        return answer(RevisedOut(grant_id=record.grant_id, revision=record.revision, offsets=offsets))

    async def _only_she(self, request: web.Request) -> None:
        await only_she(request, grant_of(request), request.headers.get(SECRET_HEADER), access=self._access, grants=self._grants)
