"""A round of the crawler is watched from outside: what hangs cannot look at itself, and a loop that waits for it hangs with it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from assent.stream.clock import Clock
from assent.stream.progress import StalledError

LOOKED_AT_EVERY_S = 1.0
LET_GO_AFTER_S = 1.0
T = TypeVar("T")


class RoundWatch:
    """Progress is a fetch that ended, an answer that was kept, a decision that was written down."""

    def __init__(self, *, clock: Clock, stall_after_s: float) -> None:
        self._clock = clock
        self._stall_after_s = stall_after_s
        self._last_step = clock.monotonic()

    def progressed(self) -> None:
        """The round got further."""
        self._last_step = self._clock.monotonic()

    async def watched(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work returns. Raises what it raises, and StalledError when it gets no further; then it is left where it hangs."""
        self.progressed()
        working = asyncio.create_task(work)
        try:
            while not (await asyncio.wait({working}, timeout=min(LOOKED_AT_EVERY_S, self._stall_after_s / 2)))[0]:
                silent_s = self._clock.monotonic() - self._last_step
                if silent_s > self._stall_after_s:
                    raise StalledError(
                        f"the round has fetched, kept and decided nothing for {silent_s:.0f} s; ending so that the process is started anew"
                    )
            return working.result()
        finally:
            if not working.done():
                working.cancel()
                await asyncio.wait({working}, timeout=LET_GO_AFTER_S)
