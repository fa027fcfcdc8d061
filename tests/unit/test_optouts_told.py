"""What each reader tells of a signal, word by word: its standard, its verdict, where it was read and its token."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable

import pytest

from assent.optouts.fetched_file import FetchedFile
from assent.optouts.headers import header_optouts
from assent.optouts.page import page_optouts, parsable_page
from assent.optouts.signal import OptOutSignal
from assent.optouts.site import site_optouts

NOT_THERE = FetchedFile(404, b"")
RSL = "application/rsl+xml"


RESERVED = "tdmrep deny tdmrep.json tdm-reservation=1"


def reserved(location: str) -> FetchedFile:
    return FetchedFile(200, json.dumps([{"location": location, "tdm-reservation": 1}]).encode())


def words(signals: Iterable[OptOutSignal]) -> list[str]:
    return [f"{signal.kind.value} {signal.verdict.value} {signal.source.value} {signal.token}" for signal in signals]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (" X-Robots-Tag ", "noai", ["robots_tag deny header noai"]),
        ("Content-Usage", "train-ai=n", ["content_usage deny header train-ai=n"]),
        ("content-signal", "ai-train=no", ["content_signal deny header ai-train=no"]),
        ("content-type", f" {RSL.upper()} ; charset=utf-8", ["rsl deny header content_type"]),
        ("content-type", "image/jpeg", []),
        ("link", f'<https://h.example/t>; REL="License x"; type=" {RSL.upper()} "', ["rsl deny header link_license"]),
        ("link", "<https://creativecommons.org/licenses/by/4.0/>; rel=license", ["licence none header link_license"]),
        ("link", "<a>; rel=next, <b>; rel=license; rel=next", ["licence deny header link_license"]),
        ("link", "<a>; rel=next; rel=license", []),
        ("link", "<a>; rel=license, x license", ["licence deny header link_license"]),
        ("link", "<a>; rel=license, <b; rel=license", ["licence deny header link_license", "rsl unknown header malformed_link"]),
        ("link", "rel=Licence", ["rsl unknown header malformed_link"]),
        ("link", "<a>; rel=next, x rel=license", ["rsl unknown header malformed_link"]),
        ("link", "<license>; rel=next", []),
        ("server", "x", []),
    ],
)
def test_headers(name: str, value: str, told: list[str]) -> None:
    assert words(header_optouts([(name, value)], "AssentBot")) == told


def test_a_reservation_of_several_values_is_each_of_them() -> None:
    assert words(header_optouts([("tdm-reservation", "1, 0 ,x")], "AssentBot")) == [
        "tdmrep deny header tdm-reservation=1",
        "tdmrep none header tdm-reservation=0",
        "tdmrep unknown header tdm-reservation=other",
    ]


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ('<meta name=" Robots " content="noai">', ["robots_tag deny page noai"]),
        ('<meta name content="noai"><meta content="noai">', []),
        ("<meta name=robots content>", []),
        ("<meta name=tdm-reservation content>", ["tdmrep unknown page tdm-reservation=other"]),
        ('<meta name="tdm-reservation" content="1">', ["tdmrep deny page tdm-reservation=1"]),
        ("<link rel><a rel>x</a>", []),
        (f'<a rel="x License" type="{RSL}">t</a>', ["rsl deny page link_license"]),
        (f'<script type="{RSL.upper()} ; charset=utf-8">t</script>', ["rsl deny page script"]),
        ("<script type>t</script>", []),
        (
            '<script type=" Application/LD+JSON;x">{"@type":"ImageObject","license":"https://h.example/l"}</script>',
            ["licence deny page json_ld_license"],
        ),
        ('<script type="text/plain">{"@type":"ImageObject","license":"https://h.example/l"}</script>', []),
        ("\0", ["html unknown page unreadable"]),
        (f'<meta name="robots" content="{"a," * 32_769}">', ["html unknown page too_much_meta"]),
    ],
)
def test_pages(html: str, told: list[str]) -> None:
    assert words(page_optouts(html.encode(), agent="AssentBot").signals) == told


@pytest.mark.parametrize(
    ("file", "path", "told"),
    [
        (NOT_THERE, "/a", []),
        (FetchedFile(500, b""), "/a", ["tdmrep unknown tdmrep.json unreadable"]),
        (FetchedFile(200, b"["), "/a", ["tdmrep unknown tdmrep.json malformed"]),
        (FetchedFile(200, b"{}"), "/a", ["tdmrep unknown tdmrep.json malformed"]),
        (FetchedFile(200, b"[1]"), "/a", ["tdmrep unknown tdmrep.json malformed"]),
        (FetchedFile(200, b'[{"location": "/", "tdm-reservation": 1}]'), "/a", ["tdmrep deny tdmrep.json tdm-reservation=1"]),
        (FetchedFile(200, b'[{"location": "/", "tdm-reservation": 0}]'), "/a", ["tdmrep none tdmrep.json tdm-reservation=0"]),
        (FetchedFile(200, b'[{"location": "/"}]'), "/a", ["tdmrep unknown tdmrep.json tdm-reservation=other"]),
        (reserved("https://h.example"), "/a", [RESERVED]),
        (reserved("https://h.example/photos/"), "/photos/a", [RESERVED]),
        (reserved("https://h.example/photos/"), "/a", []),
        (reserved("/go?to=https://h.example/b"), "/b", []),
        (reserved("/go?to=https://h.example/b"), "/go?to=https://h.example/b", [RESERVED]),
        (reserved("/go?to=https://h.example/b"), "/go?to=elsewhere", []),
    ],
)
def test_tdmrep_json(file: FetchedFile, path: str, told: list[str]) -> None:
    assert words(site_optouts(path, file, NOT_THERE, agent="AssentBot")) == told


@pytest.mark.parametrize(
    ("file", "path", "told"),
    [
        (NOT_THERE, "/a", []),
        (FetchedFile(500, b""), "/a", ["ai_txt unknown ai.txt unreadable"]),
        (FetchedFile(200, b"no training, please"), "/a", ["ai_txt unknown ai.txt no_rules"]),
        (FetchedFile(200, b"# a remark\n \n"), "/a", []),
        (FetchedFile(200, b"User-agent: *\nDisallow: /A"), "/A", ["ai_txt deny ai.txt disallow"]),
        (FetchedFile(200, b"User-agent: *\nDisallow: /a"), "/A", []),
        (FetchedFile(200, b"User-agent: *\nDisallow: /A"), "/a", []),
    ],
)
def test_ai_txt(file: FetchedFile, path: str, told: list[str]) -> None:
    assert words(site_optouts(path, NOT_THERE, file, agent="AssentBot")) == told


def test_a_page_is_read_up_to_its_bounds_and_in_either_order_of_bytes() -> None:
    assert parsable_page(b" " * 8_388_608) is not None
    assert parsable_page(b" " * 8_388_609) is None
    assert parsable_page(b"<a" * 25_000) is not None
    assert parsable_page(b"<a" * 25_001) is None
    assert parsable_page(b"</a>< a><1" * 25_001) is not None
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        page = parsable_page(mark + "<p>é</p>".encode(encoding) + b"\x00")
        assert page is not None
        assert page.decode().startswith("<p>é</p>")


def test_files_of_rules_are_read_up_to_half_a_million_bytes() -> None:
    for size, words_of_both in ((524_288, []), (524_289, ["tdmrep unknown tdmrep.json unreadable", "ai_txt unknown ai.txt unreadable"])):
        tdmrep, ai_txt = FetchedFile(200, b"[" + b" " * (size - 2) + b"]"), FetchedFile(200, b"#" * size)
        assert words(site_optouts("/a", tdmrep, ai_txt, agent="AssentBot")) == words_of_both


def test_a_number_is_a_reservation_as_it_is_written() -> None:
    for value, verdict in ((1, "deny"), ("1", "deny"), (0, "none"), (1.0, "unknown"), (True, "unknown"), ([1], "unknown")):
        body = json.dumps([{"location": "/", "tdm-reservation": value}]).encode()
        (told,) = words(site_optouts("/a", FetchedFile(200, body), NOT_THERE, agent="AssentBot"))
        assert told.split()[1] == verdict
