"""X-Robots-Tag and meta robots, one table of words for both; the strictest statement wins, whatever stands beside it."""

from __future__ import annotations

import re
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
_VALUED = frozenset({ENDING, "max-snippet", "max-image-preview", "max-video-preview"})
_NAMED = re.compile(r"\s*([^:]{1,80}?)\s*:\s*(.*)", re.S)
_BOT = re.compile(r"\*|[A-Za-z_][\w.-]*(?:/[\w.]+)?")
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
    meant = (one for one in _directives(value) if one.bot is None or is_addressed(one.bot, agent=agent))
    return tuple(signal for one in meant for signal in _signals(one, now, source))


def _directives(value: str) -> Iterator[Directive]:
    parts = re.split("[,;]", value)
    bot: str | None = None
    while parts:
        part = parts.pop(0)
        named = _NAMED.fullmatch(part)
        while named is not None and named.group(1).lower() not in _VALUED:
            name, part = named.groups()
            if _BOT.fullmatch(name) and name.lower() not in DENYING:
                bot = name
            else:
                # No crawler has such a name: it binds nobody, and its words are meant for everyone.
                bot = None
                yield from _words(bot, name)
            named = _NAMED.fullmatch(part)
        if named is None:
            yield from _words(bot, part)
            continue
        argument = named.group(2)
        if parts and _WEEKDAY.fullmatch(argument.strip()):
            # The comma after the weekday belongs to the date: `Friday, 25-Jun-10 15:00:00 UTC`.
            argument = f"{argument.strip()}, {parts.pop(0).strip()}"
        yield Directive(bot, named.group(1).lower(), argument)


def _words(bot: str | None, text: str) -> Iterator[Directive]:
    return (Directive(bot, word) for word in text.lower().split())


def _signals(directive: Directive, now: datetime | None, source: SignalSource) -> Iterator[OptOutSignal]:
    word = re.sub(r"[_-]", "", directive.name)
    if directive.name == ENDING:
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
