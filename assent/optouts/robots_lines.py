"""The lines of a robots.txt in their groups; it reads what was written and decides nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from assent.optouts.agent import EVERYONE, product_token

USER_AGENT, ALLOW, DISALLOW, CRAWL_DELAY = "user-agent", "allow", "disallow", "crawl-delay"
CONTENT_USAGE, CONTENT_SIGNAL, LICENSE = "content-usage", "content-signal", "license"
_RULES = frozenset({ALLOW, DISALLOW, CONTENT_USAGE, CONTENT_SIGNAL})
# Only words that restrict are read through a slip of the pen.
_SPELLINGS = {
    "useragent": USER_AGENT,
    "user agent": USER_AGENT,
    "dissallow": DISALLOW,
    "dissalow": DISALLOW,
    "disalow": DISALLOW,
    "diasllow": DISALLOW,
    "disallaw": DISALLOW,
    "crawl delay": CRAWL_DELAY,
    "crawldelay": CRAWL_DELAY,
    "licence": LICENSE,
}
_WITH_COLON = re.compile(r"([A-Za-z][A-Za-z -]{0,40}?)[ \t]*:[ \t]*(.*)")
_WITHOUT_COLON = re.compile(r"(user-agent|disallow|crawl-delay)[ \t]+(.*)", re.I)


@dataclass(frozen=True, slots=True)
class RobotsLine:
    """One `field: value` without its comment; the field is in lower case and rightly spelled."""

    field: str
    value: str


@dataclass(slots=True)
class _Group:
    agents: set[str] = field(default_factory=set)
    lines: list[RobotsLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RobotsLines:
    """The groups by whom they name (product tokens in lower case, `*` for all), and the lines that stand for every agent.

    They stay groups: a file has room for thousands of names before thousands of lines.
    """

    groups: tuple[_Group, ...]
    site_wide: tuple[RobotsLine, ...]

    def addressed_to(self, agent: str) -> tuple[RobotsLine, ...]:
        """The lines of all groups that name `agent`, else of all groups for everyone (RFC 9309 section 2.2.1)."""
        for name in (product_token(agent), EVERYONE):
            named = [group for group in self.groups if name in group.agents]
            if named:
                return tuple(line for group in named for line in group.lines)
        return ()


def parse_robots(text: str) -> RobotsLines:
    """Group the lines of a file. A group is closed by its first rule; other records do not divide it."""
    groups: list[_Group] = []
    site_wide: list[RobotsLine] = []
    is_open = False
    for line in _lines(text):
        if line.field == USER_AGENT:
            if not is_open:
                groups.append(_Group())
            is_open = True
            # A list in one line names each of them.
            groups[-1].agents.update(product_token(name) for name in line.value.split(","))
        elif line.field == LICENSE or (not groups and line.field in (CONTENT_USAGE, CONTENT_SIGNAL)):
            site_wide.append(line)
        elif groups:
            is_open = is_open and line.field not in _RULES
            groups[-1].lines.append(line)
    return RobotsLines(groups=tuple(groups), site_wide=tuple(site_wide))


def _lines(text: str) -> list[RobotsLine]:
    # Not splitlines(): a form feed or U+2028 inside a path ends no line of a robots.txt.
    stripped = (line.partition("#")[0].strip() for line in re.split(r"\r\n|\r|\n", text))
    return [line for line in map(_line, stripped) if line is not None]


def _line(text: str) -> RobotsLine | None:
    found = _WITH_COLON.fullmatch(text)
    if found is None or " " in found.group(1):
        # The colon may be one of the path: `Disallow /a:b`.
        found = _WITHOUT_COLON.fullmatch(text) or found
    if found is None:
        return None
    name = found.group(1).lower()
    return RobotsLine(_SPELLINGS.get(name, name), found.group(2).strip())
