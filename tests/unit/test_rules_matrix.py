"""Offer, collect, use, disclose: every place, every operation, every missing part of a grant, against a table written by hand."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from assent.events.grants import GeographicScope, Operation, Purpose
from assent.geofence.caller import client_gate
from assent.geofence.jurisdiction_rules import SERVE_CLIENTS
from assent.ids import Jurisdiction
from tests.unit.grant_examples import NOW
from tests.unit.policy_examples import policy_with, shipped
from tests.unit.rule_tables import EU_MEMBERS, PLACES, Variant, least_grant, opened, rules_of, variants

OFFER = SERVE_CLIENTS
VERBS = {
    "offer": (OFFER,),
    "collect": (Operation.COLLECT,),
    "use": (Operation.EMBED, Operation.STORE, Operation.SEARCH),
    "disclose": (Operation.DISCLOSE,),
}
"""The four verbs of the orders and the six operations that they come to here."""
NEVER_OPEN = {"US", "NZ", "UNKNOWN"}
"""No entry: what nobody has looked up stays closed, however the rest is opened."""


def expected(closed: str | None, variant: Variant) -> tuple[str, ...]:
    named = {variant.rule} if variant.alone else {closed, variant.rule}
    return tuple(sorted(rule for rule in named if rule is not None))


def test_the_table_holds_every_province_and_territory_and_every_other_entry() -> None:
    provinces = "AB BC MB NB NL NS NT NU ON PE QC SK YT".split()
    assert {place for place in PLACES if place.startswith("CA-")} == {f"CA-{code}" for code in provinces}
    assert set(shipped().jurisdictions) <= set(PLACES)
    assert set(itertools.chain(*VERBS.values())) == {OFFER, *Operation}


@pytest.mark.parametrize("place", PLACES)
def test_the_form_of_each_place_is_that_of_the_table_to_the_number(place: str) -> None:
    """An age between two bands decides nothing today, and is the law all the same."""
    row, consent = PLACES[place], shipped().rules_for(Jurisdiction(place)).consent
    assert consent.model_dump(mode="json") == {
        "form": row.form,
        "explicit": True,
        "signature": ["wet", "e_signature"] if row.is_signed else [],
        "notice_fields": ["collected_or_stored", "specific_purpose", "length_of_term"] if row.is_signed else [],
        "notice_sha256": True,
        "alternative_offered": True,
        "evidence_min": 1,
        "age_min": row.age_min,
        "guardian_below": row.guardian_below,
        "expires_max_days": row.days,
        "last_interaction_cap_days": 1095,
    }


@pytest.mark.parametrize("operation", list(Operation))
@pytest.mark.parametrize("place", PLACES)
def test_collect_use_and_disclose_as_shipped(place: str, operation: Operation) -> None:
    wanted = {name: expected(PLACES[place].closed, variant) for name, variant in variants(place).items()}
    found = {name: rules_of(variant.held, place, operation=operation) for name, variant in variants(place).items()}
    assert found == wanted


@pytest.mark.parametrize("operation", list(Operation))
@pytest.mark.parametrize("place", PLACES)
def test_collect_use_and_disclose_once_an_operator_has_opened_the_place(place: str, operation: Operation) -> None:
    """Where a place is open, each missing part of the form closes it by itself, under its own rule."""
    policy = opened()
    closed = PLACES[place].closed if place in NEVER_OPEN else None
    wanted = {name: expected(closed, variant) for name, variant in variants(place).items()}
    found = {name: rules_of(variant.held, place, operation=operation, policy=policy) for name, variant in variants(place).items()}
    assert found == wanted


@pytest.mark.parametrize("basis", ["verify", "gallery", "self"])
@pytest.mark.parametrize("place", PLACES)
def test_offer_is_closed_everywhere_to_all_but_a_subject_who_looks_for_herself(place: str, basis: str) -> None:
    for policy in (shipped(), opened()):
        rule = client_gate([Jurisdiction(place)], basis=basis, policy=policy, now=NOW)
        wanted = None if basis == "self" else PLACES[place].offer
        # A country alone may be any of its parts: the first rule of those in the alphabet is named.
        wanted = {"CA": "AB-1", "US": "IL-5"}.get(place, wanted) if wanted is not None else None
        assert rule == wanted


@pytest.mark.parametrize("place", ["CA-AB", "CA-BC", "CA-QC", "US-IL", "US-TX", "EU", "GB", "AU"])
def test_offer_opens_alone_and_opens_nothing_else(place: str) -> None:
    policy = policy_with(**{place.replace("-", "_"): {"with_grant": [OFFER]}})
    unfiled = {"CA-QC": "QC-3", "EU": "EU-10", "GB": "UK-1"}.get(place)
    assert client_gate([Jurisdiction(place)], basis="gallery", policy=policy, now=NOW) == unfiled
    assert all(rules_of(least_grant(place), place, operation=operation, policy=policy) for operation in Operation)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("operation", list(Operation))
def test_each_operation_is_granted_and_opened_apart_from_the_others(place: str, operation: Operation) -> None:
    """QC-1: one gate that passes says nothing of the next."""
    others = tuple(one for one in Operation if one is not operation)
    assert "operation_not_granted" in rules_of(least_grant(place, operations=others), place, operation=operation)
    assert "operation_not_granted" not in rules_of(least_grant(place, operations=(operation,)), place, operation=operation)


@pytest.mark.parametrize("place", [place for place in PLACES if PLACES[place].closed is None])
@pytest.mark.parametrize(
    ("scope", "operations"),
    [
        ("collect_in", {Operation.COLLECT}),
        ("store_in", {Operation.EMBED, Operation.STORE}),
        ("disclose_in", {Operation.SEARCH, Operation.DISCLOSE}),
    ],
)
def test_each_verb_needs_its_own_reach(place: str, scope: str, operations: set[Operation]) -> None:
    there = (Jurisdiction(place),)
    reach = GeographicScope(collect_in=there, store_in=there, disclose_in=there).model_copy(update={scope: ()})
    held = least_grant(place, scope=reach)
    assert {one for one in Operation if rules_of(held, place, operation=one) == ("scope_not_granted",)} == operations
    assert {one for one in Operation if not rules_of(held, place, operation=one)} == set(Operation) - operations


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("place", PLACES)
def test_each_purpose_needs_its_own_yes(place: str, purpose: Purpose) -> None:
    closed = {PLACES[place].closed} - {None}
    left_out = tuple(one for one in Purpose if one is not purpose)
    asked: dict[str, Any] = {"operation": Operation.DISCLOSE, "purpose": purpose}
    assert set(rules_of(least_grant(place), place, **asked)) == closed
    assert set(rules_of(least_grant(place, purposes=left_out), place, **asked)) == closed | {"purpose_not_allowed"}
    assert set(rules_of(least_grant(place), place, recipient="org-x", **asked)) == closed | {"recipient_not_listed"}


@pytest.mark.parametrize("member", EU_MEMBERS)
def test_each_member_of_the_group_has_the_rules_of_the_group(member: str) -> None:
    assert shipped().rules_for(Jurisdiction(member)) == shipped().rules_for(Jurisdiction("EU"))
    assert shipped().rules_for(Jurisdiction(f"{member}-XX")).rule == "EU-10"


def test_of_two_candidates_both_are_asked() -> None:
    """Every pair of places: what refuses one refuses the pair, and only two open ones pass."""
    for one, other in itertools.combinations(PLACES, 2):
        held = least_grant(one, other)
        wanted = tuple(sorted({rule for rule in (PLACES[one].closed, PLACES[other].closed) if rule is not None}))
        assert rules_of(held, one, other) == wanted, (one, other)
        alone = least_grant(one, days=min(PLACES[one].days, PLACES[other].days))
        assert {"legal_form_missing", "scope_not_granted"} <= set(rules_of(alone, one, other)), (one, other)
