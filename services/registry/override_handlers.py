"""HTTP for what she sets aside of content rights: the secret of her grant and nothing else; staff have no way in."""

from __future__ import annotations

from aiohttp import web

from services.registry.access import GrantAccess
from services.registry.api_models import OverrideIn, RevisedOut
from services.registry.grant_handlers import grant_of
from services.registry.overrides import Overrides
from services.registry.request_body import parsed
from services.registry.route import Route, answer
from services.registry.secret_table import SecretKind


class OverrideHandlers:
    """One route: what stands in the body replaces what stood before."""

    def __init__(self, *, overrides: Overrides, access: GrantAccess) -> None:
        self._overrides = overrides
        self._access = access

    def routes(self) -> list[Route]:
        """The routes of this area."""
        summary = "The subject sets content rights of one source aside, or none any more."
        return [Route("POST", "/v1/grants/{grant_id}/overrides", self.override, summary, (), OverrideIn, RevisedOut)]

    async def override(self, request: web.Request) -> web.Response:
        body, grant_id = await parsed(request, OverrideIn), grant_of(request)
        await self._access.with_secret(grant_id, body.grant_secret, SecretKind.GRANT)
        record, offsets = await self._overrides.set_aside(grant_id, body.source, body.overrides, expected_revision=body.expected_revision)
        return answer(RevisedOut(grant_id=record.grant_id, revision=record.revision, offsets=offsets))
