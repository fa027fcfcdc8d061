"""Thousands of drawn cases against rules written by hand: what refuses alone refuses in company, and nothing that comes later opens."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.consent.decision import Request, allow
from assent.consent.ledger import ConsentLedger
from assent.events.evidence import Connector, EvidenceKind
from assent.events.grants import (
    AgeBand,
    ConsentForm,
    GeographicScope,
    GrantSnapshot,
    GrantState,
    GrantWithdrawn,
    Operation,
    Purpose,
    Residence,
)
from assent.geofence.decision import candidate_set
from assent.geofence.evidence import Evidence, unreadable
from assent.geofence.residence import residence_evidence
from assent.ids import UNKNOWN, GrantId, Jurisdiction
from tests.unit.grant_examples import NOW
from tests.unit.policy_examples import places, policy_with, says, shipped
from tests.unit.rule_tables import PLACES, PlaceRow, least_grant, opened, rules_of

pytestmark = pytest.mark.timeout(600)
THOUSANDS = settings(max_examples=2000, deadline=None)
G = GrantId("g-1")
K = EvidenceKind
HINTS = {K.LANGUAGE, K.URL_WORDS, K.CAPTION, K.TIME_ZONE, K.COUNTRY_DOMAIN, K.SERVER_ADDRESS}
USES = [purpose.value for purpose in Purpose]
FORBIDDING = {
    frozenset(uses): policy_with(US_IL={"purposes": {"forbid": list(uses)}})
    for count in range(len(USES) + 1)
    for uses in itertools.combinations(USES, count)
}
FAULTS_OF_FORM: dict[str, dict[str, Any]] = {
    "form": {"form": ConsentForm.EXPRESS},
    "explicit": {"explicit": False},
    "alternative": {"alternative_offered": False},
    "evidence": {"evidence_count": 0},
    "notice": {"notice_sha256": None},
    "signature": {"signature": None},
    "fields": {"notice_fields": ()},
}
FAULTS_OF_GRANT: dict[str, dict[str, Any]] = {
    "age": {"age_band": AgeBand.UNKNOWN},
    "silence": {"last_interaction_at": NOW - timedelta(days=1096)},
    "length": {"days": 731},
    "reach": {"scope": GeographicScope(collect_in=(), store_in=(), disclose_in=())},
    "operation": {"operations": ()},
}


def rule_of(fault: str, row: PlaceRow) -> str | None:
    """The rule of one fault in one place, as the law has it."""
    return {
        "form": None if row.form == "express" else "legal_form_missing",
        "explicit": "CA-2",
        "alternative": "QC-7",
        "evidence": "EU-1",
        "notice": "EU-8",
        "signature": "IL-3" if row.is_signed else None,
        "fields": "IL-2" if row.is_signed else None,
        "age": "CA-6",
        "silence": "IL-1",
        "length": "QC-7",
        "reach": "scope_not_granted",
        "operation": "operation_not_granted",
    }[fault]


@THOUSANDS
@given(
    st.sets(st.sampled_from(sorted(PLACES)), min_size=1, max_size=4),
    st.sets(st.sampled_from([*FAULTS_OF_FORM, *FAULTS_OF_GRANT]), max_size=5),
    st.sampled_from(list(Operation)),
    st.booleans(),
)
def test_several_faults_in_several_places_are_each_named_and_nothing_else_is(
    codes: set[str], faults: set[str], operation: Operation, is_opened: bool
) -> None:
    basis = {name: value for fault in sorted(faults & set(FAULTS_OF_FORM)) for name, value in FAULTS_OF_FORM[fault].items()}
    changes = {name: value for fault in sorted(faults & set(FAULTS_OF_GRANT)) for name, value in FAULTS_OF_GRANT[fault].items()}
    if "operation" in faults:
        changes["operations"] = tuple(one for one in Operation if one is not operation)
    held = least_grant(*sorted(codes), basis=basis, **changes)
    closed = {PLACES[code].closed for code in codes if not is_opened or code in ("US", "NZ", UNKNOWN)}
    wanted = closed | {rule_of(fault, PLACES[code]) for fault in faults for code in codes}
    found = rules_of(held, *codes, operation=operation, policy=opened() if is_opened else shipped())
    assert set(found) == wanted - {None}


@THOUSANDS
@given(
    st.sets(st.sampled_from(sorted(PLACES)), max_size=4),
    st.sampled_from(sorted(PLACES)),
    st.sampled_from(sorted(PLACES)),
    st.sampled_from(list(Operation)),
)
def test_another_candidate_never_turns_a_no_into_a_yes(codes: set[str], more: str, home: str, operation: Operation) -> None:
    held = least_grant(home)
    before = rules_of(held, *codes, operation=operation, policy=opened())
    after = rules_of(held, *codes, more, operation=operation, policy=opened())
    if codes:
        assert set(before) <= set(after)
    assert before or codes <= {home}


PIECES = st.builds(lambda kind, code: says(kind, code), st.sampled_from(sorted(K)), st.sampled_from(sorted(set(PLACES) - {UNKNOWN})))
BROKEN = st.sampled_from(sorted(K)).map(unreadable)
HOMES = st.none() | st.sampled_from(["CA-BC", "US-IL", "FR", "CA", "AU"]).map(least_grant)


def candidates(told: list[Evidence], by: GrantSnapshot | None) -> frozenset[str]:
    residence = residence_evidence(by) if by is not None else ()
    return candidate_set((*residence, *told), grant=by, policy=shipped()).jurisdictions


@THOUSANDS
@given(st.lists(PIECES | BROKEN, max_size=6), PIECES | BROKEN, HOMES)
def test_direct_evidence_always_adds_and_nothing_takes_its_place_away(
    told: list[Evidence], more: Evidence, by: GrantSnapshot | None
) -> None:
    before, after = candidates(told, by), candidates([*told, more], by)
    direct = {place for item in told if item.kind not in HINTS for place in item.jurisdictions}
    assert direct <= before
    assert direct <= after
    if any(item.is_invalid for item in [*told, more]):
        assert UNKNOWN in after
    if by is None:
        assert before - {UNKNOWN} <= after


NEAR = ["CA", "CA-BC", "CA-QC", "US", "US-IL", "US-TX", "FR", "AU", "NZ"]
"""Few enough that a hint and what places the picture often speak of one country."""


def spoken(kinds: Sequence[EvidenceKind], codes: Sequence[str], *, most: int = 2) -> st.SearchStrategy[Evidence]:
    named = st.sets(st.sampled_from(codes), min_size=1, max_size=most)
    return st.builds(lambda kind, places: says(kind, *sorted(places)), st.sampled_from(kinds), named)


COUNTRY_HINTS = spoken([K.COUNTRY_DOMAIN, K.SERVER_ADDRESS], ["CA", "US", "FR", "AU", "NZ"])
PLACING_KINDS = [K.EXIF_GPS, K.SIGNED_GPS, K.XMP_LOCATION_CREATED, K.SCHEMA_RESIDENCE, K.SCHEMA_PLACE]
PLACING = spoken(PLACING_KINDS, NEAR, most=1)
ANY = spoken(sorted(K), NEAR)
TOLD = st.lists(COUNTRY_HINTS | PLACING | ANY | BROKEN, max_size=4)
AT_RANDOM = st.tuples(TOLD, PLACING | COUNTRY_HINTS | ANY | BROKEN)
A_HINT_AND_THE_PLACE = st.builds(
    lambda others, hint, kind, place: ([*others, says(hint, place[:2])], says(kind, place)),
    st.lists(COUNTRY_HINTS | ANY, max_size=2),
    st.sampled_from([K.COUNTRY_DOMAIN, K.SERVER_ADDRESS]),
    st.sampled_from(PLACING_KINDS),
    st.sampled_from(NEAR),
)
ADDITIONS = AT_RANDOM | A_HINT_AND_THE_PLACE
"""What was told, and what comes to it."""
BOTH = least_grant("CA-BC", "US-IL", residences=(Residence(jurisdiction=Jurisdiction("CA-BC")),))
"""Of a resident of British Columbia, for her pictures from Illinois too."""
GRANTED = st.sampled_from([BOTH, BOTH, *(least_grant(home) for home in ("CA-BC", "US-IL", "FR"))])


def countries(item: Evidence) -> set[str]:
    return {place.partition("-")[0] for place in item.jurisdictions}


def is_hint_of_a_country(item: Evidence) -> bool:
    """But the server in Australia, which is direct evidence (AU-1)."""
    return not item.is_invalid and (item.kind is K.COUNTRY_DOMAIN or (item.kind is K.SERVER_ADDRESS and "AU" not in item.jurisdictions))


def held_places(told: Sequence[Evidence]) -> set[str]:
    """The countries in which the picture was taken or the person lives, as far as this tells."""
    tied = [item for item in told if item.connector in (Connector.RESIDENCE, Connector.CAPTURE) and item.kind is not K.TIME_ZONE]
    return {country for item in tied for country in countries(item)}


def stood_for(item: Evidence) -> set[str]:
    return {part for place in item.jurisdictions for part in (place, *shipped().subdivisions_of(place))}


def silenced(told: list[Evidence], more: Evidence, by: GrantSnapshot) -> list[Evidence]:
    """The hints that this addition, and nothing before it, places the picture or the person in the country of."""
    known = held_places([*residence_evidence(by), *told])
    hints = [item for item in told if is_hint_of_a_country(item) and not countries(item) <= known]
    return [item for item in hints if countries(item) <= known | held_places([more])]


@THOUSANDS
@given(ADDITIONS, GRANTED)
def test_more_evidence_takes_away_only_what_a_hint_said_of_the_very_country_that_it_places_her_in(
    addition: tuple[list[Evidence], Evidence], by: GrantSnapshot
) -> None:
    """Beside a confirmed residence, exactly: what those hints alone stood for goes, and nothing else."""
    told, more = addition
    before, after = candidates(told, by), candidates([*told, more], by)
    gone = silenced(told, more, by)
    assert all(countries(more) & countries(item) for item in gone)
    known = held_places([*residence_evidence(by), *told, more])
    adding = [
        item
        for item in (*residence_evidence(by), *told, more)
        if item.is_invalid or item.kind not in HINTS or (item.kind is K.SERVER_ADDRESS and "AU" in item.jurisdictions)
    ]
    adding += [item for item in (*told, more) if is_hint_of_a_country(item) and not countries(item) <= known]
    assert before - after == {place for item in gone for place in stood_for(item)} - {place for item in adding for place in stood_for(item)}


@THOUSANDS
@given(ADDITIONS, GRANTED, st.sampled_from(list(Operation)))
def test_more_evidence_leaves_a_no_a_no_but_where_it_places_her_in_the_country_of_a_hint(
    addition: tuple[list[Evidence], Evidence], by: GrantSnapshot, operation: Operation
) -> None:
    told, more = addition
    before = rules_of(by, *candidates(told, by), operation=operation)
    after = rules_of(by, *candidates([*told, more], by), operation=operation)
    if not silenced(told, more, by):
        assert set(before) <= set(after)


@THOUSANDS
@given(ADDITIONS)
def test_without_a_residence_more_evidence_takes_away_unknown_alone_and_only_by_making_the_place_known(
    addition: tuple[list[Evidence], Evidence],
) -> None:
    told, more = addition
    gone = candidates(told, None) - candidates([*told, more], None)
    assert gone <= {UNKNOWN}
    if gone:
        assert more.allow_weight > 0
        assert held_places([*told, more])
        assert not any(item.is_invalid for item in [*told, more])


def test_the_one_addition_that_opens_names_the_place_in_the_country_of_the_hint() -> None:
    """A picture on .us is anywhere in the United States, until its file says Chicago."""
    by, domain = BOTH, says(K.COUNTRY_DOMAIN, "US")
    assert rules_of(by, *candidates([domain], by)) != ()
    assert rules_of(by, *candidates([domain, says(K.EXIF_GPS, "US-IL")], by)) == ()
    assert rules_of(by, *candidates([domain, says(K.EXIF_GPS, "CA-BC")], by)) != ()
    assert rules_of(by, *candidates([domain, says(K.XMP_LOCATION_SHOWN, "US-IL")], by)) != ()


@THOUSANDS
@given(st.lists(PIECES | BROKEN, max_size=6), st.data(), HOMES)
def test_neither_order_nor_repetition_of_evidence_matters(told: list[Evidence], data: st.DataObject, by: GrantSnapshot | None) -> None:
    again = data.draw(st.permutations([*told, *told]))
    assert candidates(again, by) == candidates(told, by)


STEPS: list[GrantSnapshot | GrantWithdrawn] = [
    least_grant("CA-BC"),
    least_grant("CA-BC", revision=2),
    least_grant("CA-BC", revision=3, state=GrantState.REVOKED),
    least_grant("CA-BC", revision=4, operations=(Operation.STORE,)),
    GrantWithdrawn(grant_id=G, withdrawn_at=NOW),
]


@THOUSANDS
@given(st.lists(st.sampled_from(range(len(STEPS))), max_size=8), st.sampled_from(list(Operation)))
def test_the_highest_revision_decides_until_an_end_does(order: list[int], operation: Operation) -> None:
    ledger = ConsentLedger()
    for index in order:
        step = STEPS[index]
        match step:
            case GrantSnapshot():
                ledger.apply_grant(step)
            case GrantWithdrawn():
                ledger.apply_withdrawal(step)
    request = Request(operation=operation, candidates=places("CA-BC"), now=NOW)
    verdict = allow(G, request, ledger=ledger, policy=shipped())
    if 4 in order:
        wanted: tuple[str, ...] = ("grant_withdrawn",)
    elif not order:
        wanted = ("no_grant",)
    elif max(order) == 2:
        wanted = ("grant_not_live",)
    else:
        wanted = () if max(order) < 3 or operation is Operation.STORE else ("operation_not_granted",)
    assert verdict.rules == wanted


@THOUSANDS
@given(
    st.frozensets(st.sampled_from(USES)),
    st.sets(st.sampled_from(list(Purpose)), min_size=1),
    st.sampled_from([*Purpose, None]),
    st.sampled_from(list(Operation)),
)
def test_il_4_what_is_forbidden_there_is_refused_whatever_the_grant_says(
    forbidden: frozenset[str], granted: set[Purpose], asked_for: Purpose | None, operation: Operation
) -> None:
    held = least_grant("US-IL", purposes=tuple(sorted(granted)))
    wanted = {asked_for} if asked_for is not None else granted
    found = rules_of(held, "US-IL", purpose=asked_for, operation=operation, policy=FORBIDDING[forbidden])
    assert ("X-9" in found) is bool(forbidden & {purpose.value for purpose in wanted})
