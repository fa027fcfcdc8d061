"""Rules and places by which refusals are counted: what policy and code name, and one label for everything else."""

from __future__ import annotations

import pytest

from assent.deciding.refusal_counts import refusal_counts
from assent.ids import UNKNOWN, Jurisdiction, RuleId
from tests.unit.policy_examples import policy_with, shipped


def counts(rules: str, candidates: str) -> set[tuple[str, str]]:
    return set(refusal_counts([RuleId(rule) for rule in rules.split()], [Jurisdiction(place) for place in candidates.split()], shipped()))


@pytest.mark.parametrize(
    ("place", "label"),
    [
        pytest.param("CA-QC", "CA-QC", id="entry"),
        pytest.param("CA-ON", "CA", id="part-without-an-entry"),
        pytest.param("US-CA", "US", id="part-of-a-country-of-an-entry"),
        pytest.param("EU", "EU", id="group"),
        pytest.param("NO", "NO", id="member"),
        pytest.param("FR-IDF", "FR", id="part-of-a-member"),
        pytest.param(UNKNOWN, UNKNOWN, id="unknown"),
        pytest.param("JP", "other", id="no-entry"),
        pytest.param("JP-13", "other", id="part-of-no-entry"),
        pytest.param("", "none", id="no-place"),
    ],
)
def test_a_place_is_told_as_the_policy_names_it_or_its_country(place: str, label: str) -> None:
    assert counts("no_grant", place) == {("no_grant", label)}


@pytest.mark.parametrize(
    ("rule", "label"),
    [
        pytest.param("optout_signal", "optout_signal", id="code"),
        pytest.param("QC-3", "QC-3", id="both"),
        pytest.param("ZZ-9", "other", id="neither"),
    ],
)
def test_a_rule_is_told_if_code_or_policy_has_it(rule: str, label: str) -> None:
    assert counts(rule, "CA-QC") == {(label, "CA-QC")}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"rule": "ZZ-9"}, id="rule"),
        pytest.param({"clients_rule": "ZZ-9"}, id="rule-for-callers"),
        pytest.param({"filings": {"paper": {"rule": "ZZ-9"}}}, id="filing"),
    ],
)
def test_a_rule_that_only_the_operator_s_policy_has_is_told(changes: dict[str, object]) -> None:
    policy = policy_with(AU=changes)
    assert refusal_counts([RuleId("ZZ-9")], [Jurisdiction("AU")], policy) == {("ZZ-9", "AU")}


def test_a_rule_of_places_that_the_policy_does_not_name_is_told() -> None:
    policy = policy_with()
    unknown = policy.unknown.model_copy(update={"rule": RuleId("ZZ-9")})
    assert refusal_counts([RuleId("ZZ-9")], [UNKNOWN], policy.model_copy(update={"unknown": unknown})) == {("ZZ-9", UNKNOWN)}


def test_every_rule_is_counted_with_every_place_once() -> None:
    assert counts("QC-3 X-1", "CA-QC CA-ON CA-NB UNKNOWN") == {
        (rule, place) for rule in ("QC-3", "X-1") for place in ("CA-QC", "CA", UNKNOWN)
    }
