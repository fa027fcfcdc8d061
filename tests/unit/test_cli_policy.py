"""`assent policy show` and `diff`: what they print, how they exit, and one clear line for what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assent.cli.main import main
from tests.unit.policy_examples import shipped_text
from tests.unit.test_cli_usage import ended

QUEBEC = {
    "cai_database: {rule: QC-3, lead_days: 60}": "cai_database: {rule: QC-3, lead_days: 60, reference: CAI-7, filed_on: 2020-05-01}",
    "cai_process: {rule: QC-2}": "cai_process: {rule: QC-2, reference: CAI-6, filed_on: 2020-05-01}",
    "privacy_impact_assessment: {rule: QC-8}": "privacy_impact_assessment: {rule: QC-8, reference: PIA-1, filed_on: 2020-05-01}",
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder without data, and no service named in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASSENT_URL", raising=False)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(("policy", *words))
    said = capsys.readouterr()
    assert said.err == ""
    return code, said.out


def written(changes: dict[str, str], name: str = "mine.yaml") -> str:
    text = shipped_text().replace('"2026-11-26.1"', '"mine.1"')
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    Path(name).write_text(text)
    return name


def test_one_line_per_entry_and_one_for_every_other_place(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, "show")
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert code == 0
    assert {"AU", "CA", "CA-AB", "CA-BC", "CA-QC", "EU", "GB", "US-IL", "US-TX", "UNKNOWN"} < set(lines)
    assert lines["CA-BC"].split()[1:6] == ["in_force", "closed", "BC-1", "with_grant", "with_grant"]
    assert "every place without an entry" in lines["UNKNOWN"]
    assert len(json.loads(told(capsys, "show", "--json")[1])["entries"]) == 10


def test_an_entry_is_told_in_words_after_the_defaults_are_merged(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, "show", "ca-qc", "--policy", "shipped")
    assert code == 0
    for line in (
        "CA-QC: an entry of its own",
        "status      in force",
        "filing      cai_database: asked for, 60 days ahead (QC-3), and not filed",
        "    offer     closed by QC-1",
        "    use       closed by QC-3 (embed, store, search)",
        "    form        express; an opt-out or an implied yes is none",
        "    age         18 or older by herself; below 14 with a guardian; from 14 to 17 nobody can",
        "    time        365 days at most; heard of in the last 1095 days",
    ):
        assert line in out.splitlines()


def test_a_filing_tells_from_when_it_counts(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "show", "CA-QC", "--policy", written(QUEBEC))[1]
    assert "filing      cai_database: filed on 2020-05-01 as CAI-7, 60 days ahead (QC-3); counts" in out
    assert "    collect   with a grant that fits" in out
    late = written({"{rule: QC-3, lead_days: 60}": "{rule: QC-3, lead_days: 60, reference: CAI-7, filed_on: 2990-01-01}"})
    assert "counts from 2990-03-02 on" in told(capsys, "show", "CA-QC", "--policy", late)[1]


def test_a_place_without_an_entry_of_its_own_says_whose_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "show", "FR")[1].startswith("FR: governed by the entry EU")
    assert "judged as UNKNOWN; a place that nobody can tell is never opened" in told(capsys, "show", "NZ")[1]
    document = json.loads(told(capsys, "show", "CA-ON", "--json")[1])
    assert (document["governed_by"], document["entry"]["consent"]["age_min"]) == ("CA", 18)
    assert document["operations"][1] == {
        "operation": "collect",
        "openness": "closed",
        "rules": [{"rule": "CA-1", "why": "the rest of Canada is closed"}],
    }


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show", "Quebec"), "did you mean CA-QC?"),
        (("show", "XX"), "'XX' is no code of a place that is known; write one such as CA-QC"),
        (("show", "CA-QC", "--policy", "gone.yaml"), "gone.yaml cannot be read"),
        (("diff", "gone.yaml", "shipped"), "gone.yaml cannot be read"),
        (("diff", "shipped"), "NEW"),
        ((), "ACTION"),
    ],
    ids=str,
)
def test_what_cannot_be_answered_is_told_in_one_line(words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = ended(capsys, "policy", *words)
    assert code == 2
    assert told in line


def test_a_fault_of_a_file_names_the_file_and_the_key(capsys: pytest.CaptureFixture[str]) -> None:
    bad = written({"status: in_force": "status: open_to_all"})
    code, line = ended(capsys, "policy", "diff", "shipped", bad)
    assert (code, "mine.yaml" in line, "status" in line) == (2, True, True)


def test_the_same_policy_exits_0_also_under_another_version(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, "diff", "shipped", written({}))
    assert (code, out.splitlines()[-1]) == (0, "the same, but for the version 2026-11-26.1 and mine.1")
    assert told(capsys, "diff", "published", "shipped")[0] == 0


def test_a_widening_is_named_and_exits_1(capsys: pytest.CaptureFixture[str]) -> None:
    later = {old: new.replace("2020", "2990") for old, new in QUEBEC.items()}
    code, out = told(capsys, "diff", "shipped", written({**later, "expires_max_days: 730": "expires_max_days: 500"}))
    assert code == 1
    assert "CA-QC  WIDER" in out
    assert "+ allowed now from 2990-06-30 on: collect, embed, store, search, disclose (for self_search); was refused by QC-3" in out
    assert "CA-BC  narrower" in out
    assert "consent.expires_max_days: 730 -> 500 (narrower alone)" in out
    assert "WIDER: CA-QC. Something is allowed that was not; two people have to sign it." in out


def test_a_narrowing_and_mere_words_need_no_second_person(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(
        capsys, "diff", "shipped", written({"law: [PIPEDA]": "law: [PIPEDA, more]", "age_min: 19, guardian": "age_min: 20, guardian"})
    )
    assert code == 1
    assert "CA  different" in out
    assert "  holds for CA-MB" in out
    assert "law: +more (decides nothing alone)" in out
    assert "Not wider: nothing is allowed that was not; no second person is needed." in out


def test_json_holds_places_changes_and_keys(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, "diff", "shipped", written(QUEBEC), "--json")
    document = json.loads(out)
    assert (code, document["is_same"], document["is_wider"]) == (1, False, True)
    (place,) = document["places"]
    assert (place["direction"], place["changes"][0]["rules"]) == ("wider", ["QC-3"])
    assert {key["key"] for key in place["keys"]} >= {"filings.cai_database.reference", "filings.cai_process.filed_on"}
