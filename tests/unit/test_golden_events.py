"""Golden examples: events written once are still read, and say the same when written again. Old files are never edited."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from assent.events.catalogue import EVENT_TYPES
from assent.events.envelope import UnreadableEventError, decode, decode_signed, encode, event_id
from assent.events.images import ImageLocated
from assent.events.record import Record, StoredRecord
from services.consent.processor import ConsentProcessor
from tools.event_schemas import schema_of

FOLDER = Path(__file__).resolve().parents[1] / "golden"
EXAMPLES = sorted(FOLDER.glob("*/*.json"))

golden = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")


def record_of(path: Path) -> Record:
    example = json.loads(path.read_text())
    return Record(
        topic=EVENT_TYPES[path.parent.name].topic.value,
        key=example["key"].encode(),
        value=json.dumps(example["value"]).encode(),
        headers=tuple((name, text.encode()) for name, text in example["headers"].items()),
    )


def contains(new: Any, old: Any) -> bool:
    """Whether `new` says all that `old` says; a field added since, at its default, is allowed."""
    match old:
        case dict():
            return isinstance(new, dict) and all(name in new and contains(new[name], part) for name, part in old.items())
        case list():
            return isinstance(new, list) and len(new) == len(old) and all(map(contains, new, old))
        case _:
            return bool(new == old) and type(new) is type(old)


@golden
def test_it_decodes_and_encodes_to_itself(path: Path) -> None:
    record = record_of(path)
    event = decode(record)
    again = encode(event)
    assert (again.topic, again.key, again.headers) == (record.topic, record.key, record.headers)
    assert again.value is not None
    assert record.value is not None
    assert contains(json.loads(again.value), json.loads(record.value))
    assert decode(again) == event


@golden
def test_a_signed_record_is_read_as_any_other(path: Path) -> None:
    assert decode_signed(record_of(path)) == decode(record_of(path))


def test_the_consent_filter_passes_over_the_record_of_the_geofence_and_nothing_else() -> None:
    for path in (path for path in EXAMPLES if path.parent.name == ImageLocated.type):
        whole, less = decode(record_of(path)).data, decode_signed(record_of(path), ConsentProcessor.models).data
        assert isinstance(whole, ImageLocated)
        assert isinstance(less, ImageLocated)
        assert [finding.decision for finding in less.findings] == [None] * len(whole.findings)
        without = whole.model_dump(exclude={"findings": {"__all__": {"decision"}}})
        assert less.model_dump(exclude={"findings": {"__all__": {"decision"}}}) == without


ODD: dict[str, Callable[[Record], Record]] = {
    "no value": lambda record: replace(record, value=None),
    "another's key": lambda record: replace(record, key=b"another"),
    "no time": lambda record: changed(record, "ce_time", b""),
    "no date": lambda record: changed(record, "ce_time", b"noon"),
    "an id with a control character": lambda record: changed(record, "ce_id", b"a\x00b"),
    "a source that is no ASCII": lambda record: changed(record, "ce_source", b"\xff"),
    "another type": lambda record: changed(record, "ce_type", b"images.scraped.v1"),
    "an unknown type": lambda record: changed(record, "ce_type", b"images.located.v9"),
    "another specversion": lambda record: changed(record, "ce_specversion", b"0.3"),
    "structured mode": lambda record: changed(record, "content-type", b"application/cloudevents+json"),
    "structured mode behind a header of nobody's": lambda record: replace(
        record,
        headers=(*record.headers[:5], ("more", b"application/json"), ("content-type", b"application/cloudevents+json")),
    ),
    "an id twice": lambda record: replace(record, headers=(*record.headers, ("ce_id", b"another"))),
    "an id without end": lambda record: changed(record, "ce_id", b"a" * 1_025),
    "a source without end": lambda record: changed(record, "ce_source", b"a" * 1_025),
    "an id that is empty": lambda record: changed(record, "ce_id", b""),
    "a time that is a number": lambda record: changed(record, "ce_time", b"1772460306"),
    "a time without an offset": lambda record: changed(record, "ce_time", b"2026-03-02T14:05:06"),
    "no headers": lambda record: replace(record, headers=()),
    "a trace twice": lambda record: replace(record, headers=(*record.headers, ("traceparent", b"a"), ("traceparent", b"a"))),
    "text instead of JSON": lambda record: changed(record, "content-type", b"text/plain"),
    "headers that are too large": lambda record: replace(record, headers=(*record.headers, ("more", b"x" * 16_384))),
    "a value of another shape": lambda record: replace(record, value=b"{}"),
    "a value that is too large": lambda record: replace(record, value=b" " * 600_000 + (record.value or b"")),
}


def changed(record: Record, name: str, text: bytes) -> Record:
    return replace(record, headers=tuple((other, text if other == name else held) for other, held in record.headers))


@pytest.mark.parametrize("odd", ODD)
def test_a_signed_record_of_an_odd_form_is_refused_as_any_other(odd: str) -> None:
    record = ODD[odd](record_of(next(path for path in EXAMPLES if path.parent.name == "images.located.v1")))
    with pytest.raises(UnreadableEventError) as strictly:
        decode(record)
    with pytest.raises(UnreadableEventError) as signed:
        decode_signed(record)
    assert signed.value.cause == strictly.value.cause


def located() -> Record:
    """One as its stage wrote it."""
    return encode(decode(record_of(next(path for path in EXAMPLES if path.parent.name == "images.located.v1"))))


STRANGE: dict[str, Callable[[Record], Record]] = {
    "headers in another order": lambda record: replace(record, headers=tuple(reversed(record.headers))),
    "a signature behind them": lambda record: replace(record, headers=(*record.headers, ("assent-signature", b"\xff\x00"))),
    "a signature and no trace": lambda record: replace(record, headers=(*record.headers[:6], ("assent-signature", b"signed"))),
    "a trace": lambda record: replace(record, headers=(*record.headers[:6], ("traceparent", b"00-12-34-01"))),
    "a trace and a signature": lambda record: replace(
        record, headers=(*record.headers[:6], ("traceparent", b"00-12-34-01"), ("assent-signature", b"signed"))
    ),
    "a trace that is none": lambda record: replace(record, headers=(*record.headers[:6], ("traceparent", b"\x07"))),
    "a trace without end": lambda record: replace(record, headers=(*record.headers[:6], ("traceparent", b"a" * 1_025))),
    "a trace of two words": lambda record: replace(record, headers=(*record.headers[:6], ("traceparent", b"00 01"))),
    "a trace as long as one may be": lambda record: replace(record, headers=(*record.headers[:6], ("traceparent", b"a" * 1_024))),
    "an id of two words": lambda record: changed(record, "ce_id", b"a b"),
    "an id in other letters": lambda record: changed(record, "ce_id", "é".encode()),
    "an id as long as one may be": lambda record: changed(record, "ce_id", b"a" * 1_024),
    "an attribute of nobody's": lambda record: replace(record, headers=(*record.headers, ("ce_more", b"more"))),
    "headers that are none of ours": lambda record: replace(record, headers=(*record.headers, ("more", b"\xff"), ("more", b"\xff"))),
    "another spelling of the content": lambda record: changed(record, "content-type", b"Application/JSON; charset=utf-8"),
    "spaces around the value": lambda record: replace(record, value=b" " + (record.value or b"") + b"\n"),
}


@pytest.mark.parametrize("strange", STRANGE)
def test_a_signed_record_of_a_strange_form_says_what_any_other_says(strange: str) -> None:
    record = STRANGE[strange](located())
    assert decode_signed(record) == decode(record)
    assert decode(record).data == decode(located()).data


@pytest.mark.parametrize("name", ["traceparent", "ce_id"])
@pytest.mark.parametrize("size", [1_024, 1_025])
def test_an_attribute_has_a_thousand_and_twenty_four_characters_at_most(name: str, size: int) -> None:
    """A trace that is no trace is left behind; without an id it is no event."""
    record = replace(located(), headers=(*located().headers[:6], ("traceparent", b"a")))
    for read in (decode, decode_signed):
        long = changed(record, name, b"a" * size)
        if name == "traceparent":
            assert read(long).traceparent == (None if size > 1_024 else "a" * size)
        elif size > 1_024:
            with pytest.raises(UnreadableEventError, match="bad_attributes: attribute id is too long"):
                read(long)
        else:
            assert read(long).id == "a" * size


def sized(record: Record, *, value: int | None = None, headers: int | None = None) -> Record:
    """The same record, its value or its headers filled up to so many bytes."""
    if value is not None:
        record = replace(record, value=b" " * (value - len(record.value or b"")) + (record.value or b""))
    if headers is not None:
        held = sum(len(name) + len(text) for name, text in record.headers)
        record = replace(record, headers=(*record.headers, ("more", b"x" * (headers - held - len("more")))))
    return record


@pytest.mark.parametrize(
    ("type_", "most", "said"),
    [
        ("images.scraped.v1", {"value": 262_144}, "value of 262145 bytes, 262144 allowed"),
        ("images.located.v1", {"value": 524_288}, "value of 524289 bytes, 524288 allowed"),
        ("images.scraped.v1", {"headers": 16_384}, "headers of 16385 bytes, 16384 allowed"),
        ("images.located.v1", {"headers": 16_384}, "headers of 16385 bytes, 16384 allowed"),
    ],
)
def test_the_largest_that_is_read_and_one_byte_more(type_: str, most: dict[str, int], said: str) -> None:
    record = encode(decode(record_of(next(path for path in EXAMPLES if path.parent.name == type_))))
    for read in (decode, decode_signed):
        assert read(sized(record, **most)) == read(record)
        with pytest.raises(UnreadableEventError) as raised:
            read(sized(record, **{what: size + 1 for what, size in most.items()}))
        assert (raised.value.cause, raised.value.detail) == ("oversize", said)


def test_what_the_log_cannot_give_is_told_by_its_word() -> None:
    record = located()
    stored = StoredRecord(record.topic, 0, 0, 0, record.key, record.value, record.headers)
    assert decode(stored) == decode_signed(stored) == decode(record)
    for read in (decode, decode_signed):
        with pytest.raises(UnreadableEventError) as raised:
            read(replace(stored, damage="crc", value=None))
        assert raised.value.cause == "crc"
        assert str(raised.value) == "crc: the log cannot give this record"


def test_a_fault_is_told_by_its_place_and_never_by_what_stands_there() -> None:
    shape = json.loads(located().value or b"")
    sighting = {**shape["sighting"], "size_bytes": "Ada", "account": 7}
    for value, said in (
        ({}, "4 faults at sighting, findings, policy_version, datasets"),
        ({**shape, "sighting": sighting}, "2 faults at sighting.size_bytes, sighting.account"),
        ({**shape, "datasets": [1, 2, 3, 4, 5, 6]}, f"6 faults at {', '.join(f'datasets.{at}' for at in range(5))}"),
    ):
        for read in (decode, decode_signed):
            with pytest.raises(UnreadableEventError) as raised:
                read(replace(located(), value=json.dumps(value).encode()))
            assert (raised.value.cause, raised.value.detail) == ("malformed", said)


def test_the_id_of_an_event_is_the_same_in_every_release() -> None:
    assert event_id("cause", "geofence", 7) == "8210ba8541010ea3854d444d1b1df35c"
    assert event_id("ab", "c") != event_id("a", "bc")


def test_only_a_signed_record_is_spared_the_search_for_a_key_that_stands_twice() -> None:
    record = encode(decode(record_of(next(path for path in EXAMPLES if path.parent.name == "images.located.v1"))))
    record = replace(record, headers=(*record.headers, ("tracestate", b"at=1")))
    twice = replace(record, value=(record.value or b"")[:-1] + b',"policy_version":"0"}')
    with pytest.raises(UnreadableEventError, match="malformed"):
        decode(twice)
    assert decode_signed(twice).id == decode(record).id
    shuffled = replace(twice, headers=tuple(reversed(twice.headers)))
    with pytest.raises(UnreadableEventError, match="malformed"):
        decode_signed(shuffled)


@golden
def test_it_fits_the_published_schema(path: Path) -> None:
    schema = schema_of(EVENT_TYPES[path.parent.name])
    Draft202012Validator(schema).validate(json.loads(path.read_text())["value"])


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_every_type_has_two_examples_and_one_is_complete(name: str) -> None:
    examples = [path for path in EXAMPLES if path.parent.name == name]
    assert len(examples) >= 2
    written = [(json.loads(path.read_text())["value"], encode(decode(record_of(path))).value or b"") for path in examples]
    assert any(json.loads(again) == value for value, again in written), "add an example with the fields added since"


def test_every_example_is_of_a_known_type() -> None:
    assert {path.parent.name for path in EXAMPLES} <= set(EVENT_TYPES)
