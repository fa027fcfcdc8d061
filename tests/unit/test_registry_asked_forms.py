"""What could never count is refused when it is asked for: the form, the term that is told, the guardian and the day of the beginning."""

from __future__ import annotations

import ast
import inspect
from datetime import timedelta
from typing import Any

import pytest

from assent.cli.grant_template import grant_template
from assent.consent import legal_form
from assent.consent.asset import Asset
from assent.events.grants import AgeBand
from assent.events.images import SourceKind
from assent.ids import GrantId, Jurisdiction, RuleId
from services.registry.asked_forms import LACKS, lacks_text
from services.registry.given_grant import given_of
from services.registry.grant_parts import RecordedResidence, Subject
from services.registry.grant_record import Grant, snapshot
from services.registry.grant_request import GrantRequest, first_revision
from services.registry.grant_rules import checked_sources
from tests.unit.grant_examples import NOW
from tests.unit.policy_examples import shipped
from tests.unit.request_examples import asked, refused, term, written
from tests.unit.rule_tables import rules_of

EVIDENCE = {"kind": "pdf", "sha256": "0" * 64, "captured_at": NOW.isoformat(), "captured_by": "the museum"}
PARTY = {"id": "g", "name": "Grace", "contact": "grace@example.org", "role": "guardian"}
GUARDIAN = {"party": PARTY, "evidence_sha256": "0" * 64}


def with_basis(place: str, **changes: Any) -> GrantRequest:
    """A request in the strictest form, with some of its one legal basis changed."""
    (basis,) = written(place)["legal"]
    return asked(place, legal=[{**basis, **changes}])


def given(request: GrantRequest, place: str, age_band: AgeBand = AgeBand.ADULT) -> Grant:
    """What the registry would make of it once she says yes."""
    grant_id = GrantId("g-1")
    first = first_revision(
        request,
        grant_id=grant_id,
        subject=Subject(subject_id=request.subject_id, age_band=age_band, guardian=request.guardian),
        residence=(RecordedResidence(jurisdiction=Jurisdiction(place)),),
        sources=checked_sources(request, grant_id),
        asked_by=None,
        now=NOW,
    )
    return given_of(first, first, first.sources, None, NOW)


FAULTS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "whole in Illinois": ("US-IL", {}, []),
    "no signature in Illinois": ("US-IL", {"signature": None}, ["IL-3"]),
    "signed by a credential in Illinois": ("US-IL", {"signature": "vc"}, ["IL-3"]),
    "signed by hand in Illinois": ("US-IL", {"signature": "wet"}, []),
    "no field of the notice in Illinois": ("US-IL", {"notice_fields": []}, ["IL-2"]),
    "no purpose in the notice in Illinois": ("US-IL", {"notice_fields": ["collected_or_stored", "length_of_term"]}, ["IL-2"]),
    "an express yes in Illinois": ("US-IL", {"form": "express"}, ["legal_form_missing"]),
    "an explicit yes in Illinois": ("US-IL", {"form": "explicit"}, ["legal_form_missing"]),
    "no alternative in Illinois": ("US-IL", {"alternative_offered": False}, ["QC-7"]),
    "nothing of it in Illinois": (
        "US-IL",
        {"form": "express", "signature": None, "notice_fields": [], "alternative_offered": False},
        ["legal_form_missing", "IL-3", "IL-2", "QC-7"],
    ),
    "an express yes in British Columbia": ("CA-BC", {"form": "express", "signature": None, "notice_fields": []}, []),
    "no alternative in British Columbia": ("CA-BC", {"alternative_offered": False}, ["QC-7"]),
    "an express yes in Alberta": ("CA-AB", {"form": "express"}, ["legal_form_missing"]),
    "no alternative in Quebec, whose filings are to be made": ("CA-QC", {"alternative_offered": False}, ["QC-7"]),
    "an express yes in Texas, which is not open": ("US-TX", {"form": "express", "alternative_offered": False}, []),
    "an express yes in France, which is not open": ("FR", {"form": "express", "alternative_offered": False}, []),
}

OPEN = {name: fault for name, fault in FAULTS.items() if fault[0] in ("US-IL", "CA-BC", "CA-AB")}
"""Of the places that the shipped policy opens without a filing."""


@pytest.mark.parametrize(("place", "changes", "rules"), FAULTS.values(), ids=FAULTS.keys())
def test_what_could_never_count_for_its_form_is_refused_when_it_is_asked_for(place: str, changes: dict[str, Any], rules: list[str]) -> None:
    assert refused(with_basis(place, **changes), residences=(place,)) == rules


@pytest.mark.parametrize(("place", "changes", "rules"), OPEN.values(), ids=OPEN.keys())
def test_what_is_taken_counts_once_she_says_yes_and_what_is_refused_would_not(
    place: str, changes: dict[str, Any], rules: list[str]
) -> None:
    """The registry and the decision, one after the other, over the same words."""
    held = snapshot(given(with_basis(place, **changes), place))
    asset = Asset(SourceKind.UPLOAD, upload_grant_id=held.grant_id)
    assert set(rules_of(held, place, asset=asset)) == set(rules)


@pytest.mark.parametrize("verb", ["collect_in", "store_in", "disclose_in"])
def test_every_open_place_that_a_grant_reaches_asks_for_its_form(verb: str) -> None:
    (home,) = written("CA-BC")["legal"]
    scope = {name: ["CA-BC"] for name in ("collect_in", "store_in", "disclose_in")}
    reaching = {"geographic_scope": {**scope, verb: ["CA-BC", "US-IL"]}}
    abroad = {**home, "jurisdiction": "US-IL"}
    assert refused(asked("CA-BC", **reaching)) == ["legal_form_missing"]
    assert refused(asked("CA-BC", **reaching, legal=[home, abroad])) == []
    assert refused(asked("CA-BC", **reaching, legal=[home, {**abroad, "signature": None}])) == ["IL-3"]
    assert refused(asked("CA-BC", geographic_scope={**scope, verb: ["CA-BC", "US-TX", "NZ", "CA"]})) == [], "closed places ask for nothing"


