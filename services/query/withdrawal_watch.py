"""What a withdrawal does to this process beside the ledger: keys leave memory, and how long it took is measured; it decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from assent.deciding.tables import DecisionTables
from assent.events.envelope import UnreadableEventError, decode
from assent.events.grants import GrantWithdrawn
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.keys.grant_keys import GrantKeyring
from assent.stream.clock import Clock
from assent.stream.event_log import TopicPartition
from assent.stream.table import TableStaleError
from assent.telemetry import metrics as declared
from assent.telemetry.meter import Metrics
from services.query.disclosure_audit import DisclosureAudit

SERVICE = "query"
LOOK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class _Pending:
    place: TopicPartition
    offset: int
    withdrawn_at: datetime


class WithdrawalWatch:
    """Follows withdrawals on a tail of its own, so that what it measures is not what it measures with.

    `is_live` tells news from history: the time of withdrawals that were there before the start says nothing about this process.
    """

    def __init__(
        self,
        *,
        tables: DecisionTables,
        grant_keys: GrantKeyring,
        audit: DisclosureAudit,
        clock: Clock,
        metrics: Metrics,
        is_live: Callable[[], bool],
    ) -> None:
        self._tables = tables
        self._grant_keys = grant_keys
        self._audit = audit
        self._clock = clock
        self._metrics = metrics
        self._is_live = is_live
        self._pending: list[_Pending] = []
        self._news = asyncio.Event()
        self._stopping = False

    def apply(self, record: StoredRecord) -> None:
        """Take one withdrawal. One that cannot be read is denied and counted by the ledger."""
        try:
            data = decode(record).data
        except UnreadableEventError:
            return
        if not isinstance(data, GrantWithdrawn):
            return
        self._grant_keys.drop(data.grant_id)
        self._audit.withdrawn(data.grant_id, record.partition, record.offset)
        if self._is_live():
            self._pending.append(_Pending(TopicPartition(Topic.WITHDRAWALS.value, record.partition), record.offset, data.withdrawn_at))
            self._news.set()

    async def run(self) -> None:
        """Measure until stopped."""
        while not self._stopping:
            self._settle()
            self._news.clear()
            if self._pending:
                oldest = self._pending[0]
                with contextlib.suppress(TableStaleError):
                    await self._tables.table.wait_for({oldest.place: oldest.offset + 1}, LOOK_AGAIN_S)
                    continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S if self._pending else None):
                    await self._news.wait()

    def stop(self) -> None:
        """Let `run` end."""
        self._stopping = True
        self._news.set()

    def _settle(self) -> None:
        """What the ledger has read is measured and done with; the rest keeps its age on the gauge."""
        read, now = self._tables.table.offsets(), self._clock.now()
        left: list[_Pending] = []
        for item in self._pending:
            if read.get(item.place, 0) <= item.offset:
                left.append(item)
                continue
            self._metrics.observe(declared.WITHDRAWAL_UNDISCLOSABLE, _age_s(item, now), service=SERVICE)
        self._pending = left
        oldest = max((_age_s(item, now) for item in left), default=0.0)
        self._metrics.set(declared.WITHDRAWAL_OLDEST_UNAPPLIED_AGE, oldest, service=SERVICE)


def _age_s(item: _Pending, now: datetime) -> float:
    return max(0.0, (now - item.withdrawn_at).total_seconds())
