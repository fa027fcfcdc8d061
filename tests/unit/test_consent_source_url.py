"""One spelling per URL: no other spelling of a place gets past a source rule, and no rule names half the web."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assent.consent.asset import Asset, safe_url
from assent.consent.source_rules import SourceRuleError, checked_rule, matching_rule
from assent.consent.source_url import _PLAIN, SourceUrlError, _normalised, folders, is_folder_of, normalise_prefix, normalise_url
from assent.events.grants import SourceKindRule, SourceRule
from assent.events.images import SourceKind


@pytest.mark.parametrize(
    ("written", "spelling"),
    [
        ("HTTPS://Site.Example/Ada/1.jpg", "https://site.example/Ada/1.jpg"),
        ("https://site.example:443/ada/1.jpg", "https://site.example/ada/1.jpg"),
        ("http://site.example:8080/ada/", "http://site.example:8080/ada/"),
        ("https://site.example./ada/", "https://site.example/ada/"),
        ("https://site.example/ada/../bob/1.jpg", "https://site.example/bob/1.jpg"),
        ("https://site.example/ada/%2e%2e/bob/1.jpg", "https://site.example/bob/1.jpg"),
        ("https://site.example/a//b/./c.jpg", "https://site.example/a/b/c.jpg"),
        ("https://site.example/%61da/1.jpg", "https://site.example/ada/1.jpg"),
        ("https://site.example/ada/1.jpg#face", "https://site.example/ada/1.jpg"),
        ("https://site.example/ada/1.jpg?size=2", "https://site.example/ada/1.jpg?size=2"),
        ("https://bücher.example/a/", "https://xn--bcher-kva.example/a/"),
        ("https://site.example", "https://site.example/"),
        ("http://127.0.0.1:8181/ada/", "http://127.0.0.1:8181/ada/"),
    ],
)
def test_one_spelling(written: str, spelling: str) -> None:
    assert normalise_url(written) == spelling
    assert normalise_url(spelling) == spelling


@pytest.mark.parametrize(
    "url",
    [
        "ftp://site.example/ada/",
        "file:///etc/passwd",
        "https://user@site.example/ada/",
        "https://site.example@evil.example/ada/",
        "https://site.example/ada%2f..%2fbob/",
        "https://site.example/ada%5cbob/",
        "https://site.example/ada\\bob/",
        "https://site.example/%2561da/",
        "https://site.example/ada/\n1.jpg",
        "https://*.example/ada/",
        "https:///ada/",
        "https://2130706433/ada/",
        "https://0x7f.1/ada/",
        "https://site.example:port/ada/",
        "https://site..example/ada/",
        "https://site.example/ada/\udcff.jpg",
        "https://site.example/" + "a" * 2100,
    ],
)
def test_what_has_no_single_spelling_is_refused(url: str) -> None:
    with pytest.raises(SourceUrlError):
        normalise_url(url)


LONG = "https://h.example/?"
OVERLONG = ("%c0%ae", "%C0%AF", "%c1%9c", "/%c0%ae%c0%ae/", "%e0%80%ae", "%e0%9f%bf", "%f0%80%80%ae", "%f0%8f%bf%bf")
NEARLY_DOTS = (
    "..%20",
    "%2e%2e%20",
    "%20..",
    "..%20%20",
    ".%20",
    "%20.",
    ".%20.",
    "..%c2%a0",
    "..%e3%80%80",
    "..%e2%80%8b",
    "..%7f",
    "%c2%ad..",
)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (LONG + "a" * (2049 - len(LONG)), "2049 characters, at most 2048"),
        *[(f"https://h.example/a{sign}b", "a space, a backslash") for sign in ("\x00", "\x1f", " ", "\x7f", "\\", "\ud800", "\udfff")],
        ("https://h.example:port/a", "cannot be read"),
        ("https://[::1/a", "cannot be read"),
        ("ftp://h.example/a", "only http and https"),
        ("//h.example/a", "only http and https"),
        ("https://ada@h.example/a", "user information"),
        ("https://:word@h.example/a", "user information"),
        ("https:///a", "names no single host"),
        ("https://./a", "names no single host"),
        ("https://*.h.example/a", "names no single host"),
        ("https://%68.example/a", "names no single host"),
        ("https://[fe80::1%25eth0]/a", "names no single host"),
        ("https://h..example/a", "cannot be written in ASCII"),
        ("https://" + "h" * 64 + ".example/a", "cannot be written in ASCII"),
        ("https://-h.example/a", "is not a domain name"),
        ("https://h.example-/a", "is not a domain name"),
        ("https://h!.example/a", "is not a domain name"),
        ("https://h\u2026h.example/a", "holds a sign that no host name may hold"),
        ("https://h\u2024h.example/a", "holds a sign that no host name may hold"),
        ("https://h.example\u2024/a", "holds a sign that no host name may hold"),
        ("https://2130706433/a", "a number that is not a plain address"),
        ("https://127.0.1/a", "a number that is not a plain address"),
        ("https://h.0x7f/a", "a number that is not a plain address"),
        ("https://0x/a", "a number that is not a plain address"),
        *[(f"https://h.example/a{code}b", "an encoded slash, backslash or zero") for code in ("%2f", "%2F", "%5c", "%5C", "%00")],
        *[(f"https://h.example/a{code}b", "encoded twice or holds a control") for code in ("%2561", "%25", "%01", "%1f")],
        *[(f"https://h.example/a{code}b", "more bytes than it needs") for code in OVERLONG],
        *[(f"https://h.example/a/{segment}/b", "a dot segment with blanks") for segment in NEARLY_DOTS],
        *[(f"https://h.example/a/{segment}/b", "a dot segment with a parameter") for segment in (".;", "..;x", "%2e;", ".%2e;x=1")],
    ],
)
def test_a_refused_address_says_what_is_wrong_with_it(url: str, why: str) -> None:
    with pytest.raises(SourceUrlError, match=why):
        normalise_url(url)


@pytest.mark.parametrize(
    ("written", "spelling"),
    [
        (LONG + "a" * (2048 - len(LONG)), LONG + "a" * (2048 - len(LONG))),
        ("http://h.example:80/a", "http://h.example/a"),
        ("http://h.example:443/a", "http://h.example:443/a"),
        ("https://h.example:80/a", "https://h.example:80/a"),
        ("HTTP://h.example:080/a", "http://h.example/a"),
        ("https://[2001:DB8:0:0::1]/a", "https://[2001:db8::1]/a"),
        ("https://[::1]:8443/a", "https://[::1]:8443/a"),
        ("https://192.0.2.1/a", "https://192.0.2.1/a"),
        ("https://localhost/a", "https://localhost/a"),
        ("https://_h.a-b_/a", "https://_h.a-b_/a"),
        ("https://h/a", "https://h/a"),
        ("https://h.0x7fg/a", "https://h.0x7fg/a"),
        ("https://h.1a/a", "https://h.1a/a"),
        ("https://H.EXAMPLE/A?B", "https://h.example/A?B"),
        ("https://h.example/a?", "https://h.example/a"),
        ("https://h.example?b", "https://h.example/?b"),
        ("https://h.example/%C3%A9%20~%7e", "https://h.example/%C3%A9%20~~"),
        ("https://h.example/a;b=1,c", "https://h.example/a;b=1,c"),
        ("https://h.example/.a/..b/c.", "https://h.example/.a/..b/c."),
        ("https://h.example/.../a%20/%20/.%20a", "https://h.example/.../a%20/%20/.%20a"),
        ("https://h.example/%e9t%e9/%c3%80%f4%8f%bf%bf", "https://h.example/%E9t%E9/%C3%80%F4%8F%BF%BF"),
        ("https://h.example/%e0%a0%80%f0%90%80%80", "https://h.example/%E0%A0%80%F0%90%80%80"),
        ("https://h.example/a*b/%2A?%2a=*", "https://h.example/a*b/*?%2a=*"),
        ("https://h.example/a/.", "https://h.example/a/"),
        ("https://h.example/a/b/..", "https://h.example/a/"),
        ("https://h.example/a/..", "https://h.example/"),
        ("https://h.example/../..", "https://h.example/"),
        ("https://h.example/a/./b", "https://h.example/a/b"),
        ("https://h.example//a///b//", "https://h.example/a/b/"),
    ],
)
def test_each_part_of_an_address_has_one_spelling(written: str, spelling: str) -> None:
    assert normalise_url(written) == spelling
    assert normalise_url(spelling) == spelling


@pytest.mark.parametrize(
    ("written", "spelling"),
    [("https://h.example/a", "https://h.example/a/"), ("https://h.example/a/", "https://h.example/a/")],
)
def test_a_prefix_ends_with_its_folder(written: str, spelling: str) -> None:
    assert normalise_prefix(written) == spelling


@pytest.mark.parametrize(
    ("prefix", "why"),
    [
        ("https://h.example/a*/", "no wildcard, query or fragment"),
        ("https://h.example/a/?", "no wildcard, query or fragment"),
        ("https://h.example/a/#b", "no wildcard, query or fragment"),
        ("https://h.example/a/..", "a whole site is not a target"),
    ],
)
def test_a_prefix_that_is_no_folder_says_why(prefix: str, why: str) -> None:
    with pytest.raises(SourceUrlError, match=why):
        normalise_prefix(prefix)


@pytest.mark.parametrize(
    "prefix",
    ["https://site.example", "https://site.example/", "https://site.example/*", "https://*/ada/", "https://site.example/a/?x=1"],
)
def test_a_prefix_names_a_real_folder(prefix: str) -> None:
    with pytest.raises(SourceUrlError):
        normalise_prefix(prefix)


@pytest.mark.parametrize(
    ("rule", "url", "matches"),
    [
        ("https://site.example/ada/", "https://site.example/ada/1.jpg", True),
        ("https://site.example/ada/", "http://site.example/ada/x/1.jpg", True),
        ("https://site.example/ada", "https://site.example/adam/1.jpg", False),
        ("https://site.example/ada/", "https://site.example/ada", False),
        ("https://site.example/ada/", "https://site.example.evil.example/ada/1.jpg", False),
        ("https://site.example/ada/", "https://evil.example/?u=https://site.example/ada/1.jpg", False),
        ("https://site.example/ada/", "https://site.example/ada/../bob/1.jpg", False),
        ("https://site.example/ada/", "https://site.example:8443/ada/1.jpg", False),
    ],
)
def test_a_prefix_matches_whole_segments_only(rule: str, url: str, matches: bool) -> None:
    checked = checked_rule(SourceRule(kind=SourceKindRule.URL_PREFIX, value=rule))
    found = matching_rule([checked], Asset(SourceKind.WEB_PAGE, final_url=normalise_url(url)))
    assert (found is not None) is matches


def test_the_most_exact_rule_is_the_one_that_binds() -> None:
    rules = [
        checked_rule(SourceRule(kind=SourceKindRule.URL_PREFIX, value="https://site.example/ada/")),
        checked_rule(SourceRule(kind=SourceKindRule.URL_PREFIX, value="https://site.example/ada/portraits/", only_me=True)),
        checked_rule(SourceRule(kind=SourceKindRule.IMAGE_URL, value="https://site.example/ada/portraits/7.jpg")),
    ]

    def found(url: str) -> str | None:
        rule = matching_rule(rules, Asset(SourceKind.WEB_PAGE, final_url=url))
        return rule.value if rule else None

    assert found("https://site.example/ada/portraits/7.jpg") == "https://site.example/ada/portraits/7.jpg"
    assert found("https://site.example/ada/portraits/8.jpg") == "https://site.example/ada/portraits/"
    assert found("https://site.example/ada/8.jpg") == "https://site.example/ada/"
    assert found("https://site.example/bob/8.jpg") is None


STARRED = (
    "https://h.example/*",
    "https://h.example/a*b/c.jpg",
    "https://h.example/%2a/",
    "https://h.example/%2A.jpg",
    "https://h.example/a/?b=*",
)


@pytest.mark.parametrize("kind", [SourceKindRule.URL_PREFIX, SourceKindRule.IMAGE_URL], ids=lambda kind: kind.value)
@pytest.mark.parametrize(
    "value", [*STARRED, "https://h.example/a.jpg?b=%2a", "https://h.example/a.jpg?%2A", "https://h.example/a#*", "https://*/a/"]
)
def test_aia_2_no_source_holds_a_wildcard_as_it_is_or_encoded(kind: SourceKindRule, value: str) -> None:
    with pytest.raises(SourceRuleError, match="no wildcard"):
        checked_rule(SourceRule(kind=kind, value=value))


@pytest.mark.parametrize(
    "value",
    [
        "https://h.example",
        "https://h.example/",
        "https://h.example/?",
        "https://h.example//",
        "https://h.example/a/..",
        "https://h.example/#a",
    ],
)
def test_aia_2_a_bare_host_is_no_image(value: str) -> None:
    with pytest.raises(SourceRuleError, match="a whole site is not an image"):
        checked_rule(SourceRule(kind=SourceKindRule.IMAGE_URL, value=value))


@pytest.mark.parametrize("value", ["https://h.example/?img=1", "https://h.example/a", "https://h.example/a/"])
def test_one_image_on_a_host_is_a_target(value: str) -> None:
    assert checked_rule(SourceRule(kind=SourceKindRule.IMAGE_URL, value=value)).value == value


@pytest.mark.parametrize("value", [f"https://h.example/ada/{segment}/bob.jpg" for segment in (*NEARLY_DOTS, "%c0%ae%c0%ae")])
def test_what_some_server_follows_upwards_is_under_no_folder(value: str) -> None:
    """A grant that names it is refused, and an image that comes from there is nobody's."""
    with pytest.raises(SourceRuleError):
        checked_rule(SourceRule(kind=SourceKindRule.IMAGE_URL, value=value))
    assert safe_url(value) is None


