"""What a page says of its images: meta elements, licence links, JSON-LD."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.optouts.combination import combine
from assent.optouts.page import MAX_PAGE_BYTES, MAX_START_TAGS, page_optouts

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def verdict(html: str | bytes, *, agent: str = "AssentBot") -> str:
    found = combine(page_optouts(html if isinstance(html, bytes) else html.encode(), agent=agent, now=NOW).signals)
    return "deny" if found.denies else "unknown" if found.unknown else "none"


def with_json_ld(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f'<html><head><script type="application/ld+json">{text}</script></head></html>'


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<meta name="robots" content="noindex">', "deny"),
        ("<META CONTENT='NoImageIndex, follow' NAME=ROBOTS>", "deny"),
        ('<meta name="robots" content="all"><meta name="robots" content="none">', "deny"),
        ('<meta name="assentbot" content="noai">', "deny"),
        ('<meta property="robots" content="noimageai">', "deny"),
        ('<meta name="robots,assentbot" content="noai">', "deny"),
        ('<meta name="googlebot, AssentBot" content="noai">', "deny"),
        ('<meta name="AssentBot/1.0" content="noai">', "deny"),
        ('<meta name="googlebot, bingbot/2.0" content="noai">', "none"),
        ('<meta http-equiv="X-Robots-Tag" content="noindex">', "deny"),
        ('<body><p>text<meta name="robots" content="noml"></body>', "deny"),
        ('<noscript><meta name="robots" content="noindex"></noscript>', "deny"),
        ('<meta name="robots" content="unavailable_after: Friday, 25-Jun-10 15:00:00 UTC">', "deny"),
        ('<meta name="robots" content="unavailable_after: 2030-01-01">', "none"),
        ('<meta name="robots" content="unavailable_after: later">', "unknown"),
        ('<meta name="robots" content="index, follow">', "none"),
        ('<meta name="robots">', "none"),
        ('<meta name="googlebot" content="noindex">', "none"),
        ('<meta name="description" content="noindex">', "none"),
        ('<!-- <meta name="robots" content="noindex"> -->', "none"),
        ('<textarea><meta name="robots" content="noindex"></textarea>', "none"),
        ("", "none"),
    ],
)
def test_meta_robots(html: str, expected: str) -> None:
    assert verdict(html) == expected


def test_a_meta_for_another_agent_is_heard_by_that_agent() -> None:
    html = '<meta name="otherbot" content="noindex">'
    assert verdict(html) == "none"
    assert verdict(html, agent="OtherBot") == "deny"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<meta name="tdm-reservation" content="1">', "deny"),
        ('<meta name="TDM-Reservation" content=" 1 ">', "deny"),
        ('<meta name="tdm-reservation" content="0"><meta name="tdm-reservation" content="1">', "deny"),
        ('<meta name="tdm-reservation" content="0">', "none"),
        ('<meta name="tdm-policy" content="https://site.example/p.json">', "none"),
        ('<meta name="tdm-reservation" content="yes">', "unknown"),
        ('<meta name="tdm-reservation" content="">', "unknown"),
    ],
)
def test_meta_tdm_reservation(html: str, expected: str) -> None:
    assert verdict(html) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<link rel="license" type="application/rsl+xml" href="https://site.example/rsl.xml">', "deny"),
        ('<link rel="license" type="application/rsl+xml" href="https://creativecommons.org/licenses/by/4.0/">', "deny"),
        ('<script type="application/rsl+xml"><rsl xmlns="https://rslstandard.org/rsl"/></script>', "deny"),
        ('<link rel="LICENSE alternate" href="/terms">', "deny"),
        ('<a rel="license" href="https://creativecommons.org/licenses/by-nc/4.0/">NC</a>', "deny"),
        ('<a rel="license">terms</a>', "deny"),
        ('<a rel="cc:license" href="/terms">terms</a>', "deny"),
        ('<a rel="license,nofollow" href="/terms">terms</a>', "deny"),
        ('<a rel="licence" href="/terms">terms</a>', "deny"),
        ('<a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC</a><a rel="license" href="https://[">', "deny"),
        ('<a rel="license" href="https://creativecommons.org/licenses/by/4.0/deed.fr">CC BY</a>', "none"),
        ('<link rel="license" href="https://creativecommons.org/publicdomain/zero/1.0">', "none"),
        ('<link rel="stylesheet" href="license.css">', "none"),
    ],
)
def test_licence_links(html: str, expected: str) -> None:
    assert verdict(html) == expected


IMAGE = {"@context": "https://schema.org", "@type": "ImageObject", "contentUrl": "/a.jpg"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({**IMAGE, "license": "https://site.example/licence"}, "deny"),
        ({**IMAGE, "license": "https://creativecommons.org/licenses/by-nd/4.0/"}, "deny"),
        ({**IMAGE, "license": {"@type": "CreativeWork", "url": "https://site.example/l"}}, "deny"),
        ({**IMAGE, "license": ["https://creativecommons.org/licenses/by/4.0/", "https://site.example/l"]}, "deny"),
        ({**IMAGE, "license": [[]]}, "deny"),
        ({**IMAGE, "acquireLicensePage": "https://site.example/buy"}, "deny"),
        ({**IMAGE, "@type": ["Thing", "https://schema.org/ImageObject"], "schema:license": "x"}, "deny"),
        ({"@graph": [{"@type": "Article", "image": {**IMAGE, "license": "x"}}]}, "deny"),
        ({**IMAGE, "license": "https://creativecommons.org/licenses/by-sa/4.0/"}, "none"),
        ({**IMAGE, "license": {"@id": "http://creativecommons.org/publicdomain/mark/1.0/"}}, "none"),
        ({**IMAGE, "license": None, "acquireLicensePage": ""}, "none"),
        ({**IMAGE, "creditText": "A", "creator": {"name": "A"}, "copyrightNotice": "A"}, "none"),
        ({"@type": "SoftwareApplication", "license": "https://site.example/eula"}, "none"),
        ("{ broken", "none"),
        ('{"@type": "ImageObject", "license": "x",}', "unknown"),
        ('{"license": ' + "[" * 100_000, "unknown"),
        ('{"a":[' + "1," * 30_000 + '1], "license": 1}', "unknown"),
    ],
)
def test_json_ld_licence(value: Any, expected: str) -> None:
    assert verdict(with_json_ld(value)) == expected


def test_a_json_ld_nested_as_deep_as_it_may_be_read_is_read() -> None:
    value: Any = {**IMAGE, "license": "x"}
    for _ in range(300):
        value = {"a": [value]}
    assert verdict(with_json_ld(value)) == "deny"


@pytest.mark.parametrize(
    "html",
    [
        b"<p>\0</p>",
        "<p>".encode("utf-16-le"),
        b" " * (MAX_PAGE_BYTES + 1),
        b"<div>" * (MAX_START_TAGS + 1),
    ],
    ids=["zero byte", "utf-16 without mark", "over the cap", "too many elements"],
)
def test_a_page_that_cannot_be_read_is_unknown(html: bytes) -> None:
    assert verdict(html) == "unknown"


def test_utf_16_with_its_mark_is_read() -> None:
    assert verdict('<meta name="robots" content="noindex">'.encode("utf-16")) == "deny"
    assert verdict("<p>Allô</p>".encode("utf-16")) == "none"


def test_a_page_hostile_to_parsers_takes_little_time() -> None:
    started = time.monotonic()
    verdict(b"<div>" * 400_000)
    verdict(b"<div><!--" * 12_000 + b"</div>-->" * 12_000)
    assert time.monotonic() - started < 10


@given(st.binary(max_size=200))
def test_a_denial_is_found_after_any_opening_text(head: bytes) -> None:
    text = b"<p>" + head.replace(b"<", b"").replace(b"\0", b"") + b"</p>"
    assert verdict(text + b'<meta name="robots" content="noindex">') == "deny"


def test_statements_without_end_in_meta_elements_are_unknown() -> None:
    one = f'<meta name="robots" content="{"a," * 2_048}">'
    assert verdict(one * 16) == "none"
    assert verdict(one * 16 + '<meta name="tdm-reservation" content="0">') == "unknown"
    assert verdict(one * 17) == "unknown"
    assert verdict(one * 16 + '<meta name="description" content="a">') == "none"
    assert verdict(one.replace("name=", "http-equiv=").replace("robots", "x-robots-tag") * 17) == "unknown"
    assert verdict('<meta name="robots" content="noai">' + one * 17) == "deny"
    assert verdict('<meta name="description" content="{}">'.format("a" * 100_000)) == "none"


@pytest.mark.parametrize(
    "script_type", ["application/ld+json; charset=utf-8", "Application/LD+JSON", ' application/ld+json ;profile="x"'], ids=str.strip
)
def test_json_ld_is_told_by_its_type_whatever_stands_behind_it(script_type: str) -> None:
    block = json.dumps({**IMAGE, "license": "https://site.example/licence"})
    assert verdict(f"<script type='{script_type}'>{block}</script>") == "deny"
