"""`assent geo where`: what it prints of a place, and one clear line for everything that is no position."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assent.cli.main import main
from assent.geofence.areas import area_description
from tests.unit.policy_examples import shipped, shipped_text
from tests.unit.server_table_examples import table
from tests.unit.test_cli_usage import ended


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder without data, and no service named in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASSENT_URL", raising=False)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(("geo", "where", *words))
    said = capsys.readouterr()
    assert said.err == ""
    return code, said.out


def test_a_border_town_is_told_step_by_step(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, "45.4301", "-75.7093")
    assert code == 0
    for line in (
        "position    45.4301 N, 75.7093 W",
        "on the map  CA-ON",
        "circle      5100 m: 100 m accuracy (the least that is believed) + 5000 m, the buffer of these areas",
        "CA-ON  governed by the entry CA: PIPEDA",
        "    everything  closed by CA-1",
        "    use       closed by CA-1, QC-3 (embed, store, search)",
        "policy  2026-11-26.1: the shipped one; nothing is published in assent-data",
    ):
        assert line in out.splitlines()
    assert area_description().sha256 in out
    assert "waits 60 days." in out
    assert "a confirmed residence" in out


def test_json_holds_the_same_with_every_version_and_digest(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, "49.2888", "-123.1111", "--json")
    document = json.loads(out)
    assert (code, document["is_unknown"], document["needs_residence"]) == (0, False, True)
    (candidate,) = document["candidates"]
    assert (candidate["jurisdiction"], candidate["entry"]) == ("CA-BC", "CA-BC")
    states = {state["operation"]: state for state in candidate["operations"]}
    assert states["embed"] == {"operation": "embed", "openness": "with_grant", "rules": []}
    assert states["serve_clients"]["rules"][0]["rule"] == "BC-1"
    assert document["areas"]["version"] == f"ne10m-{area_description().sha256[:12]}"
    assert document["policy"]["version"] == shipped().version
    assert len(document["policy"]["sha256"]) == 64


def test_another_policy_is_named_and_used(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(shipped_text().replace("rule: CA-1", "rule: CA-9").replace('"2026-11-26.1"', '"mine.1"'))
    code, out = told(capsys, "43.6532", "-79.3832", "--policy", str(file))
    assert code == 0
    assert f"policy  mine.1: the file {file}" in out
    assert "closed by CA-9" in out


@pytest.mark.parametrize("position", [("90", "0"), ("30", "-40"), ("30", "180"), ("47.7", "-87.5")])
def test_where_nobody_can_tell_the_answer_is_unknown_and_no(position: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, *position)
    assert code == 1
    assert "touches     nothing, so the place is UNKNOWN" in out
    assert "UNKNOWN  a place that nobody can tell is never opened" in out
    assert "everything  closed by X-1" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("0", "0"), "a device writes it where it has none"),
        (("0.0", "-0"), "a device writes it where it has none"),
        (("nan", "3"), "'nan' is no latitude: write decimal degrees"),
        (("45", "-inf"), "'-inf' is no longitude: write decimal degrees"),
        (("95", "170"), "95 is no latitude; it lies between -90 and 90"),
        (("-113.5", "53.5"), "if the two are swapped: assent geo where 53.5 -113.5"),
        (("45", "181"), "181 is no longitude; it lies between -180 and 180"),
        (("45,4N", "75"), "'45,4N' is no latitude: write 45.4"),
        (("45.4", "-75,7"), "'-75,7' is no longitude: write -75.7"),
        (("45.4", "75.7O"), "write -75.7"),
        (("33.8S", "151"), "write -33.8"),
        (("33.8E", "151"), "south and west are negative"),
        (("ottawa", "ontario"), "'ottawa' is no latitude: write decimal degrees with a point"),
        (("", "3"), "'' is no latitude"),
        (("45", "3", "--accuracy", "near"), "near is no accuracy; write metres"),
        (("45", "3", "--accuracy", "-1"), "-1 is no accuracy"),
        (("45", "3", "--accuracy", "nan"), "nan is no accuracy"),
        (("45",), "LON"),
        (("45", "3", "--policy", "missing.yaml"), "missing.yaml cannot be read"),
    ],
    ids=" ".join,
)
def test_what_is_no_position_is_told_in_one_line(words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = ended(capsys, "geo", "where", *words)
    assert code == 2
    assert told in line


def served(folder: Path, *, age_days: float = 3) -> Path:
    networks = {
        "93.184.0.0/16": {"country_code": "AU", "asn": "AS1221"},
        "8.8.8.0/24": {"country_code": "NZ", "asn": "AS701"},
        "1.1.1.0/24": {"country_code": "AU", "asn": "AS13335"},
        "9.9.9.0/24": {"country_code": "AU"},
        "7.7.7.0/24": {"asn": "AS721"},
    }
    return table(folder / "servers.mmdb", networks, built_at=datetime.now(UTC) - timedelta(days=age_days))


def server(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(("geo", "server", *words))
    said = capsys.readouterr()
    assert said.err == ""
    return code, said.out


def test_a_server_is_told_with_its_weight_and_what_it_closes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = str(served(tmp_path))
    code, out = server(capsys, "93.184.216.34", "--places", file)
    assert code == 0
    lines = out.splitlines()
    assert lines[:3] == ["network  AS1221", "server   AU", "weight   1: closes by itself, whatever else is said"]
    assert "    everything  closed by AU-1" in lines
    assert any(line.startswith("AU-1: Australia is closed, for servers there too. ") for line in lines)
    assert any(line.endswith(", 3 days old") for line in lines)
    code, out = server(capsys, "8.8.8.8", "--places", file)
    assert (code, "weight   0.4: a hint: it adds what follows, unless a residence or capture place of hers lies in NZ" in out) == (0, True)


@pytest.mark.parametrize(
    ("address", "age_days", "why"),
    [
        ("1.1.1.1", 3, "a content network or a cloud answers from anywhere"),
        ("9.9.9.9", 3, "without its network a content network cannot be told from a server"),
        ("7.7.7.7", 3, "the tables name no country, or an address of many places"),
        ("2001:db8::1", 3, "without its network a content network cannot be told from a server"),
        ("93.184.216.34", 91, "the tables are older than 90 days"),
    ],
)
def test_where_nothing_is_told_the_reason_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, address: str, age_days: float, why: str
) -> None:
    code, out = server(capsys, address, "--places", str(served(tmp_path, age_days=age_days)), "--json")
    document = json.loads(out)
    assert (code, document["country"], document["why_not"], document["candidates"]) == (1, None, why, [])


def test_the_crawlers_own_settings_name_the_tables(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSENT_CRAWLER_SERVER_PLACES_FILE", str(served(tmp_path)))
    code, out = server(capsys, "93.184.216.34", "--json")
    assert (code, json.loads(out)["country"]) == (0, "AU")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("93.184.216.34",), "no table of addresses is named; give --places FILE"),
        (("www.example.org", "--places", "x"), "is no numeric address; write one such as"),
        (("93.184.216.34", "--places", "nowhere.mmdb"), "nowhere.mmdb cannot be read (No such file or directory); name a MaxMind DB file"),
    ],
)
def test_a_mistake_about_a_server_is_one_line(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str) -> None:
    code = main(("geo", "server", *words))
    told = capsys.readouterr().err
    assert code in (2, 3)
    assert told.count("\n") == 1
    assert said in told
