"""HTTP for the standing of producers: who is suspended, and an operator's word to suspend or resume one."""

from __future__ import annotations

from aiohttp import web

from assent.identity.auth import authenticated
from assent.identity.errors import ApiError
from assent.identity.principal import Role
from assent.ids import ProducerId
from assent.intake.producers import INNER_PRODUCERS, ProducerDirectory
from assent.intake.standings import ProducerStanding, ProducerStandings, SuspensionReason
from assent.stream.clock import Clock
from services.registry.api_models import StandingOut, StandingsOut
from services.registry.desk_table import producers
from services.registry.refused import not_found
from services.registry.route import Route, answer
from services.registry.store import RegistryStore

_LOOKERS = (Role.OPERATOR, Role.PRIVACY_OFFICER)


class ProducerHandlers:
    """Suspending takes nothing away: what a suspended producer still sends is set aside and can be replayed."""

    def __init__(self, *, directory: ProducerDirectory, standings: ProducerStandings, store: RegistryStore, clock: Clock) -> None:
        self._directory = directory
        self._standings = standings
        self._store = store
        self._clock = clock

    def routes(self) -> list[Route]:
        """The routes of this area."""
        operator, at = (Role.OPERATOR,), "/v1/producers/{producer_id}"
        return [
            Route("GET", "/v1/producers", self.listed, "Registered producers and their standing.", _LOOKERS, None, StandingsOut),
            Route("POST", f"{at}/suspend", self.suspend, "Set aside what a producer sends.", operator, None, StandingOut),
            Route("POST", f"{at}/resume", self.resume, "Take what a producer sends again.", operator, None, StandingOut),
        ]

    async def listed(self, request: web.Request) -> web.Response:
        authenticated(request, *_LOOKERS)
        registered = await self._store.read(producers)
        told = tuple([_told(producer_id, await self._standings.of(producer_id)) for producer_id, _ in registered])
        return answer(StandingsOut(producers=told))

    async def suspend(self, request: web.Request) -> web.Response:
        authenticated(request, Role.OPERATOR)
        producer_id = await self._named(request)
        standing = await self._standings.suspend(producer_id, SuspensionReason.OPERATOR, now=self._clock.now())
        return answer(_told(producer_id, standing))

    async def resume(self, request: web.Request) -> web.Response:
        authenticated(request, Role.OPERATOR)
        producer_id = await self._named(request)
        if await self._standings.resume(producer_id, now=self._clock.now()) is None:
            raise ApiError(409, "not_suspended", "This producer is not suspended.", "There is nothing to do.")
        return answer(_told(producer_id, await self._standings.of(producer_id)))

    async def _named(self, request: web.Request) -> ProducerId:
        producer_id = ProducerId(request.match_info["producer_id"])
        if producer_id in INNER_PRODUCERS:
            raise ApiError(422, "inner_producer", "This is a part of this deployment, not a producer.", "Stop its service instead.")
        if await self._directory.public_key(producer_id) is None:
            raise not_found("producer")
        return producer_id


def _told(producer_id: ProducerId, standing: ProducerStanding | None) -> StandingOut:
    if standing is None:
        return StandingOut(producer_id=producer_id, is_suspended=False)
    return StandingOut(producer_id=producer_id, is_suspended=standing.is_suspended, since=standing.since, reason=standing.reason.value)
