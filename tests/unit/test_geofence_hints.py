"""Captions and time zones: hints that are recorded, that close where nobody knows better, and never open."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.events.evidence import EvidenceKind, PageEvidence
from assent.geofence.captions import MAX_CAPTION_CHARS, Captions
from assent.geofence.decision import candidate_set
from assent.geofence.evidence import Evidence
from assent.geofence.extract import page_evidence
from assent.geofence.residence import residence_evidence
from assent.geofence.time_zone import time_zone_evidence
from assent.geofence.toponyms import places_in_words, words_for_places
from services.crawler.page import MAX_EVIDENCE, read_page
from tests.unit.grant_examples import grant
from tests.unit.place_examples import LOCATION, UNREADABLE, areas, said
from tests.unit.policy_examples import places, shipped


def caption(*texts: str) -> tuple[Evidence, ...]:
    captions = Captions()
    for text in texts:
        captions.add(text)
    return captions.evidence()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Vancouver", {"CA-BC", "US-WA"}),
        ("London, Ontario", {"GB", "CA-ON", "US-CA"}),
        ("#montréal #fête", {"CA-QC"}),
        ("at the lake in CHICAGO!", {"US-IL"}),
        ("Prince George, BC", {"CA-BC"}),
    ],
)
def test_a_caption_names_every_place_that_it_may_mean(text: str, expected: set[str]) -> None:
    assert said(caption(text)) == {"caption": expected}


def test_a_caption_that_is_too_long_keeps_what_was_read_and_is_unreadable() -> None:
    assert said(caption("Chicago", "x" * MAX_CAPTION_CHARS)) == {"caption": {"US-IL", "UNKNOWN"}}
    assert caption("x " * (MAX_CAPTION_CHARS // 2)) == ()
    assert said(caption("x" * (MAX_CAPTION_CHARS - 7), "Chicago")) == {"caption": {"US-IL"}}
    assert said(caption("x" * (MAX_CAPTION_CHARS - 6), "Chicago")) == {"caption": UNREADABLE}
    assert MAX_CAPTION_CHARS == 65_536


def test_a_long_caption_costs_little() -> None:
    before = time.process_time()
    caption("\ufdfa" * MAX_CAPTION_CHARS)
    assert time.process_time() - before < 2.0


@given(st.text(max_size=200))
def test_the_words_that_are_kept_of_a_caption_find_its_places_again(text: str) -> None:
    assert places_in_words(", ".join(words_for_places(text))) >= places_in_words(text)


@pytest.mark.parametrize("evidence", [caption("Montréal"), time_zone_evidence("-04:00")])
def test_a_hint_is_recorded_and_adds_nothing_once_she_said_where_she_lives(evidence: tuple[Evidence, ...]) -> None:
    by = grant()
    answer = candidate_set((*residence_evidence(by), *evidence), grant=by, policy=shipped())
    alone = candidate_set(residence_evidence(by), grant=by, policy=shipped())
    assert answer.jurisdictions == alone.jurisdictions
    assert {item.kind for item in answer.used} == {EvidenceKind.GRANT_RESIDENCE, evidence[0].kind}


def test_a_caption_closes_where_nobody_said_where_she_lives_and_a_time_zone_is_too_light() -> None:
    assert candidate_set(caption("Montréal"), grant=None, policy=shipped()).jurisdictions >= places("CA-QC")
    assert "CA-QC" not in candidate_set(time_zone_evidence("-04:00"), grant=None, policy=shipped()).jurisdictions


@pytest.mark.parametrize("text", ["+5:30", "0530", "+05:17", "+15:00", "-13:00", "+05:30:00", "--:--", "UTC", "Z", "+٠٥:٣٠"])
def test_an_offset_that_no_clock_shows_is_unreadable(text: str) -> None:
    assert said(time_zone_evidence(text)) == {"time_zone": UNREADABLE}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+05:45", {"NP"}),
        (" +05:45 ", {"NP"}),
        ("-02:30", {"CA-NL"}),
        ("-09:00", {"US-AK", "PF"}),
        ("+08:45", {"AU-WA"}),
        ("+09:30", {"AU-NSW", "AU-NT", "AU-SA"}),
        ("+13:45", {"NZ"}),
        ("-11:00", {"AS", "NU", "UM"}),
        ("+14:00", {"KI", "TO", "WS"}),
        ("-01:00", {"CV", "GL", "PT"}),
    ],
)
def test_an_offset_names_every_place_whose_clocks_have_shown_it_and_no_other(text: str, expected: set[str]) -> None:
    assert said(time_zone_evidence(text)) == {"time_zone": expected}


def test_no_hours_behind_are_none_ahead() -> None:
    assert said(time_zone_evidence("-00:00")) == said(time_zone_evidence("+00:00"))
    assert said(time_zone_evidence("-00:00"))["time_zone"] >= {"GB", "IE", "PT"}


@pytest.mark.parametrize("text", ["", " ", "   :  ", ":"])
def test_an_offset_left_blank_says_nothing(text: str) -> None:
    assert time_zone_evidence(text) == ()


@pytest.mark.parametrize(
    ("zone", "place"),
    [
        ("America/Vancouver", "CA-BC"),
        ("America/Edmonton", "CA-AB"),
        ("America/Toronto", "CA-QC"),
        ("America/Toronto", "CA-ON"),
        ("America/St_Johns", "CA-NL"),
        ("America/Chicago", "US-IL"),
        ("America/Chicago", "US-TX"),
        ("America/Denver", "US-TX"),
        ("Pacific/Honolulu", "US-HI"),
        ("Australia/Lord_Howe", "AU-NSW"),
        ("Australia/Eucla", "AU-WA"),
        ("Europe/London", "GB"),
        ("Europe/Paris", "FR"),
        ("Europe/Kaliningrad", "RU"),
        ("Asia/Kathmandu", "NP"),
        ("Pacific/Kiritimati", "KI"),
    ],
)
def test_what_the_clocks_of_a_place_show_in_any_month_names_the_place(zone: str, place: str) -> None:
    if not Path("/usr/share/zoneinfo").is_dir():
        pytest.skip("this machine has no time zones")
    for month in range(1, 13):
        offset = datetime(2024, month, 15, 12, tzinfo=UTC).astimezone(ZoneInfo(zone)).strftime("%z")
        assert place in said(time_zone_evidence(f"{offset[:3]}:{offset[3:]}"))["time_zone"]


@given(st.text(max_size=20))
def test_no_offset_raises(text: str) -> None:
    assert all(item.jurisdictions for item in time_zone_evidence(text))


def page(html: str) -> tuple[PageEvidence, ...]:
    return read_page(html.encode(), url="https://example.com/").evidence


def test_of_a_caption_only_the_words_for_places_leave_the_page() -> None:
    (found,) = page('<figcaption>Ada Example with her sister in Calgary, Alberta</figcaption><img src="a" alt="Ada in Calgary">')
    assert found == PageEvidence(kind=EvidenceKind.CAPTION, value="calgary, alberta")


def test_versions_of_a_page_for_the_whole_world_are_few_statements() -> None:
    links = "".join(
        f'<link rel="alternate" hreflang="{language}-{country}" href="/">' for language in ("en", "fr", "de") for country in COUNTRIES
    )
    found = page(links)
    assert {item.kind for item in found} == {EvidenceKind.LANGUAGE}
    assert len(found) < 8
    assert said(page_evidence(found, areas=areas(), location=LOCATION)) == {"language": set(COUNTRIES)}


COUNTRIES = (
    "AT AU BE BG BR CA CH CL CN CO CY CZ DE DK EE ES FI FR GB GR HK HR HU ID IE IL IN IT JP KR LT LU LV MT MX MY NL NO NZ PL".split()
)


def test_more_statements_than_are_kept_end_in_one_that_cannot_be_read() -> None:
    found = page("".join(f'<meta name="geo.position" content="{number}.5;10">' for number in range(1, 80)))
    assert len(found) == MAX_EVIDENCE
    assert "UNKNOWN" in said(page_evidence(found, areas=areas(), location=LOCATION))["schema_place"]
    assert len(page('<meta name="geo.region" content="CA-BC">' * 100)) == 1


def test_two_positions_of_open_graph_are_none() -> None:
    one = '<meta property="place:location:latitude" content="51.04"><meta property="place:location:longitude" content="-114.07">'
    assert said(page_evidence(page(one + one), areas=areas(), location=LOCATION)) == {"schema_place": UNREADABLE}
