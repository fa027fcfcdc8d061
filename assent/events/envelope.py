"""CloudEvents 1.0 on Kafka: an event to a record and back; an unreadable record is an error, never a guess.

What is written here is in binary mode. Structured mode is read from outside producers, on images.scraped alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from assent.events.catalogue import EVENT_TYPES
from assent.events.content_mode import Mode, UnknownContentError, mode_of
from assent.events.payload import EventPayload, UtcTime
from assent.events.record import Headers, Record, StoredRecord
from assent.events.strict_json import AmbiguousJsonError, parse_strictly
from assent.events.structured import NoEventError, parse_structured
from assent.events.topics import Topic
from assent.events.written import WrittenEvent

SPEC_VERSION = b"1.0"
JSON_CONTENT = b"application/json"
MAX_VALUE_BYTES = 512 * 1024
MAX_OUTSIDE_BYTES = 256 * 1024
"""Of a value on images.scraped: what a stage adds to it must still fit into MAX_VALUE_BYTES."""
MAX_HEADER_BYTES = 16 * 1024
MAX_ATTRIBUTE_CHARS = 1_024

# Control characters, surrogates and noncharacters: CloudEvents 1.0, type String.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_OUR_HEADERS = frozenset({"content-type", "traceparent", "assent-signature"})
_REQUIRED = ("id", "source", "type", "time")
_WRITTEN = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type")
"""The headers that `encode` writes first, in their order; a `traceparent` may follow, and what a stage signs."""

_SCRAPED = Topic.IMAGES_SCRAPED.value

P_co = TypeVar("P_co", bound=EventPayload, covariant=True)
_TIME = TypeAdapter(UtcTime)


class UnreadableEventError(ValueError):
    """Raised when a record is not an event of its topic. `cause` is a short code, `detail` says it; neither holds its payload."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause = cause
        self.detail = detail


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


def encode(event: Event[EventPayload] | WrittenEvent) -> Record:
    """The record of an event, in binary mode, keyed as its type says."""
    if isinstance(event, WrittenEvent):
        model, key, value = event.model, event.key, event.value
    else:
        model, key, value = type(event.data), event.data.key(), event.data.to_json()
    headers: list[tuple[str, bytes]] = [
        ("ce_specversion", SPEC_VERSION),
        ("ce_id", event.id.encode()),
        ("ce_source", event.source.encode()),
        ("ce_type", model.type.encode()),
        ("ce_time", event.time.isoformat().encode()),
        ("content-type", JSON_CONTENT),
    ]
    if event.traceparent is not None:
        headers.append(("traceparent", event.traceparent.encode()))
    return Record(model.topic.value, key.encode(), value, tuple(headers))


def decode(record: StoredRecord | Record) -> Event[EventPayload]:
    """The event in a record.

    Raises UnreadableEventError with a cause: `no_value`, `oversize`, `no_type`, `unknown_type`, `wrong_topic`, `wrong_mode`,
    `batched`, `unknown_content`, `malformed`, `wrong_key`, `bad_attributes`, or what the log says of a damaged place.
    """
    value = _value(record)
    attributes, body = _parts(record, value)
    _check_attributes(attributes)
    model = _model(attributes["type"], record.topic)
    data = _payload(model, body)
    if data.key().encode() != record.key:
        raise UnreadableEventError("wrong_key", "the record key is not the key of its event")
    trace = attributes.get("traceparent")
    return Event(
        id=attributes["id"],
        source=attributes["source"],
        time=_time(attributes["time"]),
        data=data,
        # What is no trace context is left behind, not handed on.
        traceparent=trace if trace is not None and _is_text(trace) else None,
    )


def decode_signed(record: StoredRecord | Record, models: Mapping[str, type[EventPayload]] = EVENT_TYPES) -> Event[EventPayload]:
    """The same of a record that one of our own stages signed, which saves the search for what only a stranger would write.

    The signature covers the whole value, and `encode` wrote it from a model: no key stands in it twice, no number is beyond what can
    be held, and it is no deeper than the model. What is not in the form in which `encode` writes is read as any other record is.
    `models` may name one for a type that reads less of it.
    Raises UnreadableEventError.
    """
    told = _as_encoded(record.headers)
    if told is None:
        return decode(record)
    value = _value(record, header_bytes=told.header_bytes)
    model = _model(told.type, record.topic, models)
    try:
        data = model.model_validate_json(value)
    except ValidationError as error:
        raise _malformed(error) from None
    if data.key().encode() != record.key:
        raise UnreadableEventError("wrong_key", "the record key is not the key of its event")
    return Event(told.id, told.source, _time(told.time), data, told.traceparent)


class _Told(NamedTuple):
    """The attributes of an event as text."""

    id: str
    source: str
    type: str
    time: str
    traceparent: str | None
    header_bytes: int


