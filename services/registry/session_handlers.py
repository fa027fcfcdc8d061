"""HTTP for a subject's session: her grant's secret in, a token for one hour out."""

from __future__ import annotations

from aiohttp import web

from services.registry.api_models import SecretIn, SessionOut
from services.registry.grant_handlers import grant_of
from services.registry.request_body import parsed
from services.registry.route import Route, answer
from services.registry.sessions import Sessions


class SessionHandlers:
    """One route."""

    def __init__(self, *, sessions: Sessions) -> None:
        self._sessions = sessions

    def routes(self) -> list[Route]:
        """The routes of this area."""
        path = "/v1/grants/{grant_id}/session"
        return [Route("POST", path, self.session, "A token for the subject, for one hour.", (), SecretIn, SessionOut)]

    async def session(self, request: web.Request) -> web.Response:
        body = await parsed(request, SecretIn)
        token, ends = await self._sessions.subject_session(grant_of(request), body.grant_secret)
        return answer(SessionOut(token=token, expires_at=ends))
