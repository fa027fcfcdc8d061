"""The joint report and the orders of British Columbia and Alberta, rule by rule; each test fails when its rule is taken away."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.consent.asset import Asset
from assent.events.evidence import EvidenceKind
from assent.events.grants import AgeBand, ConsentForm, LegalBasis, Operation, Purpose
from assent.events.images import SourceKind
from assent.geofence.caller import client_gate
from assent.geofence.decision import candidate_set, closed_for
from assent.geofence.policy import PolicyError
from assent.ids import Jurisdiction
from assent.policies.opening import OpeningError, Paper
from assent.policies.opening import opened as open_place
from tests.unit.grant_examples import NOW
from tests.unit.policy_examples import policy_with, says, shipped
from tests.unit.request_examples import asked, refused, term
from tests.unit.rule_tables import PLACES, least_basis, least_grant, rules_of

WEB = Asset(SourceKind.WEB_PAGE, final_url="https://site.example/open/1.jpg")
ORDER = {"issued": "2026-03-01"}


def test_ca_1_the_open_web_is_no_consent() -> None:
    """Nobody said yes: no operation, wherever in Canada. Somebody said yes to another page: that page alone."""
    for place in PLACES:
        assert all(rules_of(None, place, operation=operation, asset=WEB) == ("no_grant",) for operation in Operation)
    assert rules_of(least_grant("CA-BC"), "CA-BC", asset=WEB) == ("source_not_covered",)


@pytest.mark.parametrize("place", ["CA", *(place for place in PLACES if PLACES[place].closed == "CA-1")])
def test_ca_1_the_rest_of_canada_is_closed_by_its_own_row(place: str) -> None:
    assert rules_of(least_grant(place), place) == ("CA-1",)
    assert shipped().rules_for(Jurisdiction(place)).clients_rule == "CA-1"


@settings(deadline=None)
@given(st.text(max_size=20) | st.sampled_from(["implied", "opt_out", "opt-out", "preticked", "EXPRESS", "express ", "legitimate_interest"]))
def test_ca_2_every_word_but_express_is_refused_when_a_grant_is_asked_for(consent_type: str) -> None:
    if consent_type not in ("express", "publicly_available", "public", "public_web"):
        assert refused(asked(consent_type=consent_type)) == ["CA-2"]


def test_ca_2_sensitive_data_asks_for_an_explicit_yes_to_each_purpose() -> None:
    assert refused(asked()) == []
    assert refused(asked(purposes=[{"code": "self_search"}, {"code": "verify", "explicit": False}])) == ["CA-2"]
    basis = least_basis("CA-BC").model_dump(mode="json", exclude={"evidence_count", "notice_sha256"})
    assert refused(asked(legal=[{**basis, "explicit": False}])) == ["CA-2"]
    assert rules_of(least_grant("CA-BC", basis={"explicit": False}), "CA-BC") == ("CA-2",)


@pytest.mark.parametrize("word", ["publicly_available", "public", "public_web"])
def test_ca_3_publicly_available_is_no_exception_anywhere(word: str) -> None:
    assert refused(asked(consent_type=word)) == ["CA-3"]
    with pytest.raises(PolicyError, match="basis"):
        policy_with(CA={"basis": word})
    with pytest.raises(ValueError, match="form"):
        LegalBasis(jurisdiction=Jurisdiction("CA-BC"), form=word)


def test_ca_4_a_purpose_is_judged_apart_from_the_grant() -> None:
    held = least_grant("CA-BC")
    narrow = policy_with(CA_BC={"purposes": {"allow": ["verify"]}})
    for purpose in Purpose:
        wanted = () if purpose is Purpose.VERIFY else ("CA-4",)
        assert rules_of(held, "CA-BC", purpose=purpose, operation=Operation.DISCLOSE, policy=narrow) == wanted
        assert rules_of(held, "CA-BC", purpose=purpose, operation=Operation.DISCLOSE) == ()
    nothing = policy_with(CA_BC={"purposes": {"allow": []}})
    assert rules_of(held, "CA-BC", policy=nothing) == ("CA-4",)


def test_ca_5_what_a_decision_records_of_evidence_holds_no_raw_value() -> None:
    used = candidate_set([says(EvidenceKind.EXIF_GPS, "CA-BC")], grant=None, policy=shipped()).used
    assert [set(item.model_dump()) for item in used] == [
        {"kind", "connector", "jurisdictions", "deny_weight", "allow_weight", "is_invalid"}
    ]


@pytest.mark.parametrize(
    ("place", "band", "birth_year", "guardian", "wanted"),
    [
        ("CA-BC", AgeBand.ADULT, 1980, False, []),
        ("CA-BC", AgeBand.ADULT, None, False, ["CA-6"]),
        ("CA-BC", AgeBand.ADULT, NOW.year - 19, False, ["CA-6"]),
        ("CA-BC", AgeBand.ADULT, NOW.year - 20, False, []),
        ("CA-BC", AgeBand.ADULT, NOW.year - 17, False, ["CA-6"]),
        ("CA-AB", AgeBand.ADULT, None, False, []),
        ("CA-AB", AgeBand.ADULT, NOW.year - 18, False, []),
        ("CA-AB", AgeBand.ADULT, NOW.year - 17, False, ["CA-6"]),
        ("CA-AB", AgeBand.UNKNOWN, 1980, True, ["CA-6"]),
        ("CA-AB", AgeBand.MINOR_14_17, None, False, ["CA-6"]),
        ("CA-AB", AgeBand.MINOR_14_17, None, True, []),
        ("CA-AB", AgeBand.MINOR_UNDER_14, None, False, ["CA-6"]),
        ("CA-AB", AgeBand.MINOR_UNDER_14, None, True, []),
    ],
)
def test_ca_6_children_when_a_grant_is_asked_for(
    place: str, band: AgeBand, birth_year: int | None, guardian: bool, wanted: list[str]
) -> None:
    party = {"id": "p", "name": "Her mother", "contact": "by post", "role": "guardian"}
    named = {"party": party, "evidence_sha256": "1" * 64} if guardian else None
    request = asked(place, birth_year=birth_year, guardian=named)
    assert refused(request, age_band=band, residences=[place]) == wanted


BANDS: dict[str, tuple[AgeBand, int, list[str]]] = {
    "14 to 17, this year 18": (AgeBand.MINOR_14_17, 18, []),
    "14 to 17, this year 19": (AgeBand.MINOR_14_17, 19, ["CA-6"]),
    "14 to 17, born in 1980": (AgeBand.MINOR_14_17, NOW.year - 1980, ["CA-6"]),
    "14 to 17, this year 14": (AgeBand.MINOR_14_17, 14, []),
    "14 to 17, this year 13": (AgeBand.MINOR_14_17, 13, ["CA-6"]),
    "under 14, this year 14": (AgeBand.MINOR_UNDER_14, 14, []),
    "under 14, this year 15": (AgeBand.MINOR_UNDER_14, 15, ["CA-6"]),
    "under 14, born in 1950": (AgeBand.MINOR_UNDER_14, NOW.year - 1950, ["CA-6"]),
    "under 14, born next year": (AgeBand.MINOR_UNDER_14, -1, ["CA-6"]),
}


@pytest.mark.parametrize("name", BANDS)
def test_ca_6_no_guardian_answers_for_somebody_of_another_age(name: str) -> None:
    """A year alone leaves open whether her birthday has come."""
    band, years, wanted = BANDS[name]
    party = {"id": "p", "name": "Her mother", "contact": "by post", "role": "guardian"}
    request = asked("CA-AB", birth_year=NOW.year - years, guardian={"party": party, "evidence_sha256": "1" * 64})
    assert refused(request, age_band=band, residences=["CA-AB"]) == wanted


def test_ca_6_a_band_ends_with_its_last_year() -> None:
    """At 17 a guardian still says yes where one does below 18; the band says nothing of 18."""
    policy = policy_with(CA_BC={"consent": {"age_min": 19, "guardian_below": 18}})
    assert rules_of(least_grant("CA-BC", age_band=AgeBand.MINOR_14_17, guardian=True), "CA-BC", policy=policy) == ()


def test_ca_6_of_two_residences_the_higher_age_counts() -> None:
    legal = [least_basis(place).model_dump(mode="json", exclude={"evidence_count", "notice_sha256"}) for place in ("CA-AB", "CA-BC")]
    request = asked("CA-AB", birth_year=NOW.year - 18, legal=legal)
    assert refused(request, residences=["CA-AB"]) == []
    assert refused(request, residences=["CA-AB", "CA-BC"]) == ["CA-6"]


@pytest.mark.parametrize("basis", ["verify", "gallery"])
def test_bc_1_the_service_is_not_offered_there(basis: str) -> None:
    for stated in (["CA-BC"], ["CA-BC", "US-IL"], ["FR", "CA-BC"]):
        rule = client_gate([Jurisdiction(place) for place in stated], basis=basis, policy=shipped(), now=NOW)
        assert rule is not None
    assert client_gate([Jurisdiction("CA-BC")], basis=basis, policy=shipped(), now=NOW) == "BC-1"
    elsewhere = policy_with(FR={"law": ["x"], "filings": _filed(), "with_grant": ["serve_clients"]})
    assert client_gate([Jurisdiction("FR")], basis=basis, policy=elsewhere, now=NOW) is None
    assert client_gate([Jurisdiction("FR"), Jurisdiction("CA-BC")], basis=basis, policy=elsewhere, now=NOW) == "BC-1"


HEAVY = [kind for kind in EvidenceKind if kind not in (EvidenceKind.TIME_ZONE, EvidenceKind.GRANT_RESIDENCE)]


@pytest.mark.parametrize("kind", HEAVY)
@pytest.mark.parametrize("place", ["CA-BC", "CA-AB", "CA-QC", "US-IL", "AU"])
def test_bc_2_each_connector_places_a_case_in_each_closed_place(place: str, kind: EvidenceKind) -> None:
    """Nobody has said yes: evidence of any kind is enough to make the place a candidate, and then no grant of another place will do."""
    found = candidate_set([says(kind, place)], grant=None, policy=shipped()).jurisdictions
    assert place in found
    other = "CA-AB" if place == "CA-BC" else "CA-BC"
    assert {"legal_form_missing", "scope_not_granted"} <= set(rules_of(least_grant(other), *found))
    stayed = policy_with(**{place.replace("-", "_"): {"with_grant": []}})
    assert PLACES[place].closed in (None, *closed_for(found, Operation.COLLECT, shipped(), NOW))
    assert stayed.rules_for(Jurisdiction(place)).rule in set(closed_for(found, Operation.COLLECT, stayed, NOW))


def test_bc_2_only_a_grant_in_the_form_of_the_place_opens_it() -> None:
    closed = policy_with(CA_BC={"with_grant": []})
    for operation in Operation:
        assert rules_of(least_grant("CA-BC"), "CA-BC", operation=operation) == ()
        assert rules_of(least_grant("CA-BC"), "CA-BC", operation=operation, policy=closed) == ("BC-2",)


def test_bc_3_what_is_held_is_judged_again_by_the_policy_of_the_day() -> None:
    """A stored face keeps the places it may be in; when one of them closes, nothing of it is told from then on."""
    closed = policy_with(CA_BC={"with_grant": ["collect", "embed", "store"]})
    for operation in (Operation.SEARCH, Operation.DISCLOSE):
        told: dict[str, Any] = {"operation": operation, "purpose": Purpose.SELF_SEARCH, "asset": None}
        assert rules_of(least_grant("CA-BC", "CA-AB"), "CA-BC", "CA-AB", **told) == ()
        assert rules_of(least_grant("CA-BC", "CA-AB"), "CA-BC", "CA-AB", policy=closed, **told) == ("BC-2",)


@pytest.mark.parametrize(("days", "is_closed"), [(0, False), (49, False), (50, False), (51, True), (400, True)])
def test_ab_1_an_order_that_reaches_the_operator_runs_out_after_fifty_days(days: int, is_closed: bool) -> None:
    issued = NOW.date() - timedelta(days=days)
    policy = policy_with(CA_AB={"order_received": {"issued": issued, "report_days": 50}})
    assert rules_of(least_grant("CA-AB"), "CA-AB", policy=policy) == (("AB-1",) if is_closed else ())
    met = policy_with(CA_AB={"order_received": {"issued": issued, "report_days": 50, "met_on": NOW.date()}})
    assert rules_of(least_grant("CA-AB"), "CA-AB", policy=met) == ()
    promised = policy_with(CA_AB={"order_received": {"issued": issued, "report_days": 50, "met_on": NOW.date() + timedelta(days=1)}})
    assert rules_of(least_grant("CA-AB"), "CA-AB", policy=promised) == (("AB-1",) if is_closed else ())


@pytest.mark.parametrize("clock", ["comply_days", "report_days", "destroy_days"])
def test_ab_1_the_first_clock_that_runs_out_closes(clock: str) -> None:
    clocks = {"comply_days": 900, "report_days": 900, "destroy_days": 900, clock: 30}
    policy = policy_with(CA_AB={"order_received": {"issued": date(2026, 5, 1), **clocks}})
    for day, wanted in ((date(2026, 5, 31), None), (date(2026, 6, 1), "AB-1")):
        now = NOW.replace(year=day.year, month=day.month, day=day.day)
        assert policy.rules_for(Jurisdiction("CA-AB")).closed_by(Operation.STORE, now) == wanted
        assert policy.rules_for(Jurisdiction("CA-AB")).closed_to_clients_by(now) == "AB-1"
    without = policy_with(CA_AB={"order_received": {"issued": date(2020, 1, 1)}})
    assert without.rules_for(Jurisdiction("CA-AB")).closed_by(Operation.STORE, NOW) is None


def test_ab_1_the_place_opens_to_a_written_release_alone_and_to_no_caller() -> None:
    assert rules_of(least_grant("CA-AB"), "CA-AB") == ()
    assert rules_of(least_grant("CA-AB", basis={"form": ConsentForm.EXPLICIT}), "CA-AB") == ("legal_form_missing",)
    assert rules_of(least_grant("CA-AB"), "CA-AB", policy=policy_with(CA_AB={"with_grant": []})) == ("AB-1",)
    assert client_gate([Jurisdiction("CA-AB")], basis="verify", policy=shipped(), now=NOW) == "AB-1"


@pytest.mark.parametrize(("one", "other"), [("CA-BC", "CA-QC"), ("CA-AB", "AU"), ("US-IL", "GB"), ("EU", "US-TX")])
def test_ca_8_evidence_is_used_alike_for_every_place(one: str, other: str) -> None:
    """Swap the names of two entries in policy and evidence, and the answers swap: no place has a path of its own in the code."""
    entries = shipped().jurisdictions
    a, b = Jurisdiction(one), Jurisdiction(other)
    swapped = shipped().model_copy(update={"jurisdictions": {**entries, a: entries[b], b: entries[a]}})
    names = {one: other, other: one}
    for kind in HEAVY:
        here = candidate_set([says(kind, one)], grant=None, policy=shipped())
        there = candidate_set([says(kind, other)], grant=None, policy=swapped)
        assert {names.get(place, place) for place in here.jurisdictions} == there.jurisdictions
        assert set(closed_for([a], Operation.EMBED, shipped(), NOW)) == set(closed_for([b], Operation.EMBED, swapped, NOW))


@pytest.mark.parametrize("status", ["stayed", "struck"])
def test_ca_9_an_order_before_the_courts_says_since_when_and_opens_nothing(status: str) -> None:
    with pytest.raises(PolicyError, match=r"CA-BC\.as_of: say on which day"):
        policy_with(CA_BC={"status": status})
    policy = policy_with(CA_BC={"status": status, "as_of": date(2026, 2, 18)})
    entry = policy.rules_for(Jurisdiction("CA-BC"))
    assert entry.as_of == date(2026, 2, 18)
    assert rules_of(least_grant("CA-BC"), "CA-BC", policy=policy) == ("BC-2",)
    assert client_gate([Jurisdiction("CA-BC")], basis="verify", policy=policy, now=NOW) == "BC-1"


@pytest.mark.parametrize("status", ["unknown", "repealed", "", None])
def test_ca_9_a_status_that_is_none_is_refused(status: str | None) -> None:
    with pytest.raises(PolicyError, match="status"):
        policy_with(CA_BC={"status": status, "as_of": "2026-02-18"})


def test_qc_7_a_term_that_has_ended_is_no_grant() -> None:
    assert refused(asked(validity=term(0))) == ["QC-7"]
    assert refused(asked(validity=term(-1))) == ["QC-7"]
    assert refused(asked(validity=term(10)), now=NOW + timedelta(days=10)) == ["QC-7"]
    assert refused(asked(validity=term(10)), now=NOW + timedelta(days=10) - timedelta(seconds=1)) == []


def _filed() -> dict[str, dict[str, object]]:
    filed = {"reference": "R-1", "filed_on": date(2026, 1, 1)}
    return {"dpia": filed, "representative": filed}


def test_opc_1_canada_opens_with_a_record_of_why_this_is_appropriate() -> None:
    asked_for: dict[str, Any] = {"operations": ["collect"], "law": [], "version": "new.1", "today": NOW.date()}
    with pytest.raises(OpeningError, match="appropriateness_record"):
        open_place(shipped(), Jurisdiction("CA-ON"), papers={}, **asked_for)
    paper = {"appropriateness_record": Paper("R-1", NOW.date())}
    policy = open_place(shipped(), Jurisdiction("CA-ON"), papers=paper, **asked_for)
    assert rules_of(least_grant("CA-ON"), "CA-ON", policy=policy) == ()
    entry = policy.rules_for(Jurisdiction("CA-ON"))
    unmade = entry.filings["appropriateness_record"].model_copy(update={"reference": None})
    unfiled = entry.model_copy(update={"filings": {**entry.filings, "appropriateness_record": unmade}})
    assert unfiled.closed_by(Operation.COLLECT, NOW) == "OPC-1"


def test_opc_2_what_is_held_briefly_is_held() -> None:
    """There is no word that would let a face be measured to be dropped again."""
    for rules in (*shipped().jurisdictions.values(), shipped().unknown):
        assert rules.transient_match == "denied"
    with pytest.raises(PolicyError, match="transient_match"):
        policy_with(CA={"transient_match": "audited"})
