"""Whose a record is that cannot be read: the producer it names is only a guess, and the signature alone decides."""

from __future__ import annotations

import json
from dataclasses import dataclass

from assent.events.catalogue import EVENT_TYPES
from assent.events.content_mode import STRUCTURED_CONTENT
from assent.events.envelope import JSON_CONTENT, SPEC_VERSION, UnreadableEventError, decode
from assent.events.record import Record, StoredRecord
from assent.ids import ProducerId

_SOME_TIME = b"1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Named:
    """Who an unreadable record says that it is from, and under which ids it may have been signed; nothing of it is proved."""

    producer: ProducerId | None
    event_ids: tuple[str, ...]


def named_in(record: StoredRecord) -> Named:
    """What the value says, or else the headers. In structured mode the id stands in the value alone."""
    whole = _parsed(record.value or b"")
    told = (record.header("ce_id") or b"").decode(errors="replace")
    written = _text(whole.get("id")) if isinstance(whole, dict) else None
    return Named(_in_value(whole) or _in_source(record), (told,) if written is None else (told, written))


def is_readable_as_signed(record: StoredRecord) -> bool:
    """Under proper headers it would be an event of its topic. A signature covers id, key and value: whoever copies a record
    can spoil its other headers, and that must not fall back on its producer.
    """
    return any(_is_event(record, headers) for headers in _proper_headers(record))


def _is_event(record: StoredRecord, headers: tuple[tuple[str, bytes], ...]) -> bool:
    try:
        decode(Record(record.topic, record.key, record.value, headers))
    except UnreadableEventError:
        return False
    return True


def _proper_headers(record: StoredRecord) -> list[tuple[tuple[str, bytes], ...]]:
    event_id = record.header("ce_id") or b""
    types = [name.encode() for name, model in EVENT_TYPES.items() if model.topic.value == record.topic]
    common = (("ce_specversion", SPEC_VERSION), ("ce_id", event_id), ("ce_source", b"/"), ("ce_time", _SOME_TIME))
    binary = [(*common, ("ce_type", name), ("content-type", JSON_CONTENT)) for name in types]
    return [*binary, (("content-type", STRUCTURED_CONTENT),)]


def _parsed(value: bytes) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _text(value: object) -> str | None:
    """What a signature can stand over: JSON may spell half a surrogate pair, which has no bytes."""
    return value if isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value) else None


def _in_value(whole: object) -> ProducerId | None:
    for at in (whole, whole.get("data") if isinstance(whole, dict) else None):
        sighting = at.get("sighting") if isinstance(at, dict) else None
        name = sighting.get("producer") if isinstance(sighting, dict) else None
        if isinstance(name, str):
            return ProducerId(name)
    return None


def _in_source(record: StoredRecord) -> ProducerId | None:
    source = (record.header("ce_source") or b"").decode(errors="replace").strip("/")
    return ProducerId(source) if source else None
