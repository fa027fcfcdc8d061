"""robots.txt: RFC 9309 for the rules, stricter for every answer that is not a file of rules."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

from assent.optouts.combination import combine
from assent.optouts.path_pattern import PathPattern, normalise_path
from assent.optouts.robots import MAX_ROBOTS_BYTES, RobotsPolicy, robots_policy
from assent.optouts.robots_lines import parse_robots
from assent.optouts.signal import OptOutSignal, SignalKind, SignalSource, SignalVerdict

AGENT = "AssentBot"


def policy(text: str) -> RobotsPolicy:
    return robots_policy(200, text.encode(), agent=AGENT)


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_does_not_exist_has_no_rules(status: int) -> None:
    found = robots_policy(status, b"User-agent: *\nDisallow: /", agent=AGENT)
    assert found.allows("/a.jpg")
    assert found.signals("/a.jpg") == ()


@pytest.mark.parametrize("status", [None, 100, 204, 206, 301, 302, 400, 401, 402, 403, 405, 407, 418, 429, 451, 500, 502, 503, 504, 999])
def test_every_other_answer_closes_the_site(status: int | None) -> None:
    found = robots_policy(status, b"User-agent: *\nAllow: /", agent=AGENT)
    assert not found.allows("/")
    assert combine(found.signals("/")).is_denied
    assert found.usage_signals("/") == ()


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"User-agent: *\nAllow: /\xff\xfe",
        "User-agent: *\nAllow: /".encode("utf-16"),
        b"User-agent: *\0\nAllow: /",
        b"#" * (MAX_ROBOTS_BYTES + 1),
    ],
    ids=["no body", "latin-1", "utf-16", "zero byte", "over the cap"],
)
def test_a_body_that_cannot_be_read_closes_the_site(body: bytes | None) -> None:
    assert not robots_policy(200, body, agent=AGENT).allows("/")


def test_rules_up_to_the_cap_are_read() -> None:
    rule = b"\nUser-agent: *\nDisallow: /x"
    found = robots_policy(200, b"#" * (MAX_ROBOTS_BYTES - len(rule)) + rule, agent=AGENT)
    assert not found.allows("/x")
    assert found.allows("/y")


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html><body>Not found</body></html>",
        b"\xef\xbb\xbf \n<!-- built by x --><!-- y -->\n<HTML lang=en>",
        b'<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">',
        b"<html>\xff latin",
    ],
)
def test_a_page_in_place_of_the_file_means_no_rules(body: bytes) -> None:
    assert robots_policy(200, body, agent=AGENT).allows("/")


def test_rules_after_a_comment_of_html_are_rules() -> None:
    assert not policy("<!-- ours -->\nUser-agent: *\nDisallow: /").allows("/")


def test_many_comments_take_no_time() -> None:
    started = time.monotonic()
    robots_policy(200, b"<!---->" * 1100 + b"x", agent=AGENT)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    ("text", "path", "is_allowed"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow: /a", "/abc", False),
        ("User-agent: *\nDisallow: /a", "/b", True),
        ("User-agent: *\nDisallow: /p\nAllow: /p/open", "/p/open/x", True),
        ("User-agent: *\nAllow: /p\nDisallow: /p/closed", "/p/closed/x", False),
        ("User-agent: *\nDisallow: /same\nAllow: /same", "/same", True),
        ("User-agent: *\nDisallow: /*.jpg$", "/x/a.jpg", False),
        ("User-agent: *\nDisallow: /*.jpg$", "/x/a.jpg?w=1", True),
        ("User-agent: *\nDisallow: /*?", "/a?b", False),
        ("User-agent: *\nDisallow: /caf%C3%A9", "/café/a", False),
        ("User-agent: *\nDisallow: /café", "/caf%c3%a9/a", False),
        ("User-agent: *\nDisallow: /%7Ejane", "/~jane/a", False),
        ("User-agent: *\nDisallow: private", "/private", False),
        ("User-agent: *\nDisallow: /a # all of it", "/a", False),
        ("user-AGENT:*\nDISALLOW:/a", "/a", False),
        ("User-agent: *\r\nDisallow: /a\rDisallow: /b", "/b", False),
        ("\ufeffUser-agent: *\nDisallow: /a", "/a", False),
        ("User-agent: *\nDisalow: /a", "/a", False),
        ("User-agent: *\nDisallow /a", "/a", False),
        ("Useragent: *\nDisallow: /a", "/a", False),
        # groups
        ("User-agent: assentbot\nDisallow: /a\n\nUser-agent: *\nDisallow: /", "/b", True),
        ("User-agent: AssentBot/2.0\nDisallow: /a\nUser-agent: *\nAllow: /", "/a", False),
        ("User-agent: AssentBot\nAllow: /\nUser-agent: *\nDisallow: /", "/a", True),
        ("User-agent: AssentBot\nDisallow: /a\n\nUser-agent: x\nDisallow:\n\nUser-agent: ASSENTBOT\nDisallow: /b", "/b", False),
        ("User-agent: other\nUser-agent: AssentBot\nDisallow: /a", "/a", False),
        ("User-agent: AssentBot\nSitemap: https://x/s.xml\nUser-agent: other\nDisallow: /a", "/a", False),
        ("User-agent: AssentBot\nCrawl-delay: 3\nUser-agent: other\nDisallow: /a", "/a", False),
        ("User-agent: GPTBot, AssentBot\nDisallow: /a\n\nUser-agent: *\nAllow: /", "/a", False),
        ("User-agent: AssentBot/1.0 ,GPTBot\nDisallow: /a\n\nUser-agent: *\nAllow: /", "/a", False),
        ("User-agent: GPTBot, *\nDisallow: /a", "/a", False),
        ("User-agent: GPTBot, CCBot\nDisallow: /a", "/a", True),
        ("User-agent: Assent\nAllow: /\n\nUser-agent: *\nDisallow: /", "/a", False),
        ("User-agent: Bot\nAllow: /\n\nUser-agent: *\nDisallow: /", "/a", False),
        ("User-agent: other\nDisallow: /", "/a", True),
        ("Disallow: /", "/a", True),
        # a group that its first rule has closed stays closed, whatever record that is no rule stands in between
        ("User-agent: AssentBot\nDisallow: /a\nCrawl-delay: 3\nUser-agent: other\nDisallow: /b", "/b", True),
        ("  User-agent: *\n\tDisallow: /a", "/a", False),
        ("User-agent: *\nDisallow private:x", "/private:x", False),
        ("User-agent: *\nDisallow : /a", "/a", False),
        ("User agent: *\nDisallow: /a", "/a", False),
        ("User-agent *\nDISALLOW /a", "/a", False),
        # an agent asks for a path that it has not rooted itself
        ("User-agent: *\nDisallow: /a", "a", False),
        ("User-agent: *\nAllow: /a$\nDisallow: /", "a", True),
        # a character that ends a line for Python and not for robots.txt cannot smuggle a rule in
        ("User-agent: *\nDisallow: /a\u2028Allow: /", "/a\u2028Allow: /x", False),
        ("User-agent: *\nDisallow: /\nDisallow: /z\x0bAllow: /abc", "/abc", False),
    ],
)
def test_robots_txt(text: str, path: str, is_allowed: bool) -> None:
    found = policy(text)
    assert found.allows(path) is is_allowed
    kinds = [signal.kind for signal in found.signals(path) if signal.verdict is SignalVerdict.DENY]
    assert kinds == ([] if is_allowed else [SignalKind.ROBOTS_TXT])


def test_another_agent_reads_another_answer() -> None:
    body = b"User-agent: AssentBot\nDisallow: /\n\nUser-agent: *\nDisallow:"
    assert not robots_policy(200, body, agent="AssentBot").allows("/")
    assert robots_policy(200, body, agent="SomeoneElse").allows("/")


@pytest.mark.parametrize(
    ("lines", "delay_s"),
    [
        ("", None),
        ("Crawl-delay: 5", 5.0),
        ("Crawl-delay: 2\nCrawl-delay: 0.5", 2.0),
        ("Crawl-delay: soon", None),
        ("Crawl-delay: soon\nCrawl-delay: 2", 2.0),
        ("Crawl-delay: -1", None),
        ("Crawl-delay: 0", 0.0),
        ("Crawl-delay: 0.5", 0.5),
        ("Crawl-delay: 1\nVisits: 9\nDisallow: 9", 1.0),
        ("Crawl-delay: nan", None),
        ("Crawl-delay: inf", float("inf")),
        ("Crawl-delay: 100000", 100000.0),
    ],
)
def test_the_longest_crawl_delay_counts_and_is_not_capped_here(lines: str, delay_s: float | None) -> None:
    assert policy(f"User-agent: *\n{lines}\nAllow: /").crawl_delay_s == delay_s


@pytest.mark.parametrize(
    ("text", "path", "is_denied"),
    [
        # Content-Usage
        ("User-agent: *\nContent-Usage: train-ai=n", "/a.jpg", True),
        ("User-agent: *\nContent-Usage: search=n", "/a.jpg", True),
        ("User-agent: *\nContent-Usage: train-genai=n", "/a.jpg", True),
        ("User-agent: *\nContent-Usage: train-ai=y, search=y", "/a.jpg", False),
        ("User-agent: *\nContent-Usage: /photos/ train-ai=n", "/photos/a.jpg", True),
        ("User-agent: *\nContent-Usage: /photos/ train-ai=n", "/texts/a.jpg", False),
        ("User-agent: *\nContent-Usage:\xa0/photos/ train-ai=n", "/texts/a.jpg", False),
        ("User-agent: *\nContent-Usage: *.jpg$ train-ai=n", "/texts/a.jpg", True),
        ("User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /open/ train-ai=y", "/open/a", False),
        ("User-agent: *\nContent-Usage: train-ai=y\nContent-Usage: /shut/ train-ai=n", "/shut/a", True),
        ("User-agent: *\nContent-Usage: /a/ train-ai=y\nContent-Usage: /a/ search=n", "/a/b", True),
        # each label for itself: a word about one use takes nothing from a word about another
        ("User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /photos/ search=y", "/photos/a.jpg", True),
        ("User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /photos/ search=y, train-ai=y", "/photos/a.jpg", False),
        ("User-agent: *\nContent-Usage: /photos/ train-ai=n\nContent-Usage: /photos/a search=y", "/photos/a.jpg", True),
        ("User-agent: *\nContent-Usage: TRAIN=?\nContent-Usage: /photos/ search=y", "/photos/a.jpg", True),
        ("User-agent: *\nContent-Signal: ai-train=no\nContent-Signal: /photos/ search=yes", "/photos/a.jpg", True),
        ("User-agent: other\nContent-Usage: train-ai=n", "/a.jpg", False),
        ("User-agent: AssentBot\nAllow: /\nUser-agent: *\nContent-Usage: train-ai=n", "/a.jpg", False),
        ("Content-Usage: train-ai=n", "/a.jpg", True),
        ("User-agent: *\nContent-Usage: TRAIN=?", "/a.jpg", True),
        ("User-agent: *\nContent-Usage: /photos/", "/photos/a.jpg", True),
        ("User-agent: *\nContent-Usage:", "/a.jpg", False),
        # Content-Signal
        ("User-agent: *\nContent-Signal: search=yes, ai-train=no", "/a.jpg", True),
        ("User-agent: *\nContent-Signal: search=yes,ai-input=yes,ai-train=yes,use=full", "/a.jpg", False),
        ("User-agent: *\nContent-Signal: search=yes,use=reference", "/a.jpg", True),
        ("Content-signal: AI-TRAIN=NO\nUser-agent: *\nAllow: /", "/a.jpg", True),
        ("User-agent: *\nContent-Signal: /p ai-train=no", "/q", False),
        ("User-agent: *\nContent-Signal: no", "/a.jpg", True),
        # RSL
        ("License: https://example.org/terms.xml", "/a.jpg", True),
        ("User-agent: other\nDisallow: /\nLicense: https://example.org/terms.xml", "/a.jpg", True),
        ("User-agent: *\nLicence: https://example.org/terms.xml", "/a.jpg", True),
        ("License:", "/a.jpg", True),
        ("# License: https://example.org/terms.xml", "/a.jpg", False),
    ],
)
def test_lines_about_use(text: str, path: str, is_denied: bool) -> None:
    found = policy(text)
    assert found.allows(path)
    assert combine(found.usage_signals(path)).is_denied is is_denied


def test_each_reason_is_told_with_its_word_the_disallow_first() -> None:
    found = policy("User-agent: *\nDisallow: /a\nContent-Usage: train-ai=n").signals("/a")
    assert [(signal.kind, signal.verdict, signal.source, signal.token) for signal in found] == [
        (SignalKind.ROBOTS_TXT, SignalVerdict.DENY, SignalSource.ROBOTS_TXT, "disallow"),
        (SignalKind.CONTENT_USAGE, SignalVerdict.DENY, SignalSource.ROBOTS_TXT, "train-ai=n"),
    ]
    (unread,) = robots_policy(500, None, agent=AGENT).signals("/a")
    assert unread == OptOutSignal(SignalKind.ROBOTS_TXT, SignalVerdict.UNKNOWN, SignalSource.ROBOTS_TXT, "unreadable")


def test_only_words_about_use_stand_for_every_agent_when_no_agent_is_named() -> None:
    text = "Disallow: /\nCrawl-delay: 3\nContent-Usage: train-ai=n\nContent-Signal: ai-train=no\nLicense: x\nUser-agent: *\nAllow: /"
    assert [line.field for line in parse_robots(text).site_wide] == ["content-usage", "content-signal", "license"]


@pytest.mark.parametrize("word", ["Dissallow", "Dissalow", "Disalow", "Diasllow", "Disallaw"])
def test_a_no_is_read_through_a_slip_of_the_pen(word: str) -> None:
    assert not policy(f"User-agent: *\n{word}: /a").allows("/a")


@pytest.mark.parametrize("word", ["Crawl-delay", "Crawl delay", "Crawldelay"])
def test_a_delay_is_read_through_a_slip_of_the_pen(word: str) -> None:
    assert policy(f"Useragent: *\n{word}: 2").crawl_delay_s == 2


@pytest.mark.parametrize("rule", ["Allow: /b", "Disallow: /b", "Content-Usage: train-ai=y", "Content-Signal: search=yes"])
def test_a_group_is_closed_by_its_first_rule_of_any_kind(rule: str) -> None:
    assert policy(f"User-agent: AssentBot\n{rule}\nUser-agent: other\nDisallow: /a").allows("/a")


def test_half_a_million_bytes_are_read_and_no_more() -> None:
    rule = b"\nUser-agent: *\nAllow: /"
    for size, is_read in ((512_000, True), (512_001, False)):
        assert robots_policy(200, b"#" * (size - len(rule)) + rule, agent=AGENT).allows("/a") is is_read


PATHS = st.text(alphabet="ab/.~%é?=", max_size=12).map(lambda text: f"/{text}")
PATTERNS = st.text(alphabet="ab/.*é~", min_size=1, max_size=8).map(lambda text: f"/{text}")


@given(PATTERNS, PATHS, st.booleans())
def test_our_patterns_agree_with_protego(pattern: str, path: str, is_anchored: bool) -> None:
    written = PathPattern.of(pattern + "$" * is_anchored)
    theirs = Protego.parse(f"user-agent: *\ndisallow: {written.text}")
    address = normalise_path(path)
    assert written.matches(path) is not theirs.can_fetch(f"https://h.example{address}", "x")


@pytest.mark.parametrize(
    ("pattern", "path", "does_match"),
    [
        ("/a*a$", "/a", False),
        ("/a*a$", "/aa", True),
        ("/*b*b$", "/b", False),
        ("/a$", "/ab", False),
        ("*", "/", True),
        ("/%2F", "//", False),
        ("/%41", "/A", True),
        ("/a*b", "/ac", False),
        ("/a*b*c", "/ab", False),
    ],
)
def test_a_path_is_used_up_from_left_to_right(pattern: str, path: str, does_match: bool) -> None:
    assert PathPattern.of(pattern).matches(path) is does_match


@given(st.binary(max_size=200), st.sampled_from([200, 404, 403, None]))
def test_no_body_breaks_the_reader(body: bytes, status: int | None) -> None:
    found = robots_policy(status, body, agent=AGENT)
    if not found.allows("/a"):
        assert combine(found.signals("/a")).is_denied
