"""The order of the Commission and the law on biometrics of Quebec, rule by rule; each test fails when its rule is taken away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from assent.deciding.fold import DecisionFold
from assent.deciding.gate import Gate
from assent.events.faces import FaceEmbedded
from assent.events.grants import AgeBand, GrantState, Operation
from assent.geofence.policy import Policy, PolicyError
from assent.identity.errors import ApiError
from assent.identity.principal import Principal, Role
from assent.ids import Jurisdiction, SubjectId
from assent.testing.fake_clock import FakeClock
from services.query.question import Basis, checked_question
from tests.unit.grant_examples import NOW, grant
from tests.unit.policy_examples import EVERY_OPERATION, policy_with
from tests.unit.request_examples import asked, refused, term, written
from tests.unit.rule_tables import FILED, OPENED, least_grant, opened, rules_of

QC = Jurisdiction("CA-QC")
FILINGS: dict[str, Any] = OPENED["CA-QC"]["filings"]


def filed(**changes: Any) -> Policy:
    """Quebec with every filing handed in, some of them changed."""
    return policy_with(CA_QC={"filings": {**FILINGS, **changes}})


@pytest.mark.parametrize("left_out", EVERY_OPERATION)
def test_qc_1_collect_embed_store_search_and_disclose_are_switches_of_their_own(left_out: str) -> None:
    policy = policy_with(CA_QC={"filings": FILINGS, "with_grant": [one for one in EVERY_OPERATION if one != left_out]})
    found = {operation.value: rules_of(least_grant("CA-QC"), "CA-QC", operation=operation, policy=policy) for operation in Operation}
    assert found == {one: (("QC-1",) if one == left_out else ()) for one in EVERY_OPERATION}


def test_qc_1_without_her_yes_every_switch_is_closed_and_after_ninety_days_all_is() -> None:
    for operation in Operation:
        assert rules_of(None, "CA-QC", operation=operation, policy=opened()) == ("no_grant",)
    for issued, wanted in ((NOW.date() - timedelta(days=90), ()), (NOW.date() - timedelta(days=91), ("QC-1",))):
        policy = policy_with(CA_QC={"filings": FILINGS, "order_received": {"issued": issued, "destroy_days": 90}})
        assert rules_of(least_grant("CA-QC"), "CA-QC", operation=Operation.SEARCH, policy=policy) == wanted


@pytest.mark.parametrize("missing", ["reference", "filed_on"])
def test_qc_2_the_process_is_declared_first(missing: str) -> None:
    policy = filed(cai_process={key: value for key, value in FILED.items() if key != missing} | {missing: None})
    assert rules_of(least_grant("CA-QC"), "CA-QC", policy=policy) == ("QC-2",)
    assert rules_of(least_grant("CA-QC"), "CA-QC", policy=filed()) == ()
    tomorrow = {"reference": "R-1", "filed_on": NOW.date() + timedelta(days=1)}
    assert rules_of(least_grant("CA-QC"), "CA-QC", policy=filed(cai_process=tomorrow)) == ("QC-2",)


@pytest.mark.parametrize(("days", "wanted"), [(0, ("QC-3",)), (59, ("QC-3",)), (60, ()), (61, ())])
def test_qc_3_the_database_is_declared_sixty_days_before(days: int, wanted: tuple[str, ...]) -> None:
    policy = filed(cai_database={"reference": "R-1", "filed_on": NOW.date() - timedelta(days=days)})
    assert rules_of(least_grant("CA-QC"), "CA-QC", policy=policy) == wanted
    assert rules_of(least_grant("CA-QC"), "CA-QC", policy=filed(cai_database={"reference": None})) == ("QC-3",)
    assert rules_of(least_grant("CA-QC"), "CA-QC") == ("QC-3",)


def test_qc_4_a_face_on_its_way_carries_nothing_of_what_the_measures_reveal() -> None:
    kept = set(FaceEmbedded.model_fields)
    assert not {name for name in kept if any(word in name for word in ("age", "sex", "gender", "emotion", "race", "ethnic"))} - {"image_id"}
    with pytest.raises(PolicyError, match="emotion"):
        policy_with(CA_QC={"purposes": {"allow": ["emotion"]}})


@pytest.mark.parametrize(("after", "wanted"), [(0, []), (1, ["QC-5"]), (365, ["QC-5"])])
def test_qc_5_nothing_is_kept_on_after_the_purpose(after: int, wanted: list[str]) -> None:
    legal = [_basis("CA-QC")]
    assert refused(asked("CA-QC", legal=legal, retention={"after_purpose_days": after}), residences=["CA-QC"]) == wanted
    held = least_grant("CA-QC", expires_at=NOW)
    assert rules_of(held, "CA-QC", policy=opened()) == ("grant_expired",)


def test_qc_6_an_order_to_stop_works_at_the_next_question() -> None:
    """One record of the policy replaces the other; the same gate answers otherwise from then on, for that place alone."""
    public = Ed25519PrivateKey.generate().public_key()
    fold = DecisionFold(policy_key=public, grant_key=public)
    gate = Gate(fold, FakeClock(NOW))
    fold.ledger.apply_grant(least_grant("CA-QC", "CA-BC"))
    fold.policy = filed()
    assert gate.verdict(grant().grant_id, [Operation.SEARCH], candidates=[QC]).is_allowed
    fold.policy = policy_with(CA_QC={"filings": FILINGS, "with_grant": []})
    assert gate.verdict(grant().grant_id, [Operation.SEARCH], candidates=[QC]).rules == ("QC-1",)
    assert gate.locate(least_grant("CA-QC"), [], [Operation.EMBED]).rules == ("QC-1",)
    assert gate.verdict(grant().grant_id, [Operation.SEARCH], candidates=[Jurisdiction("CA-BC")]).is_allowed


@pytest.mark.parametrize(("place", "days"), [("CA-QC", 365), ("CA-AB", 365), ("CA-BC", 730), ("FR", 365), ("NZ", 365)])
def test_qc_7_no_consent_lasts_longer_than_the_place_allows(place: str, days: int) -> None:
    assert refused(asked(place, validity=term(days)), residences=[place]) == []
    assert refused(asked(place, validity=term(days + 1), retention={"max_days": 900}), residences=[place]) == ["QC-7"]


def test_qc_7_there_is_no_consent_without_an_end_and_none_without_an_alternative() -> None:
    body = written("CA-QC")
    del body["validity"]["expires_at"]
    with pytest.raises(ValidationError, match="expires_at"):
        asked("CA-QC", validity=body["validity"])
    assert rules_of(least_grant("CA-QC", basis={"alternative_offered": False}), "CA-QC", policy=opened()) == ("QC-7",)
    assert rules_of(least_grant("CA-QC", days=366), "CA-QC", policy=opened()) == ("QC-7",)
    assert rules_of(least_grant("CA-QC", days=365), "CA-QC", policy=opened()) == ()


def test_qc_7_a_term_counts_for_residence_and_for_every_legal_basis() -> None:
    long = {"validity": term(730), "legal": [_basis("CA-BC")]}
    assert refused(asked("CA-BC", **long)) == []
    assert refused(asked("CA-BC", **{**long, "legal": [_basis("CA-BC"), _basis("CA-QC")]})) == ["QC-7"]
    assert refused(asked("CA-BC", **long), residences=["CA-BC", "CA-QC"]) == ["QC-7", "legal_form_missing"]


def test_qc_8_the_assessment_is_on_record_and_a_parent_says_yes_under_fourteen() -> None:
    assert rules_of(least_grant("CA-QC"), "CA-QC", policy=filed(privacy_impact_assessment={"reference": None})) == ("QC-8",)
    child: dict[str, Any] = {"age_band": AgeBand.MINOR_UNDER_14}
    assert rules_of(least_grant("CA-QC", **child), "CA-QC", policy=filed()) == ("CA-6",)
    assert rules_of(least_grant("CA-QC", guardian=True, **child), "CA-QC", policy=filed()) == ()
    assert rules_of(least_grant("CA-QC", guardian=True, age_band=AgeBand.MINOR_14_17), "CA-QC", policy=filed()) == ("CA-6",)
    assert rules_of(least_grant("CA-QC", state=GrantState.REQUESTED), "CA-QC", policy=filed()) == ("grant_not_live",)


def test_qc_8_the_default_is_no() -> None:
    """An entry that says nothing but which law it follows opens nothing, to nobody."""
    policy = policy_with(JP={"law": ["APPI"]})
    silent = policy.rules_for(Jurisdiction("JP"))
    assert {silent.closed_by(operation, NOW) for operation in Operation} == {"X-1"}
    assert silent.closed_to_clients_by(NOW) == "X-1"


@pytest.mark.parametrize("basis", ["", "walk_in", "public_interest", "security", "SELF", "self "])
def test_qc_9_whoever_walks_in_is_not_looked_at_without_a_ground_of_her_own(basis: str) -> None:
    her = Principal(name="n", roles=frozenset({Role.SUBJECT}), org="o", subject_id=SubjectId("s-1"))
    with pytest.raises(ApiError) as caught:
        checked_question(her, basis, None, policy=opened(), now=NOW)
    assert (caught.value.status, caught.value.code) == (400, "unknown_basis")
    assert {one.value for one in Basis} == {"self", "verify", "gallery"}


def _basis(place: str) -> dict[str, Any]:
    return {"jurisdiction": place, "form": "written_release", "alternative_offered": True}
