"""Paths and patterns of robots.txt and tdmrep.json: one spelling of a path, and each sign of a pattern used up from left to right."""

from __future__ import annotations

import pytest

from assent.optouts.path_pattern import PathPattern, normalise_path


@pytest.mark.parametrize(
    ("path", "spelling"),
    [
        ("/a b", "/a%20b"),
        ("/é", "/%C3%A9"),
        ("/%c3%a9", "/%C3%A9"),
        ("/%7ejane", "/~jane"),
        ("/%41%2d%5F", "/A-_"),
        ("/a%2fb", "/a%2Fb"),
        ("/a%3fb?c", "/a%3Fb?c"),
        ("/a%zz%", "/a%zz%"),
        ("/!$&'()*+,;=:@[]", "/!$&'()*+,;=:@[]"),
        ("/\ud800", "/?"),
        ("/\x7f", "/%7F"),
    ],
)
def test_a_path_has_one_spelling(path: str, spelling: str) -> None:
    assert normalise_path(path) == spelling
    assert normalise_path(spelling) == spelling


@pytest.mark.parametrize(
    ("written", "text"),
    [("/a", "/a"), (" /a ", "/a"), ("a", "/a"), ("*a", "*a"), ("", "/"), ("$", "/$"), ("/é*", "/%C3%A9*")],
)
def test_a_pattern_is_meant_from_the_root(written: str, text: str) -> None:
    assert PathPattern.of(written).text == text
    assert len(PathPattern.of(written)) == len(text)


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("/a", ("/a", "/ab", "/%61"), ("/", "/b", "/b/a")),
        ("/a$", ("/a",), ("/ab", "/a$", "/")),
        ("/$", ("/",), ("/a",)),
        ("/a*", ("/a", "/abc"), ("/b", "/")),
        ("/a*b", ("/ab", "/acbc"), ("/ac", "/b", "/ba")),
        ("/a*b$", ("/ab", "/acb", "/abb"), ("/abc", "/a", "/b")),
        ("/a*a$", ("/aa", "/aba"), ("/a",)),
        ("/a*$", ("/a", "/abc"), ("/b",)),
        ("/a*b*c", ("/abc", "/axbycz"), ("/acb", "/ab", "/bc")),
        ("/a*b*c$", ("/abc", "/abcbc"), ("/ac", "/abcb", "/acb")),
        ("/a*b*c*d$", ("/abcd", "/a1b2c3d"), ("/abcdc", "/abd", "/acbd")),
        ("/a*bc*cd$", ("/abccd", "/abc1cd"), ("/abcd",)),
        ("*.jpg$", ("/x/a.jpg", "/.jpg"), ("/a.jpg?w=1", "/ajpg")),
        ("/a$b", ("/a$b", "/a$bc"), ("/a", "/ab")),
    ],
)
def test_a_pattern_matches_from_the_start_and_with_a_dollar_to_the_end(
    pattern: str, matching: tuple[str, ...], others: tuple[str, ...]
) -> None:
    written = PathPattern.of(pattern)
    assert [path for path in (*matching, *others) if written.matches(path)] == list(matching)
