"""HTTP for the policy in force, its file and stops under an order; staff stop alone, and nobody opens anything here."""

from __future__ import annotations

from aiohttp import web

from assent.identity.auth import authenticated
from assent.identity.errors import ApiError
from assent.identity.principal import Role
from services.registry.desk_table import newest_policy
from services.registry.policy_models import PolicyOut, ReloadedOut, StopIn, StopOut, StoppedOut, StopsOut
from services.registry.policy_reload import PolicyReload
from services.registry.policy_stops import PolicyStops
from services.registry.request_body import parsed
from services.registry.route import Route, answer
from services.registry.stop_table import StopRow
from services.registry.store import RegistryStore

STAFF = (Role.OPERATOR, Role.PRIVACY_OFFICER)


class PolicyHandlers:
    """`deployment` is the id of the key that signs the policy."""

    def __init__(self, *, store: RegistryStore, stops: PolicyStops, reload: PolicyReload, deployment: str) -> None:
        self._store = store
        self._reload = reload
        self._stops = stops
        self._deployment = deployment

    def routes(self) -> list[Route]:
        """The routes of this area."""
        return [
            Route("GET", "/v1/policy", self.policy, "The policy in force, as it was signed.", (), None, PolicyOut),
            Route("POST", "/v1/policy/reload", self.reload, "Take the policy file up now.", STAFF, None, ReloadedOut),
            Route("GET", "/v1/policy/stops", self.listed, "What is stopped under an order.", STAFF, None, StopsOut),
            Route("POST", "/v1/policy/stops", self.stop, "Stop places, or everything, at once.", STAFF, StopIn, StoppedOut, status=201),
        ]

    async def policy(self, request: web.Request) -> web.Response:
        newest = await self._store.read(newest_policy)
        if newest is None or newest.document is None:
            raise ApiError(503, "no_policy", "No policy has been published yet.", "Try again in a moment.")
        return answer(PolicyOut.of(newest.version, newest.document, deployment=self._deployment))

    async def reload(self, request: web.Request) -> web.Response:
        authenticated(request, *STAFF)
        found = await self._reload.reload()
        policy = found.policy
        return answer(ReloadedOut(version=policy.version, sha256=policy.sha256, published_at=policy.published_at, is_new=found.is_new))

    async def listed(self, request: web.Request) -> web.Response:
        authenticated(request, *STAFF)
        return answer(StopsOut(stops=tuple(_told(row) for row in await self._stops.held())))

    async def stop(self, request: web.Request) -> web.Response:
        principal = authenticated(request, *STAFF)
        asked = await parsed(request, StopIn)
        found = await self._stops.stop(asked.places, asked.operations, because=asked.because, by=principal.name)
        told = StoppedOut(
            version=found.policy.version, sha256=found.policy.sha256, published_at=found.policy.published_at, is_new=found.is_new
        )
        return answer(told, status=201)


def _told(row: StopRow) -> StopOut:
    return StopOut(
        place=row.stop.place,
        operations=row.stop.operations,
        because=row.stop.because,
        stopped_by=row.by,
        stopped_at=row.stopped_at,
        published_at=row.published_at,
    )
