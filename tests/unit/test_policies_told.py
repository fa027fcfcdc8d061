"""What a comparison tells of a change: of which places, under which rules, from when, and for which form of a yes."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from typing import Any

import pytest

from assent.events.grants import Purpose
from assent.geofence.jurisdiction_rules import SERVE_CLIENTS
from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, Jurisdiction, RuleId
from assent.policies.comparison import Change, PlaceDifference, compare
from assent.policies.ordered_keys import Direction
from tests.unit.grant_examples import NOW
from tests.unit.place_examples import areas
from tests.unit.policy_examples import EVERY_OPERATION, policy_with, shipped

FILED = {"reference": "CAI-1", "filed_on": date(2026, 5, 1)}
QUEBEC_FILED = {name: FILED for name in ("cai_process", "cai_database", "privacy_impact_assessment")}
EVERYTHING = [*EVERY_OPERATION, SERVE_CLIENTS]
OPEN_EU = {"with_grant": EVERYTHING, "filings": {"dpia": FILED, "representative": FILED}}
PART = {"law": ["law of a part"], "rule": "FR-1", "clients_rule": "FR-1", "with_grant": EVERYTHING}
SIXTIETH_DAY = datetime(2026, 6, 30, tzinfo=UTC)


def differences(before: Policy, after: Policy, *, is_map_known: bool = True) -> dict[tuple[str, str], PlaceDifference]:
    """By the entries that govern, before and after."""
    found = compare(before, after, places=areas().codes if is_map_known else (), now=NOW)
    return {(place.before, place.after): place for place in found.places}


def changes_in_bc(before: dict[str, Any], after: dict[str, Any]) -> tuple[Change, ...]:
    (place,) = differences(policy_with(CA_BC=before), policy_with(CA_BC=after)).values()
    return place.changes


def told(change: Change) -> tuple[bool, tuple[str, ...], str]:
    return change.is_wider, change.rules, change.example


def test_a_change_that_shows_at_once_has_no_day_and_callers_are_told_beside_the_grant() -> None:
    callers, grants = changes_in_bc({"with_grant": []}, {"with_grant": EVERYTHING})
    assert callers == Change(True, (SERVE_CLIENTS,), (RuleId("BC-1"),), "callers there are served")
    assert grants == Change(True, tuple(EVERY_OPERATION), (RuleId("BC-2"),), "for self_search")
    assert changes_in_bc({"with_grant": EVERYTHING}, {"with_grant": EVERY_OPERATION}) == (
        Change(False, (SERVE_CLIENTS,), (RuleId("BC-1"),), "callers there are served"),
    )


def test_callers_that_are_served_before_and_after_are_no_change() -> None:
    with_callers = {"with_grant": EVERYTHING}
    stricter = {**with_callers, "consent": {"form": "explicit"}}
    (change,) = changes_in_bc(with_callers, stricter)
    assert told(change) == (False, ("legal_form_missing",), "for self_search, in the form express")
    (change,) = changes_in_bc(stricter, with_callers)
    assert told(change) == (True, ("legal_form_missing",), "for self_search, in the form express")


def test_what_a_filing_opens_is_told_from_the_day_on_which_its_lead_time_has_passed() -> None:
    filed = policy_with(CA_QC={"filings": QUEBEC_FILED, "with_grant": EVERYTHING})
    callers, grants = differences(shipped(), filed)[("CA-QC", "CA-QC")].changes
    assert (callers.operations, callers.rules, callers.since) == ((SERVE_CLIENTS,), ("QC-1",), SIXTIETH_DAY)
    assert (grants.operations, grants.rules, grants.since) == (tuple(EVERY_OPERATION), ("QC-3",), SIXTIETH_DAY)
    callers, grants = differences(filed, shipped())[("CA-QC", "CA-QC")].changes
    assert (callers.is_wider, callers.since, grants.is_wider, grants.since) == (False, SIXTIETH_DAY, False, SIXTIETH_DAY)


@pytest.mark.parametrize("clock", ["comply_days", "report_days", "destroy_days"])
def test_each_clock_of_an_order_closes_on_the_day_after_its_last(clock: str) -> None:
    (change,) = changes_in_bc({}, {"order_received": {"issued": date(2026, 5, 20), clock: 30}})
    assert (change.is_wider, change.since) == (False, datetime(2026, 6, 20, tzinfo=UTC))


def test_an_order_that_will_be_met_opens_on_that_day() -> None:
    order = {"issued": date(2026, 5, 20), "comply_days": 30}
    (change,) = changes_in_bc({"order_received": order}, {"order_received": {**order, "met_on": date(2026, 7, 15)}})
    assert (change.is_wider, change.since) == (True, datetime(2026, 7, 15, tzinfo=UTC))


def test_each_rule_that_lets_less_through_is_told_with_the_form_that_shows_it() -> None:
    stricter = {
        "consent": {"form": "written_release", "evidence_min": 3, "notice_fields": ["specific_purpose"]},
        "purposes": {"allow": ["verify"]},
    }
    expected = {
        ("CA-4",): "for self_search",
        ("legal_form_missing",): "for verify, in the form explicit",
        ("IL-2",): "for verify, with a notice that leaves out specific_purpose",
        ("EU-1",): "for verify, with 1 pieces of evidence",
    }
    for is_wider, changes in ((False, changes_in_bc({}, stricter)), (True, changes_in_bc(stricter, {}))):
        assert {change.rules: change.example for change in changes} == expected
        assert {(change.is_wider, change.operations, change.since) for change in changes} == {(is_wider, tuple(EVERY_OPERATION), None)}


def test_one_kind_of_notice_for_another_is_wider_and_narrower_under_one_rule() -> None:
    one, other = ({"consent": {"notice_fields": [field]}} for field in ("specific_purpose", "length_of_term"))
    assert [told(change) for change in changes_in_bc(one, other)] == [
        (False, ("IL-2",), "for self_search, with a notice that leaves out length_of_term"),
        (True, ("IL-2",), "for self_search, with a notice that leaves out specific_purpose"),
    ]


def test_what_only_one_purpose_still_opens_is_compared_for_that_purpose() -> None:
    """The first of all forms is refused by the new policy, so what it lets through beyond that is looked for with one that is not."""
    narrower_and_longer = {"consent": {"expires_max_days": 731}, "purposes": {"allow": ["verify"]}}
    assert {told(change) for change in changes_in_bc({}, narrower_and_longer)} == {
        (False, ("CA-4",), "for self_search"),
        (True, ("QC-7",), "for verify, that lasts 731 days"),
    }
    assert {told(change) for change in changes_in_bc(narrower_and_longer, {})} == {
        (True, ("CA-4",), "for self_search"),
        (False, ("QC-7",), "for verify, that lasts 731 days"),
    }
    only_verify = {"purposes": {"allow": ["verify"]}}
    (change,) = changes_in_bc(only_verify, {**only_verify, "consent": {"evidence_min": 2}})
    assert told(change) == (False, ("EU-1",), "for verify, with 1 pieces of evidence")


def test_operations_that_change_alike_are_told_together_and_others_apart() -> None:
    changes = changes_in_bc({"with_grant": ["collect", "embed"]}, {"with_grant": ["embed", "store", SERVE_CLIENTS]})
    assert [(change.is_wider, change.operations) for change in changes] == [
        (True, (SERVE_CLIENTS,)),
        (False, ("collect",)),
        (True, ("store",)),
    ]


def test_a_policy_that_asks_for_more_evidence_of_a_place_is_compared_as_well() -> None:
    """Where a residence and a position are asked for together, a grant and a photo that have both are put to the decision."""
    sure = shipped().location.model_copy(update={"allow_threshold": 1.0})
    before, after = (policy.model_copy(update={"location": sure}) for policy in (policy_with(CA_BC={"with_grant": []}), shipped()))
    (place,) = differences(before, after).values()
    assert (place.after, place.direction) == ("CA-BC", Direction.WIDER)


def test_without_a_map_the_places_that_a_policy_names_are_told() -> None:
    """Publishing compares without a map: what is wider is found all the same."""
    found = differences(shipped(), policy_with(CA={"with_grant": EVERY_OPERATION}), is_map_known=False)
    assert [(place.places, place.direction) for place in found.values()] == [(("CA",), Direction.WIDER)]
    assert found[("CA", "CA")].changes[0].rules == ("CA-1",)
    members = differences(shipped(), policy_with(EU={"members": ["FR", "DE"]}), is_map_known=False)
    assert members[("EU", "EU")].places == ("DE", "EU", "FR")
    assert {"AT", "IS"} < set(members[("EU", "UNKNOWN")].places)


def test_an_entry_of_no_place_on_the_map_is_told_by_its_name_whether_it_comes_or_goes() -> None:
    with_part = policy_with(EU=OPEN_EU, FR_IDF={**PART, "with_grant": []})
    for found, is_wider in (
        (differences(policy_with(EU=OPEN_EU), with_part), False),
        (differences(with_part, policy_with(EU=OPEN_EU)), True),
    ):
        (part,) = [place for place in found.values() if "FR-IDF" in place.places]
        assert {change.is_wider for change in part.changes} == {is_wider}


def test_a_country_whose_part_gets_an_entry_changes_and_its_neighbours_do_not() -> None:
    """France alone stands for its parts: a closed one closes photos of which only France is known. Germany has nothing to do with it."""
    plain, with_part = policy_with(EU=OPEN_EU), policy_with(EU=OPEN_EU, FR_IDF={**PART, "with_grant": []})
    for found, is_wider in ((differences(plain, with_part), False), (differences(with_part, plain), True)):
        whole = found[("EU", "EU")]
        assert whole.places == ("EU", "FR")
        assert {change.is_wider for change in whole.changes} == {is_wider}
        assert {change.rules for change in whole.changes} == {("FR-1",)}


def test_a_part_that_opens_opens_its_whole_country_where_all_else_is_open() -> None:
    """The entry of Canada stays as it is, and so do the names of its parts."""
    but_alberta: dict[str, dict[str, Any]] = {"CA": {"with_grant": EVERYTHING}, "CA_QC": {"filings": QUEBEC_FILED}}
    closed, opened = policy_with(**but_alberta, CA_AB={"with_grant": []}), policy_with(**but_alberta)
    found = differences(closed, opened)
    assert {key: place.direction for key, place in found.items()} == {("CA", "CA"): Direction.WIDER, ("CA-AB", "CA-AB"): Direction.WIDER}
    assert found[("CA", "CA")].places == ("CA",)
    (change,) = found[("CA", "CA")].changes
    assert (change.rules, change.since) == (("AB-1",), SIXTIETH_DAY)


def test_one_part_for_another_lets_a_grant_through_that_names_only_the_new_one() -> None:
    """Neither entry is stricter than its country, so only what a grant of a Frenchwoman must name is another."""
    one, other = policy_with(EU=OPEN_EU, FR_IDF=PART), policy_with(EU=OPEN_EU, FR_ARA=PART)
    found = differences(one, other)[("EU", "EU")]
    assert (found.places, found.direction) == (("EU", "FR"), Direction.BOTH)
    assert [told(change) for change in found.changes] == [
        (False, ("legal_form_missing", "scope_not_granted"), "for self_search, given for EU, FR-IDF alone"),
        (True, ("legal_form_missing", "scope_not_granted"), "for self_search, given for EU, FR-ARA alone"),
    ]


OTHER_NEEDS: list[dict[str, Any]] = [
    {"consent": {"notice_fields": ["specific_purpose"]}},
    {"consent": {"signature": ["vc"]}},
    {"purposes": {"allow": ["gallery_search"]}},
    {"consent": {"signature": ["vc"]}, "purposes": {"allow": ["self_search"], "forbid": ["verify"]}},
]
FULLEST = "for self_search, and for all else that is not forbidden, signed for each place as it asks, given for EU, FR-ARA alone"


@pytest.mark.parametrize("needs", OTHER_NEEDS, ids=str)
def test_one_part_for_another_is_compared_by_what_the_new_part_asks_for(needs: dict[str, Any]) -> None:
    """No single form passes in the country and in the new part; a grant that names both, each in its form, does."""
    country = {**OPEN_EU, "consent": {"signature": ["wet"]}, "purposes": {"allow": ["self_search", "verify"]}}
    part = {**PART, **country}
    one, other = policy_with(EU=country, FR_IDF=part), policy_with(EU=country, FR_ARA={**part, **needs})
    for found, is_wider in ((differences(one, other)[("EU", "EU")], True), (differences(other, one)[("EU", "EU")], False)):
        assert found.direction is Direction.BOTH
        operations = {change.operations[:3] for change in found.changes if change.is_wider is is_wider and change.example == FULLEST}
        assert operations == {("collect", "embed", "store")}


@pytest.mark.parametrize(("in_country", "in_part"), list(itertools.permutations(Purpose, 2)))
def test_one_part_for_another_is_compared_for_a_grant_with_the_purpose_of_each(in_country: Purpose, in_part: Purpose) -> None:
    country = {**OPEN_EU, "purposes": {"allow": [in_country.value]}}
    part = {**PART, "purposes": {"allow": [in_part.value]}}
    found = differences(policy_with(EU=country, FR_IDF={**part, **country}), policy_with(EU=country, FR_ARA=part))
    assert FULLEST in {change.example for change in found[("EU", "EU")].changes if change.is_wider}


@pytest.mark.parametrize("purpose", list(Purpose))
def test_one_part_for_another_is_compared_for_a_search_under_each_purpose(purpose: Purpose) -> None:
    country = {**OPEN_EU, "with_grant": ["search"], "consent": {"signature": ["wet"]}, "purposes": {"allow": [purpose.value]}}
    part = {**PART, **country}
    one, other = policy_with(EU=country, FR_IDF=part), policy_with(EU=country, FR_ARA={**part, "consent": {"signature": ["vc"]}})
    (change,) = [change for change in differences(one, other)[("EU", "EU")].changes if change.is_wider]
    assert (change.operations, change.example) == (("search",), FULLEST.replace("self_search", purpose))


def test_a_part_that_forbids_every_purpose_closes_its_country() -> None:
    forbidden = {**PART, "purposes": {"forbid": [purpose.value for purpose in Purpose]}}
    plain, with_part = policy_with(EU=OPEN_EU), policy_with(EU=OPEN_EU, FR_IDF=forbidden)
    assert differences(plain, with_part)[("EU", "EU")].direction is Direction.NARROWER
    assert differences(with_part, plain)[("EU", "EU")].direction is Direction.WIDER


def test_a_purpose_that_is_forbidden_no_more_opens_a_grant_for_two() -> None:
    """A grant for a purpose that is allowed and another that is forbidden is refused; where the other is merely not allowed, it is not."""
    only = {"allow": ["self_search"]}
    (change,) = changes_in_bc({"purposes": {**only, "forbid": ["verify"]}}, {"purposes": only})
    assert told(change) == (True, ("X-9",), "for self_search, and for verify")
    (change,) = changes_in_bc({"purposes": only}, {"purposes": {**only, "forbid": ["verify"]}})
    assert told(change) == (False, ("X-9",), "for self_search, and for verify")
    assert change.operations == ("collect", "embed", "store"), "she is searched for under one purpose, which is not forbidden"


def test_a_grant_that_needs_fewer_places_is_told_beside_a_form_that_must_be_stricter() -> None:
    """Both are refused under one rule, one by this policy and one by the other; neither says what the other says."""
    before = policy_with(EU={**OPEN_EU, "consent": {"form": "explicit"}}, FR_IDF=PART)
    after = policy_with(EU={**OPEN_EU, "consent": {"form": "written_release"}})
    changes = differences(before, after)[("EU", "EU")].changes
    assert {
        (False, ("legal_form_missing",), "for self_search, in the form explicit"),
        (True, ("legal_form_missing", "scope_not_granted"), "for self_search, given for EU alone"),
    } <= {told(change) for change in changes}


def test_what_opens_under_more_rules_is_told_for_the_operations_that_no_other_change_covers() -> None:
    changes = changes_in_bc(
        {"with_grant": ["collect"], "consent": {"signature": ["wet"]}},
        {"with_grant": EVERY_OPERATION, "consent": {"signature": ["vc"]}},
    )
    assert {(change.is_wider, change.operations, change.rules, change.example) for change in changes} == {
        (False, ("collect",), ("IL-3",), "for self_search"),
        (True, ("collect",), ("IL-3",), "for self_search, signed by vc"),
        (True, tuple(EVERY_OPERATION[1:]), ("BC-2", "IL-3"), "for self_search, signed by vc"),
    }


def test_unknown_is_told_by_its_name_with_every_place_that_has_no_entry() -> None:
    other = shipped().model_copy(update={"unknown": shipped().unknown.model_copy(update={"law": ("none",)})})
    (place,) = differences(shipped(), other).values()
    assert {UNKNOWN, Jurisdiction("MX")} < set(place.places)
    assert (place.before, place.changes, place.direction) == (UNKNOWN, (), Direction.DIFFERENT)
    (place,) = differences(shipped(), other, is_map_known=False).values()
    assert place.places == (UNKNOWN,)
