"""HTTP for images that wait for their subject: the secret of her grant shows them and answers, and nothing else does."""

from __future__ import annotations

from aiohttp import web

from services.registry.access import GrantAccess
from services.registry.api_models import ApproveIn, DeclinedOut, DeclineIn, RevisedOut, SecretIn, WaitingImage, WaitingOut
from services.registry.approvals import Approvals
from services.registry.grant_handlers import grant_of
from services.registry.grants import Grants
from services.registry.refused import not_live
from services.registry.request_body import parsed
from services.registry.route import Route, answer
from services.registry.secret_table import SecretKind


class ApprovalHandlers:
    """Staff have no way in: where pictures of her may be is told to her and to nobody else."""

    def __init__(self, *, approvals: Approvals, grants: Grants, access: GrantAccess) -> None:
        self._approvals = approvals
        self._grants = grants
        self._access = access

    def routes(self) -> list[Route]:
        """The routes of this area."""
        at = "/v1/grants/{grant_id}"
        return [
            Route("POST", f"{at}/waiting", self.waiting, "Images that wait for the subject.", (), SecretIn, WaitingOut),
            Route("POST", f"{at}/approve", self.approve, "The subject says yes to one image of a folder.", (), ApproveIn, RevisedOut),
            Route("POST", f"{at}/decline", self.decline, "The subject says no to one image of a folder.", (), DeclineIn, DeclinedOut),
        ]

    async def waiting(self, request: web.Request) -> web.Response:
        body = await parsed(request, SecretIn)
        row, _ = await self._access.with_secret(grant_of(request), body.grant_secret, SecretKind.GRANT)
        if not row.is_live:
            raise not_live(row.state.value)
        found = await self._approvals.waiting(await self._grants.record(row.grant_id))
        images = tuple(WaitingImage(sighting_id=one.sighting_id, url=one.url, seen_at=one.seen_at) for one in found)
        return answer(WaitingOut(images=images))

    async def approve(self, request: web.Request) -> web.Response:
        body = await parsed(request, ApproveIn)
        await self._access.with_secret(grant_of(request), body.grant_secret, SecretKind.GRANT)
        record, offsets = await self._approvals.approve(grant_of(request), body.url, expected_revision=body.expected_revision)
        return answer(RevisedOut(grant_id=record.grant_id, revision=record.revision, offsets=offsets))

    async def decline(self, request: web.Request) -> web.Response:
        body = await parsed(request, DeclineIn)
        await self._access.with_secret(grant_of(request), body.grant_secret, SecretKind.GRANT)
        await self._approvals.decline(grant_of(request), body.sighting_id)
        return answer(DeclinedOut(grant_id=grant_of(request), sighting_id=body.sighting_id))
