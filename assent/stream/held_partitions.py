"""Partitions that wait for trouble of ours to pass, each for itself and longer each time; the others go on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from assent.stream.clock import Clock
from assent.stream.event_log import Subscription, TopicPartition


@dataclass(frozen=True, slots=True)
class _Hold:
    until: float
    pause_s: float
    is_over: bool = False


class HeldPartitions:
    """Pauses doubling from `first_s` to `most_s`; a partition that finished a record begins anew."""

    def __init__(self, clock: Clock, *, first_s: float, most_s: float) -> None:
        self._clock = clock
        self._first_s = first_s
        self._most_s = most_s
        self._holds: dict[TopicPartition, _Hold] = {}

    def hold(self, subscription: Subscription, partition: TopicPartition, offset: int, *, after_s: float = 0.0) -> None:
        """Read again from `offset`, not before the pause or `after_s` has passed."""
        before = self._holds.get(partition)
        pause_s = self._first_s if before is None else min(before.pause_s * 2, self._most_s)
        subscription.seek(partition, offset)
        subscription.pause([partition])
        self._holds[partition] = _Hold(self._clock.monotonic() + max(pause_s, after_s), pause_s)

    def let_through(self, subscription: Subscription) -> None:
        """Resume what has waited long enough; pause the rest again, since a rebalance forgets pauses."""
        now = self._clock.monotonic()
        for partition, hold in list(self._holds.items()):
            if not hold.is_over and hold.until <= now:
                self._holds[partition] = _Hold(hold.until, hold.pause_s, is_over=True)
                subscription.resume([partition])
        subscription.pause(self.current())

    def current(self) -> frozenset[TopicPartition]:
        """What waits now."""
        return frozenset(partition for partition, hold in self._holds.items() if not hold.is_over)

    def forget(self, partitions: Collection[TopicPartition]) -> None:
        """They finished something, or are no longer ours."""
        for partition in partitions:
            self._holds.pop(partition, None)

    def next_in_s(self, most_s: float) -> float:
        """Seconds until the next one may go on, at most `most_s`."""
        now = self._clock.monotonic()
        return min([most_s, *(max(0.0, hold.until - now) for hold in self._holds.values() if not hold.is_over)])
