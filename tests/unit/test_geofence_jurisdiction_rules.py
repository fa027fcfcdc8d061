"""One entry of a policy: how far each number may go, when a filing counts, when an order has run out, and what stays closed meanwhile."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from assent.events.grants import Operation
from assent.geofence.jurisdiction_rules import FLOOR_FORBIDDEN, Filing, JurisdictionRules, OrderReceived
from assent.ids import Jurisdiction, RuleId
from tests.unit.policy_examples import EVERY_OPERATION, shipped

DAY = date(2026, 3, 1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULE = RuleId("QC-3")


def rules(**changes: Any) -> JurisdictionRules:
    """British Columbia's entry with these keys; a mapping changes its keys alone."""
    held = shipped().rules_for(Jurisdiction("CA-BC")).model_dump(mode="json")
    for key, value in changes.items():
        held[key] = held[key] | value if isinstance(held.get(key), dict) and isinstance(value, dict) else value
    return JurisdictionRules.model_validate(held)


@pytest.mark.parametrize(
    ("part", "key", "least", "most"),
    [
        ("consent", "evidence_min", 1, 10),
        ("consent", "age_min", 0, 25),
        ("consent", "guardian_below", 0, 25),
        ("consent", "expires_max_days", 1, 3650),
        ("consent", "last_interaction_cap_days", 1, 1095),
        ("retention", "max_days", 1, 1095),
        ("retention", "after_purpose_days", 0, 365),
        (None, "server_deny_weight", 0, 1),
    ],
)
def test_each_number_has_its_bounds(part: str | None, key: str, least: int, most: int) -> None:
    for value in (least, most):
        held = rules(**({key: value} if part is None else {part: {key: value}}))
        assert getattr(held if part is None else getattr(held, part), key) == value
    for value in (least - 1, most + 1):
        with pytest.raises(ValidationError, match=key):
            rules(**({key: value} if part is None else {part: {key: value}}))


@pytest.mark.parametrize(
    ("key", "least", "most"),
    [("lead_days", 0, 365), ("comply_days", 1, 99_999), ("report_days", 1, 99_999), ("destroy_days", 1, 99_999)],
)
def test_each_clock_has_its_bounds(key: str, least: int, most: int) -> None:
    def made(value: int) -> Filing | OrderReceived | None:
        if key == "lead_days":
            return rules(filings={"a": {"rule": RULE, key: value}}).filings["a"]
        return rules(order_received={"issued": "2026-03-01", key: value}).order_received

    for value in (least, most):
        assert getattr(made(value), key) == value
    for value in (least - 1, most + 1):
        with pytest.raises(ValidationError, match=key):
            made(value)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"law": []}, "law"),
        ({"rule": "bc-2"}, "rule"),
        ({"rule": "ABCDE-1"}, "rule"),
        ({"rule": "BC-123"}, "rule"),
        ({"rule": "BC"}, "rule"),
        ({"clients_rule": "BC-"}, "clients_rule"),
        ({"members": ["FRA"]}, "members"),
        ({"members": ["fr"]}, "members"),
        ({"members": ["FR-1234"]}, "members"),
        ({"members": ["FR-"]}, "members"),
        ({"filings": {"a": {"rule": "QC-1", "reference": ""}}}, "reference"),
        ({"filings": {"a": {"rule": "QC-1", "reference": "r" * 201}}}, "reference"),
        ({"consent": {"signature": ["thumb"]}}, "signature"),
        ({"with_grant": ["collect", "sell"]}, "with_grant"),
        ({"bystanders": "keep"}, "bystanders"),
        ({"probe": "anybody"}, "probe"),
        ({"transient_match": "allowed"}, "transient_match"),
        ({"purposes": {"forbid": ["nothing"]}}, "forbid"),
        ({"purposes": {"allow": ["sale"]}}, "allow"),
        ({"whatever": 1}, "whatever"),
    ],
)
def test_what_is_no_word_of_an_entry_is_refused(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError, match=where):
        rules(**changes)


def test_the_longest_and_the_shortest_of_each_word_are_read() -> None:
    held = rules(rule="ABCD-12", members=["FR", "FR-ABC", "FR-1"], filings={"a": {"rule": "A-1", "reference": "r" * 200}})
    assert (held.rule, held.members, held.filings["a"].rule) == ("ABCD-12", ("FR", "FR-ABC", "FR-1"), "A-1")


def test_an_entry_is_what_was_signed_and_nothing_changes_it() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        rules().rule = RULE  # type: ignore[misc]


@pytest.mark.parametrize(
    ("filing", "is_filed", "counts_from"),
    [
        (Filing(rule=RULE), False, None),
        (Filing(rule=RULE, reference="r"), False, None),
        (Filing(rule=RULE, filed_on=DAY), False, DAY),
        (Filing(rule=RULE, reference="r", filed_on=DAY), True, DAY),
        (Filing(rule=RULE, reference="r", filed_on=DAY, lead_days=2), True, date(2026, 3, 3)),
    ],
)
def test_a_filing_counts_with_a_reference_and_after_its_lead(filing: Filing, is_filed: bool, counts_from: date | None) -> None:
    assert (filing.is_filed, filing.counts_from) == (is_filed, counts_from)
    assert filing.is_met(NOON + timedelta(days=2)) is is_filed
    assert filing.is_met(NOON) is (is_filed and counts_from == DAY)
    assert not filing.is_met(NOON - timedelta(days=1))


