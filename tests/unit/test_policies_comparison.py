"""Comparing policies: whatever a policy lets through that the other does not is found, and nothing else is called wider."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.consent.decision import Request, allow
from assent.consent.ledger import ConsentLedger
from assent.events.grants import AgeBand, ConsentForm, Operation, Purpose
from assent.geofence.caller import client_gate
from assent.geofence.jurisdiction_rules import SERVE_CLIENTS
from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, Jurisdiction
from assent.policies.comparison import Change, Comparison, compare
from assent.policies.grant_forms import GRANT, SIGNATURES, GrantForm
from assent.policies.key_changes import key_changes
from assent.policies.ordered_keys import Direction
from tests.unit.grant_examples import NOW
from tests.unit.place_examples import areas
from tests.unit.policy_examples import EVERY_OPERATION, policy_with, shipped

FILED = {"reference": "CAI-1", "filed_on": date(2026, 5, 1)}
QUEBEC_FILED = {name: FILED for name in ("cai_process", "cai_database", "privacy_impact_assessment")}
FIELDS = ["collected_or_stored", "specific_purpose", "length_of_term"]


def compared(before: Policy, after: Policy, *, now: datetime = NOW) -> Comparison:
    return compare(before, after, places=areas().codes, now=now)


def one_place(before: Policy, after: Policy, *, now: datetime = NOW) -> tuple[str, Direction, tuple[Change, ...]]:
    found = compared(before, after, now=now)
    assert found.location == ()
    (place,) = found.places
    return place.after, place.direction, place.changes


def test_a_policy_is_not_wider_than_itself() -> None:
    found = compared(shipped(), shipped())
    assert (found.places, found.location, found.is_wider) == ((), (), False)


def test_filing_in_quebec_widens_it_from_the_sixtieth_day_and_taking_it_back_narrows() -> None:
    filed = policy_with(CA_QC={"filings": QUEBEC_FILED})
    entry, direction, (change,) = one_place(shipped(), filed)
    assert (entry, direction) == ("CA-QC", Direction.WIDER)
    assert (change.operations, change.rules) == (tuple(EVERY_OPERATION), ("QC-3",))
    assert change.since == datetime(2026, 6, 30, tzinfo=UTC)
    assert one_place(filed, shipped())[1] is Direction.NARROWER
    # Two of three filings open nothing.
    assert one_place(shipped(), policy_with(CA_QC={"filings": {"cai_process": FILED, "cai_database": FILED}}))[1] is Direction.DIFFERENT


def test_an_order_that_runs_out_closes_from_that_day_and_complying_with_it_opens_again() -> None:
    order = {"issued": date(2026, 5, 20), "comply_days": 30}
    bound = policy_with(CA_BC={"order_received": order})
    entry, direction, (change,) = one_place(shipped(), bound)
    assert (entry, direction, change.since) == ("CA-BC", Direction.NARROWER, datetime(2026, 6, 20, tzinfo=UTC))
    met = policy_with(CA_BC={"order_received": {**order, "met_on": date(2026, 6, 1)}})
    assert one_place(bound, met)[1] is Direction.WIDER
    assert one_place(bound, policy_with(CA_BC={"order_received": {**order, "comply_days": 31}}))[1] is Direction.WIDER


@pytest.mark.parametrize("now", [NOW, NOW + timedelta(days=3_000), NOW - timedelta(days=3_000)])
def test_a_wrong_clock_does_not_hide_that_a_place_opens_sooner(now: datetime) -> None:
    sooner = {name: {**FILED, "filed_on": date(2026, 4, 1)} for name in QUEBEC_FILED}
    before, after = policy_with(CA_QC={"filings": QUEBEC_FILED}), policy_with(CA_QC={"filings": sooner})
    assert compared(before, after, now=now).is_wider
    assert not compared(after, before, now=now).is_wider


@pytest.mark.parametrize("now", [NOW, NOW + timedelta(days=3_000)])
def test_a_clock_that_runs_ahead_does_not_hide_that_a_filing_is_no_longer_asked_for(now: datetime) -> None:
    """By that clock the filing counts already, so both policies seem to be open; by the true one the day is yet to come."""
    filing = {"rule": "BC-3", "reference": "1", "filed_on": date(2026, 7, 1)}
    before, after = policy_with(CA_BC={"filings": {"pia": filing}}), shipped()
    assert compared(before, after, now=now).is_wider
    assert not compared(after, before, now=now).is_wider


def test_days_from_before_any_clock_are_compared_as_well() -> None:
    filings = {name: {"rule": "BC-3", "reference": "1", "filed_on": day} for name, day in (("old", date.min), ("new", date(2026, 5, 1)))}
    filed = policy_with(CA_BC={"filings": filings})
    assert one_place(shipped(), filed)[1] is Direction.NARROWER
    assert one_place(filed, shipped())[1] is Direction.WIDER


@pytest.mark.parametrize(
    ("entry", "direction"),
    [
        ({"with_grant": [*EVERY_OPERATION, SERVE_CLIENTS]}, Direction.WIDER),
        ({"with_grant": ["collect"]}, Direction.NARROWER),
        ({"with_grant": ["collect", SERVE_CLIENTS]}, Direction.BOTH),
        ({"status": "stayed", "as_of": date(2026, 5, 1)}, Direction.NARROWER),
        ({"consent": {"form": "explicit"}}, Direction.NARROWER),
        ({"consent": {"expires_max_days": 731}}, Direction.WIDER),
        ({"consent": {"last_interaction_cap_days": 1000}}, Direction.NARROWER),
        ({"consent": {"alternative_offered": False}}, Direction.WIDER),
        ({"consent": {"notice_sha256": False}}, Direction.WIDER),
        ({"consent": {"evidence_min": 2}}, Direction.NARROWER),
        ({"consent": {"signature": ["wet"]}}, Direction.NARROWER),
        ({"consent": {"age_min": 18}}, Direction.WIDER),
        ({"consent": {"guardian_below": 14}}, Direction.NARROWER),
        ({"purposes": {"allow": ["self_search"]}}, Direction.NARROWER),
        ({"purposes": {"forbid": ["verify"]}}, Direction.NARROWER),
        ({"bystanders": "drop_image"}, Direction.NARROWER),
        ({"probe": "self_only"}, Direction.NARROWER),
        ({"retention": {"max_days": 365}}, Direction.NARROWER),
        ({"server_deny_weight": 0.2}, Direction.WIDER),
        ({"rule": "BC-3", "law": ["another name"], "authority": "none"}, Direction.DIFFERENT),
        ({"filings": {"pia": {"rule": "BC-3"}}}, Direction.NARROWER),
        ({"filings": {"pia": {"rule": "BC-3", "reference": "1", "filed_on": date(2027, 1, 1)}}}, Direction.NARROWER),
    ],
    ids=str,
)
def test_each_key_of_an_open_place_goes_the_way_that_the_decisions_go(entry: dict[str, Any], direction: Direction) -> None:
    changed = policy_with(CA_BC=entry)
    assert one_place(shipped(), changed)[:2] == ("CA-BC", direction)
    back = {Direction.WIDER: Direction.NARROWER, Direction.NARROWER: Direction.WIDER}.get(direction, direction)
    assert one_place(changed, shipped())[1] is back


def test_what_a_grant_must_carry_means_nothing_where_all_is_closed() -> None:
    assert one_place(shipped(), policy_with(GB={"consent": {"form": "express", "age_min": 12}}))[1] is Direction.DIFFERENT
    # What is held there, and what a server there closes, does.
    assert one_place(shipped(), policy_with(AU={"server_deny_weight": 0.4}))[1] is Direction.WIDER


def test_opening_a_country_is_told_for_its_provinces_and_not_for_those_with_an_entry() -> None:
    found = compared(shipped(), policy_with(CA={"with_grant": EVERY_OPERATION}))
    (place,) = found.places
    assert (place.before, place.after, found.is_wider) == ("CA", "CA", True)
    assert {"CA", "CA-ON", "CA-SK"} < set(place.places)
    assert not {"CA-BC", "CA-AB", "CA-QC"} & set(place.places)


def test_taking_an_entry_away_lets_in_what_its_country_lets_in() -> None:
    """Closed Alberta in an open Canada: without its entry Alberta is judged as Canada, and Canada alone no longer stands for Alberta."""
    closed = policy_with(CA={"with_grant": EVERY_OPERATION}, CA_AB={"with_grant": []}, CA_QC={"filings": QUEBEC_FILED})
    gone = closed.model_copy(update={"jurisdictions": {name: rules for name, rules in closed.jurisdictions.items() if name != "CA-AB"}})
    gone = Policy.from_canonical_json(gone.canonical_json())
    found = compared(closed, gone)
    assert {(place.before, place.after, place.direction) for place in found.places} >= {
        ("CA-AB", "CA", Direction.WIDER),
        ("CA", "CA", Direction.WIDER),
    }
    assert not compared(gone, closed).is_wider


def test_a_place_that_leaves_its_group_is_told_by_itself() -> None:
    found = compared(
        shipped(),
        policy_with(
            FR={
                "law": ["CNIL"],
                "with_grant": EVERY_OPERATION,
                "filings": {"dpia": FILED, "representative": FILED},
                "consent": {"age_min": 18},
            }
        ),
    )
    (place,) = found.places
    assert (place.places, place.before, place.after, place.direction) == (("FR",), "EU", "FR", Direction.BOTH)
    member_gone = policy_with(EU={"members": ["FR", "DE"]})
    assert not compared(shipped(), member_gone).is_wider


@pytest.mark.parametrize(
    ("location", "is_wider"),
    [
        ({"deny_threshold": 0.2}, False),
        ({"allow_threshold": 0.9}, False),
        ({"gps_floor_m": 60}, True),
        ({"buffer_m": {"ne10m": 4000, "dcw": 1000}}, True),
        ({"buffer_m": {"ne10m": 9000, "dcw": 1000}}, False),
        ({"buffer_m": {"ne10m": 5000}}, False),
    ],
    ids=str,
)
def test_a_smaller_circle_or_a_sooner_known_place_is_wider(location: dict[str, Any], is_wider: bool) -> None:
    changed = shipped().model_copy(update={"location": shipped().location.model_copy(update=location)})
    found = compared(shipped(), changed)
    assert (len(found.location), found.is_wider) == (1, is_wider)
    assert compared(changed, shipped()).is_wider is not is_wider


def test_keys_are_told_with_what_each_does_alone() -> None:
    after = policy_with(
        CA_BC={"law": ["x"], "consent": {"age_min": 18, "form": "explicit"}, "with_grant": [*EVERY_OPERATION, SERVE_CLIENTS]}
    )
    place = Jurisdiction("CA-BC")
    found = {change.key: change for change in key_changes(shipped().rules_for(place), after.rules_for(place), policy=shipped(), now=NOW)}
    assert {key: change.alone for key, change in found.items()} == {
        "law": Direction.DIFFERENT,
        "consent.age_min": Direction.WIDER,
        "consent.form": Direction.NARROWER,
        "with_grant": Direction.WIDER,
    }
    assert (found["consent.age_min"].before, found["consent.age_min"].after) == (19, 18)


ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["in_force", "stayed"]),
        "order_received": st.fixed_dictionaries(
            {"issued": st.just(date(2026, 5, 20))},
            optional={"comply_days": st.sampled_from([20, 90]), "met_on": st.sampled_from([date(2026, 5, 25), date(2026, 7, 1)])},
        ),
        "with_grant": st.lists(st.sampled_from([*EVERY_OPERATION, SERVE_CLIENTS]), unique=True, max_size=6),
        "purposes": st.fixed_dictionaries(
            {"allow": st.lists(st.sampled_from([purpose.value for purpose in Purpose]), unique=True)},
            optional={"forbid": st.lists(st.sampled_from(["verify", "gallery_search"]), unique=True)},
        ),
        "filings": st.dictionaries(
            st.sampled_from(["one", "two"]),
            st.fixed_dictionaries(
                {
                    "rule": st.just("QC-3"),
                    "reference": st.just("1"),
                    "lead_days": st.sampled_from([0, 30]),
                    "filed_on": st.just(date(2026, 5, 15)),
                }
            ),
        ),
        "consent": st.fixed_dictionaries(
            {},
            optional={
                "form": st.sampled_from([form.value for form in ConsentForm]),
                "signature": st.lists(st.sampled_from(["wet", "e_signature", "vc"]), unique=True),
                "notice_fields": st.lists(st.sampled_from(FIELDS), unique=True),
                "notice_sha256": st.booleans(),
                "alternative_offered": st.booleans(),
                "evidence_min": st.integers(1, 3),
                "age_min": st.integers(12, 20),
                "guardian_below": st.integers(0, 20),
                "expires_max_days": st.sampled_from([100, 365, 730]),
                "last_interaction_cap_days": st.sampled_from([100, 1095]),
            },
        ),
    },
)
FORMS = st.builds(
    GrantForm,
    purpose=st.sampled_from(list(Purpose)),
    signature=st.sampled_from(SIGNATURES),
    notice_fields=st.lists(st.sampled_from(FIELDS), unique=True).map(tuple),
    form=st.sampled_from(list(ConsentForm)),
    has_notice_digest=st.booleans(),
    alternative_offered=st.booleans(),
    evidence_count=st.integers(0, 4),
    age_band=st.sampled_from(list(AgeBand)),
    guardian=st.booleans(),
    term_days=st.sampled_from([1, 100, 101, 365, 366, 730, 731]),
    idle_days=st.sampled_from([0, 100, 101, 1095, 1096]),
)
PLACE = Jurisdiction("CA-AB")


@settings(max_examples=60, deadline=None)
@given(before=ENTRIES, after=ENTRIES, form=FORMS, operation=st.sampled_from(list(Operation)), days=st.sampled_from([0, 20, 60]))
def test_no_combination_that_only_the_new_policy_lets_through_is_missed(
    before: dict[str, Any], after: dict[str, Any], form: GrantForm, operation: Operation, days: int
) -> None:
    """The comparison varies one thing at a time; this tries them all at once, on entries made at random."""
    old, new = policy_with(CA_AB={"as_of": date(2026, 5, 1), **before}), policy_with(CA_AB={"as_of": date(2026, 5, 1), **after})
    at = NOW + timedelta(days=days)
    ledger = ConsentLedger()
    ledger.apply_grant(form.grant(home=PLACE, reach=[PLACE], at=at))
    asked = Request(operation, frozenset({PLACE}), at)
    was, now = (allow(GRANT, asked, ledger=ledger, policy=policy).is_allowed for policy in (old, new))
    served = [client_gate([PLACE], basis="gallery", policy=policy, now=at) is None for policy in (old, new)]
    changes = compared(old, new).changes
    if (now and not was) or served == [False, True]:
        assert any(change.is_wider for change in changes)
    if (was and not now) or served == [True, False]:
        assert any(not change.is_wider for change in changes)


def test_unknown_is_compared_too_and_stays_closed() -> None:
    """A default that lets more through opens nothing where all is closed: UNKNOWN has no way to be opened at all."""
    weaker = shipped().model_copy(update={"unknown": shipped().unknown.model_copy(update={"probe": "self_only"})})
    found = compared(shipped(), weaker)
    assert [(place.before, place.direction) for place in found.places] == [(UNKNOWN, Direction.DIFFERENT)]
