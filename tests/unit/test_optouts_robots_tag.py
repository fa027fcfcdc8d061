"""X-Robots-Tag and the words it shares with meta robots."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.optouts.combination import combine
from assent.optouts.ending_date import parse_ending_date
from assent.optouts.headers import header_optouts
from assent.optouts.robots_tag import robots_tag
from assent.optouts.signal import SignalKind, SignalSource

AGENT = "AssentBot"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def is_denied(*values: str, now: datetime | None = NOW) -> bool:
    return combine(header_optouts([("X-Robots-Tag", value) for value in values], AGENT, now=now)).is_denied


@pytest.mark.parametrize("word", ["none", "noindex", "noimageindex", "noai", "noimageai", "noml"])
@pytest.mark.parametrize(
    "form", ["{}", "all, {}", "{}, index", "follow,{}", "AssentBot: {}", "assentbot: nofollow, {}", "*: {}", "{} nofollow", "{}; follow"]
)
def test_every_reserving_word_denies_in_every_place_and_case(word: str, form: str) -> None:
    for spelled in (word, word.upper(), word.capitalize()):
        assert combine(header_optouts([("X-Robots-Tag", form.format(spelled))], AGENT, now=NOW)).denies


@pytest.mark.parametrize(
    "value",
    [
        "",
        "all",
        "index, follow",
        "nofollow",
        "nosnippet, noarchive, nocache, notranslate",
        "max-snippet: 20, max-image-preview: large",
        "googlebot: noindex",
        "googlebot: nofollow, noindex",
        "googlebot: nofollow, noai, bingbot: none",
        "Assent: noindex",
        "unavailable_after: 2027-01-01",
        "otherbot: unavailable_after: 25 Jun 2010 15:00:00 PST",
    ],
)
def test_what_reserves_nothing_from_us_denies_nothing(value: str) -> None:
    assert not is_denied(value)


@pytest.mark.parametrize(
    "values",
    [
        ("index", "noindex"),
        ("googlebot: nofollow", "noai"),
        ("googlebot: index", "AssentBot: index, noindex"),
        ("googlebot: index, assentbot: noai",),
        ("assentbot: noai, googlebot: index",),
        ("index", "all", "AssentBot: nofollow, NOIMAGEAI"),
    ],
)
def test_the_strictest_of_repeated_headers_and_bound_lists_wins(values: tuple[str, ...]) -> None:
    assert is_denied(*values)
    assert is_denied(*reversed(values))


@pytest.mark.parametrize(
    "value",
    [
        "no-index",
        "no_ai",
        "noface",
        "noindex: yes",
        "15:00 PST, noindex",
        "odd name: noai",
        "noindex googlebot: nofollow",
        "unavailable_after: someday",
        "unavailable_after:",
        "unavailable_after: Friday",
    ],
)
def test_what_is_written_oddly_is_not_lost(value: str) -> None:
    assert is_denied(value)


PAST = [
    "25 Jun 2010 15:00:00 PST",
    "Fri, 25 Jun 2010 15:00:00 GMT",
    "Friday, 25-Jun-10 15:00:00 UTC",
    "2010-06-25",
    "2010-06-25T15:00:00Z",
    "2010-06-25T15:00:00+02:00",
    "Fri Jun 25 15:00:00 2010",
]
FUTURE = ["25 Jun 2030 15:00:00 PST", "Tue, 25 Jun 2030 15:00:00 GMT", "Tuesday, 25-Jun-30 15:00:00 UTC", "2030-06-25T15:00:00Z"]


@pytest.mark.parametrize("form", ["unavailable_after: {}", "nofollow, unavailable_after: {}", "AssentBot: unavailable_after: {}, all"])
def test_unavailable_after(form: str) -> None:
    for date in PAST:
        assert is_denied(form.format(date)), date
    for date in FUTURE:
        assert not is_denied(form.format(date)), date
        assert is_denied(form.format(date), now=None), date
        assert is_denied(form.format(date) + ", noai"), date


def test_a_date_without_a_zone_is_utc() -> None:
    assert parse_ending_date("2026-06-01T12:00:00") == NOW
    assert parse_ending_date("soon") is None


def test_a_meta_element_has_the_same_words() -> None:
    found = robots_tag("NoImageIndex", agent=AGENT, now=NOW, source=SignalSource.PAGE)
    assert [(signal.kind, signal.source, signal.token) for signal in found] == [(SignalKind.ROBOTS_TAG, SignalSource.PAGE, "noimageindex")]


@given(st.text(alphabet="abn:,; -*noidex0159", max_size=60))
def test_a_plain_word_of_refusal_survives_whatever_follows(text: str) -> None:
    assert is_denied(f"noindex, {text}")
    assert is_denied(text, "noindex")


def told(value: str, now: datetime | None = NOW) -> list[tuple[str, str]]:
    return [(signal.verdict.value, signal.token) for signal in robots_tag(value, agent=AGENT, now=now, source=SignalSource.HEADER)]


@pytest.mark.parametrize(
    ("value", "signals"),
    [
        ("No_Image-Index", [("deny", "noimageindex")]),
        ("no-ai", [("deny", "noai")]),
        ("No-Face", [("unknown", "noface")]),
        ("NOINDEX: yes", [("deny", "noindex")]),
        ("NoAI: noml", [("deny", "noai"), ("deny", "noml")]),
        ("odd name: noai", [("deny", "noai")]),
        ("no-follow, No_Cache", []),
        ("Unavailable_After: 2020-01-01", [("deny", "unavailable_after")]),
        ("Max-Snippet: 20, Max-Image-Preview: none", []),
        ("googlebot: max-snippet: 20, noai", []),
        ("Unavailable_After: Friday , 25-Jun-10 15:00:00 UTC, noai", [("deny", "unavailable_after"), ("deny", "noai")]),
        ("unavailable_after: Tuesday , 25-Jun-30 15:00:00 UTC", [("none", "unavailable_after")]),
        ("unavailable_after: soon", [("unknown", "unavailable_after")]),
    ],
)
def test_each_statement_has_its_word_and_its_verdict(value: str, signals: list[tuple[str, str]]) -> None:
    assert told(value) == signals


@pytest.mark.parametrize("word", ["max-snippet: 20", "max-image-preview: large", "max-video-preview: -1", "unavailable_after: 2030-01-01"])
def test_a_word_with_a_value_is_no_name_of_a_crawler(word: str) -> None:
    """Else what stands behind it would be bound to that crawler, and lost."""
    assert ("deny", "noai") in told(f"{word}, noai")


def test_an_image_is_unavailable_from_the_very_moment_on() -> None:
    assert told("unavailable_after: 2026-06-01T12:00:00Z") == [("deny", "unavailable_after")]
    assert told("unavailable_after: 2026-06-01T12:00:01Z") == [("none", "unavailable_after")]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (" 2026-06-01T12:00:00 ", NOW),
        ("2026-06-01T14:00:00+02:00", NOW),
        ("Mon, 01 Jun 2026 14:00:00 +0200", NOW),
        ("1 Jan 99999999999999999999 00:00:00 GMT", None),
        ("1 Jan 2026 99:00:00 GMT", None),
        ("", None),
    ],
)
def test_a_date_is_read_with_its_zone_or_not_at_all(text: str, moment: datetime | None) -> None:
    found = parse_ending_date(text)
    assert found == moment
    assert found is None or found.utcoffset() is not None


@pytest.mark.parametrize(
    ("value", "signals"),
    [
        ("unavailable-after: 2010-01-01, noindex", [("deny", "unavailable_after"), ("deny", "noindex")]),
        ("Unavailable-After: 2030-01-01", [("none", "unavailable_after")]),
        ("unavailable_after=2010-01-01", [("deny", "unavailable_after")]),
        ("max-foo: 5, noai", [("deny", "noai")]),
        ("max-snippet = 20, max-image-preview=large", []),
        ("all: noai", [("deny", "noai")]),
        ("index, follow: noai", [("deny", "noai")]),
        ("robots: noindex", [("deny", "noindex")]),
        ("robots=noindex", [("deny", "noindex")]),
        ("noarchive: noai", [("deny", "noai")]),
        ("noface: noai", [("unknown", "noface"), ("deny", "noai")]),
        ('"noindex"', [("deny", "noindex")]),
        ("'noai'", [("deny", "noai")]),
        ("\u201cnoai\u201d", [("deny", "noai")]),
    ],
    ids=[
        "a date with a hyphen", "a date with a hyphen that is to come", "a date after an equals sign", "a limit nobody knows",
        "limits after an equals sign", "all", "follow", "robots", "robots and an equals sign", "noarchive", "a new word of refusal",
        "quotes", "single quotes", "printed quotes",
    ],
)  # fmt: skip
def test_a_directive_before_a_colon_is_no_crawlers_name(value: str, signals: list[tuple[str, str]]) -> None:
    assert told(value) == signals


@pytest.mark.parametrize(
    "value",
    [
        "googlebot: unavailable-after: 2010-01-01, noai",
        "googlebot: max-foo: 5, noai",
        '"googlebot: noindex"',
        'googlebot: "noindex"',
        "NotionBot: noindex",
        "maxbot: follow, noai",
        "novacrawler: noai",
        "northspider: noai",
        "all-seeing-spider: noai",
    ],
    ids=[
        "a date",
        "a limit",
        "quotes round all",
        "quotes round a word",
        "a name with no",
        "a name with max",
        "a crawler with no",
        "a spider with no",
        "a name with all",
    ],
)
def test_what_is_bound_to_another_crawler_stays_bound_to_it(value: str) -> None:
    assert told(value) == []


@pytest.mark.parametrize("word", ["all", "index", "follow", "archive", "cache", "snippet", "image-index", "indexifembedded", "Robots"])
def test_no_word_of_permission_is_a_crawlers_name(word: str) -> None:
    assert told(f"{word}: noai") == told(f"{word}=noai") == [("deny", "noai")]


def test_only_a_colon_binds_to_a_crawler() -> None:
    assert told("otherbot=noai") == [("deny", "noai")]
    assert told("otherbot: noai") == []


def test_a_statement_without_end_is_unknown() -> None:
    assert told("a," * 2048) == []
    assert told("a," * 2048 + "b") == [("unknown", "too_long")]
