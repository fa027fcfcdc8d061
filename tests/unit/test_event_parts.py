"""What the parts of events hold, leave out and refuse; and what is declared of topics once for everybody."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from assent.events.catalogue import EVENT_TYPES
from assent.events.decisions import DecisionRecord, JudgedSource
from assent.events.envelope import Event, encode
from assent.events.face_box import FaceBox
from assent.events.fetched_from import FetchedFrom, merged
from assent.events.grants import BindingMode, FaceBinding, GrantSnapshot, PolicyPublished, SourceKindRule, SourceRule
from assent.events.images import FoundPlaces, GrantFinding, ImageLocated, LocatedPlaces, Sighting, SourceKind
from assent.events.optouts import SeenOptOut
from assent.events.payload import EventPayload, WireModel
from assent.events.record import Record, StoredRecord
from assent.events.topics import DEAD_LETTER_SETTINGS, HANDED_ON, OPEN_TO_STRANGERS, TOPICS, Topic, all_topics
from assent.events.written import WrittenEvent
from assent.ids import FaceId, GrantId, ImageId, ProducerId, SightingId
from assent.optouts.signal import ContentRight, SignalKind, SignalSource, SignalVerdict
from tests.unit.grant_examples import NOW, grant
from tools.event_schemas import FOLDER, ROOT, SUFFIX, schema_of, topics_table

FACE, ADDRESS = FaceId("0e1c1d8a-4f43-5a6e-9a51-2d2c0f6d7b11"), "a1" * 32
SEEN = SeenOptOut(kind=next(iter(SignalKind)), verdict=next(iter(SignalVerdict)), source=next(iter(SignalSource)))
SIGHTING = Sighting(
    sighting_id=SightingId("s"),
    image_id=ImageId("i"),
    producer=ProducerId("crawler"),
    source_kind=SourceKind.WEB_PAGE,
    blob="quarantine/s",
    sha256="a" * 64,
    size_bytes=1,
    media_type="image/png",
    fetched_at=NOW,
)
RIGHT = next(iter(ContentRight))
RULE = SourceRule(kind=SourceKindRule.ACCOUNT, value="ada@site.example")
LATER_FIELDS: dict[str, tuple[WireModel, dict[str, Any]]] = {
    "a source that needed no proof": (JudgedSource(kind=SourceKindRule.ACCOUNT), {"is_control_shown": False}),
    "a source without rights set aside": (JudgedSource(kind=SourceKindRule.ACCOUNT), {"overrides": (RIGHT,), "page_overrides": (RIGHT,)}),
    "a decision without opt-outs": (DecisionRecord(at=NOW), {"optouts": (SEEN,)}),
    "a sighting without a redirect": (SIGHTING, {"asked": ADDRESS}),
    "a sighting without opt-outs": (SIGHTING, {"optouts": (SEEN,)}),
    "a source nobody showed control of": (RULE, {"control_until": NOW}),
    "a source with every right": (RULE, {"overrides": (RIGHT,)}),
    "a grant without a reference": (grant(), {"reference": FACE, "schema_version": "assent.grant/2"}),
    "an opt-out of the picture itself": (SEEN, {"of_page": True}),
}


@pytest.mark.parametrize("name", LATER_FIELDS)
def test_a_field_of_a_later_release_stands_only_where_it_says_something(name: str) -> None:
    """Records of releases that did not know it keep their digest when they are written again."""
    part, told = LATER_FIELDS[name]
    added = {field for field in told if field != "schema_version"}
    assert not added & set(json.loads(part.to_json()))
    assert part == type(part).model_validate_json(part.to_json())
    more = type(part).model_validate({**part.model_dump(), **told})
    assert added <= set(json.loads(more.to_json()))
    assert type(part).model_validate_json(more.to_json()) == more != part


def test_the_next_stage_reads_a_located_image_without_its_records_and_never_one_without_findings() -> None:
    finding = GrantFinding(grant_id=GrantId("g-1"), revision=1, candidates=(), evidence=(), decision=DecisionRecord(at=NOW))
    located = ImageLocated(sighting=SIGHTING, findings=(finding,), policy_version="1", datasets=())
    read = LocatedPlaces.model_validate_json(located.to_json())
    assert [(type(each), each.decision) for each in read.findings] == [(FoundPlaces, None)]
    assert read.key() == located.key()
    for model in (ImageLocated, LocatedPlaces):
        with pytest.raises(ValidationError, match="at least 1 item"):
            model.model_validate(located.model_dump() | {"findings": []})


def test_what_others_add_is_passed_over_and_what_was_read_is_never_changed() -> None:
    told = json.loads(RULE.to_json()) | {"colour": "blue"}
    assert SourceRule.model_validate(told) == RULE
    assert json.loads(SourceRule.model_validate(told).to_json()) == json.loads(RULE.to_json())
    with pytest.raises(ValidationError, match="frozen"):
        RULE.value = "eve@site.example"  # type: ignore[misc]


def test_bytes_are_base64_on_the_wire() -> None:
    policy = PolicyPublished(
        version="1", document="{}", sha256="0" * 64, signature=b"\xff\xfe\xfd", key_id="k", published_at=datetime(2026, 3, 2, tzinfo=UTC)
    )
    assert json.loads(policy.to_json())["signature"] == "__79"
    assert PolicyPublished.model_validate_json(policy.to_json().replace(b"__79", b"//79")) == policy
    assert policy.signed_bytes() == b"0" * 64 + b"|2026-03-02T00:00:00.000000+00:00"
    with pytest.raises(ValidationError):
        PolicyPublished.model_validate_json(policy.to_json().replace(b"__79", b"%%%%"))


@pytest.mark.parametrize(
    ("changes", "is_read"),
    [
        ({}, True),
        ({"reference": FACE, "schema_version": "assent.grant/2"}, True),
        ({"reference": FACE}, False),
        ({"schema_version": "assent.grant/2"}, False),
        ({"schema_version": "assent.grant/3"}, False),
        ({"reference": "a face", "schema_version": "assent.grant/2"}, False),
    ],
)
def test_a_grant_is_of_the_version_that_knows_what_it_restricts(changes: dict[str, Any], is_read: bool) -> None:
    told = grant().model_dump() | changes
    if is_read:
        assert GrantSnapshot.model_validate(told).reference == changes.get("reference")
    else:
        with pytest.raises(ValidationError):
            GrantSnapshot.model_validate(told)


def test_a_joint_grant_has_no_reference_of_its_own() -> None:
    joint = FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"), GrantId("g-3")))
    assert grant(binding=joint).reference is None
    with pytest.raises(ValidationError, match="a joint grant has no reference of its own"):
        grant(binding=joint, reference=FACE, schema_version="assent.grant/2")


@pytest.mark.parametrize(
    ("box", "is_inside"),
    [
        ((0.0, 0.0, 1.0, 1.0), True),
        ((0.75, 0.5, 0.25, 0.5), True),
        ((0.7, 0.1, 0.3 + 5e-7, 0.1), True),
        ((0.1, 0.7, 0.1, 0.3 + 5e-7), True),
        ((0.7, 0.1, 0.3 + 5e-6, 0.1), False),
        ((0.1, 0.7, 0.1, 0.3 + 5e-6), False),
        ((1.0, 0.1, 0.5, 0.1), False),
        ((0.1, 1.0, 0.1, 0.5), False),
    ],
)
def test_a_box_lies_in_its_image_up_to_a_rounding(box: tuple[float, ...], is_inside: bool) -> None:
    x, y, width, height = box
    assert FaceBox(x=x, y=y, width=width, height=height).is_inside_image is is_inside


def test_times_that_are_compared_keep_their_moment_and_their_offset() -> None:
    east = timezone(timedelta(hours=-5))
    for at in (datetime(2027, 1, 1, 7, tzinfo=UTC), datetime(2027, 1, 1, 2, tzinfo=east)):
        held = GrantSnapshot.model_validate_json(grant(expires_at=at).to_json()).expires_at
        assert (held, held.utcoffset()) == (at, at.utcoffset())


@pytest.mark.parametrize("time", [1_798_675_200, 1_798_675_200.5, "1798675200", "20270131", "-1798675200", "1.5", True, "2027-01-31"])
def test_a_number_or_its_text_is_no_time(time: object) -> None:
    written = json.loads(SIGHTING.to_json())
    with pytest.raises(ValidationError, match=r"fetched_at\n  write a time as RFC 3339 with its offset, for example 20"):
        Sighting.model_validate_json(json.dumps(written | {"fetched_at": time}))


@pytest.mark.parametrize("time", ["9999-12-31T23:00:00-05:00", "0001-01-01T00:00:00+05:00"])
def test_a_time_that_no_clock_in_utc_can_tell_is_no_time(time: str) -> None:
    written = json.loads(SIGHTING.to_json())
    with pytest.raises(OverflowError):
        datetime.fromisoformat(time).astimezone(UTC)
    with pytest.raises(ValidationError, match="write a time as RFC 3339"):
        Sighting.model_validate_json(json.dumps(written | {"fetched_at": time}))


def test_a_time_without_its_offset_is_no_time() -> None:
    written = json.loads(SIGHTING.to_json())
    with pytest.raises(ValidationError, match=r"fetched_at\n  Input should have timezone info"):
        Sighting.model_validate_json(json.dumps(written | {"fetched_at": "2027-01-31T09:00:00"}))


@pytest.mark.parametrize("time", ["2027-01-31T09:00:00Z", "2027-01-31 04:00:00-05:00", "2027-01-31t09:00:00.000z"])
def test_each_spelling_of_a_time_with_its_offset_is_read(time: str) -> None:
    written = json.loads(SIGHTING.to_json())
    read = Sighting.model_validate_json(json.dumps(written | {"fetched_at": time}))
    assert read.fetched_at == datetime(2027, 1, 31, 9, tzinfo=UTC)


def test_of_one_address_seen_twice_at_one_moment_one_is_kept_and_what_was_handed_in_is_an_address_like_any_other() -> None:
    first, second, handed_in = (FetchedFrom(address=where, source="b2" * 32, at=NOW) for where in (ADDRESS, ADDRESS, None))
    other = second.model_copy(update={"source": "c3" * 32})
    assert merged((first,), (other, handed_in)) == (first, handed_in)
    assert merged((other,), (first,)) == (other,)
    assert merged() == merged((), ()) == ()


def test_the_first_header_of_a_name_counts() -> None:
    headers = (("a", b"1"), ("b", b"2"), ("a", b"3"))
    for record in (Record("t", b"k", None, headers), StoredRecord("t", 0, 0, 0, b"k", None, headers)):
        assert [record.header(name) for name in ("a", "b", "c")] == [b"1", b"2", None]
    bare, stored = Record("t", b"k", None), StoredRecord("t", 0, 0, 0, b"k", None)
    assert (bare.headers, bare.partition, stored.headers, stored.damage, stored.is_marker) == ((), None, (), None, False)


def test_an_event_that_stands_as_json_tells_its_data() -> None:
    held = grant()
    written = WrittenEvent("e", "/assent/registry", NOW, GrantSnapshot, held.key(), held.to_json())
    assert (written.data, written.traceparent) == (held, None)
    spaced = written._replace(key="another", value=b" " + written.value, traceparent="00-12-34-01")
    record, plain = encode(spaced), encode(Event("e", "/assent/registry", NOW, held, "00-12-34-01"))
    assert (record.topic, record.key, record.value) == ("grants", b"another", b" " + held.to_json()), "as it stands, byte for byte"
    assert record.headers == plain.headers


def test_a_type_that_names_no_key_is_never_written() -> None:
    class Keyless(EventPayload):
        type = "withdrawals.v1"
        topic = Topic.WITHDRAWALS

    with pytest.raises(NotImplementedError):
        encode(Event("e", "/assent/registry", NOW, Keyless()))


def test_strangers_write_to_one_topic_and_what_is_relied_on_is_signed_by_its_owner() -> None:
    assert frozenset({"images.scraped"}) == OPEN_TO_STRANGERS
    assert OPEN_TO_STRANGERS.isdisjoint(topic.value for topic in HANDED_ON)
    declared = all_topics()
    assert OPEN_TO_STRANGERS <= set(declared)
    owners = {topic.value: declared[topic.value].owners for topic in HANDED_ON}
    assert owners == {
        "images.located": ("geofence",),
        "images.cleared": ("consent",),
        "faces.embedded": ("embedder",),
        "optouts": ("crawler",),
        "addresses": ("crawler",),
        "erasures.progressed": ("indexer", "registry"),
    }


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_what_reads_an_event_is_what_was_published_of_its_type(name: str) -> None:
    """Field by field: bounds, patterns, what may be left out and what it then is."""
    example = json.loads(min((ROOT / "tests" / "golden" / name).glob("*.json")).read_text())
    data = EVENT_TYPES[name].model_validate(example["value"])
    assert data.key() == example["key"]
    assert schema_of(type(data)) == json.loads((ROOT / FOLDER / f"{name}{SUFFIX}").read_text())


def test_the_page_of_topics_says_what_is_declared_of_each() -> None:
    page = (ROOT / FOLDER / "topics.md").read_text()
    assert page == topics_table()
    assert all(f"`{name}`" in page for name in all_topics() if not name.endswith(".dlq"))


def test_every_topic_is_declared_with_its_dead_letters_which_are_kept_thirty_days() -> None:
    declared = all_topics()
    assert set(declared) == {name for topic in Topic for name in (topic.value, f"{topic.value}.dlq")}
    assert set(TOPICS) == set(Topic) == {model.topic for model in EVENT_TYPES.values()}
    for topic in Topic:
        assert declared[topic.value] is TOPICS[topic]
        assert declared[topic.dead_letters] is DEAD_LETTER_SETTINGS
    assert (DEAD_LETTER_SETTINGS.cleanup, DEAD_LETTER_SETTINGS.retention_s, DEAD_LETTER_SETTINGS.partitions) == ("delete", 2_592_000, 1)


def test_what_closes_is_never_forgotten_and_a_policy_or_a_word_of_a_site_is_never_hidden_by_a_later_one() -> None:
    declared = all_topics()
    for topic in (Topic.GRANTS, Topic.WITHDRAWALS, Topic.SUPPRESSIONS):
        kept = declared[topic.value]
        assert (kept.cleanup, kept.retention_s, kept.min_compaction_lag_s, kept.owners) == ("compact", None, 3_600, ("registry",))
    for topic in (Topic.POLICIES, Topic.OPTOUTS, Topic.ADDRESSES):
        kept = declared[topic.value]
        assert (kept.cleanup, kept.retention_s, kept.min_compaction_lag_s, kept.partitions) == ("delete", None, 0, 1)
