"""One step of a trace: which trace, under which step, when and how it ended; an attribute never holds a person, a key or a URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from assent.telemetry.tracing import TraceContext


class SpanKind(IntEnum):
    """Numbers of OpenTelemetry's `SpanKind`: a producer writes the message that a consumer processes."""

    PRODUCER = 4
    CONSUMER = 5


@dataclass(frozen=True, slots=True)
class Span:
    """A step that ended. `parent_span_id` is None for the first step of a trace."""

    context: TraceContext
    parent_span_id: str | None
    name: str
    kind: SpanKind
    began_at: datetime
    seconds: float
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class OpenSpan:
    """A step that has begun; `context.header()` is what its messages carry."""

    context: TraceContext
    parent_span_id: str | None
    began_at: datetime

    @classmethod
    def under(cls, header: str | None, *, now: datetime) -> OpenSpan:
        """A child of the header's context, or the first step of a trace where there is none to follow."""
        parent = TraceContext.parse(header)
        if parent is None:
            return cls(TraceContext.start(), None, now)
        return cls(parent.child(), parent.span_id, now)

    def ended(self, name: str, kind: SpanKind, *, seconds: float, attributes: Mapping[str, str | int], is_error: bool = False) -> Span:
        """The step as it is exported."""
        return Span(self.context, self.parent_span_id, name, kind, self.began_at, seconds, attributes, is_error)


class SpanExporter(Protocol):
    """Where ended steps go."""

    def export(self, spans: Sequence[Span]) -> None:
        """Take them; never raises, because a trace must not stop what it traces."""
        ...
