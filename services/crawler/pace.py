"""One request after the other per host, with the site's own pause between them; never faster because of a backlog."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from assent.stream.clock import Clock


class Pace:
    """Remembers when each host may be asked again."""

    def __init__(self, *, clock: Clock, host_delay_s: float) -> None:
        self._clock = clock
        self._host_delay_s = host_delay_s
        self._free_at: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def wait(self, url: str, crawl_delay_s: float) -> None:
        """Return when this host may be asked; the next caller waits at least its delay from now."""
        host = urlsplit(url).netloc
        async with self._locks.setdefault(host, asyncio.Lock()):
            pause = self._free_at.get(host, 0.0) - self._clock.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            self._free_at[host] = self._clock.monotonic() + max(self._host_delay_s, crawl_delay_s)
