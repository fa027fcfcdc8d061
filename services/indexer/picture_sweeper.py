"""Walks the pictures and deletes those of grants that ended, which only a restore or a fault brings back; it signs nothing."""

from __future__ import annotations

from datetime import timedelta

from assent.blobs.derivatives import Derivatives
from assent.deciding.tables import DecisionTables
from assent.ids import GrantId
from assent.stream.clock import Clock
from services.indexer.overdue import is_overdue

PAGE = 512


class PictureSweeper:
    """Lists a page of grants first, catches up, then judges: a grant that ended or began during the walk is judged rightly."""

    def __init__(
        self, *, derivatives: Derivatives, tables: DecisionTables, clock: Clock, erase_grace_s: float, catch_up_timeout_s: float
    ) -> None:
        self._derivatives = derivatives
        self._tables = tables
        self._clock = clock
        self._grace = timedelta(seconds=erase_grace_s)
        self._catch_up_timeout_s = catch_up_timeout_s

    async def sweep(self) -> int:
        """Walk once; how many grants had pictures that must be gone and now are."""
        overdue: set[GrantId] = set()
        async for page in self._derivatives.grant_pages(PAGE):
            await self._tables.catch_up(self._catch_up_timeout_s)
            ledger, now = self._tables.ledger, self._clock.now()
            for grant_id in page:
                if is_overdue(ledger, grant_id, now, self._grace):
                    overdue.add(grant_id)
                    await self._derivatives.delete_grant(grant_id)
        return len(overdue)
