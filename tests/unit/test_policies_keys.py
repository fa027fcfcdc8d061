"""Key by key: whoever signs is told every key that differs, as it is written, and what it does if no other changes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from assent.geofence.jurisdiction_rules import SERVE_CLIENTS, JurisdictionRules
from assent.geofence.policy import LocationRules
from assent.geofence.policy_document import merged
from assent.ids import Jurisdiction
from assent.policies.key_changes import KeyChange, key_changes
from assent.policies.ordered_keys import Direction, OrderedChange, changes_of_location, changes_of_rules
from tests.unit.policy_examples import EVERY_OPERATION, shipped

NOW = datetime(2026, 6, 1, tzinfo=UTC)
"""Within the clock of the order below."""
ORDER = {"issued": date(2026, 5, 20), "comply_days": 30}
ORDER_TOLD = {"issued": "2026-05-20", "comply_days": 30}
MET = {"met_on": date(2026, 7, 1)}
PIA = {"rule": "BC-3", "lead_days": 10}
PIA_FILED = {"reference": "1", "filed_on": date(2026, 6, 20)}


def rules(entry: dict[str, Any]) -> JurisdictionRules:
    """The entry of British Columbia with these keys."""
    return JurisdictionRules.model_validate(merged(shipped().rules_for(Jurisdiction("CA-BC")).model_dump(), entry))


def told(before: JurisdictionRules, after: JurisdictionRules) -> list[KeyChange]:
    return list(key_changes(before, after, policy=shipped(), now=NOW))


BOTH_WAYS: dict[str, tuple[dict[str, Any], dict[str, Any], list[KeyChange]]] = {
    "nothing": ({"law": ["x"]}, {"law": ["x"]}, []),
    "a key that may be absent": ({}, {"authority": None}, [KeyChange("authority", "OIPC-BC", None, Direction.DIFFERENT)]),
    "an order that runs out is received": (
        {},
        {"order_received": ORDER},
        [KeyChange("order_received", None, ORDER_TOLD, Direction.NARROWER)],
    ),
    "a received order that closes from one day to another alone": (
        {},
        {"order_received": {**ORDER, **MET}},
        [KeyChange("order_received", None, {**ORDER_TOLD, "met_on": "2026-07-01"}, Direction.NARROWER)],
    ),
    "a filing that is asked for and never made": (
        {},
        {"filings": {"pia": PIA}},
        [KeyChange("filings.pia", None, PIA, Direction.NARROWER)],
    ),
    "a filing that closes until its day alone": (
        {},
        {"filings": {"pia": PIA | PIA_FILED}},
        [KeyChange("filings.pia", None, {**PIA, "reference": "1", "filed_on": "2026-06-20"}, Direction.NARROWER)],
    ),
    "keys side by side and within each other, in order": (
        {},
        {"with_grant": ["collect", SERVE_CLIENTS], "consent": {"form": "explicit", "age_min": 18}, "probe": "self_only"},
        [
            KeyChange("consent.age_min", 19, 18, Direction.WIDER),
            KeyChange("consent.form", "express", "explicit", Direction.NARROWER),
            KeyChange("probe", "self_or_grant", "self_only", Direction.NARROWER),
            KeyChange("with_grant", EVERY_OPERATION, ["collect", SERVE_CLIENTS], Direction.BOTH),
        ],
    ),
}
TURNED = {Direction.WIDER: Direction.NARROWER, Direction.NARROWER: Direction.WIDER}


@pytest.mark.parametrize("what", BOTH_WAYS)
def test_every_key_that_differs_is_told_as_it_is_written_with_what_it_does_alone(what: str) -> None:
    before, after, expected = BOTH_WAYS[what]
    assert told(rules(before), rules(after)) == expected


@pytest.mark.parametrize("what", [what for what in BOTH_WAYS if "side by side" not in what])
def test_what_is_taken_back_is_told_the_other_way_round(what: str) -> None:
    before, after, expected = BOTH_WAYS[what]
    turned = [KeyChange(change.key, change.after, change.before, TURNED.get(change.alone, change.alone)) for change in expected]
    assert told(rules(after), rules(before)) == turned


def test_neither_half_of_a_paper_opens_and_the_lack_of_either_closes() -> None:
    asked, filed = rules({"filings": {"pia": PIA}}), rules({"filings": {"pia": PIA | PIA_FILED}})
    day, reference = ("filings.pia.filed_on", "2026-06-20"), ("filings.pia.reference", "1")
    assert told(asked, filed) == [KeyChange(key, None, value, Direction.DIFFERENT) for key, value in (day, reference)]
    assert told(filed, asked) == [KeyChange(key, value, None, Direction.NARROWER) for key, value in (day, reference)]


def test_a_key_alone_is_judged_without_what_the_other_keys_open() -> None:
    """Fewer years do nothing in a closed entry; that the same change opens it is told of the key that opens it."""
    closed, opened = rules({"with_grant": []}), rules({"consent": {"age_min": 12}})
    assert [(change.key, change.alone) for change in told(closed, opened)] == [
        ("consent.age_min", Direction.DIFFERENT),
        ("with_grant", Direction.WIDER),
    ]


ORDERED: dict[str, tuple[dict[str, Any], dict[str, Any], OrderedChange]] = {
    "kept longer": (
        {"retention": {"max_days": 365}},
        {"retention": {"max_days": 366}},
        OrderedChange("retention.max_days", "365", "366", is_wider=True),
    ),
    "kept longer after its purpose": (
        {"retention": {"after_purpose_days": 0}},
        {"retention": {"after_purpose_days": 1}},
        OrderedChange("retention.after_purpose_days", "0", "1", is_wider=True),
    ),
    "a photo with bystanders is no longer dropped": (
        {"bystanders": "drop_image"},
        {"bystanders": "region_only"},
        OrderedChange("bystanders", "drop_image", "region_only", is_wider=True),
    ),
    "a probe of somebody else is taken": (
        {"probe": "self_only"},
        {"probe": "self_or_grant"},
        OrderedChange("probe", "self_only", "self_or_grant", is_wider=True),
    ),
    "somebody younger may say yes": (
        {"consent": {"age_min": 19}},
        {"consent": {"age_min": 18}},
        OrderedChange("consent.age_min", "19", "18", is_wider=True),
    ),
    "a server closes less": (
        {"server_deny_weight": 1.0},
        {"server_deny_weight": 0.25},
        OrderedChange("server_deny_weight", "1", "0.25", is_wider=True),
    ),
}
LOCATION = shipped().location
PLACED: dict[str, tuple[dict[str, Any], dict[str, Any], OrderedChange]] = {
    "it takes more to close a place": (
        {"deny_threshold": 0.2},
        {"deny_threshold": 0.25},
        OrderedChange("location.deny_threshold", "0.2", "0.25", is_wider=True),
    ),
    "it takes less to know a place": (
        {"allow_threshold": 0.75},
        {"allow_threshold": 0.7},
        OrderedChange("location.allow_threshold", "0.75", "0.7", is_wider=True),
    ),
    "a smaller circle round a point": (
        {"gps_floor_m": 100.5},
        {"gps_floor_m": 50.0},
        OrderedChange("location.gps_floor_m", "100.5", "50", is_wider=True),
    ),
    "a smaller circle round a border": (
        {"buffer_m": {"dcw": 2000.0}},
        {"buffer_m": {"dcw": 500.0}},
        OrderedChange("location.buffer_m.dcw", "2000", "500", is_wider=True),
    ),
    "areas that were of no use": (
        {"buffer_m": {}},
        {"buffer_m": {"dcw": 500.0}},
        OrderedChange("location.buffer_m.dcw", "none", "500", is_wider=True),
    ),
}


def places(changes: dict[str, Any]) -> LocationRules:
    return LocationRules.model_validate(LOCATION.model_dump() | changes)


@pytest.mark.parametrize("what", [*ORDERED, *PLACED])
def test_a_number_is_told_with_which_way_is_wider(what: str) -> None:
    """And back, it is the same with the two values changed, and narrower."""
    if what in ORDERED:
        before, after, expected = ORDERED[what]
        found = [list(changes_of_rules(*pair)) for pair in ((rules(before), rules(after)), (rules(after), rules(before)))]
    else:
        before, after, expected = PLACED[what]
        found = [list(changes_of_location(*pair)) for pair in ((places(before), places(after)), (places(after), places(before)))]
    assert found == [[expected], [OrderedChange(expected.key, expected.after, expected.before, is_wider=False)]]


@pytest.mark.parametrize("what", ORDERED)
def test_in_a_closed_place_only_how_long_things_are_kept_and_what_a_server_closes_says_anything(what: str) -> None:
    before, after, expected = ORDERED[what]
    (change,) = told(rules(before | {"with_grant": []}), rules(after | {"with_grant": []}))
    says_something = expected.key.startswith("retention.") or expected.key == "server_deny_weight"
    assert (change.key, change.alone) == (expected.key, Direction.WIDER if says_something else Direction.DIFFERENT)
