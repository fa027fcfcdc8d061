"""Headers as they arrive: repeated, in any case, in any order; licences by Link, walls, and the person's own signal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.optouts.access import status_optouts
from assent.optouts.combination import combine
from assent.optouts.gpc import has_privacy_signal
from assent.optouts.headers import header_optouts

AGENT = "AssentBot"
OPEN = "https://creativecommons.org/licenses/by/4.0/"
DENIALS = [
    ("X-Robots-Tag", "noai"),
    ("Content-Usage", "train-ai=n"),
    ("Content-Signal", "ai-train=no"),
    ("TDM-Reservation", "1"),
    ("Link", '<https://site.example/rsl.xml>; rel="license"; type="application/rsl+xml"'),
    ("Content-Type", "application/rsl+xml; charset=utf-8"),
    ("WWW-Authenticate", 'Basic realm="x"'),
    ("cf-mitigated", "challenge"),
]
HARMLESS = [
    ("Content-Type", "image/jpeg"),
    ("X-Robots-Tag", "all"),
    ("Content-Usage", "train-ai=y"),
    ("tdm-reservation", "0"),
    ("Link", "</style.css>; rel=preload; as=style"),
    ("Sec-GPC", "1"),
    ("Set-Cookie", "noindex=1"),
]


def verdict(*headers: tuple[str, str]) -> str:
    found = combine(header_optouts(headers, AGENT))
    return "deny" if found.denies else "unknown" if found.unknown else "none"


def test_harmless_headers_say_nothing() -> None:
    assert verdict(*HARMLESS) == "none"


@pytest.mark.parametrize("denial", DENIALS, ids=lambda pair: pair[0])
@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title])
def test_a_denial_counts_wherever_it_stands(denial: tuple[str, str], spell: object) -> None:
    name = spell(denial[0])  # type: ignore[operator]
    for place in range(len(HARMLESS) + 1):
        assert verdict(*HARMLESS[:place], (name, denial[1]), *HARMLESS[place:]) == "deny"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<https://site.example/terms>; rel=license", "deny"),
        ('<https://site.example/a>; rel=next, </terms>; title="a, b"; rel="nofollow License"', "deny"),
        ("<https://creativecommons.org/licenses/by-nc-nd/4.0/>; rel=license", "deny"),
        ("<https://creativecommons.org.evil.example/licenses/by/4.0/>; rel=license", "deny"),
        ("<https://creativecommons.org/licenses/by/4.0/>; rel=license", "none"),
        ("<https://creativecommons.org/licenses/by/4.0/>; rel=license; type=application/rsl+xml", "deny"),
        ("<https://creativecommons.org/licenses/by/4.0x/>; rel=license", "deny"),
        ("<https://creativecommons.org@site.example/licenses/by/4.0/>; rel=license", "deny"),
        ("<>; rel=license", "deny"),
        ("<https://[bad>; rel=license", "deny"),
        ("<https://site.example/terms>; rel='license'", "deny"),
        ("<https://site.example/terms>; rel='nofollow license'", "deny"),
        ('<https://site.example/terms>; rel="license,nofollow"', "deny"),
        ("<https://site.example/terms>; rel*=UTF-8''license", "deny"),
        ("<https://site.example/terms>; rel*=utf-8'en'lic%65nse", "deny"),
        ("<https://site.example/terms>; rel=cc:license", "deny"),
        ("<https://site.example/terms>; rel=licence", "deny"),
        ('<https://site.example/terms>; title="a \\"b\\"; c"; rel=license', "deny"),
        (f"<{OPEN}>; rel='license'", "none"),
        (f'<{OPEN}>; rel=license; title="our \\"license\\""', "none"),
        (f"<{OPEN}>; rel=license, <https://site.example/terms; rel=license", "unknown"),
        (f"<https://site.example/terms; rel=license, <{OPEN}>; rel=license", "unknown"),
        (f'<{OPEN}>; rel=license, <https://site.example/terms>; rel="license', "unknown"),
        (f"<{OPEN}>; rel=license, <https://site.example/terms> rel=license", "unknown"),
        ("<https://site.example/terms>; rel=UTF-8''license", "deny"),
        ("rel=license", "unknown"),
        ("our license", "unknown"),
        ("<https://site.example/terms; rel=license", "unknown"),
        ("</license.css>; rel=stylesheet", "none"),
        ("nonsense", "none"),
        ("", "none"),
    ],
)
def test_licence_links(value: str, expected: str) -> None:
    assert verdict(("Link", value)) == expected


@pytest.mark.parametrize("status", [401, 402, 403, 407, 429, 451])
def test_a_wall_is_a_no(status: int) -> None:
    assert combine(status_optouts(status)).denies


@pytest.mark.parametrize("status", [200, 304, 404, 410, 500])
def test_other_answers_are_no_walls(status: int) -> None:
    assert status_optouts(status) == ()


@pytest.mark.parametrize(
    ("headers", "is_on"),
    [
        ([("Sec-GPC", "1")], True),
        ([("sec-gpc", "1"), ("DNT", "0")], True),
        ([], False),
        ([("Sec-GPC", "0")], False),
        ([("Sec-GPC", "true")], False),
        ([("Sec-GPC", " 1")], False),
        ([("GPC", "1")], False),
    ],
)
def test_privacy_control_is_exactly_one(headers: list[tuple[str, str]], is_on: bool) -> None:
    assert has_privacy_signal(headers) is is_on


NAMES = st.sampled_from([name for name, _ in DENIALS] + ["X-Other"])


@given(st.lists(st.tuples(NAMES, st.text(max_size=40)), max_size=5), st.sampled_from(DENIALS), st.integers(0, 5))
def test_no_other_header_hides_a_denial(headers: list[tuple[str, str]], denial: tuple[str, str], place: int) -> None:
    assert verdict(*headers[:place], denial, *headers[place:]) == "deny"