def test_of_two_residences_each_asks_for_its_own_form_and_a_missing_one_is_told_once() -> None:
    (home,) = written("CA-BC", validity=term(30))["legal"]
    express = {**home, "form": "express"}
    assert refused(asked("CA-BC", legal=[express]), residences=("CA-BC", "CA-AB")) == ["legal_form_missing"]
    both = asked("CA-BC", legal=[express, {**express, "jurisdiction": "CA-AB"}])
    assert refused(both, residences=("CA-BC", "CA-AB")) == ["legal_form_missing"]
    assert refused(asked("CA-BC", legal=[express, {**home, "jurisdiction": "CA-AB"}]), residences=("CA-BC", "CA-AB")) == []


def test_what_is_refused_as_implied_is_told_once() -> None:
    assert refused(with_basis("CA-BC", explicit=False)) == ["CA-2"]


def test_her_confirmation_counts_as_evidence_and_is_not_asked_for_before() -> None:
    assert refused(asked("US-IL", evidence=[]), residences=("US-IL",)) == []
    assert refused(asked("US-IL", evidence=[EVIDENCE]), residences=("US-IL",)) == []


@pytest.mark.parametrize(
    ("place", "band", "guardian", "rules"),
    [
        ("CA-QC", AgeBand.MINOR_UNDER_14, True, []),
        ("CA-QC", AgeBand.MINOR_UNDER_14, False, ["CA-6"]),
        ("CA-QC", AgeBand.MINOR_14_17, True, ["CA-6"]),
        ("CA-QC", AgeBand.MINOR_14_17, False, ["CA-6"]),
        ("CA-BC", AgeBand.MINOR_14_17, True, []),
        ("FR", AgeBand.MINOR_14_17, True, []),
        ("CA-AB", AgeBand.UNKNOWN, True, ["CA-6"]),
    ],
    ids=lambda value: str(value),
)
def test_ca_6_a_guardian_that_does_not_count_there_is_told_when_a_grant_is_asked_for(
    place: str, band: AgeBand, guardian: bool, rules: list[str]
) -> None:
    request = asked(place, guardian=GUARDIAN if guardian else None, birth_year=None)
    assert refused(request, age_band=band, residences=(place,)) == rules


@pytest.mark.parametrize(("role", "rules"), [("guardian", []), *[(role, ["CA-6"]) for role in ("controller", "processor", "authority")]])
def test_ca_6_whoever_asks_for_the_yes_is_no_guardian(role: str, rules: list[str]) -> None:
    guardian = {**GUARDIAN, "party": {**PARTY, "role": role}}
    assert refused(asked("CA-QC", guardian=guardian, birth_year=None), age_band=AgeBand.MINOR_UNDER_14, residences=("CA-QC",)) == rules


@pytest.mark.parametrize(
    ("place", "told", "days", "rules"),
    [
        ("US-IL", 30, 30, []),
        ("US-IL", 30, 30.01, ["IL-2"]),
        ("US-IL", 1, 365, ["IL-2"]),
        ("US-IL", 365, 30, []),
        ("US-IL", None, 365, []),
        ("CA-BC", 30, 31, ["EU-8"]),
        ("FR", 30, 31, ["EU-8"]),
    ],
    ids=lambda value: str(value),
)
def test_il_2_and_eu_8_she_is_told_no_shorter_term_than_the_grant_has(place: str, told: int | None, days: float, rules: list[str]) -> None:
    (basis,) = written(place)["legal"]
    assert refused(asked(place, validity=term(days), legal=[{**basis, "term_days": told}]), residences=(place,)) == rules


def test_a_grant_begins_at_most_ninety_days_ahead() -> None:
    for ahead, rules in ((timedelta(days=90), []), (timedelta(days=90, seconds=1), ["QC-7"]), (timedelta(days=1000), ["QC-7"])):
        start = NOW + ahead
        validity = {"not_before": start.isoformat(), "expires_at": (start + timedelta(days=365)).isoformat()}
        assert refused(asked("US-IL", validity=validity), residences=("US-IL",)) == rules


def test_each_rule_of_form_but_the_notice_that_is_shown_has_its_words() -> None:
    """A rule that decisions learn has to be told here as well."""
    tree = ast.parse(inspect.getsource(legal_form))
    decided = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    given_out = {word for word in decided if word == "legal_form_missing" or (word[-1:].isdigit() and "-" in word)}
    assert given_out - {"EU-8"} == set(LACKS)
    for rule in LACKS:
        message, remedy = lacks_text(Jurisdiction("US-IL"), RuleId(rule), shipped().rules_for(Jurisdiction("US-IL")))
        assert "US-IL" in message
        assert "{" not in message + remedy
    assert "wet or e_signature" in lacks_text(Jurisdiction("US-IL"), RuleId("IL-3"), shipped().rules_for(Jurisdiction("US-IL")))[0]


@pytest.mark.parametrize("place", ["CA-BC", "CA-AB", "CA-QC", "US-IL", "FR", "GB"])
def test_the_template_lacks_nothing_in_any_place(place: str) -> None:
    request = GrantRequest.model_validate(grant_template(place) | {"subject_id": "s-1", "birth_year": 1980})
    assert refused(request, residences=(place,), now=request.validity.not_before) == []