def test_a_star_in_the_name_of_a_fetched_image_is_a_name_like_any_other() -> None:
    rule = checked_rule(SourceRule(kind=SourceKindRule.URL_PREFIX, value="https://h.example/ada/"))
    for path, matches in (("ada/w_300,*.jpg", True), ("ada/%2a.jpg", True), ("*/1.jpg", False)):
        found = matching_rule([rule], Asset(SourceKind.WEB_PAGE, final_url=safe_url(f"https://h.example/{path}")))
        assert (found is not None) is matches


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (SourceKindRule.ASSET_SHA256, "abc"),
        (SourceKindRule.ACCOUNT, "*@site.example"),
        (SourceKindRule.ACCOUNT, "ada"),
        (SourceKindRule.IMAGE_URL, "javascript:alert(1)"),
    ],
)
def test_rules_that_name_nothing_are_refused(kind: SourceKindRule, value: str) -> None:
    with pytest.raises(SourceRuleError):
        checked_rule(SourceRule(kind=kind, value=value))


def test_folders_of_a_url() -> None:
    assert list(folders("https://h.example/a/b/c.jpg")) == ["h.example/a/b/", "h.example/a/"]
    assert list(folders("https://h.example/a/?b=/c/")) == ["h.example/a/"]
    assert list(folders("https://h.example/c.jpg")) == list(folders("https://h.example")) == []


