"""Looks at the store all the time: nothing of an ended grant may be there once the grace time of uptime is over."""

from __future__ import annotations

import asyncio

import aiohttp

from faults.deployment import GRACE_CHECKED_S
from faults.evidence import points
from faults.truth import Truth
from faults.uptime import Uptime

LOOK_EVERY_S = 2.0


class GraceWatch:
    """Where the store cannot be looked at meanwhile, it sees nothing and says so by its count of looks."""

    def __init__(self, truth: Truth, uptime: Uptime, store_url: str | None) -> None:
        self._truth = truth
        self._uptime = uptime
        self._store_url = store_url
        self.looks = 0
        self.findings: list[str] = []

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until it is time; a store that does not answer is looked at later."""
        while self._store_url is not None and not stopping.is_set():
            overdue = self._overdue()
            try:
                seen = {point["grant_id"] async for point in points(self._store_url)}
                self.looks += 1
            except (aiohttp.ClientError, TimeoutError):
                seen = set()
            self.findings += [f"{grant} had vectors after {GRACE_CHECKED_S:.0f} s of uptime" for grant in sorted(seen & overdue)]
            await asyncio.sleep(LOOK_EVERY_S)

    def _overdue(self) -> set[str]:
        """Grants whose end lies more than the grace time of uptime before now."""
        now = self._uptime.seconds
        ends = ((grant.grant_id, grant.uptime_at_end) for grant in self._truth.grants.values())
        return {name for name, at in ends if at is not None and now - at > GRACE_CHECKED_S}
