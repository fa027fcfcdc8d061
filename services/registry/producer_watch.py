"""Counts the producers that are suspended, for the alert; whoever suspended them, and in whatever process."""

from __future__ import annotations

from assent.intake.standings import ProducerStandings
from assent.stream.clock import Clock
from assent.telemetry.meter import Metrics
from assent.telemetry.metrics import PRODUCERS_SUSPENDED

LOOK_EVERY_S = 10.0


class ProducerWatch:
    """Asks the store now and then, not in every round: each look lists objects."""

    def __init__(self, *, standings: ProducerStandings, clock: Clock, metrics: Metrics) -> None:
        self._standings = standings
        self._clock = clock
        self._metrics = metrics
        self._next = clock.monotonic()

    async def look(self) -> None:
        """Count, if it is time. Raises BlobStoreUnavailableError."""
        if self._clock.monotonic() < self._next:
            return
        self._metrics.set(PRODUCERS_SUSPENDED, len(await self._standings.suspended()))
        self._next = self._clock.monotonic() + LOOK_EVERY_S
