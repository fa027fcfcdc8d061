"""Structured mode: the whole event in one document is read as the same event in headers is, on images.scraped alone, in one way only."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assent.events.content_mode import Mode, UnknownContentError, mode_of
from assent.events.envelope import MAX_OUTSIDE_BYTES, Event, UnreadableEventError, decode, encode
from assent.events.record import Record
from assent.events.strict_json import AmbiguousJsonError, parse_strictly
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
    "an id that is a truth value": ({"id": True}, "bad_attributes"),
    "no source": ({"source": None}, "bad_attributes"),
    "an empty source": ({"source": ""}, "bad_attributes"),
    "a source that is a number": ({"source": 7}, "bad_attributes"),
    "a source that is a truth value": ({"source": False}, "bad_attributes"),
    "a source without end": ({"source": "a" * 1_025}, "bad_attributes"),
    "an id with a control character": ({"id": "a\u0000b"}, "bad_attributes"),
    "an id with half a character": ({"id": "a\ud800"}, "bad_attributes"),
    "an id without end": ({"id": "a" * 2_000}, "bad_attributes"),
    "no type": ({"type": None}, "no_type"),
    "a type that is a number": ({"type": 7}, "bad_attributes"),
    "a type that is a truth value": ({"type": True}, "bad_attributes"),
    "a type with a control character": ({"type": "images.scraped.v1\u0007"}, "bad_attributes"),
    "a newer type": ({"type": "images.scraped.v9"}, "unknown_type"),
    "the type of another topic": ({"type": "images.cleared.v1"}, "wrong_topic"),
    "no time": ({"time": None}, "bad_attributes"),
    "a time without an offset": ({"time": "2026-03-02T14:05:06"}, "bad_attributes"),
    "a time that is a number": ({"time": 1_772_460_306}, "bad_attributes"),
    "a time that is the text of a number": ({"time": "1772460306"}, "bad_attributes"),
    "a time that is the text of a fraction": ({"time": "1.5e-3"}, "bad_attributes"),
    "a date alone": ({"time": "2026-03-02"}, "bad_attributes"),
    "no version of the specification": ({"specversion": None}, "bad_attributes"),
    "data that is no JSON": ({"datacontenttype": "text/plain"}, "bad_attributes"),
    "data that is an event again": ({"datacontenttype": "application/cloudevents+json"}, "bad_attributes"),
    "data of a type that is a number": ({"datacontenttype": 7}, "bad_attributes"),
    "an extension without a name": ({"": "7"}, "bad_attributes"),
    "an extension of a long name": ({"a" * 65: "7"}, "bad_attributes"),
    "an extension in capitals": ({"Sequence": "7"}, "bad_attributes"),
    "an extension that is an object": ({"more": {}}, "bad_attributes"),
    "an extension that is a fraction": ({"more": 0.5}, "bad_attributes"),
    "an extension beyond 32 bits": ({"more": 2**31}, "bad_attributes"),
    "an extension below 32 bits": ({"more": -(2**31) - 1}, "bad_attributes"),
    "no data": ({"data": None}, "malformed"),
    "data in both forms": ({"data_base64": "e30="}, "malformed"),
    "data that is a string": ({"data": "{}"}, "malformed"),
    "data of another shape": ({"data": {"sighting": {}}}, "malformed"),
    "data in base64 that is none": ({"data": None, "data_base64": "%%%"}, "malformed"),
    "data in base64 that is no ASCII": ({"data": None, "data_base64": "é"}, "malformed"),
    "data in base64 with a sign between": ({"data": None, "data_base64": "e3 0="}, "malformed"),
    "data in base64 that is no JSON": ({"data": None, "data_base64": base64.b64encode(b"\xff").decode()}, "malformed"),
    "data in base64 with a key twice": ({"data": None, "data_base64": base64.b64encode(b'{"a":1,"a":2}').decode()}, "malformed"),
    "data in base64 that is a number": ({"data": None, "data_base64": 7}, "malformed"),
    "too much": ({"more": "x" * MAX_OUTSIDE_BYTES}, "oversize"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_can_be_read_in_two_ways_is_not_read(name: str) -> None:
    changes, cause = CHANGES[name]
    assert cause_of(record_of(GOLDEN, **changes)) == cause


def test_it_is_told_what_is_wrong_and_nothing_of_what_was_sent() -> None:
    for value, said in (
        (b'{"id": "a", "id": "Ada"}', "a key is given twice, and readers differ on which one counts"),
        (b'{"id": NaN}', "not a number of JSON"),
        (b'{"id": 1e999}', "a number beyond what can be held"),
        (b'{"id": ' + b"[" * 40 + b"]" * 40 + b"}", "nested more than 32 deep"),
        (b'{"Ada', "no JSON in UTF-8"),
        (b"[]", "the value is not a JSON object"),
        (b"{}", "an event has either data or data_base64"),
        (b'{"data_base64": "%"}', "data_base64 is not base64"),
    ):
        with pytest.raises(UnreadableEventError) as raised:
            decode(structured(value, key="k"))
        assert (raised.value.cause, raised.value.detail) == ("malformed", said)


ALLOWED: dict[str, dict[str, Any]] = {
    "an attribute that says nothing": {"subject": None, "nothing": None},
    "a truth value": {"more": True},
    "the largest number": {"more": 2**31 - 1},
    "the least number": {"more": -(2**31)},
    "a long name": {"a" * 64: "7"},
    "digits in a name": {"0a9": "7"},
    "JSON with its encoding": {"datacontenttype": " Application/JSON ; charset=utf-8"},
    "JSON of another name": {"datacontenttype": "application/vnd.agency+json"},
    "no type of the data": {"datacontenttype": None},
    "an id as long as one may be": {"id": "a" * 1_024},
    "a time of another place": {"time": "2026-03-02T09:05:06-05:00"},
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_the_specification_allows_is_read(name: str) -> None:
    record = record_of(GOLDEN)
    document = json.loads(record.value or b"") | ALLOWED[name]
    event = decode(replace(record, value=json.dumps(document).encode()))
    assert (event.time, event.data) == (decode(record).time, decode(record).data)
    assert event.id == ALLOWED[name].get("id", key_of())


DOCUMENTS: dict[str, bytes] = {
    "a list of events": b"[{}]",
    "a key twice": b'{"id": "a", "id": "b"}',
    "no number": b'{"id": NaN}',
    "a number beyond what can be held": b'{"id": 1e999}',
    "less than any number": b'{"id": -Infinity}',
    "a number of five thousand digits": b'{"id": ' + b"7" * 5_000 + b"}",
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


DEPTHS: dict[str, tuple[bytes, bool]] = {
    "as deep as may be": (b"[" * 32 + b"]" * 32, True),
    "as deep as may be, and something in it": (b"[" * 32 + b"1" + b"]" * 32, True),
    "as deep as may be, and more beside it": (b"[{}," + b"[" * 31 + b'"text"' + b"]" * 32, True),
    "objects as deep as may be": (b'{"a":' * 32 + b"1" + b"}" * 32, True),
    "one deeper": (b"[" * 33 + b"]" * 33, False),
    "one deeper, and something in it": (b"[" * 33 + b"1" + b"]" * 33, False),
    "objects, one deeper": (b'{"a":' * 33 + b"1" + b"}" * 33, False),
    "one deeper beside much that is flat": (b"[1," + b"[]," * 40 + b"[" * 32 + b"]" * 33, False),
    "much that is flat": (b"[" + b"[],{}," * 40 + b"7]", True),
    "a text of brackets": (b'"' + b"[" * 40 + b'"', True),
    "texts of brackets": (b'["' + b"[{" * 40 + b'"]', True),
}


@pytest.mark.parametrize("name", DEPTHS)
def test_brackets_are_thirty_two_deep_at_most_whatever_they_hold(name: str) -> None:
    data, is_read = DEPTHS[name]
    if is_read:
        assert parse_strictly(data) == json.loads(data)
        return
    with pytest.raises(AmbiguousJsonError, match="nested more than 32 deep"):
        parse_strictly(data)


MODES: dict[bytes | None, Mode | str] = {
    None: Mode.BINARY,
    b"": Mode.BINARY,
    b"application/json": Mode.BINARY,
    b" Application/JSON ; profile=charset": Mode.BINARY,
    b'application/json; v=1; Charset = "UTF-8" ': Mode.BINARY,
    b"application/vnd.agency+json": Mode.BINARY,
    b"application/cloudevents+json": Mode.STRUCTURED,
    b" application/cloudevents+json ;charset=utf-8": Mode.STRUCTURED,
    b"application/cloudevents-batch+json": "batched",
    b"application/cloudevents-batch+json; charset=utf-16": "batched",
    b"Application/CloudEvents-Batch": "batched",
    b"application/cloudevents": "unknown_content",
    b"application/cloudevents+xml": "unknown_content",
    b"application/cloudevents-other+json": "unknown_content",
    b"application/json; charset=latin-1": "unknown_content",
    b"application/json; charset=utf-8; charset=latin-1": "unknown_content",
    b"application/json; charset": "unknown_content",
    b"application/json; charset=utf-8-": "unknown_content",
    b"application/jsonl": "unknown_content",
    b"text/json": "unknown_content",
    b"\xff": "unknown_content",
}


@pytest.mark.parametrize("content", MODES, ids=repr)
def test_the_mode_is_what_the_content_type_says(content: bytes | None) -> None:
    expected = MODES[content]
    if isinstance(expected, Mode):
        assert mode_of(content) is expected
        return
    with pytest.raises(UnknownContentError) as raised:
        mode_of(content)
    assert (raised.value.cause, str(raised.value)) == (expected, expected)


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


@pytest.mark.parametrize(("told", "header"), [(True, b"true"), (False, b"false"), (-7, b"-7"), ("seven", b"seven")])
def test_a_header_says_an_attribute_as_text(told: Any, header: bytes) -> None:
    record = record_of(GOLDEN, more=told)
    assert decode(replace(record, headers=(*record.headers, ("ce_more", header)))).id == key_of()
    assert cause_of(replace(record, headers=(*record.headers, ("ce_more", header + b" ")))) == "bad_attributes"


def test_the_trace_of_the_document_counts_before_that_of_the_headers() -> None:
    trace, other = (f"00-{digit * 32}-{digit * 16}-01" for digit in "12")
    header = ("traceparent", other.encode())
    for record, expected in ((record_of(GOLDEN, traceparent=None), other), (record_of(GOLDEN, traceparent=trace), trace)):
        assert decode(replace(record, headers=(*record.headers, header))).traceparent == expected


def test_our_own_topics_are_binary_only() -> None:
    assert cause_of(replace(record_of(GOLDEN, type="images.cleared.v1"), topic=Topic.IMAGES_CLEARED.value)) == "wrong_mode"


def test_the_key_is_the_sightings_id_in_this_mode_too() -> None:
    assert cause_of(replace(record_of(GOLDEN), key=b"another")) == "wrong_key"


def test_a_broken_trace_is_left_behind() -> None:
    assert decode(record_of(GOLDEN, traceparent="x" * 2_000)).traceparent is None


BINARY: dict[str, tuple[tuple[tuple[str, bytes], ...], str]] = {
    "an id twice": ((("ce_id", b"another"),), "bad_attributes"),
    "a content type twice": ((("content-type", b"application/json"),), "bad_attributes"),
    "a trace twice": ((("traceparent", b"a"), ("traceparent", b"b")), "bad_attributes"),
    "an attribute of nobody's twice": ((("ce_more", b"a"), ("ce_more", b"a")), "bad_attributes"),
    "a signature twice": ((("assent-signature", b"a"), ("assent-signature", b"b")), "bad_attributes"),
    "a header that is no text": ((("ce_more", b"\xff"),), "bad_attributes"),
    "headers without end": ((("more", b"x" * 20_000),), "oversize"),
}


@pytest.mark.parametrize("name", BINARY)
def test_headers_of_the_binary_mode_are_as_strict(name: str) -> None:
    headers, cause = BINARY[name]
    record = encode(decode(record_of(GOLDEN)))
    assert cause_of(replace(record, headers=(*record.headers, *headers))) == cause
