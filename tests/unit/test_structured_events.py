"""Structured mode: the whole event in one document is read as the same event in headers is, on images.scraped alone, in one way only."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assent.events.envelope import MAX_OUTSIDE_BYTES, Event, UnreadableEventError, decode, encode
from assent.events.record import Record
from assent.events.topics import Topic

FOLDER = Path(__file__).resolve().parents[1] / "golden_structured"
EXAMPLES = sorted(FOLDER.glob("*/*.json"))
GOLDEN = FOLDER / "images.scraped.v1" / "producer.json"


def record_of(path: Path, **changes: Any) -> Record:
    """The record of an example, its document changed; None takes a member away."""
    example = json.loads(path.read_text())
    value = {name: told for name, told in {**example["value"], **changes}.items() if told is not None}
    return structured(json.dumps(value).encode(), key=example["key"], content=example["content_type"])


def structured(value: bytes, *, key: str, content: str = "application/cloudevents+json") -> Record:
    return Record(Topic.IMAGES_SCRAPED.value, key.encode(), value, (("content-type", content.encode()),))


def cause_of(record: Record) -> str:
    with pytest.raises(UnreadableEventError) as raised:
        decode(record)
    return raised.value.cause


def key_of(path: Path = GOLDEN) -> str:
    return str(json.loads(path.read_text())["key"])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_says_what_its_binary_twin_says(path: Path) -> None:
    event = decode(record_of(path))
    assert event.source == "/agency"
    assert decode(encode(event)) == event


def test_data_and_data_base64_are_the_same_event() -> None:
    plain, encoded = (decode(record_of(path)) for path in EXAMPLES[::-1])
    assert isinstance(plain, Event)
    assert (plain.id, plain.time, plain.data) == (encoded.id, encoded.time, encoded.data)
    assert plain.traceparent is not None


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "another version of the specification": ({"specversion": "0.3"}, "bad_attributes"),
    "a version that is a number": ({"specversion": 1}, "bad_attributes"),
    "no id": ({"id": None}, "bad_attributes"),
    "an empty id": ({"id": ""}, "bad_attributes"),
    "an id that is a number": ({"id": 7}, "bad_attributes"),
    "an id with a control character": ({"id": "a\u0000b"}, "bad_attributes"),
    "an id with half a character": ({"id": "a\ud800"}, "bad_attributes"),
    "an id without end": ({"id": "a" * 2_000}, "bad_attributes"),
    "no type": ({"type": None}, "no_type"),
    "a newer type": ({"type": "images.scraped.v9"}, "unknown_type"),
    "the type of another topic": ({"type": "images.cleared.v1"}, "wrong_topic"),
    "no time": ({"time": None}, "bad_attributes"),
    "a time without an offset": ({"time": "2026-03-02T14:05:06"}, "bad_attributes"),
    "data that is no JSON": ({"datacontenttype": "text/plain"}, "bad_attributes"),
    "an extension in capitals": ({"Sequence": "7"}, "bad_attributes"),
    "an extension that is an object": ({"more": {}}, "bad_attributes"),
    "an extension that is a fraction": ({"more": 0.5}, "bad_attributes"),
    "an extension beyond 32 bits": ({"more": 2**31}, "bad_attributes"),
    "no data": ({"data": None}, "malformed"),
    "data in both forms": ({"data_base64": "e30="}, "malformed"),
    "data that is a string": ({"data": "{}"}, "malformed"),
    "data of another shape": ({"data": {"sighting": {}}}, "malformed"),
    "data in base64 that is none": ({"data": None, "data_base64": "%%%"}, "malformed"),
    "data in base64 that is no JSON": ({"data": None, "data_base64": base64.b64encode(b"\xff").decode()}, "malformed"),
    "data in base64 with a key twice": ({"data": None, "data_base64": base64.b64encode(b'{"a":1,"a":2}').decode()}, "malformed"),
    "data in base64 that is a number": ({"data": None, "data_base64": 7}, "malformed"),
    "too much": ({"more": "x" * MAX_OUTSIDE_BYTES}, "oversize"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_can_be_read_in_two_ways_is_not_read(name: str) -> None:
    changes, cause = CHANGES[name]
    assert cause_of(record_of(GOLDEN, **changes)) == cause


DOCUMENTS: dict[str, bytes] = {
    "a list of events": b"[{}]",
    "a key twice": b'{"id": "a", "id": "b"}',
    "no number": b'{"id": NaN}',
    "a number beyond what can be held": b'{"id": 1e999}',
    "another encoding": '{"id": "a"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "deep": b'{"data": ' + b"[" * 40 + b"]" * 40 + b"}",
    "very deep": b"[" * 100_000,
    "cut off": b'{"specversion": "1.0"',
    "nothing": b"",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_that_is_no_event_is_malformed(name: str) -> None:
    assert cause_of(structured(DOCUMENTS[name], key="k")) == "malformed"


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("application/cloudevents-batch+json", "batched"),
        ("application/cloudevents+avro", "unknown_content"),
        ("application/cloudevents", "unknown_content"),
        ("application/cloudevents+json; charset=utf-16", "unknown_content"),
        ("text/html", "unknown_content"),
    ],
)
def test_other_content_is_refused(content: str, cause: str) -> None:
    record = record_of(GOLDEN)
    assert cause_of(replace(record, headers=(("content-type", content.encode()),))) == cause


@pytest.mark.parametrize(
    "content", ["Application/CloudEvents+JSON", 'application/cloudevents+json;charset="UTF-8"', "application/cloudevents+json ; v=1"]
)
def test_the_spelling_of_the_content_type_does_not_matter(content: str) -> None:
    assert decode(replace(record_of(GOLDEN), headers=(("content-type", content.encode()),))).id == key_of()


def test_a_header_that_says_the_same_is_allowed_and_another_is_not() -> None:
    record = record_of(GOLDEN)
    assert decode(replace(record, headers=(*record.headers, ("ce_id", key_of().encode())))).id == key_of()
    assert cause_of(replace(record, headers=(*record.headers, ("ce_id", b"another")))) == "bad_attributes"
    assert cause_of(replace(record, headers=(*record.headers, ("ce_more", b"only here")))) == "bad_attributes"


def test_our_own_topics_are_binary_only() -> None:
    assert cause_of(replace(record_of(GOLDEN, type="images.cleared.v1"), topic=Topic.IMAGES_CLEARED.value)) == "wrong_mode"


def test_the_key_is_the_sightings_id_in_this_mode_too() -> None:
    assert cause_of(replace(record_of(GOLDEN), key=b"another")) == "wrong_key"


def test_a_broken_trace_is_left_behind() -> None:
    assert decode(record_of(GOLDEN, traceparent="x" * 2_000)).traceparent is None


BINARY: dict[str, tuple[tuple[tuple[str, bytes], ...], str]] = {
    "an id twice": ((("ce_id", b"another"),), "bad_attributes"),
    "a content type twice": ((("content-type", b"application/json"),), "bad_attributes"),
    "a signature twice": ((("assent-signature", b"a"), ("assent-signature", b"b")), "bad_attributes"),
    "a header that is no text": ((("ce_more", b"\xff"),), "bad_attributes"),
    "headers without end": ((("more", b"x" * 20_000),), "oversize"),
}


@pytest.mark.parametrize("name", BINARY)
def test_headers_of_the_binary_mode_are_as_strict(name: str) -> None:
    headers, cause = BINARY[name]
    record = encode(decode(record_of(GOLDEN)))
    assert cause_of(replace(record, headers=(*record.headers, *headers))) == cause
