"""Content-Usage and Content-Signal, and the strict reading of RFC 9651 dictionaries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.optouts.combination import combine
from assent.optouts.headers import header_optouts
from assent.optouts.structured_dictionary import Member, StructuredFieldError, parse_dictionary


def verdict(name: str, *values: str) -> str:
    found = combine(header_optouts([(name, value) for value in values], "AssentBot"))
    return "deny" if found.denies else "unknown" if found.unknown else "none"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["train-ai=n"], "deny"),
        (["search=n"], "deny"),
        (["train-ai=y, search=n"], "deny"),
        (["train-ai=n, train-ai=y"], "deny"),
        (["train-ai=n", "train-ai=y"], "deny"),
        (["train-genai=n"], "deny"),
        (["something-new=n;exp=1"], "deny"),
        (["train-ai=y"], "none"),
        (["train-ai=y;a=1 , search=y"], "none"),
        ([""], "none"),
        (["train-ai=maybe"], "unknown"),
        (["train-ai=N"], "unknown"),
        (["train-ai"], "unknown"),
        (["train-ai=?0"], "unknown"),
        (['train-ai="n"'], "unknown"),
        (["train-ai=(n y)"], "unknown"),
        (["Train-AI=y"], "unknown"),
        (["train-ai = y"], "unknown"),
        (["train-ai=y,"], "unknown"),
        (["train-ai=y search=y"], "unknown"),
        (["=y"], "unknown"),
        (["train-ai=y,,search=y"], "unknown"),
        (["train-ai=é"], "unknown"),
        (["train-ai=n", "%%"], "deny"),
    ],
)
def test_content_usage(values: list[str], expected: str) -> None:
    assert verdict("Content-Usage", *values) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("search=yes, ai-input=no, ai-train=no", "deny"),
        ("ai-train=no", "deny"),
        ("AI-Train = NO", "deny"),
        ("search=no;ai-train=yes", "deny"),
        ("new-use=no", "deny"),
        ("search=yes, ai-train=yes", "none"),
        ("search=yes, use=full", "none"),
        ("", "none"),
        ("use=reference", "unknown"),
        ("ai-train=perhaps", "unknown"),
        ("ai-train", "unknown"),
        ("=yes", "unknown"),
        ("ai train=yes", "unknown"),
    ],
)
def test_content_signal(value: str, expected: str) -> None:
    assert verdict("Content-Signal", value) == expected


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("", []),
        ("a=b", [("a", "b")]),
        ("  a=b,\tc=d  ", [("a", "b"), ("c", "d")]),
        ("a=1, b=1.5, c=-2, d=?1, e=:YQ==:, f=@1659578233, g", [(key, None) for key in "abcdefg"]),
        (r'a="x\"y, b=n", c=t;p="q"', [("a", None), ("c", "t")]),
        ('a=%"f%c3%bc", b=("x" y;z=1);w, *c=z', [("a", None), ("b", None), ("*c", "z")]),
        ("a=(), b=n", [("a", None), ("b", "n")]),
    ],
)
def test_a_dictionary_is_read_as_the_rfc_writes_it(text: str, members: list[tuple[str, str | None]]) -> None:
    assert parse_dictionary(text) == tuple(Member(key, token) for key, token in members)


@pytest.mark.parametrize(
    "text",
    [
        "A=b",
        "a=",
        "a=b c",
        "a=b,",
        ",a=b",
        "a=1.2.3",
        "a=1.",
        'a="x',
        "a=(x",
        "a=:x",
        "a=?2",
        "a=b;",
        "a=b\tx",
        "a=1234567890123456",
        '"a"=b',
    ],
)
def test_one_fault_refuses_the_whole_dictionary(text: str) -> None:
    with pytest.raises(StructuredFieldError, match="at character"):
        parse_dictionary(text)


@given(st.text(max_size=40))
def test_a_denial_is_heard_beside_any_other_header(text: str) -> None:
    assert verdict("Content-Usage", text, "train-ai=n") == "deny"
    assert verdict("content-signal", text, "ai-train=no") == "deny"
