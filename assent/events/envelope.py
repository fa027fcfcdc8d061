"""CloudEvents 1.0 in Kafka's binary mode: an event to a record and back; an unreadable record is an error, never a guess."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from assent.events.catalogue import EVENT_TYPES
from assent.events.payload import EventPayload, UtcTime
from assent.events.record import Record, StoredRecord, first_header

SPEC_VERSION = b"1.0"
JSON_CONTENT = b"application/json"
STRUCTURED_CONTENT = b"application/cloudevents+json"
MAX_VALUE_BYTES = 512 * 1024

P_co = TypeVar("P_co", bound=EventPayload, covariant=True)
_TIME = TypeAdapter(UtcTime)


class UnreadableEventError(ValueError):
    """Raised when a record is not an event of its topic. `cause` is a short code, never a part of the payload."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Event(Generic[P_co]):
    """A fact with its CloudEvents attributes. `time` is UTC; `id` is deterministic, so a redelivery makes the same event."""

    id: str
    source: str
    time: datetime
    data: P_co
    traceparent: str | None = None


def event_id(*parts: str | int) -> str:
    """Deterministic id: the first 32 hex digits of SHA-256 over the parts, each with its length before it."""
    digest = hashlib.sha256()
    for part in parts:
        text = str(part).encode()
        digest.update(len(text).to_bytes(4, "big") + text)
    return digest.hexdigest()[:32]


def encode(event: Event[EventPayload]) -> Record:
    """The record of an event, in binary mode, keyed as its type says."""
    headers: list[tuple[str, bytes]] = [
        ("ce_specversion", SPEC_VERSION),
        ("ce_id", event.id.encode()),
        ("ce_source", event.source.encode()),
        ("ce_type", event.data.type.encode()),
        ("ce_time", event.time.isoformat().encode()),
        ("content-type", JSON_CONTENT),
    ]
    if event.traceparent is not None:
        headers.append(("traceparent", event.traceparent.encode()))
    return Record(
        topic=event.data.topic.value,
        key=event.data.key().encode(),
        value=event.data.model_dump_json().encode(),
        headers=tuple(headers),
    )


def decode(record: StoredRecord | Record) -> Event[EventPayload]:
    """The event in a record.

    Raises UnreadableEventError with a cause: `no_value`, `oversize`, `no_type`, `unknown_type`, `wrong_topic`,
    `malformed`, `wrong_key`, `bad_attributes`.
    """
    if record.value is None:
        raise UnreadableEventError("no_value", "a record without a value is a tombstone, not an event")
    if len(record.value) > MAX_VALUE_BYTES:
        raise UnreadableEventError("oversize", f"value of {len(record.value)} bytes, {MAX_VALUE_BYTES} allowed")
    attributes, body = _parts(record, record.value)
    model = _model(attributes, record.topic)
    data = _payload(model, body)
    if data.key().encode() != record.key:
        raise UnreadableEventError("wrong_key", "the record key is not the key of its event")
    return Event(
        id=attributes["id"],
        source=attributes["source"],
        time=_time(attributes["time"]),
        data=data,
        traceparent=attributes.get("traceparent"),
    )


def _parts(record: StoredRecord | Record, value: bytes) -> tuple[dict[str, str], bytes]:
    """Attributes and data of either mode."""
    try:
        if (record.header("content-type") or b"").startswith(STRUCTURED_CONTENT):
            whole = json.loads(value)
            attributes = {str(k): str(v) for k, v in whole.items() if k != "data"}
            body = json.dumps(whole.get("data")).encode()
        else:
            attributes = {name.removeprefix("ce_"): text.decode() for name, text in reversed(record.headers) if name.startswith("ce_")}
            trace = first_header(record.headers, "traceparent")
            if trace is not None:
                attributes["traceparent"] = trace.decode()
            body = value
    except (ValueError, AttributeError, RecursionError) as error:
        raise UnreadableEventError("malformed", type(error).__name__) from error
    for name in ("id", "source", "type", "time"):
        if not attributes.get(name):
            raise UnreadableEventError("no_type" if name == "type" else "bad_attributes", f"attribute {name} is missing")
    if attributes.get("specversion") != "1.0":
        raise UnreadableEventError("bad_attributes", "specversion is not 1.0")
    return attributes, body


def _model(attributes: dict[str, str], topic: str) -> type[EventPayload]:
    model = EVENT_TYPES.get(attributes["type"])
    if model is None:
        raise UnreadableEventError("unknown_type", "no event of this type and version is known")
    if model.topic.value != topic:
        raise UnreadableEventError("wrong_topic", f"{model.type} does not belong on {topic}")
    return model


def _payload(model: type[EventPayload], body: bytes) -> EventPayload:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        where = ", ".join(".".join(str(part) for part in item["loc"]) for item in error.errors()[:5])
        raise UnreadableEventError("malformed", f"{error.error_count()} faults at {where}") from None


def _time(text: str) -> datetime:
    try:
        return _TIME.validate_python(text)
    except ValidationError as error:
        raise UnreadableEventError("bad_attributes", "time is not RFC 3339 with an offset") from error
