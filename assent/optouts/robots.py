"""robots.txt (RFC 9309) decided for one agent, stricter than the RFC on errors; doubt about the file closes the whole site."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from protego import Protego

from assent.optouts.content_signal import content_signal
from assent.optouts.content_usage import content_usage
from assent.optouts.fetched_file import FetchedFile, FileState, text_of
from assent.optouts.path_pattern import PathPattern
from assent.optouts.robots_lines import CONTENT_SIGNAL, CONTENT_USAGE, CRAWL_DELAY, LICENSE, RobotsLine, parse_robots
from assent.optouts.robots_match import allows, matcher
from assent.optouts.rsl import rsl_line
from assent.optouts.signal import OptOutSignal, SignalKind, SignalSource, SignalVerdict

MAX_ROBOTS_BYTES = 500 * 1024
"""What RFC 9309 section 2.5 asks a crawler to read; rules may stand beyond it, so a longer file closes the site."""

_EVERYWHERE = PathPattern("/")
_WITH_PATH = re.compile(r"(/\S*|\*[^\s=]*)(?:\s+(.*))?")


@dataclass(frozen=True, slots=True)
class _UsageRule:
    pattern: PathPattern
    signals: tuple[OptOutSignal, ...]


@dataclass(frozen=True, slots=True)
class RobotsPolicy:
    """The answer of one robots.txt. `crawl_delay_s` is the longest one written, in seconds, not capped here."""

    state: FileState | None = FileState.UNREADABLE
    crawl_delay_s: float | None = None
    rules: Protego | None = None
    usage: tuple[_UsageRule, ...] = ()
    preferences: tuple[_UsageRule, ...] = ()
    site: tuple[OptOutSignal, ...] = ()

    def allows(self, url_path: str) -> bool:
        """True when `url_path` (with its query) may be fetched."""
        if self.state is FileState.UNREADABLE:
            return False
        return self.rules is None or allows(self.rules, url_path)

    def usage_signals(self, url_path: str) -> tuple[OptOutSignal, ...]:
        """What the file says about the use of a path beside fetching it: Content-Usage, Content-Signal, License."""
        return (*_most_exact(self.usage, url_path), *_most_exact(self.preferences, url_path), *self.site)

    def signals(self, url_path: str) -> tuple[OptOutSignal, ...]:
        """The same with the answer of `allows`, for whoever records reasons."""
        if self.state is FileState.UNREADABLE:
            return (OptOutSignal(SignalKind.ROBOTS_TXT, SignalVerdict.UNKNOWN, SignalSource.ROBOTS_TXT, "unreadable"),)
        usage = self.usage_signals(url_path)
        if self.allows(url_path):
            return usage
        return (OptOutSignal(SignalKind.ROBOTS_TXT, SignalVerdict.DENY, SignalSource.ROBOTS_TXT, "disallow"), *usage)


def robots_policy(status: int | None, body: bytes | None, *, agent: str) -> RobotsPolicy:
    """The policy of an answer to `/robots.txt`; `status` is None when none came.

    404, 410 and a page of HTML in its place mean no rules; every other status but 200, a body that is no UTF-8 and one over
    the cap close the site.
    """
    text = text_of(FetchedFile(status, body), max_bytes=MAX_ROBOTS_BYTES)
    if isinstance(text, FileState):
        return RobotsPolicy(state=text)
    robots = parse_robots(text)
    lines = robots.addressed_to(agent)
    spoken = (*robots.site_wide, *lines)
    return RobotsPolicy(
        state=None,
        crawl_delay_s=_longest_delay_s(lines),
        rules=matcher(lines),
        usage=tuple(_usage_rule(line) for line in spoken if line.field == CONTENT_USAGE),
        preferences=tuple(_usage_rule(line) for line in spoken if line.field == CONTENT_SIGNAL),
        site=tuple(rsl_line(line.value) for line in spoken if line.field == LICENSE),
    )


def _usage_rule(line: RobotsLine) -> _UsageRule:
    read = content_usage if line.field == CONTENT_USAGE else content_signal
    found = _WITH_PATH.fullmatch(line.value)
    if found is None:
        return _UsageRule(_EVERYWHERE, read(line.value, source=SignalSource.ROBOTS_TXT))
    # A path without a statement says something we cannot read, so it is handed on as a fault.
    return _UsageRule(PathPattern.of(found.group(1)), read(found.group(2) or "=", source=SignalSource.ROBOTS_TXT))


def _most_exact(rules: Iterable[_UsageRule], path: str) -> tuple[OptOutSignal, ...]:
    """Of each label what the most exact rule says: a word about one use takes nothing from a word about another."""
    matching = [(rule, signal) for rule in rules if rule.pattern.matches(path) for signal in rule.signals]
    longest: dict[str, int] = {}
    for rule, signal in matching:
        longest[_label(signal)] = max(len(rule.pattern), longest.get(_label(signal), 0))
    return tuple(signal for rule, signal in matching if len(rule.pattern) == longest[_label(signal)])


def _label(signal: OptOutSignal) -> str:
    return signal.token.partition("=")[0]


def _longest_delay_s(lines: Iterable[RobotsLine]) -> float | None:
    delays = [_seconds(line.value) for line in lines if line.field == CRAWL_DELAY]
    return max((delay for delay in delays if delay is not None), default=None)


def _seconds(text: str) -> float | None:
    try:
        delay_s = float(text)
    except ValueError:
        return None
    return None if math.isnan(delay_s) or delay_s < 0 else delay_s
