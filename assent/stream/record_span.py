"""The span of one handled record, in OpenTelemetry's words for messaging; places and outcomes only, never the key of the record."""

from __future__ import annotations

from assent.events.record import StoredRecord
from assent.telemetry.spans import OpenSpan, Span, SpanKind


def record_span(span: OpenSpan, record: StoredRecord, *, stage: str, outcome: str, reason: str, seconds: float) -> Span:
    """What `stage` did with the record. A refusal is no error; a dead letter is."""
    attributes: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": record.topic,
        "messaging.destination.partition.id": str(record.partition),
        "messaging.kafka.offset": record.offset,
        "messaging.consumer.group.name": stage,
        "assent.outcome": outcome,
        "assent.reason": reason,
    }
    return span.ended(f"{stage} {record.topic}", SpanKind.CONSUMER, seconds=seconds, attributes=attributes, is_error=outcome == "dead")
