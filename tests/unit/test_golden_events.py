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
from assent.events.envelope import UnreadableEventError, decode, decode_signed, encode
from assent.events.images import ImageLocated
from assent.events.record import Record
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
    "an id twice": lambda record: replace(record, headers=(*record.headers, ("ce_id", b"another"))),
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


def test_only_a_signed_record_is_spared_the_search_for_a_key_that_stands_twice() -> None:
    record = encode(decode(record_of(next(path for path in EXAMPLES if path.parent.name == "images.located.v1"))))
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
