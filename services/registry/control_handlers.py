"""HTTP for proofs of control: staff ask, the host or its zone answers; a producer speaks for its own organisation alone."""

from __future__ import annotations

from aiohttp import web

from assent.identity.auth import authenticated
from assent.identity.errors import ApiError
from assent.identity.principal import Principal, Role
from services.registry.api_models import ControlIn, ControlOut, ControlsOut
from services.registry.control_place import ControlWay, control_line, record_name
from services.registry.control_table import ControlRow
from services.registry.controls import Controls
from services.registry.refused import not_found
from services.registry.request_body import parsed
from services.registry.route import Parameter, Route, answer

_STAFF = (Role.OPERATOR, Role.PRODUCER)
_LOOKERS = (*_STAFF, Role.PRIVACY_OFFICER)
_BY = Parameter("by", "file or dns: where to look; when left out, where it was shown last, else the file")


class ControlHandlers:
    """Nothing here is secret: the line stands on the host for everybody to read, and counts for one controller and one place."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    def routes(self) -> list[Route]:
        """The routes of this area."""
        at = "/v1/control-proofs"
        return [
            Route("POST", at, self.challenge, "What a controller must put on its host.", _STAFF, ControlIn, ControlOut, status=201),
            Route("GET", at, self.listed, "Proofs of control and their ends.", _LOOKERS, None, ControlsOut),
            Route("POST", f"{at}/{{proof_id}}/check", self.check, "Look now.", _STAFF, None, ControlOut, parameters=(_BY,)),
            Route("POST", f"{at}/{{proof_id}}/revoke", self.revoke, "End a proof.", _STAFF, None, ControlOut),
        ]

    async def challenge(self, request: web.Request) -> web.Response:
        principal = authenticated(request, *_STAFF)
        body = await parsed(request, ControlIn)
        controller = body.controller or principal.org
        if not _speaks_for(principal, controller):
            raise ApiError(
                403,
                "foreign_controller",
                "A producer shows control for its own organisation only.",
                "Leave controller out, or let an operator ask.",
            )
        return answer(_told(await self._controls.challenge(controller, body.place)), status=201)

    async def listed(self, request: web.Request) -> web.Response:
        principal = authenticated(request, *_LOOKERS)
        sees_all = bool(principal.roles & {Role.OPERATOR, Role.PRIVACY_OFFICER})
        rows = await self._controls.listed(None if sees_all else principal.org)
        return answer(ControlsOut(proofs=tuple(_told(row) for row in rows)))

    async def check(self, request: web.Request) -> web.Response:
        return answer(_told(await self._controls.check(await self._own(request), _way(request.query.get("by")))))

    async def revoke(self, request: web.Request) -> web.Response:
        return answer(_told(await self._controls.revoke(await self._own(request))))

    async def _own(self, request: web.Request) -> str:
        """The id, of a proof that the caller may speak of; another's answers as one that is not there."""
        principal = authenticated(request, *_STAFF)
        row = await self._controls.one(request.match_info["proof_id"])
        if not _speaks_for(principal, row.controller):
            raise not_found("control proof")
        return row.proof_id


def _speaks_for(principal: Principal, controller: str) -> bool:
    return Role.OPERATOR in principal.roles or principal.org == controller


def _way(text: str | None) -> ControlWay | None:
    try:
        return None if text is None else ControlWay(text)
    except ValueError as error:
        raise ApiError(422, "invalid", "by: there are two ways, file and dns.", "Write by=file or by=dns, or leave it out.") from error


def _told(row: ControlRow) -> ControlOut:
    return ControlOut(
        proof_id=row.proof_id,
        controller=row.controller,
        place=row.place,
        file_url=row.file_url,
        record_name=record_name(row.place),
        line=control_line(row.token),
        proven_at=row.proven_at,
        ends_at=row.ends_at,
        revoked_at=row.revoked_at,
        shown_by=None if row.shown_by is None else row.shown_by.value,
        is_validated=row.is_validated,
        looked_at=row.looked_at,
        look_found=None if row.look_found is None else row.look_found.value,
    )
