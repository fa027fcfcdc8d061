"""Allow and Disallow weighed for one path, by protego; it never sees another agent's group, nor text we have not normalised."""

from __future__ import annotations

from collections.abc import Iterable

from protego import Protego

from assent.optouts.agent import EVERYONE
from assent.optouts.path_pattern import PathPattern, normalise_path
from assent.optouts.robots_lines import ALLOW, DISALLOW, RobotsLine

# protego takes addresses; any origin will do, since only the path is matched.
_ORIGIN = "https://origin.invalid"


def matcher(lines: Iterable[RobotsLine]) -> Protego:
    """The rules of one agent, ready to be asked many times."""
    # The patterns are normalised first, so that none can hold a line break that protego would read as a further rule.
    rules = [f"{line.field}: {PathPattern.of(line.value).text}" for line in lines if line.field in (ALLOW, DISALLOW) and line.value]
    return Protego.parse("\n".join(("user-agent: *", *rules)))


def allows(rules: Protego, path: str) -> bool:
    """True unless the longest rule that matches `path` (with its query) disallows it; at equal length Allow wins."""
    rooted = path if path.startswith("/") else f"/{path}"
    return bool(rules.can_fetch(_ORIGIN + normalise_path(rooted), EVERYONE))


def is_allowed(lines: Iterable[RobotsLine], path: str) -> bool:
    """The same for rules that are asked once."""
    return allows(matcher(lines), path)
