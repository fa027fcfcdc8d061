"""Where declared metrics get their numbers, on a registry given by the caller; never with a label that could name a person."""

from __future__ import annotations

import re
import threading
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from assent.telemetry.metric_definition import CounterDefinition, GaugeDefinition, HistogramDefinition, MetricDefinition
from assent.telemetry.metrics import LABELS_REPLACED

OTHER = "other"
MAX_CHILDREN = 2_000
"""Label sets per metric; what comes after shares one child, so that a mistake cannot fill the memory of a scraper."""

_SAFE_VALUE = re.compile(r"[A-Za-z0-9_.+{}/-]{1,64}")
_LOOKS_LIKE_AN_ID = re.compile(r"[0-9a-fA-F]{24,}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-")
_DIGEST = re.compile(r"[0-9a-f]{8,64}")
_HOST_LIKE = re.compile(r"//|\.[a-z]{2,}/|^www\.")


class Adder(Protocol):
    """One series of a counter."""

    def inc(self, amount: float = 1) -> None:
        """Add."""
        ...


class _Setter(Protocol):
    def set(self, value: float) -> None: ...


class Durations(Protocol):
    """One series of a histogram."""

    def observe(self, amount: float) -> None:
        """Record one, in seconds."""
        ...


class Metrics:
    """The numbers of one process. Services that share a process share one instance, hence one registry.

    A family appears on the registry when it is first touched: a service that does not measure something does not report it as 0,
    so that `absent()` in an alert means what it says. Children are cached, because looking one up by labels costs more than the
    increment itself.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._families: dict[str, Counter | Gauge | Histogram] = {}
        self._children: dict[str, dict[tuple[str, ...], Counter | Gauge | Histogram]] = {}
        self._lock = threading.Lock()

    def increase(self, definition: CounterDefinition, amount: float = 1, /, **labels: str) -> None:
        """Add to a counter; amount 0 makes the series visible before the first event."""
        self.counter(definition, **labels).inc(amount)

    def counter(self, definition: CounterDefinition, /, **labels: str) -> Adder:
        """The series of these labels, for whoever adds to it once per record."""
        child: Adder = self._child(definition, labels)  # type: ignore[assignment]  # a counter family has counter children
        return child

    def durations(self, definition: HistogramDefinition, /, **labels: str) -> Durations:
        """The series of these labels, for whoever records once per record."""
        child: Durations = self._child(definition, labels)  # type: ignore[assignment]  # as above, for histograms
        return child

    def set(self, definition: GaugeDefinition, value: float, /, **labels: str) -> None:
        """Set a gauge."""
        setter: _Setter = self._child(definition, labels)  # type: ignore[assignment]  # a gauge family has gauge children
        setter.set(value)

    def observe(self, definition: HistogramDefinition, seconds: float, /, **labels: str) -> None:
        """Record one duration."""
        self.durations(definition, **labels).observe(seconds)

    def remove(self, definition: GaugeDefinition, /, **labels: str) -> None:
        """Forget one series, such as the lag of a partition that another process owns now."""
        key = self._key(definition, labels)
        with self._lock:
            if self._children.get(definition.name, {}).pop(key, None) is not None:
                self._families[definition.name].remove(*key)

    def value(self, definition: MetricDefinition, /, **labels: str) -> float | None:
        """The number now, or None when the series does not exist; for a histogram, the count."""
        series = definition.series_names()[-1]
        return self.registry.get_sample_value(series, labels)

    def _child(self, definition: MetricDefinition, labels: dict[str, str]) -> Counter | Gauge | Histogram:
        given = tuple(labels.get(name, "") for name in definition.labels)
        children = self._children.get(definition.name)
        # The cache holds only values that passed the check, so a hit needs no second one.
        if children is not None and len(labels) == len(given) and (child := children.get(given)) is not None:
            return child
        key = self._key(definition, labels)
        with self._lock:
            children = self._children.setdefault(definition.name, {})
            if key not in children and len(children) >= MAX_CHILDREN:
                key = tuple(OTHER for _ in definition.labels)
            if key not in children:
                family = self._family(definition)
                children[key] = family.labels(*key) if definition.labels else family
            return children[key]

    def _key(self, definition: MetricDefinition, labels: dict[str, str]) -> tuple[str, ...]:
        if set(labels) != set(definition.labels):
            raise ValueError(f"metric {definition.name} takes the labels {definition.labels}, not {tuple(labels)}")
        return tuple(self._checked(definition, name, labels[name]) for name in definition.labels)

    def _checked(self, definition: MetricDefinition, name: str, value: str) -> str:
        if name in definition.digest_labels and _DIGEST.fullmatch(value):
            return value
        if _SAFE_VALUE.fullmatch(value) and not _LOOKS_LIKE_AN_ID.search(value) and not _HOST_LIKE.search(value):
            return value
        self.increase(LABELS_REPLACED, metric=definition.name)
        return OTHER

    def _family(self, definition: MetricDefinition) -> Counter | Gauge | Histogram:
        family = self._families.get(definition.name)
        if family is None:
            family = self._registered(definition)
            self._families[definition.name] = family
        return family

    def _registered(self, definition: MetricDefinition) -> Counter | Gauge | Histogram:
        match definition:
            case CounterDefinition():
                return Counter(definition.name, definition.help, definition.labels, registry=self.registry)
            case HistogramDefinition():
                return Histogram(definition.name, definition.help, definition.labels, registry=self.registry, buckets=definition.buckets)
            case _:
                return Gauge(definition.name, definition.help, definition.labels, registry=self.registry)
