"""X-Robots-Tag and meta robots, one table of words for both; the strictest statement wins, whatever stands beside it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from assent.optouts.agent import is_addressed
from assent.optouts.ending_date import parse_ending_date
from assent.optouts.signal import OptOutSignal, SignalKind, SignalSource, SignalVerdict

ENDING = "unavailable_after"
DENYING = frozenset({"none", "noindex", "noimageindex", "noai", "noimageai", "noml"})
# Words that begin with "no" and reserve nothing about the use of an image.
_HARMLESS_NO = frozenset(
    "nofollow noarchive nocache nosnippet notranslate noodp noydir noyaca nositelinkssearchbox nopagereadaloud".split()
)
_PLAIN = frozenset({"all", "index", "follow", "archive", "cache", "snippet", "imageindex", "indexifembedded", "robots"})
"""Words of permission, and the name that means every crawler: no crawler is called so."""
_VALUED = re.compile(r"unavailableafter|max.*", re.S)
_NAMED = re.compile(r"\s*([^:=]{1,80}?)\s*([:=])\s*(.*)", re.S)
_BOT = re.compile(r"\*|[A-Za-z_][\w.-]*(?:/[\w.]+)?")
_BOT_LIKE = re.compile(r"bot|crawler|spider", re.I)
_QUOTES = str.maketrans(dict.fromkeys("\"'`\u2018\u2019\u201c\u201d", " "))
MAX_TAG_CHARS = 4096
"""Of one statement. Real ones have some dozens; a longer one is not read."""
_WEEKDAY = re.compile(r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?", re.I)


@dataclass(frozen=True, slots=True)
class Directive:
    """A word with its argument and the crawler it is bound to; None means everyone."""

    bot: str | None
    name: str
    argument: str = ""


def robots_tag(value: str, *, agent: str, now: datetime | None, source: SignalSource) -> tuple[OptOutSignal, ...]:
    """Signals of one X-Robots-Tag value or one meta robots content, for `agent`.

    `bot: a, b` binds every word up to the next bot's name. Without `now`, every date counts as reached.
    """
    if len(value) > MAX_TAG_CHARS:
        return (OptOutSignal(SignalKind.ROBOTS_TAG, SignalVerdict.UNKNOWN, source, "too_long"),)
    meant = (one for one in _directives(value) if one.bot is None or is_addressed(one.bot, agent=agent))
    return tuple(signal for one in meant for signal in _signals(one, now, source))


def _directives(value: str) -> Iterator[Directive]:
    parts = deque(re.split("[,;]", value.translate(_QUOTES)))
    bot: str | None = None
    while parts:
        part = parts.popleft()
        named = _NAMED.fullmatch(part)
        while named is not None and not _takes_value(named.group(1)):
            name, sign, part = named.groups()
            if sign == ":" and _is_crawler(name):
                bot = name
            else:
                # No crawler has such a name: it binds nobody, and its words are meant for everyone.
                bot = None
                yield from _words(bot, name)
            named = _NAMED.fullmatch(part)
        if named is None:
            yield from _words(bot, part)
            continue
        argument = named.group(3)
        if parts and _WEEKDAY.fullmatch(argument.strip()):
            # The comma after the weekday belongs to the date: `Friday, 25-Jun-10 15:00:00 UTC`.
            argument = f"{argument.strip()}, {parts.popleft().strip()}"
        yield Directive(bot, _plain(named.group(1)), argument)


def _plain(name: str) -> str:
    """A word as it is compared: hyphens and underscores are put anywhere."""
    return re.sub(r"[_-]", "", name.lower())


def _takes_value(name: str) -> bool:
    return _VALUED.fullmatch(_plain(name)) is not None and _BOT_LIKE.search(name) is None


def _is_crawler(name: str) -> bool:
    """Whether the word before a colon names a crawler, and is no directive: else what stands behind it would be lost with it."""
    word = _plain(name)
    is_word = word in _PLAIN or (word.startswith("no") and _BOT_LIKE.search(word) is None)
    return _BOT.fullmatch(name) is not None and not is_word


def _words(bot: str | None, text: str) -> Iterator[Directive]:
    return (Directive(bot, word) for word in text.split())


def _signals(directive: Directive, now: datetime | None, source: SignalSource) -> Iterator[OptOutSignal]:
    word = _plain(directive.name)
    if word == _plain(ENDING):
        yield OptOutSignal(SignalKind.ROBOTS_TAG, _ending(directive.argument, now), source, ENDING)
    elif word in DENYING:
        yield OptOutSignal(SignalKind.ROBOTS_TAG, SignalVerdict.DENY, source, word)
    elif word.startswith("no") and word not in _HARMLESS_NO:
        # A new word of refusal must not be lost only because it is new.
        yield OptOutSignal(SignalKind.ROBOTS_TAG, SignalVerdict.UNKNOWN, source, word)


def _ending(argument: str, now: datetime | None) -> SignalVerdict:
    moment = parse_ending_date(argument)
    if moment is None:
        return SignalVerdict.UNKNOWN
    return SignalVerdict.DENY if now is None or moment <= now else SignalVerdict.NONE
