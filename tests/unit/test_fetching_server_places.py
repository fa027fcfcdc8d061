"""Tables of addresses as files: which address is looked up, when they are too old, and one clear line where they cannot be read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from assent.fetching.server_places import MAX_AGE, ServerPlaces, ServerTableError
from assent.testing.fake_clock import FakeClock
from services.crawler.settings import CrawlerSettings
from tests.unit.grant_examples import NOW
from tests.unit.server_table_examples import table

NETWORKS = {
    "1.1.1.0/24": {"country_code": "AU", "asn": "AS13335"},
    "93.184.0.0/16": {"country_code": "AU", "asn": "AS1221"},
    "2001:4860::/32": {"country_code": "NZ", "asn": "AS9500"},
}


def places(path: Path | None, networks: Path | None = None, *, clock: FakeClock | None = None) -> ServerPlaces:
    return ServerPlaces(places=path, networks=networks, clock=clock or FakeClock(NOW))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return table(tmp_path / "servers.mmdb", NETWORKS, built_at=NOW - timedelta(days=2))


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("93.184.216.34", "AU"),
        ("::ffff:93.184.216.34", "AU"),
        ("64:ff9b::5db8:d822", "AU"),
        ("2001:4860:4860::8888", "NZ"),
        ("2001:4860:4860::8888%eth0", "NZ"),
        ("1.1.1.1", None),
        ("8.8.8.8", None),
        ("2a00::1", None),
    ],
)
def test_an_address_is_looked_up_as_what_it_is(file: Path, address: str, country: str | None) -> None:
    servers = places(file)
    assert [item.value for item in servers.told(address)] == ([] if country is None else [f"{country} {servers.version}"])


def test_networks_may_stand_in_a_table_of_their_own(file: Path, tmp_path: Path) -> None:
    alone = table(tmp_path / "places.mmdb", {"93.184.0.0/16": {"country": {"iso_code": "AU"}}}, built_at=NOW)
    assert places(alone).told("93.184.216.34") == ()
    found = places(alone, file)
    assert [item.value[:2] for item in found.told("93.184.216.34")] == ["AU"]
    assert found.version != places(file).version
    assert found.age_s == pytest.approx(timedelta(days=2).total_seconds())


def test_a_table_of_more_than_ninety_days_says_nothing(file: Path) -> None:
    clock = FakeClock(NOW)
    servers = places(file, clock=clock)
    clock.advance((MAX_AGE - timedelta(days=2)).total_seconds())
    assert servers.told("93.184.216.34")
    clock.advance(1)
    assert servers.told("93.184.216.34") == ()
    assert servers.place("93.184.216.34").is_stale


def test_without_a_table_or_an_address_nothing_is_told(file: Path) -> None:
    assert (places(None).told("93.184.216.34"), places(None).version, places(None).age_s) == ((), None, 0.0)
    assert places(file).told(None) == ()


def test_the_content_of_the_tables_names_them(file: Path, tmp_path: Path) -> None:
    same = tmp_path / "same.mmdb"
    same.write_bytes(file.read_bytes())
    other = table(tmp_path / "other.mmdb", NETWORKS, built_at=NOW)
    assert places(file).version == places(same).version != places(other).version


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.unlink(), "cannot be read (No such file or directory); name a MaxMind DB file"),
        (lambda path: path.write_bytes(b""), "is no MaxMind DB file, or is cut off; fetch it again"),
        (lambda path: path.write_bytes(b"country,AU\n" * 900), "is no MaxMind DB file, or is cut off; fetch it again"),
        (lambda path: path.write_bytes(path.read_bytes()[:-90]), "is no MaxMind DB file, or is cut off; fetch it again"),
    ],
    ids=["not there", "empty", "a list", "cut off"],
)
def test_a_file_that_is_no_table_is_told_in_one_line(file: Path, spoil: object, said: str) -> None:
    spoil(file)  # type: ignore[operator]
    with pytest.raises(ServerTableError) as caught:
        places(file)
    assert str(caught.value).endswith(said) or said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_damaged_table_ends_the_round_and_is_not_taken_for_silence(file: Path) -> None:
    whole = file.read_bytes()
    start = whole.index(b"country_code") - 2
    file.write_bytes(whole[:start] + b"\xff" * 40 + whole[start + 40 :])
    servers = places(file)
    with pytest.raises(ServerTableError, match="damaged"):
        servers.told("1.1.1.1")


def test_networks_without_places_are_a_mistake_of_the_settings(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_CRAWLER_SERVER_NETWORKS_FILE", str(file))
    with pytest.raises(ValueError, match="server_networks_file goes with server_places_file"):
        CrawlerSettings(log_url="sqlite:x", keys_folder=file.parent, keys_url="memory://", blobs_url="memory://")