@pytest.mark.parametrize("clock", ["comply_days", "report_days", "destroy_days"])
def test_an_order_has_run_out_on_the_day_after_its_clock(clock: str) -> None:
    order = OrderReceived(issued=DAY, **{clock: 50})
    assert not order.is_overdue(NOON + timedelta(days=50))
    assert order.is_overdue(NOON + timedelta(days=51))


def test_each_clock_of_an_order_is_told_by_name_with_the_moment_at_which_it_has_run_out() -> None:
    order = OrderReceived(issued=DAY, comply_days=50, report_days=90, destroy_days=365)
    ends = {
        "comply": datetime(2026, 4, 21, tzinfo=UTC),
        "report": datetime(2026, 5, 31, tzinfo=UTC),
        "destroy": datetime(2027, 3, 2, tzinfo=UTC),
    }
    assert order.ends() == ends
    assert OrderReceived(issued=DAY, report_days=90).ends() == {"report": ends["report"]}
    assert order.is_overdue(ends["comply"])
    assert not order.is_overdue(ends["comply"] - timedelta(microseconds=1))


def test_the_first_of_several_clocks_counts_and_no_clock_never_runs_out() -> None:
    order = OrderReceived(issued=DAY, comply_days=50, report_days=90, destroy_days=365)
    assert order.is_overdue(NOON + timedelta(days=51))
    assert not OrderReceived(issued=DAY).is_overdue(NOON + timedelta(days=5000))


def test_an_order_is_met_from_the_day_on_that_is_recorded() -> None:
    order = OrderReceived(issued=DAY, comply_days=1, met_on=date(2026, 3, 5))
    assert order.is_overdue(NOON + timedelta(days=3))
    assert not order.is_overdue(NOON + timedelta(days=4))
    assert not order.is_overdue(NOON + timedelta(days=5))


def closed(held: JurisdictionRules, now: datetime = NOON) -> set[str | None]:
    return {held.closed_by(operation, now) for operation in Operation}


def test_an_order_that_has_run_out_closes_everything_callers_too() -> None:
    order = {"issued": "2026-03-01", "comply_days": 1}
    held = rules(with_grant=[*EVERY_OPERATION, "serve_clients"], order_received=order)
    assert closed(held) == {None}
    assert held.closed_to_clients_by(NOON) is None
    assert closed(held, NOON + timedelta(days=2)) == {"BC-2"}
    assert held.closed_to_clients_by(NOON + timedelta(days=2)) == "BC-1"


def test_what_a_filing_closes_it_closes_to_callers_too() -> None:
    filing = {"rule": "QC-9", "reference": "r", "filed_on": "2026-03-02"}
    held = rules(with_grant=[*EVERY_OPERATION, "serve_clients"], filings={"a": filing})
    assert closed(held) == {"QC-9"}
    assert held.closed_to_clients_by(NOON) == "QC-9"
    assert closed(held, NOON + timedelta(days=1)) == {None}
    assert held.closed_to_clients_by(NOON + timedelta(days=1)) is None


def test_an_entry_that_does_not_name_callers_serves_none() -> None:
    assert rules(with_grant=EVERY_OPERATION).closed_to_clients_by(NOON) == "BC-1"


def test_purposes_are_an_allow_list_and_the_floor_is_always_forbidden() -> None:
    held = rules(purposes={"allow": ["verify"], "forbid": ["lease"]})
    assert held.purposes_allow == {"verify"}
    assert held.purposes_forbid == {"lease", *FLOOR_FORBIDDEN}
    assert set(FLOOR_FORBIDDEN) == {"advertising", "emotion", "ethnicity", "mass_identification", "sale"}


def test_spans_are_those_of_the_days() -> None:
    consent = rules(consent={"expires_max_days": 30, "last_interaction_cap_days": 40}).consent
    assert (consent.longest_validity, consent.last_interaction_cap) == (timedelta(days=30), timedelta(days=40))


def test_what_an_entry_does_not_say_is_closed_or_asked_for() -> None:
    held = shipped().rules_for(Jurisdiction("CA-BC")).model_dump(mode="json")
    told = {key: held[key] for key in ("status", "law", "rule", "clients_rule", "purposes", "retention", "bystanders", "probe")}
    consent = {key: held["consent"][key] for key in ("form", "evidence_min", "age_min", "guardian_below", "expires_max_days")}
    least = JurisdictionRules.model_validate(told | {"consent": consent | {"last_interaction_cap_days": 1}, "purposes": {}})
    assert (least.with_grant, least.filings, least.members, least.order_received) == ((), {}, (), None)
    assert (least.transient_match, least.server_deny_weight, least.purposes_allow) == ("denied", 0.4, frozenset())
    asked = least.consent
    assert (asked.explicit, asked.notice_sha256, asked.alternative_offered, asked.signature, asked.notice_fields) == (
        True,
        True,
        True,
        (),
        (),
    )
    assert Filing(rule=RULE).lead_days == 0
