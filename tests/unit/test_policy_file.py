"""The policy file: what cannot be read whole and without doubt is refused in one line that names file, key and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, Jurisdiction
from services.registry.policy_file import MAX_BYTES, PolicyFileError, read_policy
from services.registry.published_policy import PolicyInForce
from tests.unit.policy_examples import shipped, shipped_text

CANADA = "    law: [PIPEDA]\n"
FORBID = "forbid: [sale, advertising, emotion, ethnicity, mass_identification]"
ILLINOIS = "purposes: {allow: [self_search, verify, gallery_search], forbid: [sale, lease, trade, profit]}"


def changed(old: str, new: str) -> str:
    """The shipped file with one passage changed, so that a passage that is gone fails the test."""
    text = shipped_text()
    assert text.count(old) >= 1
    return text.replace(old, new, 1)


def refusal(tmp_path: Path, text: str) -> str:
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyFileError) as caught:
        read_policy(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


def test_the_shipped_policy_reads_back_from_what_is_signed() -> None:
    published = read_policy(None)
    policy = Policy.from_canonical_json(published.document)
    assert (policy.version, policy.canonical_json()) == (published.version, published.document)
    in_force = PolicyInForce(published)
    assert in_force.expires_max_days(Jurisdiction("CA-BC")) == 730
    assert in_force.expires_max_days(UNKNOWN) == 365


def test_a_file_with_the_shipped_text_is_the_shipped_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(shipped_text(), encoding="utf-8")
    assert read_policy(path).document == read_policy(None).document


def test_norway_in_quotes_is_in_the_european_group() -> None:
    assert shipped().rules_for(Jurisdiction("NO")) == shipped().rules_for(Jurisdiction("EU"))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"NO"', "NO", "jurisdictions.EU.members"),
        ("  GB:\n", "  NO:\n", "Norway"),
        ("  GB:\n", "  AU:\n", "'AU' stands twice"),
        ("  GB:\n", "  Britain:\n", "Britain"),
        ("  GB:\n", "  UNKNOWN:\n", "UNKNOWN"),
        (CANADA, "", "jurisdictions.CA.law"),
        (CANADA, "    law: []\n", "jurisdictions.CA.law"),
        (CANADA, '    law: [""]\n', "jurisdictions.CA.law: a text is blank"),
        (CANADA, CANADA + "    status: stayed\n    as_of: 2999-01-01\n", "jurisdictions.CA.as_of: 2999-01-01 has not come"),
        ("ne10m: 5000", "ne_10m: 5000", "location.buffer_m: ne10m"),
        (CANADA, CANADA + "    basis: publicly_available\n", "jurisdictions.CA.basis"),
        (CANADA, CANADA + "    consent: {form: implied}\n", "jurisdictions.CA.consent.form"),
        (CANADA, CANADA + "    consent: {explicit: false}\n", "jurisdictions.CA.consent.explicit"),
        (CANADA, CANADA + "    consent: {evidence_min: 0}\n", "jurisdictions.CA.consent.evidence_min"),
        (CANADA, CANADA + "    with_grant: [collect, everything]\n", "jurisdictions.CA.with_grant"),
        (CANADA, CANADA + "    status: repealed\n", "jurisdictions.CA.status"),
        (CANADA, CANADA + "    transient_match: audited\n", "jurisdictions.CA.transient_match"),
        (CANADA, CANADA + "    retention: {max_days: 4000}\n", "jurisdictions.CA.retention.max_days"),
        (CANADA, CANADA + "    withdrawal: {photo_required: true}\n", "jurisdictions.CA.withdrawal: how fast"),
        (CANADA, CANADA + "    connectors: [residence]\n", "jurisdictions.CA.connectors: every connector counts"),
        (CANADA, CANADA + "    order: {issued: 2021-12-14}\n", "jurisdictions.CA.order: an order that binds others"),
        (CANADA, CANADA + "    order_received: {issued: 2021-02-30}\n", "day"),
        (CANADA, CANADA + "    retention: {published: true}\n", "jurisdictions.CA.retention.published: it published nothing"),
        ("  bystanders: drop_image\n", "  bystanders: drop_image\n  connectors: [client]\n", "defaults.connectors: every connector counts"),
        (CANADA, CANADA + "    status: stayed\n", "jurisdictions.CA.as_of: say on which day it was stayed"),
        (CANADA, CANADA + "    status: struck\n    as_of: soon\n", "jurisdictions.CA.as_of"),
        (CANADA, CANADA + "    members: [FR]\n", "two groups"),
        (CANADA, CANADA + "    law: [again]\n", "'law' stands twice"),
        (CANADA, CANADA + "    purposes: {allow: [mass_search]}\n", "jurisdictions.CA.purposes.allow"),
        (CANADA, CANADA + "    purposes: {forbid: sale}\n", "list of words"),
        (CANADA, CANADA + "    <<: {status: stayed}\n", "leave it out"),
        (ILLINOIS, "purposes: {allow: [self_search, sale], forbid: [lease]}", "jurisdictions.US-IL.purposes.allow"),
        (FORBID, "forbid: [advertising, emotion, ethnicity, mass_identification]", "defaults.purposes.forbid: sale"),
        (FORBID, "forbid: []", "defaults.purposes.forbid"),
        ("with_grant: []", "with_grant: [collect]", "unknown.with_grant"),
        ("allow_threshold: 0.7", "allow_threshold: 1.2", "location.allow_threshold"),
        ("allow_threshold: 0.7", "allow_threshold: 0.1", "location.allow_threshold"),
        ("allow_threshold: 0.7", "allow_threshold: .nan", "location.allow_threshold"),
        ("deny_threshold: 0.25", "deny_threshold: 0.9", "location.deny_threshold"),
        ("deny_threshold: 0.25", "deny_threshold: -0.1", "location.deny_threshold"),
        ("server_deny_weight: 1.0", "server_deny_weight: 1.1", "server_deny_weight"),
        ("ne10m: 5000", "ne10m: -5000", "location.buffer_m.ne10m"),
        ("ne10m: 5000", "ne10m: 0", "buffer_m.ne10m"),
        ("ne10m: 5000", "ne10m: .nan", "location.buffer_m.ne10m"),
        ("schema: assent.policy/1", "schema: assent.policy/2", "schema"),
        ("schema: assent.policy/1\n", "schema: assent.policy/1\nextra: 1\n", "extra"),
        ('version: "2026-11-26.1"', "version: 2026", "version"),
        ("  GB:\n", "  GB: &x [*x]\n  GG:\n", "within itself"),
        ("  GB:\n", "  GB: !!python/name:os.system\n  GG:\n", "python/name"),
        ("  GB:\n", "  GB: [\n", "line"),
    ],
)
def test_a_file_that_is_wrong_in_one_place_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert told in refusal(tmp_path, changed(old, new))


@pytest.mark.parametrize("key", ["null", "~", "1", "2026-11-26"])
@pytest.mark.parametrize("where", ["", "  "], ids=["above", "among the places"])
def test_a_key_that_is_no_word_is_refused(tmp_path: Path, key: str, where: str) -> None:
    assert "is no word; put it in quotes" in refusal(tmp_path, shipped_text() + f"{where}{key}: {{law: [x]}}\n")


def filing(written: str) -> str:
    return CANADA + f"    filings: {{dpia: {{rule: CA-1, reference: D-1, {written}}}}}\n"


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (filing("filed_on: 0"), "filed_on: write a day as 2026-11-26"),
        (filing("filed_on: 1764115200"), "filed_on: write a day as"),
        (filing("filed_on: '1764115200'"), "filed_on: write a day as"),
        (filing("filed_on: 2026-11-20T00:00:00Z"), "filed_on: write a day as"),
        (filing("filed_on: 9999-12-31, lead_days: 60"), "filed_on"),
        (filing("filed_on: 2026-11-20, lead_days: false"), "lead_days"),
        (filing("filed_on: 2026-11-20, lead_days: 060"), "line 67, column 83: 060 is another number than it looks"),
        (CANADA + "    order_received: {issued: 2026-01-01, report_days: 999999999999}\n", "report_days"),
        (CANADA + "    order_received: {issued: 9999-12-30, report_days: 1}\n", "issued"),
        (CANADA + "    consent: {age_min: true}\n", "age_min"),
        (CANADA + "    consent: {age_min: '16'}\n", "age_min"),
        (CANADA + "    consent: {expires_max_days: 1:30}\n", "1:30 is another number"),
        (CANADA + "    consent: {notice_sha256: 0}\n", "notice_sha256"),
        (CANADA + "    consent: {alternative_offered: 'off'}\n", "alternative_offered"),
        (CANADA + "    server_deny_weight: false\n", "server_deny_weight"),
        ('    law: ["\\ud800"]\n', "line 66, column 11: it is no text that can be signed"),
        (CANADA + '    filings: {"\\ud800": {rule: CA-1}}\n', "is no text that can be signed"),
        (CANADA + "    members: [US-IL]\n", "jurisdictions.CA.members: US-IL is no code of a country"),
        (CANADA + "    server_deny_weight: !!float ''\n", "does not fit the tag"),
        (CANADA + "    consent: {alternative_offered: !!bool perhaps}\n", "does not fit the tag"),
        (CANADA + "    order_received: {issued: !!timestamp soon}\n", "does not fit the tag"),
    ],
)
def test_a_number_or_a_day_that_could_be_read_as_another_is_refused(tmp_path: Path, new: str, told: str) -> None:
    assert told in refusal(tmp_path, changed(CANADA, new))


def test_more_entries_than_there_are_places_with_rules_are_refused(tmp_path: Path) -> None:
    more = "".join(f"  FR-{number:03}:\n    law: [x]\n" for number in range(500))
    assert "jurisdictions: 509 entries are too many" in refusal(tmp_path, changed("  GB:\n", f"{more}  GB:\n"))


@pytest.mark.parametrize("code", ["UK", "EL", "ZZ", "CA-QB", "US-ILL", "ca-on", "US-00"])
def test_an_entry_for_a_code_that_no_evidence_names_is_refused(tmp_path: Path, code: str) -> None:
    assert f"jurisdictions.{code}: {code} is no code" in refusal(tmp_path, changed("  GB:\n", f"  {code}:\n"))


def test_the_version_of_a_policy_with_a_stop_is_none_that_a_file_can_take(tmp_path: Path) -> None:
    assert "-stop. stands in the versions" in refusal(tmp_path, changed('"2026-11-26.1"', '"2026-11-26.1-stop.f28083399998"'))


@pytest.mark.parametrize("version", ['"1\\n2"', '"1\\u200b"', '"1\\u202e2"', '"1\\0"'])
def test_a_version_that_cannot_be_shown_as_it_is_is_refused(tmp_path: Path, version: str) -> None:
    assert "version" in refusal(tmp_path, changed('"2026-11-26.1"', version))


def test_aliases_that_stand_for_one_another_are_neither_followed_for_ever_nor_written_out(tmp_path: Path) -> None:
    itself = changed("  consent:\n    form: written_release", "  consent: &a\n    it: *a\n    form: written_release")
    assert "within itself" in refusal(tmp_path, itself.replace(CANADA, CANADA + "    consent: &b {it: *b}\n"))
    lines = "".join(f"      b{n}: &b{n} {{x: {below}, y: {below}}}\n" for n in range(40) for below in [f"*b{n - 1}" if n else "1"])
    assert "for too much" in refusal(tmp_path, changed("  consent:\n    form", f"  consent:\n    it:\n{lines}    form"))


def test_a_value_that_is_written_once_and_named_again_is_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    twice = changed(CANADA, CANADA + "    consent: &own {age_min: 21}\n").replace(
        "  GB:\n", "  NZ:\n    law: [x]\n    consent: *own\n  GB:\n"
    )
    path.write_text(twice, encoding="utf-8")
    assert [read_policy(path).policy.rules_for(Jurisdiction(place)).consent.age_min for place in ("CA", "NZ")] == [21, 21]


@pytest.mark.parametrize("text", ["", "[]", "policy", "null", "[" * 5000, "a: \x07"])
def test_a_file_that_is_no_policy_is_refused(tmp_path: Path, text: str) -> None:
    refusal(tmp_path, text)


def test_a_file_that_is_away_a_folder_too_long_or_no_text_is_refused(tmp_path: Path) -> None:
    long, binary = tmp_path / "long.yaml", tmp_path / "binary.yaml"
    long.write_text("#" * (MAX_BYTES + 1))
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none.yaml", tmp_path, long, binary):
        with pytest.raises(PolicyFileError, match=path.name):
            read_policy(path)


def test_an_entry_adds_to_what_is_forbidden_and_takes_nothing_away(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(changed(ILLINOIS, "purposes: {forbid: [lease]}"), encoding="utf-8")
    rules = Policy.from_canonical_json(read_policy(path).document).rules_for(Jurisdiction("US-IL"))
    assert {"sale", "advertising", "emotion", "ethnicity", "mass_identification", "lease"} <= rules.purposes_forbid
    assert rules.purposes_allow == {"self_search", "verify", "gallery_search"}