@pytest.mark.parametrize(
    ("folder", "where", "is_one"),
    [
        ("h.example/a/", "h.example/a/b/c.jpg", True),
        ("h.example/a/b/", "h.example/a/b/c.jpg?d=/e/", True),
        ("h.example/a/", "h.example/a/?d=/e/", True),
        # The beginning of another's name is no folder of hers.
        ("h.example/a", "h.example/adam/c.jpg", False),
        ("h.example/", "h.example/a/c.jpg", False),
        ("h.example/b/", "h.example/a/c.jpg", False),
        ("h.example/a/?d=/", "h.example/a/?d=/e/c.jpg", False),
    ],
)
def test_one_folder_is_among_those_of_a_url_or_not(folder: str, where: str, is_one: bool) -> None:
    assert is_folder_of(folder, where) is is_one
    assert (folder in folders(f"https://{where}")) is is_one


@given(st.from_regex(_PLAIN, fullmatch=True))
@example("https://xn--bcher-kva.example/a/1.jpg")
@example("https://a_b.example/-/~x.jpg/")
def test_what_is_taken_as_it_stands_is_what_would_come_out(url: str) -> None:
    assert _normalised(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://site.example/a/../b",
        "https://site.example/a//b",
        "https://site.example/%61",
        "https://Site.example/a",
        "https://site.example:443/a",
        "https://site.example./a",
        "https://192.0.2.1/a",
        "https://site.0x7f/a",
        "https://site.example/a?q",
        "https://site.example",
        "https://site.example/a/..;x/b",
        "https://site.example/a\n",
        "https://me@site.example/a",
    ],
)
def test_what_has_another_spelling_is_not_taken_as_it_stands(url: str) -> None:
    assert _PLAIN.fullmatch(url) is None


@given(base=st.text(), url=st.text(st.characters()))
@example(base="http://[x", url="1.jpg")
@example(base="https://site.example/", url="http://[::1")
@example(base="https://site.example/", url="/\udcff.jpg")
def test_no_text_is_worse_than_no_address(base: str, url: str) -> None:
    """Headers, pages and records hold what a stranger wrote."""
    for found in (safe_url(url), safe_url(url, base=base)):
        assert found is None or normalise_url(found) == found
