"""How late the event loop wakes up: what blocks it stops the heartbeats to the broker; never itself a cause of delay."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from assent.telemetry.meter import Metrics
from assent.telemetry.metrics import EVENT_LOOP_LAG


class LoopLagProbe:
    """Sleeps `interval_s` again and again and reports how much longer it took."""

    def __init__(
        self,
        metrics: Metrics,
        *,
        interval_s: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._metrics = metrics
        self._interval_s = interval_s
        self._clock = clock
        self._sleep = sleep
        self._turned_at = clock()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.turn()

    async def turn(self) -> None:
        """One sleep and one measurement."""
        started = self._clock()
        await self._sleep(self._interval_s)
        self._turned_at = self._clock()
        self._metrics.set(EVENT_LOOP_LAG, max(0.0, self._turned_at - started - self._interval_s))

    def silent_for_s(self) -> float:
        """Seconds since the loop last turned; asked from another thread, it tells a blocked loop."""
        return self._clock() - self._turned_at
