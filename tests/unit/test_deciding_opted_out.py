"""What is opted out where it was fetched: the newest word counts, a no stands, and its end opens only what is fetched later."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from assent.deciding.fold import DecisionFold
from assent.deciding.gate import Gate
from assent.deciding.opted_out import OptedOut
from assent.events.envelope import Event, encode
from assent.events.fetched_from import MOST, FetchedFrom, merged
from assent.events.optout_changes import OptOutChanged
from assent.events.record import Record, StoredRecord
from assent.intake.stage_signatures import StageSignatures
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.identifiers import ImageIds
from assent.testing.fake_clock import FakeClock
from tests.unit.grant_examples import NOW, grant

ADDRESS, OTHER = "a1" * 32, "b2" * 32
PUBLIC = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32).public_key()


def after(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def said(minutes: int, *, is_closed: bool, place: str = ADDRESS) -> OptOutChanged:
    return OptOutChanged(place=place, is_closed=is_closed, seen_at=after(minutes))


def record(change: OptOutChanged) -> Record:
    return encode(Event(f"{change.seen_at.isoformat()}{change.is_closed}", "/assent/crawler", change.seen_at, change))


def fold(*records: Record, checked_by: StageSignatures | None) -> DecisionFold:
    made = DecisionFold(policy_key=PUBLIC, grant_key=PUBLIC, is_crawlers=None if checked_by is None else checked_by.holds)
    for offset, one in enumerate(records):
        made.apply(StoredRecord(one.topic, 0, offset, 0, one.key, one.value, one.headers))
    return made


@pytest.fixture
def stages(tmp_path: Path) -> StageSignatures:
    return StageSignatures(DeploymentKeys.load_or_create(tmp_path / "keys"))


def test_a_no_closes_whatever_the_time_and_its_end_closes_what_was_fetched_before() -> None:
    optouts = OptedOut()
    assert not optouts.closes(ADDRESS, after(0))
    optouts.apply(said(10, is_closed=True))
    assert all(optouts.closes(ADDRESS, after(minutes)) for minutes in (0, 10, 20))
    optouts.apply(said(30, is_closed=False))
    assert [optouts.closes(ADDRESS, after(minutes)) for minutes in (0, 20, 29, 30, 31)] == [True, True, True, False, False]
    assert not optouts.closes(OTHER, after(0))


@given(st.permutations([said(minutes, is_closed=minutes % 2 == 0) for minutes in range(6)]), st.integers(0, 7))
def test_the_order_on_the_log_and_repetition_change_nothing(changes: list[OptOutChanged], minutes: int) -> None:
    shuffled, ordered = OptedOut(), OptedOut()
    for change in (*changes, *changes):
        shuffled.apply(change)
    for change in sorted(changes, key=lambda change: change.seen_at):
        ordered.apply(change)
    assert shuffled.closes(ADDRESS, after(minutes)) == ordered.closes(ADDRESS, after(minutes)) == (minutes < 5)


def test_of_two_words_of_one_moment_the_no_counts() -> None:
    for changes in ((True, False), (False, True)):
        optouts = OptedOut()
        for is_closed in changes:
            optouts.apply(said(1, is_closed=is_closed))
        assert optouts.closes(ADDRESS, after(2))


def test_only_what_the_crawler_signed_is_taken(stages: StageSignatures) -> None:
    no, end = record(said(1, is_closed=True)), record(said(2, is_closed=False))
    genuine_no, genuine_end = stages.signed(no, "crawler"), stages.signed(end, "crawler")
    assert fold(genuine_no, checked_by=stages).optouts.closes(ADDRESS, after(5))
    assert not fold(genuine_no, genuine_end, checked_by=stages).optouts.closes(ADDRESS, after(5))
    for forged in (end, stages.signed(end, "geofence"), replace(genuine_end, value=(genuine_end.value or b"") + b" ")):
        made = fold(genuine_no, forged, checked_by=stages)
        assert made.optouts.closes(ADDRESS, after(5))
        assert made.unreadable == {"optouts": 1}
    tombstone = replace(genuine_no, value=None)
    for forged in (no, tombstone):
        made = fold(forged, checked_by=stages)
        assert (made.optouts.closes(ADDRESS, after(0)), made.unreadable) == (False, {"optouts": 1})
    made = fold(genuine_no, tombstone, checked_by=stages)
    assert made.optouts.closes(ADDRESS, after(5))


def test_a_word_of_the_crawler_that_cannot_be_read_closes_until_one_can(stages: StageSignatures) -> None:
    strange = stages.signed(replace(record(said(1, is_closed=False)), value=b'{"of": "tomorrow"}'), "crawler")
    made = fold(strange, checked_by=stages)
    assert (made.optouts.closes(ADDRESS, after(9)), made.unreadable) == (True, {"optouts": 1})
    made = fold(strange, stages.signed(record(said(2, is_closed=False)), "crawler"), checked_by=stages)
    assert not made.optouts.closes(ADDRESS, after(9))


def test_a_word_that_is_put_on_the_log_again_after_a_newer_one_is_counted_and_opens_nothing(stages: StageSignatures) -> None:
    end, no = (stages.signed(record(said(minutes, is_closed=minutes == 2)), "crawler") for minutes in (1, 2))
    made = fold(end, no, end, no, checked_by=stages)
    assert (made.optouts.closes(ADDRESS, after(9)), made.unreadable) == (True, {"optouts": 1})


def test_who_cannot_ask_who_signed_takes_every_no_and_no_end() -> None:
    made = fold(record(said(1, is_closed=True)), record(said(2, is_closed=False)), checked_by=None)
    assert made.optouts.closes(ADDRESS, after(9))


def test_one_open_address_is_enough_and_a_grant_keeps_what_it_set_aside(stages: StageSignatures, tmp_path: Path) -> None:
    names, held = ImageIds(DeploymentKeys.load_or_create(tmp_path / "keys")), grant("g-1")
    (rule,) = held.sources
    source = names.source_name(rule.kind.value, rule.value)
    fetched = tuple(FetchedFrom(address=address, source=source, at=after(0)) for address in (ADDRESS, OTHER))
    handed_in = FetchedFrom(source=source, at=after(0))

    def stays(*changes: OptOutChanged, ways: tuple[FetchedFrom, ...] = fetched, knows: ImageIds | None = names) -> bool:
        made = fold(*[stages.signed(record(change), "crawler") for change in changes], checked_by=stages)
        made.ledger.apply_grant(held)
        return Gate(made, FakeClock(NOW), knows).may_stay(held.grant_id, source=source, fetched=ways)

    no, other_no = said(1, is_closed=True), said(1, is_closed=True, place=OTHER)
    aside = said(1, is_closed=False, place=names.address_under(OTHER, held.grant_id))
    assert stays()
    assert stays(no)
    assert not stays(no, other_no)
    assert stays(no, other_no, aside)
    assert not stays(no, other_no, said(2, is_closed=True, place=aside.place), aside)
    assert not stays(no, other_no, said(1, is_closed=False, place=names.address_under(OTHER, grant("g-2").grant_id)))
    assert not stays(no, ways=fetched[:1])
    assert stays(no, ways=(fetched[0], handed_in))
    assert stays(no, ways=()), "of a release that did not keep it"
    # Another source let it in there, and she took that one away.
    assert not stays(no, ways=(fetched[0], handed_in.model_copy(update={"source": "c3" * 32})))
    assert not stays(no, other_no, aside, knows=None)


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ([(1, "aside"), (1, "no")], [0, 2]),
        ([(1, "aside"), (1, "no"), (3, "end")], [0, 2, 4]),
        ([(1, "aside"), (1, "no"), (3, "bare"), (5, "aside")], [6]),
        ([(1, "no"), (3, "aside")], [4, 6]),
        ([(1, "no"), (3, "end")], [4, 6]),
        ([(1, "no"), (3, "end"), (5, "aside"), (5, "no")], [4, 6]),
        ([(1, "aside"), (1, "no"), (3, "end"), (5, "bare"), (5, "no"), (7, "end")], [8]),
        ([(1, "aside"), (1, "no"), (3, "bare"), (5, "end"), (7, "aside"), (7, "no")], [6, 8]),
    ],
)
def test_a_no_that_is_set_aside_today_opens_nothing_that_another_closed(
    tmp_path: Path, words: list[tuple[int, str]], kept: list[int]
) -> None:
    names, held = ImageIds(DeploymentKeys.load_or_create(tmp_path / "keys")), grant("g-1")
    place = names.address_under(ADDRESS, held.grant_id)
    changes = [said(at, is_closed=word in ("no", "bare"), place=place if word in ("aside", "bare") else ADDRESS) for at, word in words]
    for order in (changes, changes[::-1], [*changes, *changes]):
        made = fold(checked_by=None)
        for change in order:
            made.optouts.apply(change)
        gate = Gate(made, FakeClock(NOW), names)
        fetched = [minutes for minutes in (0, 2, 4, 6, 8) if minutes <= words[-1][0] + 1]
        assert [at for at in fetched if not gate.is_opted_out(held.grant_id, FetchedFrom(address=ADDRESS, at=after(at)))] == [
            at for at in kept if at in fetched
        ]


def test_addresses_are_gathered_the_newest_of_each_and_the_newest_in_all() -> None:
    early, late = (FetchedFrom(address=ADDRESS, at=after(minutes)) for minutes in (1, 2))
    assert merged((early,), (late,)) == merged((late,), (early,)) == (late,)
    many = [FetchedFrom(address=f"{number:064x}", at=after(number)) for number in range(MOST + 3)]
    assert merged(many[:5], many[5:]) == tuple(reversed(many[3:]))


def test_a_word_that_is_older_than_what_is_known_is_told_and_the_same_again_is_not() -> None:
    optouts = OptedOut()
    said_in_order = [said(2, is_closed=True), said(2, is_closed=True), said(2, is_closed=False), said(1, is_closed=True)]
    assert [optouts.apply(one) for one in said_in_order] == [True, True, False, False]
    assert [optouts.apply(said(minutes, is_closed=False)) for minutes in (3, 3, 2, 4)] == [True, True, False, True]


def test_of_a_place_it_is_known_when_its_word_changed_and_whether_it_is_set_aside() -> None:
    optouts = OptedOut()
    assert (len(optouts), optouts.changed_at(ADDRESS), optouts.is_aside(ADDRESS), optouts.is_closed(ADDRESS)) == (0, None, False, False)
    optouts.apply(said(1, is_closed=False))
    assert (len(optouts), optouts.changed_at(ADDRESS), optouts.is_aside(ADDRESS), optouts.is_closed(ADDRESS)) == (1, after(1), True, False)
    optouts.apply(said(3, is_closed=True))
    optouts.apply(said(2, is_closed=False))
    assert (len(optouts), optouts.changed_at(ADDRESS), optouts.is_aside(ADDRESS), optouts.is_closed(ADDRESS)) == (1, after(3), False, True)
    optouts.deny(OTHER)
    optouts.deny(ADDRESS)
    assert (len(optouts), optouts.changed_at(OTHER), optouts.is_aside(OTHER), optouts.is_closed(OTHER)) == (2, None, False, True)
    optouts.apply(said(4, is_closed=False))
    assert (optouts.is_aside(ADDRESS), optouts.is_closed(ADDRESS)) == (True, False)


def stands(words: list[tuple[int, bool]], before: float) -> bool | None:
    """Whether a no stood there then: the latest word counts, and of two of one moment the no."""
    return max((word for word in words if word[0] < before), default=(0, None))[1]


WORDS = st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=6)


# Taken back and given again after the no had ended, at its very end, and before a second no came; given and taken back at one moment.
@example([(1, True), (3, False)], [(1, False), (5, True), (6, False)], 0)
@example([(1, True), (3, False)], [(1, False), (3, True), (5, False)], 0)
@example([(1, True), (3, False), (5, True)], [(5, False)], 3)
@example([(1, True)], [(1, True), (1, False), (2, False)], 0)
@given(WORDS, WORDS, st.integers(0, 7))
def test_a_grant_has_set_aside_what_it_covers_at_every_moment_since_the_fetch(
    there: list[tuple[int, bool]], under_the_grant: list[tuple[int, bool]], fetched: int
) -> None:
    """Judged moment by moment, half a minute after each."""
    optouts = OptedOut()
    for place, words in ((ADDRESS, there), (OTHER, under_the_grant)):
        for minutes, is_closed in words:
            optouts.apply(said(minutes, is_closed=is_closed, place=place))
    moments = [minute + 0.5 for minute in range(fetched, 9)]
    uncovered = [at for at in moments if stands(there, at) and stands(under_the_grant, at) is not False]
    is_aside_now = stands(under_the_grant, 9) is False
    assert optouts.was_aside(OTHER, ADDRESS, after(fetched)) == (is_aside_now and not uncovered)
    assert optouts.closes(ADDRESS, after(fetched)) == bool(stands(there, 9) or any(fetched < minutes for minutes, _ in there))


def test_when_to_ask_again_is_when_the_address_or_what_a_grant_sets_aside_of_it_changed_last(tmp_path: Path) -> None:
    names, held = ImageIds(DeploymentKeys.load_or_create(tmp_path / "keys")), grant("g-1")
    made = fold(checked_by=None)
    knowing, other = Gate(made, FakeClock(NOW), names), Gate(made, FakeClock(NOW))
    assert knowing.optouts_changed_at(held.grant_id, ADDRESS) is None
    made.optouts.apply(said(2, is_closed=False, place=names.address_under(ADDRESS, held.grant_id)))
    assert [gate.optouts_changed_at(held.grant_id, ADDRESS) for gate in (knowing, other)] == [after(2), None]
    made.optouts.apply(said(1, is_closed=True))
    assert [gate.optouts_changed_at(held.grant_id, ADDRESS) for gate in (knowing, other)] == [after(2), after(1)]
    made.optouts.apply(said(3, is_closed=True))
    assert [gate.optouts_changed_at(held.grant_id, ADDRESS) for gate in (knowing, other)] == [after(3), after(3)]
    assert knowing.optouts_changed_at(grant("g-2").grant_id, OTHER) is None
    for gate, knows_of_the_grant in ((knowing, True), (other, False)):
        assert gate.is_opted_out(held.grant_id, FetchedFrom(address=ADDRESS, at=after(5))) is not knows_of_the_grant
        assert not gate.is_opted_out(held.grant_id, FetchedFrom(at=after(0))), "of what was handed in nobody says no"
