"""What a metric is before it has a value: name, help, labels, buckets, checked when declared; never a number or a registry."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(r"assent_[a-z][a-z0-9_]*[a-z0-9]")
_PERSONAL_LABELS = frozenset({"subject", "subject_id", "grant_id", "url", "host", "caller", "image_id", "face_id", "sighting_id"})


class MetricDefinitionError(ValueError):
    """Raised when a declared metric breaks the naming rules."""


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """One metric family. `digest_labels` are the labels whose values may be content digests (of a model, never of an image)."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    digest_labels: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise MetricDefinitionError(f"metric {self.name!r}: the name must start with assent_ and be snake_case")
        personal = _PERSONAL_LABELS & set(self.labels)
        if personal:
            raise MetricDefinitionError(f"metric {self.name}: label {sorted(personal)[0]} would name a person or place; drop it")

    def series_names(self) -> tuple[str, ...]:
        """The names under which a scrape shows this family."""
        return (self.name,)


@dataclass(frozen=True, slots=True)
class CounterDefinition(MetricDefinition):
    """A number that only grows while the process lives."""

    def __post_init__(self) -> None:
        MetricDefinition.__post_init__(self)
        if not self.name.endswith("_total"):
            raise MetricDefinitionError(f"counter {self.name}: the name must end in _total")


@dataclass(frozen=True, slots=True)
class GaugeDefinition(MetricDefinition):
    """A number that is true now."""

    def __post_init__(self) -> None:
        MetricDefinition.__post_init__(self)
        if self.name.endswith(("_total", "_count", "_sum", "_bucket")):
            raise MetricDefinitionError(f"gauge {self.name}: the ending belongs to counters and histograms")


SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds for one step of one event."""

LONG_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0)
"""Bounds for what has a deadline in minutes or hours."""


@dataclass(frozen=True, slots=True)
class HistogramDefinition(MetricDefinition):
    """Durations in seconds, counted in `buckets` (upper bounds, ascending)."""

    buckets: tuple[float, ...] = SECONDS

    def __post_init__(self) -> None:
        MetricDefinition.__post_init__(self)
        if not self.name.endswith("_seconds"):
            raise MetricDefinitionError(f"histogram {self.name}: durations are in seconds and the name must end in _seconds")
        if list(self.buckets) != sorted(set(self.buckets)):
            raise MetricDefinitionError(f"histogram {self.name}: the buckets must ascend")

    def series_names(self) -> tuple[str, ...]:
        """The three series of a histogram."""
        return (f"{self.name}_bucket", f"{self.name}_sum", f"{self.name}_count")
