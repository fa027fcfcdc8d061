"""Where the counts of a runner go; they are counted when the log has them, so a redelivery is not counted twice."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


class RunnerObserver(Protocol):
    """What every observer takes."""

    def finished(self, stage: str, outcome: str, reason: str, seconds: float) -> None:
        """One record came to an outcome and was committed."""
        ...

    def dead(self, topic: str, cause: str) -> None:
        """One record became a dead letter."""
        ...

    def held(self, stage: str, why: str) -> None:
        """Records were put back because of trouble of ours."""
        ...

    def commit_failed(self, stage: str) -> None:
        """Partitions had moved before their commit."""
        ...


@runtime_checkable
class ProgressObserver(Protocol):
    """An observer that also wants to know how far the group is."""

    def lag(self, stage: str, topic: str, partition: int, records: int) -> None:
        """Records between the committed and the end offset of a partition that is ours."""
        ...

    def moved_away(self, topic: str, partition: int) -> None:
        """The lag of this partition is another member's to tell now."""
        ...

    def time_lag(self, topic: str, seconds: float) -> None:
        """Age of the record finished last, growing while nothing moves, or 0 when nothing waits."""
        ...

    def consumed(self, topic: str, records: int) -> None:
        """So many records of a topic are finished and committed."""
        ...

    def rebalanced(self, stage: str, partitions: int) -> None:
        """So many partitions were taken away."""
        ...
