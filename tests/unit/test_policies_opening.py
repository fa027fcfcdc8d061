"""Opening a place: which papers it needs, what opens and from when; UNKNOWN never, and every other place as it was."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assent.events.grants import ConsentForm, Operation
from assent.geofence.jurisdiction_rules import FLOOR_FORBIDDEN, SERVE_CLIENTS
from assent.geofence.policy import Policy
from assent.geofence.policy_document import policy_from
from assent.ids import UNKNOWN, Jurisdiction
from assent.policies.comparison import compare
from assent.policies.opening import OPERATIONS, OpeningError, Paper, filings_needed, opened, papers_missing
from assent.policies.written_policy import written_policy
from tests.unit.policy_examples import EVERY_OPERATION, policy_with, shipped

TODAY = date(2026, 6, 1)
FILED = {"reference": "F-1", "filed_on": "2026-01-15"}
QUEBEC = ["appropriateness_record", "cai_database", "cai_process", "privacy_impact_assessment"]


def opening(place: str, policy: Policy | None = None, *, filed: date = TODAY, **changes: Any) -> Policy:
    base = policy or shipped()
    papers = {name: Paper(f"{name}-1", filed) for name in papers_missing(base, Jurisdiction(place))}
    asked: dict[str, Any] = {"operations": OPERATIONS, "papers": papers, "law": [], "version": "new.1", "today": TODAY}
    return opened(base, Jurisdiction(place), **(asked | changes))


def closed(policy: Policy, place: str, day: date) -> set[str | None]:
    now = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return {policy.rules_for(Jurisdiction(place)).closed_by(operation, now) for operation in Operation}


@pytest.mark.parametrize(
    ("place", "papers"),
    [
        ("CA-QC", QUEBEC),
        ("CA", ["appropriateness_record"]),
        ("CA-ON", ["appropriateness_record"]),
        ("EU", ["dpia", "representative"]),
        ("FR", ["dpia", "representative"]),
        ("GB", ["dpia"]),
        ("AU", []),
        ("US-TX", []),
        ("NZ", []),
    ],
)
def test_a_place_asks_for_its_papers_and_those_of_its_country_and_group(place: str, papers: list[str]) -> None:
    assert list(papers_missing(shipped(), Jurisdiction(place))) == papers


@pytest.mark.parametrize("place", ["CA", "CA-ON", "CA-QC"])
def test_opc_1_why_it_is_appropriate_is_on_record_before_canada_is_opened(place: str) -> None:
    papers = {name: Paper("1", TODAY) for name in papers_missing(shipped(), Jurisdiction(place)) if name != "appropriateness_record"}
    with pytest.raises(OpeningError, match="appropriateness_record"):
        opening(place, papers=papers)
    # Without its reference the entry is closed under the rule, however it came to be written.
    policy = opening(place, filed=date(2026, 1, 1))
    code = place.replace("-", "_")
    unfiled = {"appropriateness_record": {"rule": "OPC-1"}}
    law = {"law": ["PIPEDA"], "with_grant": EVERY_OPERATION}
    assert closed(policy, place, TODAY) == {None}
    filed = {name: {"rule": "QC-3", "reference": "1", "filed_on": date(2026, 1, 1)} for name in QUEBEC} if place == "CA-QC" else {}
    assert closed(policy_with(**{code: {**law, "filings": {**filed, **unfiled}}}), place, TODAY) >= {"OPC-1"}


def test_quebec_opens_on_the_sixtieth_day_and_not_before() -> None:
    policy = opening("CA-QC", filed=date(2026, 5, 1))
    assert closed(policy, "CA-QC", date(2026, 6, 29)) == {"QC-3"}
    assert closed(policy, "CA-QC", date(2026, 6, 30)) == {None}
    assert policy.rules_for(Jurisdiction("CA-QC")).with_grant == tuple(EVERY_OPERATION)


def test_a_lead_time_cannot_be_written_away() -> None:
    shorter = policy_with(CA_QC={"filings": {"cai_database": {"rule": "QC-3", "lead_days": 0}}})
    assert filings_needed(shorter, Jurisdiction("CA-QC"))["cai_database"].lead_days == 60
    assert closed(opening("CA-QC", shorter), "CA-QC", TODAY) == {"QC-3"}


def test_the_longer_lead_time_of_the_entry_and_of_the_list_holds_and_what_was_filed_stays_filed() -> None:
    papers = {"cai_database": {"rule": "QC-3", "lead_days": 90}, "own": {"rule": "QC-9"}, "cai_process": {"rule": "QC-2", **FILED}}
    needed = filings_needed(policy_with(CA_QC={"filings": papers}), Jurisdiction("CA-QC"))
    assert list(needed) == sorted([*QUEBEC, "own"])
    assert {name: filing.lead_days for name, filing in needed.items() if filing.lead_days} == {"cai_database": 90}
    assert [name for name, filing in needed.items() if filing.is_filed] == ["cai_process"]
    missing = papers_missing(policy_with(CA_QC={"filings": papers}), Jurisdiction("CA-QC"))
    assert list(missing) == sorted({*QUEBEC, "own"} - {"cai_process"})


BRITAIN = {"dpia": ("UK-1", 0)}
UNION = {"dpia": ("EU-10", 0), "representative": ("EU-10", 0)}
RECORD = {"appropriateness_record": ("OPC-1", 0)}
COMMISSION = {"cai_process": ("QC-2", 0), "cai_database": ("QC-3", 60), "privacy_impact_assessment": ("QC-8", 0)}


@pytest.mark.parametrize(
    ("place", "papers"),
    [
        ("CA", RECORD),
        ("CA-ON", RECORD),
        ("CA-QC", RECORD | COMMISSION),
        ("EU", UNION),
        ("FR", UNION),
        ("GB", BRITAIN),
        ("AU", {}),
    ],
)
def test_a_file_that_leaves_papers_out_is_asked_for_them_all_the_same(place: str, papers: dict[str, tuple[str, int]]) -> None:
    """A policy that was written from nothing names no filings; what the law asks for before anything begins is asked for."""
    document = shipped().model_dump(by_alias=True)
    for entry in document["jurisdictions"].values():
        entry["filings"] = {}
    without = Policy.model_validate(document)
    needed = filings_needed(without, Jurisdiction(place))
    assert {name: (filing.rule, filing.lead_days) for name, filing in needed.items()} == papers
    assert papers_missing(without, Jurisdiction(place)) == needed


def test_a_group_is_opened_with_its_members() -> None:
    policy = opening("EU")
    assert policy.rules_for(Jurisdiction("EU")).members == shipped().rules_for(Jurisdiction("EU")).members
    assert closed(policy, "DE", TODAY) == {None}


def test_a_part_takes_the_rules_of_whoever_governed_it_and_not_the_defaults() -> None:
    policy = opening("FR")
    france, union = (policy.rules_for(Jurisdiction(place)) for place in ("FR", "EU"))
    assert (france.consent, france.rule, france.members) == (union.consent, "EU-10", ())
    assert france.consent.form is ConsentForm.EXPLICIT
    assert closed(policy, "FR", TODAY) == {None}
    assert closed(policy, "DE", TODAY) == {"EU-10"}
    assert set(union.members) > {"FR", "DE"}


def test_a_new_place_needs_a_law_and_has_the_strictest_form() -> None:
    with pytest.raises(OpeningError, match="name the law"):
        opening("NZ")
    rules = opening("NZ", law=["Privacy Act 2020"]).rules_for(Jurisdiction("NZ"))
    assert (rules.law, rules.consent.form, rules.with_grant) == (("Privacy Act 2020",), ConsentForm.WRITTEN_RELEASE, tuple(EVERY_OPERATION))


def test_offering_alone_opens_nothing_else() -> None:
    rules = opening("US-TX", operations=[SERVE_CLIENTS]).rules_for(Jurisdiction("US-TX"))
    assert rules.with_grant == (SERVE_CLIENTS,)


def test_what_is_open_and_filed_stays_when_more_is_opened() -> None:
    """Offering is opened where callers were refused: nothing else opens or closes, and the paper of before is not asked for again."""
    before = policy_with(GB={"with_grant": ["collect", "search"], "filings": {"dpia": {"rule": "UK-1", **FILED}}})
    rules, offered = before.rules_for(Jurisdiction("GB")), [SERVE_CLIENTS]
    found = opening("GB", before, operations=offered, papers={}, law=["Order 1", *rules.law]).rules_for(Jurisdiction("GB"))
    assert found == rules.model_copy(update={"with_grant": ("collect", "search", SERVE_CLIENTS), "law": (*rules.law, "Order 1")})


def test_a_paper_counts_with_its_reference_and_its_day() -> None:
    """One that is named again, after a correction, takes the place of the one before."""
    before = policy_with(GB={"filings": {"dpia": {"rule": "UK-1", **FILED}}})
    filing = opening("GB", before, papers={"dpia": Paper("DPIA-8", TODAY)}).rules_for(Jurisdiction("GB")).filings["dpia"]
    assert (filing.reference, filing.filed_on, filing.rule) == ("DPIA-8", TODAY, "UK-1")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"papers": {"dpia": Paper("", TODAY)}}, "jurisdictions.GB.filings.dpia.reference: "),
        ({"papers": {"dpia": Paper("x" * 201, TODAY)}}, "jurisdictions.GB.filings.dpia.reference: "),
        ({"version": ""}, "version: "),
        ({"version": "x" * 61}, "version: "),
    ],
    ids=["no reference", "a reference too long", "no version", "a version too long"],
)
def test_what_no_policy_can_hold_is_told_in_one_line(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(OpeningError) as caught:
        opening("GB", **changes)
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "changes", "told"),
    [
        ("UNKNOWN", {}, "UNKNOWN is never opened"),
        ("CA-BC", {}, "open for collect, embed, store, search, disclose already"),
        ("CA-QC", {"papers": {}}, "asks for appropriateness_record, cai_database, cai_process, privacy_impact_assessment"),
        ("GB", {"papers": {"dpia": Paper("1", date(2026, 6, 2))}}, "2026-06-02 is yet to come"),
        ("GB", {"papers": {"other": Paper("1", TODAY), "more": Paper("1", TODAY)}}, "asks for no filing more, other; it asks for dpia$"),
        ("CA-QC", {"papers": {"dpia": Paper("1", TODAY)}}, "asks for no filing dpia; it asks for appropriateness_record, cai_database, "),
        ("AU", {"papers": {"dpia": Paper("1", TODAY)}}, "asks for no filing dpia; it asks for none$"),
    ],
)
def test_what_cannot_be_opened_so_is_told(place: str, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(OpeningError, match=told):
        opening(place, **changes)


@pytest.mark.parametrize("status", ["stayed", "struck"])
def test_an_entry_that_is_not_in_force_is_not_opened_by_the_way(status: str) -> None:
    with pytest.raises(OpeningError, match=f"the entry of AU is {status}"):
        opening("AU", policy_with(AU={"status": status, "as_of": date(2026, 5, 1)}))


def test_nothing_opens_under_an_overdue_order() -> None:
    bound = policy_with(AU={"order_received": {"issued": date(2026, 1, 1), "comply_days": 30}})
    with pytest.raises(OpeningError, match="order that was received for AU is overdue"):
        opening("AU", bound)


def test_an_order_that_is_met_or_has_time_left_does_not_hold_an_opening_up() -> None:
    for order in ({"issued": "2026-05-03", "comply_days": 29}, {"issued": "2026-01-01", "comply_days": 30, "met_on": "2026-06-01"}):
        bound = policy_with(AU={"order_received": order})
        assert closed(opening("AU", bound), "AU", TODAY) == {None}
    with pytest.raises(OpeningError, match="overdue"):
        opening("AU", policy_with(AU={"order_received": {"issued": "2026-05-02", "comply_days": 29}}))


@pytest.mark.parametrize("place", ["CA-QC", "CA", "CA-ON", "EU", "FR", "GB", "AU", "US-TX", "US-WA", "NZ"])
def test_an_opened_place_is_wider_alone_and_neither_unknown_nor_the_floor_moves(place: str) -> None:
    policy = opening(place, law=["a law"])
    found = compare(shipped(), policy, places=(), now=datetime(2026, 6, 1, tzinfo=UTC))
    assert found.is_wider
    assert {difference.after for difference in found.places if any(change.is_wider for change in difference.changes)} == {place}
    assert policy.unknown == shipped().unknown
    assert closed(policy, UNKNOWN, date(2036, 1, 1)) == {"X-1"}
    assert all(set(FLOOR_FORBIDDEN) <= rules.purposes_forbid for rules in policy.jurisdictions.values())
    assert policy.version == "new.1"


@given(
    changes=st.dictionaries(
        st.sampled_from(["CA_BC", "CA_QC", "EU", "US_IL"]),
        st.fixed_dictionaries(
            {},
            optional={
                "with_grant": st.lists(st.sampled_from(EVERY_OPERATION), unique=True),
                "consent": st.fixed_dictionaries({"age_min": st.integers(10, 20), "signature": st.lists(st.just("wet"), max_size=1)}),
                "purposes": st.fixed_dictionaries({"allow": st.lists(st.just("verify"), max_size=1)}),
                "authority": st.one_of(st.none(), st.just("somebody")),
            },
        ),
    )
)
def test_a_policy_written_as_a_file_is_the_same_policy_when_it_is_read(changes: dict[str, Any]) -> None:
    policy = policy_with(**changes)
    text = yaml.safe_dump(written_policy(policy), sort_keys=False, allow_unicode=True)
    assert policy_from(yaml.safe_load(text)).canonical_json() == policy.canonical_json()
