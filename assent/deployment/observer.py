"""The runner's counts as metrics."""

from __future__ import annotations

from assent.telemetry import metrics as declared
from assent.telemetry.meter import Metrics


class MetricsObserver:
    """Counts outcomes, dead letters, holds and failed commits; labels are topics, stages and short codes only."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def finished(self, stage: str, outcome: str, reason: str, seconds: float) -> None:
        self._metrics.increase(declared.RECORD_OUTCOMES, stage=stage, outcome=outcome, reason=reason)
        self._metrics.observe(declared.STAGE_DURATION, seconds, stage=stage)

    def dead(self, topic: str, cause: str) -> None:
        self._metrics.increase(declared.DEAD_LETTERS, topic=topic, cause=cause)

    def held(self, stage: str, why: str) -> None:
        self._metrics.increase(declared.CONSUMER_RETRIES, stage=stage, error=why)

    def commit_failed(self, stage: str) -> None:
        self._metrics.increase(declared.COMMIT_FAILURES, error=stage)
