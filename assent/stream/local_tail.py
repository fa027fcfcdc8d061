"""Following the embedded log without a group; it never waits by asking again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assent.events.record import StoredRecord
from assent.stream.event_log import TopicPartition

if TYPE_CHECKING:
    from assent.stream.local import SqliteEventLog

BATCH = 2_000


class LocalTail:
    """Reads every partition in turn from its beginning."""

    def __init__(self, log: SqliteEventLog, partitions: Sequence[TopicPartition]) -> None:
        self._log = log
        self._topics = frozenset(partition.topic for partition in partitions)
        self._next = dict.fromkeys(partitions, 0)

    async def poll(self, *, timeout_s: float) -> list[StoredRecord]:
        """The next records; waits for growth when there are none."""
        since = self._log.version
        found = await self._read()
        if not found:
            await self._log.wait_for_growth(since, timeout_s)
            found = await self._read()
        return found

    def positions(self) -> dict[TopicPartition, int]:
        return dict(self._next)

    async def close(self) -> None:
        """Nothing is held open."""

    async def _read(self) -> list[StoredRecord]:
        """Compaction leaves gaps: a partition read to its end stands at its end offset, not behind its last record.

        Positions move when all is read: a caller who gives up in between loses nothing.
        """
        found: list[StoredRecord] = []
        following: dict[TopicPartition, int] = {}
        ends = self._log.ends(self._topics)
        for partition, start in self._next.items():
            if ends[partition] <= start:
                continue
            records = await self._log.read(partition, start, max_records=BATCH)
            last = records[-1].offset + 1 if records else 0
            found.extend(records)
            following[partition] = last if len(records) == BATCH else max(ends[partition], last)
        self._next.update(following)
        return found
