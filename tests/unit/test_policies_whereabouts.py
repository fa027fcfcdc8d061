"""Whereabouts: the circle and what it touches, the entries that govern, what is open, and UNKNOWN wherever nobody can say."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from assent.events.grants import Operation
from assent.geofence.caller import client_gate
from assent.geofence.decision import closed_for
from assent.geofence.jurisdiction_rules import SERVE_CLIENTS
from assent.geofence.point import Point
from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, Jurisdiction
from assent.policies.openness import Openness, by_verb, operation_states
from assent.policies.whereabouts import Whereabouts, whereabouts
from tests.unit.grant_examples import NOW
from tests.unit.place_examples import areas
from tests.unit.policy_examples import EVERY_OPERATION, policy_with, shipped


def where(latitude: float, longitude: float, accuracy_m: float = 0.0, *, policy: Policy | None = None) -> Whereabouts:
    return whereabouts(Point(latitude, longitude, accuracy_m), areas=areas(), policy=policy or shipped(), now=NOW)


def entries(found: Whereabouts) -> dict[str, str]:
    return {candidate.jurisdiction: candidate.entry for candidate in found.candidates}


def closed(found: Whereabouts, operation: str) -> set[str]:
    return {rule for state in found.together if state.operation == operation for rule in state.rules}


def test_gatineau_counts_for_both_sides_although_the_map_names_one() -> None:
    found = where(45.4301, -75.7093)
    assert (found.hit, found.within, found.radius_m) == (("CA-ON",), ("CA-ON", "CA-QC"), 5_100)
    assert entries(found) == {"CA-ON": "CA", "CA-QC": "CA-QC"}
    assert closed(found, "embed") == {"CA-1", "QC-3"}
    assert closed(found, SERVE_CLIENTS) == {"CA-1", "QC-1"}
    assert not found.is_unknown


def test_an_accuracy_widens_the_circle_and_the_least_one_is_believed_at_best() -> None:
    assert where(41.60, -87.34).within == ("US-IN",)
    wide = where(41.60, -87.34, 20_000)
    assert (wide.within, wide.accuracy_m) == (("US-IL", "US-IN"), 20_000)
    assert where(41.60, -87.34, 3).accuracy_m == 100


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(90.0, 0.0), (30.0, -40.0), (30.0, 180.0), (-65.0, -179.99), (47.7, -87.5)],
    ids=["north pole", "open sea", "antimeridian", "antimeridian, west", "lake"],
)
def test_where_no_area_is_touched_the_place_is_unknown_and_everything_is_closed(latitude: float, longitude: float) -> None:
    found = where(latitude, longitude)
    assert (found.hit, found.within, entries(found)) == ((), (), {UNKNOWN: UNKNOWN})
    assert found.is_unknown
    assert {state.openness for state in found.together} == {Openness.CLOSED}
    assert closed(found, "collect") == {"X-1"}


@pytest.mark.parametrize(("latitude", "longitude", "area"), [(-90.0, 0.0, "AQ"), (71.2, 180.0, "RU"), (71.2, -180.0, "RU")])
def test_a_known_place_without_an_entry_is_judged_as_unknown(latitude: float, longitude: float, area: str) -> None:
    found = where(latitude, longitude)
    assert entries(found) == {area: UNKNOWN}
    assert not found.is_unknown
    assert closed(found, "store") == {"X-1"}


def test_a_position_alone_leaves_unknown_beside_it_and_a_dispute_is_unknown_itself() -> None:
    assert where(49.2888, -123.1111).needs_residence
    assert not where(30.0, -40.0).needs_residence


def test_an_area_that_states_dispute_is_unknown_also_where_the_circle_touches_their_own() -> None:
    found = where(35.5, 77.0, 20_000)
    assert (found.hit, found.within) == ((UNKNOWN,), ("CN", "PK", UNKNOWN))
    assert (found.is_unknown, found.needs_residence) == (True, False)


def test_on_a_border_the_map_names_the_place_under_the_point_itself() -> None:
    """Between Ottawa and Gatineau, to the tenth of a millimetre: the circle is for the places that count, not for this."""
    south, north = 45.3, 45.7
    for _ in range(30):
        middle = (south + north) / 2
        south, north = (middle, north) if where(middle, -75.7093).hit == ("CA-ON",) else (south, middle)
    assert 0 < north - south < 1e-9
    assert (where(south, -75.7093).hit, where(north, -75.7093).hit) == (("CA-ON",), ("CA-QC",))


def test_each_candidate_has_what_its_own_entry_leaves_open() -> None:
    found = where(45.4301, -75.7093)
    told = {candidate.jurisdiction: {(state.openness, state.rules) for state in candidate.operations} for candidate in found.candidates}
    assert told == {"CA-ON": {(Openness.CLOSED, ("CA-1",))}, "CA-QC": {(Openness.CLOSED, ("QC-1",)), (Openness.CLOSED, ("QC-3",))}}
    (victoria,) = where(48.43, -123.37).candidates
    assert {state.openness for state in victoria.operations if state.operation != SERVE_CLIENTS} == {Openness.WITH_GRANT}


@pytest.mark.parametrize(("latitude", "longitude"), [(float("nan"), 0.0), (95.0, 10.0), (10.0, 181.0), (10.0, float("inf"))])
def test_what_is_no_position_has_no_whereabouts(latitude: float, longitude: float) -> None:
    with pytest.raises(ValueError, match="not a point on earth"):
        where(latitude, longitude)


def test_a_country_that_is_hit_whole_stands_for_its_parts_with_entries() -> None:
    """France has no subdivisions on this map: an entry for one of its parts is a candidate of every point in France."""
    policy = policy_with(FR_IDF={"law": ["CNIL"], "rule": "FR-1"})
    assert entries(where(48.8566, 2.3522, policy=policy)) == {"FR": "EU", "FR-IDF": "FR-IDF"}
    assert closed(where(48.8566, 2.3522, policy=policy), "collect") == {"EU-10", "FR-1"}


@pytest.mark.parametrize("place", ["CA-BC", "CA-AB", "CA-QC", "CA-ON", "US-IL", "US-WA", "FR", "GB", "AU-NSW", "UNKNOWN"])
def test_what_is_told_is_what_the_gates_decide(place: str) -> None:
    filed = {"reference": "CAI-1", "filed_on": date(2026, 5, 1)}
    every = policy_with(CA_QC={"filings": {name: filed for name in ("cai_process", "cai_database", "privacy_impact_assessment")}})
    open_to_callers = policy_with(CA_BC={"with_grant": [*EVERY_OPERATION, SERVE_CLIENTS]})
    for policy in (shipped(), every, open_to_callers):
        for now in (NOW, NOW + timedelta(days=90)):
            states = {state.operation: state for state in operation_states([policy.rules_for(Jurisdiction(place))], now)}
            for operation in Operation:
                rules = tuple(closed_for([Jurisdiction(place)], operation, policy, now))
                assert states[operation].rules == rules
                assert states[operation].openness is (Openness.CLOSED if rules else Openness.WITH_GRANT)
            if place != "AU-NSW":
                gate = client_gate([Jurisdiction(place)], basis="verify", policy=policy, now=now)
                assert (states[SERVE_CLIENTS].openness is Openness.OPEN) == (gate is None)


def test_the_four_verbs_hold_every_operation_once() -> None:
    found = by_verb(operation_states([shipped().unknown], NOW))
    assert {verb: tuple(state.operation for state in states) for verb, states in found.items()} == {
        "offer": ("serve_clients",),
        "collect": ("collect",),
        "use": ("embed", "store", "search"),
        "disclose": ("disclose",),
    }
