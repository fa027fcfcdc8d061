"""Thousands of drawn cases against rules written by hand: what refuses alone refuses in company, and nothing that comes later opens."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.consent.decision import Request, allow
from assent.consent.ledger import ConsentLedger
from assent.events.evidence import EvidenceKind
from assent.events.grants import AgeBand, ConsentForm, GeographicScope, GrantSnapshot, GrantState, GrantWithdrawn, Operation, Purpose
from assent.geofence.decision import candidate_set
from assent.geofence.evidence import Evidence, unreadable
from assent.geofence.residence import residence_evidence
from assent.ids import UNKNOWN, GrantId
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
