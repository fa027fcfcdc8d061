"""The runner's counts as metrics; labels are topics, stages and short codes only."""

from __future__ import annotations

from assent.stream.clock import Clock
from assent.telemetry import metrics as declared
from assent.telemetry.meter import Adder, Durations, Metrics


class MetricsObserver:
    """Counts what was consumed and what it came to, holds, commits that failed, and how far the group is behind."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._held: set[tuple[str, str]] = set()
        self._lag: dict[tuple[str, int], int] = {}
        self._outcomes: dict[tuple[str, str, str], Adder] = {}
        self._durations: dict[str, Durations] = {}
        self._finishing: set[str] = set()

    def finished(self, stage: str, outcome: str, reason: str, seconds: float) -> None:
        key = (stage, outcome, reason)
        if key not in self._outcomes:
            self._outcomes[key] = self._metrics.counter(declared.RECORD_OUTCOMES, stage=stage, outcome=outcome, reason=reason)
            self._durations[stage] = self._metrics.durations(declared.STAGE_DURATION, stage=stage)
        self._outcomes[key].inc()
        self._durations[stage].observe(seconds)
        self._finishing.add(stage)

    def consumed(self, topic: str, records: int) -> None:
        """Told once for all that were `finished` before."""
        self._metrics.increase(declared.RECORDS_CONSUMED, records, topic=topic)
        for stage in self._finishing:
            self._progressed(stage)
        self._finishing.clear()

    def dead(self, topic: str, cause: str) -> None:
        self._metrics.increase(declared.DEAD_LETTERS, topic=topic, cause=cause)

    def held(self, stage: str, why: str) -> None:
        self._metrics.increase(declared.CONSUMER_RETRIES, stage=stage, error=why)
        self._metrics.set(declared.CONSUMER_HELD, 1, stage=stage, cause=why)
        self._held.add((stage, why))

    def commit_failed(self, stage: str) -> None:
        self._metrics.increase(declared.COMMIT_FAILURES, stage=stage)

    def lag(self, stage: str, topic: str, partition: int, records: int) -> None:
        self._metrics.set(declared.CONSUMER_LAG, records, topic=topic, partition=str(partition))
        self._lag[topic, partition] = records
        if not any(self._lag.values()):
            # Nothing waits: an idle group is not a stuck one.
            self._progressed(stage)

    def moved_away(self, topic: str, partition: int) -> None:
        self._metrics.remove(declared.CONSUMER_LAG, topic=topic, partition=str(partition))
        self._lag.pop((topic, partition), None)

    def time_lag(self, topic: str, seconds: float) -> None:
        self._metrics.set(declared.CONSUMER_TIME_LAG, seconds, topic=topic)

    def rebalanced(self, stage: str, partitions: int) -> None:
        self._metrics.increase(declared.REBALANCES, group=stage)

    def _progressed(self, stage: str) -> None:
        self._metrics.set(declared.CONSUMER_LAST_PROGRESS, self._clock.now().timestamp(), group=stage)
        for held_stage, why in self._held:
            self._metrics.set(declared.CONSUMER_HELD, 0, stage=held_stage, cause=why)
        self._held.clear()
