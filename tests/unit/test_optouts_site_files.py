"""tdmrep.json and ai.txt: what they say of one path, and every way of not being there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.optouts.combination import combine
from assent.optouts.fetched_file import FetchedFile
from assent.optouts.headers import header_optouts
from assent.optouts.site import site_optouts
from assent.optouts.tdmrep import MAX_TDMREP_BYTES

NOT_THERE = FetchedFile(404, b"")


def verdict(path: str, *, tdmrep: FetchedFile = NOT_THERE, ai_txt: FetchedFile = NOT_THERE, agent: str = "AssentBot") -> str:
    found = combine(site_optouts(path, tdmrep, ai_txt, agent=agent))
    return "deny" if found.denies else "unknown" if found.unknown else "none"


def entries(*pairs: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"location": location, "tdm-reservation": reservation} for location, reservation in pairs]


@pytest.mark.parametrize(
    ("document", "path", "expected"),
    [
        (entries(("/", 1)), "/a.jpg", "deny"),
        (entries(("*", 1)), "/a.jpg", "deny"),
        (entries(("/*.jpg$", 1)), "/x/a.jpg", "deny"),
        (entries(("/*.jpg$", 1)), "/x/a.jpg?w=2", "none"),
        (entries(("photos/", 1)), "/photos/a.jpg", "deny"),
        (entries(("https://site.example/photos/", 1)), "/photos/a.jpg", "deny"),
        (entries(("/", "1")), "/a.jpg", "deny"),
        ([{"location": "/", "tdm-reservation": 1, "tdm-policy": "https://site.example/policy.json"}], "/a", "deny"),
        (entries(("/", 0)), "/a.jpg", "none"),
        (entries(("/b", 1)), "/a.jpg", "none"),
        ([], "/a.jpg", "none"),
        # the first match in the order of the file
        (entries(("/open/", 0), ("/", 1)), "/open/a", "none"),
        (entries(("/", 1), ("/open/", 0)), "/open/a", "deny"),
        # what cannot be read
        (entries(("/", 2)), "/a", "unknown"),
        (entries(("/", True)), "/a", "unknown"),
        (entries(("/", None)), "/a", "unknown"),
        ([{"location": "/"}], "/a", "unknown"),
        ([{"tdm-reservation": 1}], "/a", "unknown"),
        (["/"], "/a", "unknown"),
        ({"location": "/", "tdm-reservation": 1}, "/a", "unknown"),
        (None, "/a", "unknown"),
    ],
)
def test_tdmrep_json(document: Any, path: str, expected: str) -> None:
    assert verdict(path, tdmrep=FetchedFile(200, json.dumps(document).encode())) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b'[{"location":"/","tdm-reservation":1,"tdm-reservation":0}]',
        b"[" * 200_000,
        b'[{"location":"/","tdm-reservation":' + b"9" * 10_000 + b"}]",
        b" " * (MAX_TDMREP_BYTES + 1),
        b'["\xff"]',
    ],
    ids=["empty", "cut", "key twice", "deep", "huge number", "over the cap", "not utf-8"],
)
def test_a_broken_tdmrep_json_is_unknown(body: bytes) -> None:
    assert verdict("/a", tdmrep=FetchedFile(200, body)) == "unknown"


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("User-Agent: *\nDisallow: *.jpg", "/x/a.jpg", "deny"),
        ("User-Agent: *\nDisallow: *.jpg", "/x/A.JPG", "deny"),
        ("User-Agent: *\nDisallow: *.JPG", "/x/a.jpg", "deny"),
        ("User-Agent: *\nDisallow: /Photos/*.JPG$", "/Photos/a.jpg", "deny"),
        ("User-Agent: *\nDisallow: /Photos/*.jpg$", "/Photos/a.JPG", "deny"),
        ("User-Agent: *\nDisallow: *.Jpg", "/x/A.jPG?w=1", "deny"),
        ("User-Agent: *\nDisallow: /Photos/", "/photos/a.jpg", "none"),
        ("User-Agent: *\nDisallow: /photos/", "/Photos/a.jpg", "none"),
        ("User-Agent: *\nDisallow: /a.*PG", "/a.JPG", "deny"),
        ("User-Agent: *\nDisallow: /\nAllow: /x/A.JPG$", "/x/A.JPG", "none"),
        ("User-Agent: *\nDisallow: /", "/a", "deny"),
        ("User-Agent: AssentBot\nDisallow: /", "/a", "deny"),
        ("User-Agent: *\nDisallow: *.png\nAllow: *.jpg", "/a.jpg", "none"),
        ("User-Agent: *\nDisallow:", "/a.jpg", "none"),
        ("User-Agent: other\nDisallow: /", "/a.jpg", "none"),
        ("# only a remark", "/a.jpg", "none"),
        ("", "/a.jpg", "none"),
        ("Please do not train on this.", "/a.jpg", "unknown"),
        ('{"training": "no"}', "/a.jpg", "unknown"),
    ],
)
def test_ai_txt(text: str, path: str, expected: str) -> None:
    assert verdict(path, ai_txt=FetchedFile(200, text.encode())) == expected


def test_ai_txt_is_read_for_the_agent_given() -> None:
    file = FetchedFile(200, b"User-agent: OtherBot\nDisallow: /")
    assert verdict("/a", ai_txt=file, agent="OtherBot") == "deny"


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (FetchedFile(404, None), "none"),
        (FetchedFile(410, b"gone"), "none"),
        (FetchedFile(200, b"<!doctype html><title>Start</title>"), "none"),
        (FetchedFile(None, None), "unknown"),
        (FetchedFile(200, None), "unknown"),
        (FetchedFile(301, b""), "unknown"),
        (FetchedFile(401, b""), "unknown"),
        (FetchedFile(403, b""), "unknown"),
        (FetchedFile(429, b""), "unknown"),
        (FetchedFile(500, b"[]"), "unknown"),
    ],
)
def test_only_a_file_that_is_not_there_says_nothing(file: FetchedFile, expected: str) -> None:
    assert verdict("/a.jpg", tdmrep=file) == expected
    assert verdict("/a.jpg", ai_txt=file) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1"], "deny"),
        (["0", "1"], "deny"),
        (["1", "0"], "deny"),
        (["0, 1"], "deny"),
        (["0"], "none"),
        (["yes"], "unknown"),
        ([""], "unknown"),
        (["0, 2"], "unknown"),
    ],
)
def test_tdm_reservation_header(values: list[str], expected: str) -> None:
    found = combine(header_optouts([("TDM-Reservation", value) for value in values], "AssentBot"))
    assert ("deny" if found.denies else "unknown" if found.unknown else "none") == expected
    assert header_optouts([("tdm-policy", "https://site.example/p.json")], "AssentBot") == ()


def test_a_zero_in_a_header_does_not_lift_the_file() -> None:
    file = FetchedFile(200, json.dumps(entries(("/", 1))).encode())
    assert combine(
        (*site_optouts("/a", file, NOT_THERE, agent="AssentBot"), *header_optouts([("tdm-reservation", "0")], "AssentBot"))
    ).is_denied


@given(st.binary(max_size=120))
def test_no_file_breaks_the_reader(body: bytes) -> None:
    site_optouts("/a", FetchedFile(200, body), FetchedFile(200, body), agent="AssentBot")
