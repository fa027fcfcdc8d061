"""The policy: where an entry is looked up, what it keeps closed and when a filing opens it; what nobody knows is never opened."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from assent.events.grants import ConsentForm, Operation
from assent.geofence.jurisdiction_rules import FLOOR_FORBIDDEN, Filing
from assent.geofence.policy import Policy, PolicyError
from assent.geofence.policy_document import merged
from assent.ids import UNKNOWN, Jurisdiction, RuleId
from tests.unit.grant_examples import NOW
from tests.unit.policy_examples import EVERY_OPERATION, places, policy_with, shipped

FILED = {"reference": "CAI-2026-17", "filed_on": date(2026, 1, 1)}
QC = Jurisdiction("CA-QC")


def closed(place: str, policy: Policy | None = None, *, now: datetime = NOW) -> set[RuleId | None]:
    rules = (policy or shipped()).rules_for(Jurisdiction(place))
    return {rules.closed_by(operation, now) for operation in Operation}


@pytest.mark.parametrize(
    ("place", "rule"),
    [
        ("CA-BC", None),
        ("CA-AB", None),
        ("US-IL", None),
        ("CA-QC", "QC-3"),
        ("CA", "CA-1"),
        ("CA-ON", "CA-1"),
        ("US-TX", "TX-1"),
        ("US", "X-1"),
        ("US-WA", "X-1"),
        ("EU", "EU-10"),
        ("FR", "EU-10"),
        ("FR-IDF", "EU-10"),
        ("NO", "EU-10"),
        ("GB", "UK-1"),
        ("GB-SCT", "UK-1"),
        ("AU", "AU-1"),
        ("AU-NSW", "AU-1"),
        ("NZ", "X-1"),
        ("ca-bc", "X-1"),
        ("", "X-1"),
        ("UNKNOWN", "X-1"),
    ],
)
def test_the_shipped_policy_looks_up_subdivision_then_country_then_group_then_unknown(place: str, rule: str | None) -> None:
    assert closed(place) == {rule}


@pytest.mark.parametrize(
    ("place", "entry"),
    [
        ("CA-BC", "CA-BC"),
        ("CA-ON", "CA"),
        ("CA", "CA"),
        ("FR", "EU"),
        ("FR-IDF", "EU"),
        ("EU", "EU"),
        ("US-WA", UNKNOWN),
        ("NZ", UNKNOWN),
        (UNKNOWN, UNKNOWN),
    ],
)
def test_the_entry_that_governs_a_place_has_a_name(place: str, entry: str) -> None:
    assert shipped().entry_for(Jurisdiction(place)) == entry


def test_an_entry_of_a_member_beats_that_of_its_group() -> None:
    policy = policy_with(FR={"law": ["CNIL"], "rule": "FR-1"})
    assert closed("FR", policy) == {"FR-1"}
    assert closed("FR-IDF", policy) == {"FR-1"}
    assert closed("DE", policy) == {"EU-10"}


def test_a_country_has_its_listed_parts_and_a_group_its_listed_members() -> None:
    policy = policy_with(FR={"law": ["CNIL"]}, FR_IDF={"law": ["CNIL"]})
    assert policy.subdivisions_of(Jurisdiction("CA")) == places("CA-BC", "CA-AB", "CA-QC")
    assert policy.subdivisions_of(Jurisdiction("EU")) == places("FR", "FR-IDF")
    assert policy.subdivisions_of(Jurisdiction("CA-BC")) == frozenset()


def test_merging_goes_key_by_key_and_deep_and_leaves_the_base_alone() -> None:
    base = {"consent": {"form": "written_release", "age_min": 18}, "law": ["a"]}
    assert merged(base, {"consent": {"age_min": 19}, "law": ["b"]}) == {"consent": {"form": "written_release", "age_min": 19}, "law": ["b"]}
    assert base["consent"] == {"form": "written_release", "age_min": 18}


def test_british_columbia_overrides_some_keys_of_consent_and_keeps_the_others() -> None:
    rules = shipped().rules_for(Jurisdiction("CA-BC"))
    assert (rules.consent.form, rules.consent.age_min, rules.bystanders) == (ConsentForm.EXPRESS, 19, "region_only")
    assert rules.consent.last_interaction_cap_days == 1095
    assert rules.consent.notice_sha256


def test_only_what_with_grant_names_is_open() -> None:
    rules = policy_with(CA={"with_grant": ["collect"]}).rules_for(Jurisdiction("CA-ON"))
    assert rules.closed_by(Operation.COLLECT, NOW) is None
    assert {rules.closed_by(operation, NOW) for operation in set(Operation) - {Operation.COLLECT}} == {"CA-1"}


@pytest.mark.parametrize(
    ("filings", "rule"),
    [
        ({}, "QC-3"),
        ({"cai_process": FILED}, "QC-3"),
        ({"cai_process": FILED, "privacy_impact_assessment": FILED}, "QC-3"),
        ({"cai_database": FILED}, "QC-2"),
        ({"cai_database": FILED, "cai_process": FILED}, "QC-8"),
        ({"cai_database": FILED, "cai_process": FILED, "privacy_impact_assessment": FILED}, None),
        ({"cai_database": {"reference": "CAI-1"}, "cai_process": FILED, "privacy_impact_assessment": FILED}, "QC-3"),
        ({"cai_database": {"filed_on": date(2026, 1, 1)}, "cai_process": FILED, "privacy_impact_assessment": FILED}, "QC-3"),
    ],
)
def test_quebec_names_the_unmet_filing_that_takes_longest(filings: dict[str, Any], rule: str | None) -> None:
    assert closed("CA-QC", policy_with(CA_QC={"filings": filings})) == {rule}


def test_the_longest_of_two_unmet_filings_is_named_whatever_they_are_called() -> None:
    filings = {"aaa": {"rule": "QC-8"}, "zzz": {"rule": "QC-9", "lead_days": 90}}
    assert closed("CA-QC", policy_with(CA_QC={"filings": filings})) == {"QC-9"}


@pytest.mark.parametrize(("days", "is_met"), [(-1, False), (0, False), (59, False), (60, True), (61, True)])
def test_qc_3_opens_sixty_days_after_filing_and_not_before(days: int, is_met: bool) -> None:
    filing = Filing(rule=RuleId("QC-3"), lead_days=60, reference="CAI-1", filed_on=date(2026, 3, 1))
    assert filing.is_met(datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(days=days)) is is_met


def test_which_filing_is_named_does_not_hang_on_how_the_file_was_written() -> None:
    policy = policy_with(CA_QC={"filings": {"cai_database": FILED, "aaa": {"rule": "QC-8"}}})
    again = Policy.from_canonical_json(policy.canonical_json())
    assert closed("CA-QC", policy) == closed("CA-QC", again)


@pytest.mark.parametrize("status", ["stayed", "struck"])
def test_a_stayed_or_struck_entry_is_never_less_strict(status: str) -> None:
    assert closed("CA-BC", policy_with(CA_BC={"status": status, "as_of": "2026-05-01"})) == {"BC-2"}
    assert closed("CA-QC", policy_with(CA_QC={"status": status, "as_of": "2026-05-01"})) == {"QC-1"}


def test_what_nobody_knows_is_never_opened_whatever_the_document_says() -> None:
    document = shipped().model_dump(mode="json", by_alias=True)
    document["unknown"]["with_grant"] = EVERY_OPERATION
    with pytest.raises(PolicyError, match="unknown"):
        Policy.from_canonical_json(json.dumps(document))
    assert closed(UNKNOWN) == {"X-1"}


def test_the_floor_is_forbidden_everywhere() -> None:
    policy = policy_with(CA={"purposes": {"forbid": []}})
    for rules in (*policy.jurisdictions.values(), policy.unknown):
        assert set(FLOOR_FORBIDDEN) <= rules.purposes_forbid
        assert rules.purposes_allow <= {"self_search", "verify", "gallery_search"}
        assert rules.transient_match == "denied"


def test_a_document_without_the_floor_is_read_with_it() -> None:
    document = shipped().model_dump(mode="json", by_alias=True)
    document["jurisdictions"]["CA-BC"]["purposes"]["forbid"] = []
    rules = Policy.from_canonical_json(json.dumps(document)).rules_for(Jurisdiction("CA-BC"))
    assert rules.purposes_forbid == set(FLOOR_FORBIDDEN)


def test_the_canonical_document_reads_back_as_itself() -> None:
    policy = policy_with(CA_QC={"filings": {"cai_database": FILED}})
    again = Policy.from_canonical_json(policy.canonical_json())
    assert again == policy
    assert again.canonical_json() == policy.canonical_json()
    assert json.loads(policy.canonical_json())["schema"] == "assent.policy/1"


def published(**changes: Any) -> Policy:
    """The shipped policy as it is published, with some keys changed; None leaves a key out."""
    document = merged(shipped().model_dump(mode="json", by_alias=True), changes)
    return Policy.from_canonical_json(json.dumps({key: value for key, value in document.items() if value is not None}))


@pytest.mark.parametrize(
    ("key", "allowed", "refused"),
    [
        ("deny_threshold", [0.01, 0.25], [0, 0.26]),
        ("allow_threshold", [0.7, 1], [0.69, 1.01]),
        ("gps_floor_m", [50, 10_000], [49, 10_001]),
    ],
)
def test_each_number_by_which_places_are_told_has_its_bounds(key: str, allowed: list[float], refused: list[float]) -> None:
    for value in allowed:
        assert getattr(published(location={key: value}).location, key) == value
    for value in refused:
        with pytest.raises(PolicyError, match=f"^location.{key}: "):
            published(location={key: value})


def test_a_version_has_one_to_sixty_characters() -> None:
    assert [published(version=text).version for text in ("1", "v" * 60)] == ["1", "v" * 60]
    for text in ("", "v" * 61):
        with pytest.raises(PolicyError, match=r"^version: "):
            published(version=text)


def test_a_document_that_does_not_name_its_schema_has_the_one_there_is_and_no_other_spelling_of_it() -> None:
    assert json.loads(published(schema=None).canonical_json())["schema"] == "assent.policy/1"
    with pytest.raises(PolicyError, match=r"^schema_name: "):
        published(schema=None, schema_name="assent.policy/1")


@pytest.mark.parametrize("document", ["", "[]", "{}", '{"schema":"assent.policy/2"}'])
def test_a_document_that_is_none_is_refused(document: str) -> None:
    with pytest.raises(PolicyError):
        Policy.from_canonical_json(document)


def test_an_unlisted_set_of_areas_has_no_buffer() -> None:
    assert shipped().location.buffer_of("ne10m-0123456789ab") == 5000
    with pytest.raises(PolicyError, match="buffer_m"):
        shipped().location.buffer_of("other-1")


def test_ca_8_rules_follow_the_entry_and_not_its_name() -> None:
    """Swap two entries and the answers swap: no place has a path of its own in the code."""
    entries = shipped().jurisdictions
    swapped = {**entries, QC: entries[Jurisdiction("CA-BC")], Jurisdiction("CA-BC"): entries[QC]}
    policy = shipped().model_copy(update={"jurisdictions": swapped})
    assert closed("CA-BC", policy) == closed("CA-QC")
    assert closed("CA-QC", policy) == closed("CA-BC")


def test_a_policy_names_its_entries_the_members_of_its_groups_and_the_countries_of_both() -> None:
    policy = policy_with()
    named = policy.named_places
    assert {"CA-QC", "CA", "US-IL", "US", "EU", "NO", UNKNOWN} <= named
    assert named == {UNKNOWN}.union(
        policy.jurisdictions, *(rules.members for rules in policy.jurisdictions.values()), (code[:2] for code in policy.jurisdictions)
    )
    # A country of which only a part has an entry.
    assert "US" not in policy.jurisdictions