def _as_encoded(headers: Headers) -> _Told | None:
    """The attributes where the headers stand as `encode` writes them, each once, in printable ASCII; None where anything is odd."""
    if not headers:
        return None
    names, texts = zip(*headers, strict=True)
    name_bytes = _as_encoded_names(names)
    if name_bytes is None or texts[0] != SPEC_VERSION or texts[5] != JSON_CONTENT:
        return None
    trace = texts[6] if len(names) > 6 and names[6] == "traceparent" else b""
    joined = b" ".join((*texts[1:5], trace))
    if len(joined) > MAX_ATTRIBUTE_CHARS or not joined.isascii():
        return None
    text = joined.decode()
    told = text.split(" ")
    if len(told) != 5 or not all(told[:4]) or not text.isprintable():
        return None
    return _Told(told[0], told[1], told[2], told[3], told[4] or None, name_bytes + sum(map(len, texts)))


# The records of one topic have the same names.
@lru_cache(maxsize=64)
def _as_encoded_names(names: tuple[str, ...]) -> int | None:
    """How long they are together, where `encode` writes such."""
    return sum(map(len, names)) if names[: len(_WRITTEN)] == _WRITTEN and len(set(names)) == len(names) else None


def _value(record: StoredRecord | Record, *, header_bytes: int | None = None) -> bytes:
    """What there is to read, within its limits."""
    if isinstance(record, StoredRecord) and record.damage is not None:
        raise UnreadableEventError(record.damage, "the log cannot give this record")
    if record.value is None:
        raise UnreadableEventError("no_value", "a record without a value is a tombstone, not an event")
    most = MAX_OUTSIDE_BYTES if record.topic == _SCRAPED else MAX_VALUE_BYTES
    if len(record.value) > most:
        raise UnreadableEventError("oversize", f"value of {len(record.value)} bytes, {most} allowed")
    told = sum([len(name) + len(text) for name, text in record.headers]) if header_bytes is None else header_bytes
    if told > MAX_HEADER_BYTES:
        raise UnreadableEventError("oversize", f"headers of {told} bytes, {MAX_HEADER_BYTES} allowed")
    return record.value


def _parts(record: StoredRecord | Record, value: bytes) -> tuple[dict[str, str], bytes]:
    """Attributes and data of either mode."""
    told = _told(record)
    try:
        mode = mode_of(record.header("content-type"))
        if mode is Mode.BINARY:
            return told, value
        if record.topic != Topic.IMAGES_SCRAPED.value:
            raise UnreadableEventError("wrong_mode", "our own stages write in binary mode")
        attributes, body = parse_structured(value)
    except (UnknownContentError, NoEventError) as error:
        raise UnreadableEventError(error.cause, str(error)) from error
    if any(attributes.get(name) != text for name, text in told.items() if name != "traceparent"):
        raise UnreadableEventError("bad_attributes", "a header says something else than the event")
    return told | attributes, body


def _told(record: StoredRecord | Record) -> dict[str, str]:
    """What the headers say. A header of ours that comes twice could be read in two ways."""
    ours = [(name, text) for name, text in record.headers if name.startswith("ce_") or name in _OUR_HEADERS]
    if len({name for name, _ in ours}) < len(ours):
        raise UnreadableEventError("bad_attributes", "a header is given twice")
    try:
        return {name.removeprefix("ce_"): text.decode() for name, text in ours if name.startswith("ce_") or name == "traceparent"}
    except UnicodeDecodeError as error:
        raise UnreadableEventError("bad_attributes", "a header is not UTF-8") from error


def _check_attributes(attributes: dict[str, str]) -> None:
    for name in _REQUIRED:
        if not attributes.get(name):
            raise UnreadableEventError("no_type" if name == "type" else "bad_attributes", f"attribute {name} is missing")
        if not _is_text(attributes[name]):
            raise UnreadableEventError("bad_attributes", f"attribute {name} is too long or holds control characters")
    if attributes.get("specversion") != "1.0":
        raise UnreadableEventError("bad_attributes", "specversion is not 1.0")


def _is_text(text: str) -> bool:
    return len(text) <= MAX_ATTRIBUTE_CHARS and not _FORBIDDEN.search(text)


def _model(type_: str, topic: str, models: Mapping[str, type[EventPayload]] = EVENT_TYPES) -> type[EventPayload]:
    model = models.get(type_)
    if model is None:
        raise UnreadableEventError("unknown_type", "no event of this type and version is known")
    if model.topic != topic:
        raise UnreadableEventError("wrong_topic", f"{model.type} does not belong on {topic}")
    return model


def _payload(model: type[EventPayload], body: bytes) -> EventPayload:
    try:
        parse_strictly(body)
        return model.model_validate_json(body)
    except AmbiguousJsonError as error:
        raise UnreadableEventError("malformed", str(error)) from error
    except ValidationError as error:
        raise _malformed(error) from None


def _malformed(error: ValidationError) -> UnreadableEventError:
    where = ", ".join(".".join(str(part) for part in item["loc"]) for item in error.errors()[:5])
    return UnreadableEventError("malformed", f"{error.error_count()} faults at {where}")


def _time(text: str) -> datetime:
    try:
        return _TIME.validate_python(text)
    except ValidationError as error:
        raise UnreadableEventError("bad_attributes", "time is not RFC 3339 with an offset") from error
