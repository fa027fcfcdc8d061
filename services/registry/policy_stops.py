"""Stops of places under an order: written down first, then published; nothing here opens anything, and no second person is waited for."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from assent.geofence.place_names import is_code
from assent.geofence.policy import Policy
from assent.identity.errors import ApiError
from assent.ids import Jurisdiction
from assent.policies.stopping import Stop, StopError, check_stoppable
from assent.stream.clock import Clock
from assent.stream.event_log import LogUnavailableError, UnknownTopicError
from services.registry.desk_table import PolicyRow, newest_policy
from services.registry.policy_desk import PolicyDesk
from services.registry.policy_guard import PolicyGuard
from services.registry.publisher import LogAwayError
from services.registry.stop_table import StopRow, insert_stop, live_stops
from services.registry.store import RegistryStore

LOOKED_FOR_S = 2.0


class StopWaitsError(ApiError):
    """Raised when a stop is written down and the log did not take it yet: the registry goes on trying by itself."""

    def __init__(self) -> None:
        super().__init__(
            503,
            "stop_waits",
            "The stop is written down, and the event log did not acknowledge it.",
            "It is published by itself as soon as the log answers; ask again to see when.",
        )


@dataclass(frozen=True, slots=True)
class Stopped:
    """The policy with the stops in it, as it is on the log, and whether they closed anything that was open in the one before."""

    policy: PolicyRow
    is_new: bool


class PolicyStops:
    """What is written down here is left out of every policy, whatever file the registry is started with."""

    def __init__(self, *, store: RegistryStore, desk: PolicyDesk, guard: PolicyGuard, clock: Clock) -> None:
        self._store = store
        self._desk = desk
        self._guard = guard
        self._clock = clock

    async def stop(self, places: Sequence[Jurisdiction], operations: Sequence[str], *, because: str, by: str) -> Stopped:
        """Stop these places, or everything where none is named; returns when the log has it. Raises ApiError 422, StopWaitsError."""
        before = await self._store.read(newest_policy)
        try:
            for place in places:
                check_stoppable(place)
                _check_known(place, before)
        except StopError as error:
            raise ApiError(422, "not_stoppable", f"{error}.", "Name a place such as CA-QC, FR or EU.") from error
        stops = [Stop(place, tuple(operations), because) for place in places] or [Stop(None, tuple(operations), because)]
        now = self._clock.now()
        for stop in stops:
            await self._store.write(functools.partial(insert_stop, stop=stop, by=by, now=now))
        try:
            after = await self._published()
        except (LogAwayError, LogUnavailableError, UnknownTopicError) as error:
            raise StopWaitsError from error
        return Stopped(after, is_new=before is None or before.sha256 != after.sha256)

    async def held(self) -> list[StopRow]:
        """Every stop that holds."""
        return await self._store.read(live_stops)

    async def resume(self) -> None:
        """Publish what the log did not take when it was asked for. Raises LogAwayError, LogUnavailableError."""
        if any(row.published_at is None for row in await self.held()):
            await self._published()

    async def _published(self) -> PolicyRow:
        """Over a newer policy on the log that the file does not know of, if there is one: else what that stopped would be open again."""
        await self._guard.look(timeout_s=LOOKED_FOR_S)
        return await self._desk.publish_stops()


def _check_known(place: Jurisdiction, newest: PolicyRow | None) -> None:
    """Whoever writes UK is not told that it is closed while GB stays open. Raises StopError."""
    if is_code(place):
        return
    if newest is None or newest.document is None or place not in Policy.from_canonical_json(newest.document).jurisdictions:
        raise StopError(f"{place} is no code of a place that is known, so nothing would be closed")
