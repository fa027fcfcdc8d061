"""The European Union, Great Britain and Australia, rule by rule; each test fails when its rule is taken away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from assent.consent.decision import Request
from assent.consent.source_rules import SourceRuleError, checked_rule
from assent.deciding.fold import DecisionFold
from assent.deciding.gate import Gate
from assent.events.evidence import EvidenceKind
from assent.events.faces import FaceEmbedded
from assent.events.grants import AgeBand, ConsentForm, Operation, SourceKindRule, SourceRule
from assent.events.images import Clearance, Sighting, SourceKind
from assent.geofence.caller import client_gate
from assent.geofence.decision import candidate_set, closed_for
from assent.geofence.policy import PolicyError
from assent.geofence.residence import residence_evidence
from assent.ids import Jurisdiction
from assent.testing.fake_clock import FakeClock
from services.crawler.frontier import Frontier, targets
from services.registry.grant_parts import Retention, WithdrawalWay
from tests.unit.grant_examples import NOW
from tests.unit.policy_examples import EVERY_OPERATION, places, policy_with, says, shipped
from tests.unit.request_examples import asked, refused, term
from tests.unit.rule_tables import EU_MEMBERS, FILED, OPENED, least_basis, least_grant, opened, rules_of

K = EvidenceKind


def test_eu_1_consent_can_be_shown() -> None:
    assert rules_of(least_grant("FR", basis={"evidence_count": 0}), "FR", policy=opened()) == ("EU-1",)
    two = policy_with(EU={**OPENED["EU"], "consent": {"evidence_min": 2}})
    assert rules_of(least_grant("FR"), "FR", policy=two) == ("EU-1",)
    assert rules_of(least_grant("FR", basis={"evidence_count": 2}), "FR", policy=two) == ()
    assert refused(asked(evidence=[_evidence("demo_fixture")])) == ["fixture_evidence"]
    assert refused(asked(evidence=[_evidence("demo_fixture")]), accepts_fixtures=True) == []
    assert refused(asked(evidence=[_evidence("pdf")])) == []


def test_eu_2_and_uk_1_an_end_never_asks_for_a_photo() -> None:
    with pytest.raises(ValidationError, match="requires_photo"):
        WithdrawalWay.model_validate({"requires_photo": True})
    with pytest.raises(PolicyError, match="withdrawal"):
        policy_with(GB={"withdrawal": {"photo_required": True}})


def test_eu_3_one_purpose_has_one_yes() -> None:
    assert refused(asked(purposes=[{"code": "self_search"}, {"code": "verify"}])) == []
    assert refused(asked(purposes=[{"code": "self_search"}, {"code": "self_search", "text": "and more"}])) == ["EU-3"]
    with pytest.raises(ValidationError, match="purposes"):
        asked(purposes=[{"code": "self_search verify"}])
    with pytest.raises(ValidationError, match="purposes"):
        asked(purposes=[])


def test_eu_4_the_yes_is_explicit() -> None:
    assert rules_of(least_grant("FR", basis={"explicit": False}), "FR", policy=opened()) == ("CA-2",)
    assert rules_of(least_grant("FR", basis={"form": ConsentForm.EXPRESS}), "FR", policy=opened()) == ("legal_form_missing",)
    assert rules_of(least_grant("FR"), "FR", policy=opened()) == ()
    with pytest.raises(PolicyError, match=r"EU\.consent\.explicit"):
        policy_with(EU={"consent": {"explicit": False}})


def test_eu_5_a_withdrawal_always_erases() -> None:
    with pytest.raises(ValidationError, match="on_withdrawal"):
        Retention.model_validate({"on_withdrawal": "keep"})


def test_eu_8_the_notice_that_she_was_shown_is_on_record() -> None:
    assert rules_of(least_grant("FR", basis={"notice_sha256": None}), "FR", policy=opened()) == ("EU-8",)
    waived = policy_with(EU={**OPENED["EU"], "consent": {"notice_sha256": False}})
    assert rules_of(least_grant("FR", basis={"notice_sha256": None}), "FR", policy=waived) == ()


@pytest.mark.parametrize("filing", ["dpia", "representative"])
@pytest.mark.parametrize("missing", ["reference", "filed_on"])
def test_eu_10_and_it_1_neither_assessment_nor_representative_may_be_missing(filing: str, missing: str) -> None:
    filings: dict[str, Any] = {**OPENED["EU"]["filings"], filing: {**FILED, missing: None}}
    policy = policy_with(EU={"with_grant": [*EVERY_OPERATION, "serve_clients"], "filings": filings})
    for member in EU_MEMBERS:
        assert rules_of(least_grant("FR"), "FR", policy=policy) == ("EU-10",), member
    assert client_gate([Jurisdiction("FR")], basis="verify", policy=policy, now=NOW) == "EU-10"
    assert rules_of(least_grant("FR"), "FR", policy=opened()) == ()
    assert set(shipped().rules_for(Jurisdiction("EU")).filings) == {"dpia", "representative"}


def test_eu_10_a_member_with_an_entry_of_its_own_still_has_the_filings_of_the_group() -> None:
    policy = policy_with(FR={"law": ["CNIL"], "with_grant": EVERY_OPERATION}, FR_IDF={"law": ["CNIL"], "with_grant": EVERY_OPERATION})
    assert rules_of(least_grant("FR"), "FR", policy=policy) == ("EU-10",)
    assert policy.rules_for(Jurisdiction("FR-IDF")).filings == policy.rules_for(Jurisdiction("EU")).filings
    assert policy.rules_for(Jurisdiction("FR")).members == ()


@pytest.mark.parametrize(("age_min", "wanted"), [(13, ()), (14, ()), (15, ("CA-6",)), (16, ("CA-6",))])
def test_eu_11_a_member_state_sets_the_age_from_13_to_16_and_the_default_is_16(age_min: int, wanted: tuple[str, ...]) -> None:
    """Only the age is named; the form and the filings stay those of the Union."""
    young = least_grant("FR", "NO", age_band=AgeBand.MINOR_14_17)
    filings = policy_with(EU=OPENED["EU"], FR={"law": ["CNIL"], "consent": {"age_min": age_min, "guardian_below": age_min}})
    assert rules_of(young, "FR", policy=filings) == wanted
    assert rules_of(young, "NO", policy=filings) == ("CA-6",)
    assert filings.rules_for(Jurisdiction("FR")).consent.form is ConsentForm.EXPLICIT
    assert {shipped().rules_for(Jurisdiction(member)).consent.age_min for member in EU_MEMBERS} == {16}


def test_eu_12_an_operator_abroad_is_asked_nothing_and_gains_nothing() -> None:
    """Where the operator stands is no part of a question, and a server or a site elsewhere takes no place away."""
    assert not {name for name in Request._fields if "operator" in name or "server" in name}
    by = least_grant("FR")
    abroad = [says(K.SERVER_ADDRESS, "US"), says(K.COUNTRY_DOMAIN, "US"), says(K.EXIF_GPS, "US-NY")]
    found = candidate_set([*residence_evidence(by), *abroad], grant=by, policy=shipped()).jurisdictions
    assert places("FR", "US-NY") <= found
    assert "EU-10" in set(closed_for(found, Operation.COLLECT, shipped(), NOW))


@pytest.fixture
def gate() -> tuple[Gate, DecisionFold]:
    public = Ed25519PrivateKey.generate().public_key()
    fold = DecisionFold(policy_key=public, grant_key=public)
    fold.policy = shipped()
    return Gate(fold, FakeClock(NOW)), fold


def test_aia_1_without_a_grant_no_page_is_ever_taken(gate: tuple[Gate, DecisionFold]) -> None:
    judge, fold = gate
    frontier = Frontier(judge, max_pages=10)
    pages = ["https://site.example/ada/", "https://site.example/", "https://other.example/ada/1.html"]
    frontier.add(pages)
    assert frontier.next() is None
    assert targets(fold.ledger) == ([], [])
    fold.ledger.apply_grant(least_grant("CA-BC"))
    frontier.add(pages)
    assert (frontier.next(), frontier.next()) == ("https://site.example/ada/", None)
    fold.ledger.apply_grant(least_grant("CA-BC", revision=2, operations=(Operation.STORE,)))
    assert targets(fold.ledger) == ([], [])


@pytest.mark.parametrize(
    "value",
    [
        "*",
        "https://*/",
        "http*://*",
        "https://site.example/",
        "https://site.example",
        "https://com/",
        "com",
        "https://site.example/*",
        "",
        "https://*.site.example/a/",
        "https://site.example/a/?*",
        "ftp://site.example/a/",
        "https://user@site.example/a/",
    ],
)
def test_aia_2_a_source_that_is_no_real_target_is_refused(value: str) -> None:
    if value:
        with pytest.raises(SourceRuleError):
            checked_rule(SourceRule(kind=SourceKindRule.URL_PREFIX, value=value))
    assert refused(asked(sources=[{"kind": "url_prefix", "value": value}])) == ["AIA-2"]
    assert refused(asked(sources=[{"kind": "url_prefix", "value": "https://site.example/ada/"}])) == []


@pytest.mark.parametrize("kind", ["asset_sha256", "account"])
def test_aia_2_digests_and_accounts_are_exact(kind: str) -> None:
    assert refused(asked(sources=[{"kind": kind, "value": "*@*"}])) == ["AIA-2"]
    with pytest.raises(ValidationError, match="include_subdomains"):
        asked(sources=[{"kind": "url_prefix", "value": "https://site.example/ada/", "include_subdomains": True}])


@pytest.mark.parametrize("source_kind", ["cctv", "camera", "street", "", None])
def test_aia_3_a_camera_in_a_public_place_is_no_kind_of_source(source_kind: str | None) -> None:
    said = {"sighting_id": "s", "image_id": "i", "producer": "p", "blob": "b", "sha256": "0" * 64, "size_bytes": 1}
    said |= {"media_type": "image/jpeg", "fetched_at": NOW.isoformat()}
    assert Sighting.model_validate({**said, "source_kind": "upload"}).source_kind is SourceKind.UPLOAD
    with pytest.raises(ValidationError, match="source_kind"):
        Sighting.model_validate({**said, "source_kind": source_kind})
    with pytest.raises(ValidationError, match="source_kind"):
        Sighting.model_validate(said)


@pytest.mark.parametrize("model", [FaceEmbedded, Clearance])
def test_aia_4_nothing_goes_on_without_the_grant_it_stands_on(model: type[FaceEmbedded] | type[Clearance]) -> None:
    assert model.model_fields["grant_id"].is_required()


def test_aia_5_a_post_on_a_platform_is_no_consent(gate: tuple[Gate, DecisionFold]) -> None:
    judge, fold = gate
    fold.ledger.apply_grant(least_grant("CA-BC"))
    found = candidate_set([says(K.SCHEMA_RESIDENCE, "FR")], grant=None, policy=shipped()).jurisdictions
    assert "EU-10" in set(closed_for(found, Operation.EMBED, shipped(), NOW))
    frontier = Frontier(judge, max_pages=10)
    frontier.add(["https://social.example/@ada/1"])
    assert frontier.next() is None


def test_uk_1_the_place_is_closed_until_it_is_opened_and_the_assessment_is_on_record() -> None:
    assert {rules_of(least_grant("GB"), "GB", operation=operation) for operation in Operation} == {("UK-1",)}
    unfiled = policy_with(GB={"with_grant": EVERY_OPERATION})
    assert rules_of(least_grant("GB"), "GB-SCT", policy=unfiled) == ("UK-1", "legal_form_missing", "scope_not_granted")
    assert rules_of(least_grant("GB"), "GB", policy=unfiled) == ("UK-1",)
    assert rules_of(least_grant("GB"), "GB", policy=opened()) == ()
    assert client_gate([Jurisdiction("GB")], basis="gallery", policy=opened(), now=NOW) == "UK-1"
    with pytest.raises(ValidationError, match="expires_at"):
        asked("GB", validity={"not_before": NOW.isoformat()})


@pytest.mark.parametrize("evidence", [[], [says(K.EXIF_GPS, "NZ")], [says(K.COUNTRY_DOMAIN, "NZ")], [says(K.EXIF_GPS, "AU-NSW")]])
@pytest.mark.parametrize("home", ["CA-BC", "CA-AB", "NZ", "AU"])
def test_au_1_a_server_there_is_enough(evidence: list[Any], home: str) -> None:
    by = least_grant(home)
    told = [*residence_evidence(by), says(K.SERVER_ADDRESS, "AU"), *evidence]
    found = candidate_set(told, grant=by, policy=shipped())
    assert "AU" in found.jurisdictions
    assert {item.deny_weight for item in found.used if item.kind is K.SERVER_ADDRESS} == {1.0}
    assert "AU-1" in set(closed_for(found.jurisdictions, Operation.COLLECT, shipped(), NOW))
    lighter = policy_with(AU={"server_deny_weight": 0.4})
    if home == "AU":
        assert {item.deny_weight for item in candidate_set(told, grant=by, policy=lighter).used if item.kind is K.SERVER_ADDRESS} == {0.4}


def test_au_1_the_place_is_closed_to_grants_and_callers() -> None:
    assert {rules_of(least_grant("AU"), "AU", operation=operation) for operation in Operation} == {("AU-1",)}
    assert rules_of(least_grant("AU"), "AU", policy=opened()) == ()
    late = policy_with(AU={**OPENED["AU"], "order_received": {"issued": NOW.date() - timedelta(days=91), "destroy_days": 90}})
    assert rules_of(least_grant("AU"), "AU", policy=late) == ("AU-1",)
    assert client_gate([Jurisdiction("AU-NSW")], basis="gallery", policy=shipped(), now=NOW) == "AU-1"


def test_requests_from_europe_name_the_basis_of_europe() -> None:
    legal = [least_basis("FR").model_dump(mode="json", exclude={"evidence_count", "notice_sha256"})]
    assert refused(asked("FR", legal=legal, validity=term(365)), residences=["FR"]) == []
    assert refused(asked("FR", legal=legal, validity=term(365)), residences=["FR", "DE"]) == ["legal_form_missing"]


def _evidence(kind: str) -> dict[str, str]:
    return {"kind": kind, "sha256": "1" * 64, "captured_at": NOW.isoformat(), "captured_by": "a clerk"}
