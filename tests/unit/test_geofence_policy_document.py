"""A policy as a person writes it: each fault is told with its key and a remedy, and what is left out comes from group and defaults."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
import yaml

from assent.geofence.jurisdiction_rules import FLOOR_FORBIDDEN
from assent.geofence.policy import LEAST_BUFFER_M, RETIRED, Policy, PolicyError
from assent.geofence.policy_document import merged, policy_from
from assent.ids import Jurisdiction
from tests.unit.policy_examples import policy_with, shipped, shipped_text


def document(**changes: Any) -> dict[str, Any]:
    return merged(yaml.safe_load(shipped_text()), changes)


def entry(code: str, **changes: Any) -> dict[str, Any]:
    return document(jurisdictions={code: changes})


def without(key: str, of: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in of.items() if name != key}


FLOOR_ALLOWED = [
    (entry("CA-BC", purposes={"allow": ["verify", word]}), f"^jurisdictions.CA-BC.*allow: {word} is") for word in FLOOR_FORBIDDEN
]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (None, "^policy: write a mapping of keys to values$"),
        ({1: 2}, "^policy: the key 1 is no word; put it in quotes$"),
        ({False: 2}, "^policy: YAML reads NO without quotes as false"),
        (document(b=1, a=2), "^a, b: no such key; the file holds defaults, jurisdictions, location, schema, version$"),
        (without("schema", document()), "^schema: write assent.policy/1$"),
        (without("defaults", document()), "^defaults: write a mapping"),
        (without("jurisdictions", document()), "^jurisdictions: write a mapping"),
        (without("version", document()), "^version: write it as a word in quotes"),
        (document(version=" "), "^version: write it as a word in quotes"),
        (document(version=1), "^version: write it as a word in quotes"),
        (without("location", document()), "^location: "),
        (document(jurisdictions={"CA-BC": None}), "^jurisdictions.CA-BC: write a mapping"),
        (document(jurisdictions={"CA-BC": {"purposes": "none"}}), "^jurisdictions.CA-BC.purposes: write a mapping"),
        (
            document(defaults={"purposes": {"forbid": ["advertising", "mass_identification", "ethnicity"]}}),
            "forbid: emotion, sale is forbidden",
        ),
        (document(defaults={"purposes": {"forbid": "sale"}}), "^defaults.purposes.forbid: write a list of words$"),
        (entry("CA-BC", purposes={"forbid": ["lease", 1]}), "^CA-BC.purposes.forbid: write a list of words$"),
        (entry("CA-BC", purposes={"allow": "verify"}), "^CA-BC.purposes.allow: write a list of words$"),
        (entry("CA-BC", status="stayed"), "^jurisdictions.CA-BC.as_of: say on which day it was stayed"),
        (entry("CA-BC", status="struck"), "^jurisdictions.CA-BC.as_of: say on which day it was struck"),
        (entry("CA-BC", law=[]), "^jurisdictions.CA-BC.law: name the law"),
        (entry("NZ", rule="NZ-1"), "^jurisdictions.NZ.law: name the law"),
        (entry("EU", members=["FR", False]), "^jurisdictions.EU.members: YAML reads NO"),
        *[(document(defaults={key: 1}), f"^defaults.{key}: ") for key in RETIRED],
        *[(entry("CA-BC", **{key: 1}), f"^jurisdictions.CA-BC.{key}: ") for key in RETIRED],
        *[(entry("CA-BC", retention={key: 1}), f"^jurisdictions.CA-BC.retention.{key}: ") for key in RETIRED],
        (entry("XYZ", law=["a"]), "XYZ"),
        (entry("FR", law=["a"], members=["DE"]), "members: DE stands in two groups"),
        (entry("FR", law=["a"], members=["GP"]), "EU.members: FR has members of its own; name those here, and leave them out there$"),
        (entry("GP", law=["a"], members=["RE", "FR-IDF"]), "^jurisdictions.GP.members: FR-IDF is no code of a country"),
        (entry("FR-IDF", law=["a"], members=["GP"]), "FR-IDF.members: a part of a country takes no countries along; leave it out$"),
        (entry("XE", law=["a"], members=["NO", "UK"]), "^jurisdictions.XE.members: UK is no code of a country"),
        (entry("XE", law=["a"], members=["NO", 5]), "^jurisdictions.XE.members"),
        (document(defaults={"with_grant": ["collect"]}), "^unknown.with_grant|never opened"),
        *FLOOR_ALLOWED,
    ],
)
def test_a_fault_is_told_with_its_key_and_the_remedy(written: object, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        policy_from(written)


def test_each_remedy_of_a_key_that_nothing_reads_is_told_as_it_stands() -> None:
    for key, remedy in RETIRED.items():
        with pytest.raises(PolicyError) as error:
            policy_from(entry("CA-BC", **{key: 1}))
        assert str(error.value) == f"jurisdictions.CA-BC.{key}: {remedy}"
        with pytest.raises(PolicyError) as error:
            policy_from(entry("CA-BC", retention={key: 1}))
        assert str(error.value) == f"jurisdictions.CA-BC.retention.{key}: {remedy}"


def test_a_stayed_entry_that_says_since_when_is_read() -> None:
    rules = policy_with(CA_BC={"status": "stayed", "as_of": "2026-05-01"}).rules_for(Jurisdiction("CA-BC"))
    assert (rules.status, str(rules.as_of)) == ("stayed", "2026-05-01")


@pytest.mark.parametrize("member", ["FR", "FR-IDF"])
def test_an_entry_of_a_member_and_of_its_part_takes_from_the_group_what_it_leaves_out(member: str) -> None:
    policy = policy_from(entry(member, law=["CNIL"], consent={"age_min": 15, "guardian_below": 15}))
    rules, group = policy.jurisdictions[Jurisdiction(member)], policy.jurisdictions[Jurisdiction("EU")]
    assert (rules.law, rules.rule, rules.filings, rules.members) == (("CNIL",), group.rule, group.filings, ())
    assert (rules.consent.age_min, rules.consent.form) == (15, group.consent.form)


def test_an_entry_of_no_member_takes_nothing_from_a_group() -> None:
    rules = policy_from(entry("NZ", law=["NZ"])).jurisdictions[Jurisdiction("NZ")]
    assert (rules.rule, rules.filings) == (shipped().unknown.rule, {})


def test_a_group_may_have_a_code_that_is_no_country_s() -> None:
    policy = policy_from(entry("XE", law=["a treaty"], members=["NZ", "JP"]))
    assert [policy.rules_for(Jurisdiction(place)).law for place in ("NZ", "JP", "JP-13")] == [("a treaty",)] * 3


def test_a_file_names_five_hundred_places() -> None:
    written = document(jurisdictions={f"FR-{number:03}": {"law": ["x"]} for number in range(500 - len(document()["jurisdictions"]))})
    assert len(policy_from(written).jurisdictions) == 500
    with pytest.raises(PolicyError, match=r"^jurisdictions: 501 entries are too many; name 500 at most$"):
        policy_from(merged(written, {"jurisdictions": {"FR-500": {"law": ["x"]}}}))


def test_what_is_forbidden_adds_up_over_defaults_group_and_entry() -> None:
    written = document(
        defaults={"purposes": {"forbid": [*FLOOR_FORBIDDEN, "trade"]}},
        jurisdictions={"EU": {"purposes": {"forbid": ["lease"]}}, "FR": {"law": ["CNIL"], "purposes": {"forbid": ["profit"]}}},
    )
    policy = policy_from(written)
    forbidden = {code: policy.jurisdictions[Jurisdiction(code)].purposes.forbid for code in ("FR", "EU", "GB")}
    assert forbidden == {
        "FR": tuple(sorted({*FLOOR_FORBIDDEN, "trade", "lease", "profit"})),
        "EU": tuple(sorted({*FLOOR_FORBIDDEN, "trade", "lease"})),
        "GB": tuple(sorted({*FLOOR_FORBIDDEN, "trade"})),
    }
    assert policy.unknown.purposes.forbid == tuple(sorted({*FLOOR_FORBIDDEN, "trade"}))


@pytest.mark.parametrize("dataset", LEAST_BUFFER_M)
def test_a_buffer_is_as_wide_as_its_areas_need(dataset: str) -> None:
    least = LEAST_BUFFER_M[dataset]
    wide = policy_from(document(location={"buffer_m": {"ne10m": 2000, "dcw": 500, dataset: least}}))
    assert wide.location.buffer_of(f"{dataset}-0-1") == least
    with pytest.raises(PolicyError, match=f"buffer_m.{dataset}: true areas are missed at borders below {least:.0f} metres"):
        policy_from(document(location={"buffer_m": {dataset: least - 1}}))


def test_areas_that_are_not_used_need_no_buffer() -> None:
    written = document()
    written["location"]["buffer_m"] = {"ne10m": 5000, "other": 0}
    assert policy_from(written).location.buffer_of("other-2") == 0


@pytest.mark.parametrize(
    "buffers",
    [
        pytest.param({}, id="none"),
        pytest.param({"dcw": 1000}, id="those-of-other-areas"),
        pytest.param({"ne_10m": 5000, "dcw": 1000}, id="mistyped"),
    ],
)
def test_a_file_without_a_buffer_for_the_areas_that_are_loaded_is_refused_and_a_published_one_is_read(buffers: dict[str, int]) -> None:
    written, published = document(), json.loads(shipped().canonical_json())
    written["location"]["buffer_m"] = published["location"]["buffer_m"] = buffers
    with pytest.raises(PolicyError, match=r"^location.buffer_m: ne10m, by which positions are told, is not there; name it, such as"):
        policy_from(written)
    assert Policy.from_canonical_json(json.dumps(published)).location.buffer_m == buffers


TODAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"CA-BC": {"status": "stayed", "as_of": "2026-11-28"}}, "CA-BC", id="stayed"),
        pytest.param({"CA-BC": {"status": "struck", "as_of": "2090-01-01"}}, "CA-BC", id="struck"),
        pytest.param({"CA-BC": {"as_of": "2026-11-28"}}, "CA-BC", id="in-force"),
        pytest.param({"EU": {"status": "stayed", "as_of": "2026-11-28"}}, "EU", id="a-group"),
    ],
)
def test_a_file_that_speaks_of_a_day_to_come_is_refused_and_a_published_one_is_read(changes: dict[str, Any], told: str) -> None:
    written = document(jurisdictions=changes)
    with pytest.raises(
        PolicyError, match=rf"^jurisdictions.{told}.as_of: 20\d\d-\d\d-\d\d has not come, .* from its publication on; write"
    ):
        policy_from(written, today=TODAY)
    assert Policy.from_canonical_json(policy_from(written).canonical_json()) == policy_from(written)


def test_the_defaults_speak_of_no_day_to_come() -> None:
    with pytest.raises(PolicyError, match=r"^defaults.as_of: 2026-11-28 has not come"):
        policy_from(document(defaults={"as_of": "2026-11-28"}), today=TODAY)


def test_a_day_that_has_begun_somewhere_has_come() -> None:
    """In Auckland it is the next day when the registry reads the file."""
    written = entry("CA-BC", status="stayed", as_of="2026-11-27")
    assert policy_from(written, today=TODAY).jurisdictions[Jurisdiction("CA-BC")].as_of == date(2026, 11, 27)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        pytest.param(entry("CA-BC", law=[""]), "jurisdictions.CA-BC.law", id="law"),
        pytest.param(entry("CA-BC", law=["PIPA-BC", " \t"]), "jurisdictions.CA-BC.law", id="one-of-two-laws"),
        pytest.param(entry("CA-BC", authority=" "), "jurisdictions.CA-BC.authority", id="authority"),
        pytest.param(
            entry("US-IL", consent={"notice_fields": ["specific_purpose", ""]}), "jurisdictions.US-IL.consent.notice_fields", id="notice"
        ),
        pytest.param(
            entry("CA-QC", filings={"cai_process": {"reference": " "}}), "jurisdictions.CA-QC.filings.cai_process.reference", id="filing"
        ),
        pytest.param(entry("CA-QC", filings={" ": {"rule": "QC-2"}}), "jurisdictions.CA-QC.filings", id="name-of-a-filing"),
        pytest.param(document(defaults={"law": [""]}), "defaults.law", id="defaults"),
        pytest.param(document(location={"buffer_m": {"": 1}}), "location.buffer_m", id="areas"),
    ],
)
def test_a_blank_text_in_a_file_is_refused_and_told_where(written: dict[str, Any], told: str) -> None:
    with pytest.raises(PolicyError) as error:
        policy_from(written)
    assert str(error.value) == f"{told}: a text is blank there; write it out, or leave it out"


def test_a_blank_text_in_a_published_policy_is_read() -> None:
    published = json.loads(shipped().canonical_json())
    published["jurisdictions"]["CA-BC"] |= {"law": [""], "authority": ""}
    assert Policy.from_canonical_json(json.dumps(published)).rules_for(Jurisdiction("CA-BC")).law == ("",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no json", "^policy: the document is no JSON$"),
        ("[" * 100_000, "^policy: the document is no JSON$"),
        ("[]", "^policy: "),
        ('{"jurisdictions": {}}', "^version: "),
        ('{"jurisdictions": {"CA": 1}, "unknown": 2}', "^version: |^jurisdictions.CA: "),
    ],
)
def test_a_published_document_that_is_none_says_where(text: str, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        Policy.from_canonical_json(text)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("retention", 1, "jurisdictions.CA-BC.retention: "),
        ("retention", {"max_days": 0}, "jurisdictions.CA-BC.retention.max_days: "),
        ("status", "repealed", "jurisdictions.CA-BC.status: "),
    ],
)
def test_a_fault_in_a_published_document_is_told_with_its_whole_key(key: str, value: object, told: str) -> None:
    written = json.loads(shipped().canonical_json())
    written["jurisdictions"]["CA-BC"][key] = value
    with pytest.raises(PolicyError) as error:
        Policy.from_canonical_json(json.dumps(written))
    assert str(error.value).startswith(told)


def test_keys_that_nothing_read_are_passed_over_in_a_published_document_wherever_they_stood() -> None:

    written = json.loads(shipped().canonical_json())
    for held in (*written["jurisdictions"].values(), written["unknown"]):
        held.update(dict.fromkeys(RETIRED, 1))
        held["retention"].update(dict.fromkeys(RETIRED, 1))
    assert Policy.from_canonical_json(json.dumps(written)) == shipped()
    kept = json.loads(shipped().canonical_json())
    kept["jurisdictions"]["CA-QC"]["filings"]["order"] = {"rule": "QC-9"}
    assert "order" in Policy.from_canonical_json(json.dumps(kept)).jurisdictions[Jurisdiction("CA-QC")].filings


def test_a_country_may_stand_in_the_group_of_its_own_code_with_its_territories() -> None:
    found = policy_from(document(jurisdictions={"EU": {"members": ["DE"]}, "FR": {"law": ["a"], "rule": "FR-1", "members": ["FR", "GP"]}}))
    assert {found.entry_for(Jurisdiction(code)) for code in ("FR", "GP", "FR-IDF", "GP-X")} == {"FR"}
