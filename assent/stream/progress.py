"""How far a group is and whether it still moves; it looks at committed offsets, since a client that hangs reports nothing itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from assent.stream.clock import Clock
from assent.stream.event_log import EventLog, TopicPartition


class StalledError(Exception):
    """Raised when the log was away, or nothing moved, for longer than `stall_after_s`: the process ends and is started anew."""


class ProgressWatch:
    """Compares committed with end offsets; what retention took before the group read it is not behind."""

    def __init__(self, log: EventLog, *, group: str, topics: Sequence[str], clock: Clock, stall_after_s: float) -> None:
        self._log = log
        self._group = group
        self._topics = tuple(topics)
        self._clock = clock
        self._stall_after_s = stall_after_s
        self._still: dict[TopicPartition, tuple[int, float]] = {}
        self._unmoved: dict[TopicPartition, tuple[int, float]] = {}
        self.lag: dict[TopicPartition, int] = {}

    async def look(self, *, assigned: Collection[TopicPartition], held: Collection[TopicPartition]) -> None:
        """Ask the log. Raises LogUnavailableError, and StalledError when something waits that nobody takes up.

        Without an assignment the whole group is looked at: a member to spare is idle, a forgotten one is stalled.
        """
        ends = await self._log.end_offsets(self._topics)
        committed = await self._log.committed(self._group, self._topics)
        beginnings = await self._log.beginning_offsets(self._topics)
        done = {at: max(committed[at], beginnings[at]) for at in ends}
        watched = frozenset(assigned) or ends.keys()
        self.lag = {at: max(0, ends[at] - done[at]) for at in watched}
        now = self._clock.monotonic()
        behind = [at for at, records in self.lag.items() if records]
        self._unmoved = {at: _since(self._unmoved, at, done[at], now) for at in behind}
        self._still = {at: _since(self._still, at, done[at], now) for at in behind if at not in held}
        for at, (offset, since) in self._still.items():
            if now - since > self._stall_after_s:
                raise StalledError(
                    f"group {self._group} has not moved on {at.topic}/{at.partition} from offset {offset} for {now - since:.0f} s "
                    "although records wait; ending so that it joins anew"
                )

    def waits_s(self, topic: str) -> float | None:
        """How long the partition of a topic that waits longest has not moved, held or not; None where nothing waits."""
        now = self._clock.monotonic()
        return max((now - since for at, (_, since) in self._unmoved.items() if at.topic == topic), default=None)


def _since(before: Mapping[TopicPartition, tuple[int, float]], at: TopicPartition, offset: int, now: float) -> tuple[int, float]:
    """When the offset was first seen."""
    seen = before.get(at)
    return seen if seen is not None and seen[0] == offset else (offset, now)
