"""HTTP for going on with a grant: its subject reads the terms, then says yes to exactly these; nobody else can ask or answer."""

from __future__ import annotations

from aiohttp import web

from assent.identity.privacy_signal import asks_for_privacy
from services.registry.access import GrantAccess
from services.registry.api_models import RenewalIn, RenewalOut, RenewedOut
from services.registry.grant_handlers import SECRET_HEADER, grant_of
from services.registry.grants import Grants
from services.registry.her_request import only_she
from services.registry.renewals import Renewals
from services.registry.request_body import parsed
from services.registry.route import Parameter, Route, answer


class RenewalHandlers:
    """Staff have no way in: a yes is hers, the second as the first."""

    def __init__(self, *, renewals: Renewals, grants: Grants, access: GrantAccess) -> None:
        self._renewals = renewals
        self._grants = grants
        self._access = access

    def routes(self) -> list[Route]:
        """The routes of this area."""
        path = "/v1/grants/{grant_id}/renewal"
        hers = (Parameter(SECRET_HEADER, "Her secret of this grant, where no token of hers is sent.", place="header"),)
        return [
            Route("GET", path, self.show, "What the subject would renew, and until when.", gives=RenewalOut, parameters=hers),
            Route("POST", path, self.renew, "The subject renews the grant.", takes=RenewalIn, gives=RenewedOut, parameters=hers),
        ]

    async def show(self, request: web.Request) -> web.Response:
        await self._only_she(request)
        offer = await self._renewals.offer(grant_of(request), asks_for_privacy=asks_for_privacy(request))
        return answer(
            RenewalOut(
                grant_id=grant_of(request),
                revision=offer.revision,
                begins_at=offer.begins_at,
                expires_at=offer.expires_at,
                notice=offer.notice.text or "",
                notice_sha256=offer.notice.sha256,
            )
        )

    async def renew(self, request: web.Request) -> web.Response:
        await self._only_she(request)
        body = await parsed(request, RenewalIn)
        record, offsets = await self._renewals.renew(
            grant_of(request),
            begins_at=body.begins_at,
            notice_sha256=body.notice_sha256,
            expected_revision=body.expected_revision,
            device=body.device,
            asks_for_privacy=asks_for_privacy(request),
        )
        return answer(
            RenewedOut(grant_id=record.grant_id, revision=record.revision, offsets=offsets, expires_at=record.validity.expires_at)
        )

    async def _only_she(self, request: web.Request) -> None:
        await only_she(request, grant_of(request), request.headers.get(SECRET_HEADER), access=self._access, grants=self._grants)
