"""Which of the two languages somebody reads: what she asked for, else the first that her browser or terminal names, else English."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "fr")


def language_of(asked: str | None, accept_language: str) -> str:
    """`asked` is the page's own switch; `accept_language` the header, whose weights count (RFC 9110 section 12.5.4)."""
    if asked is not None and asked[:2].lower() in LANGUAGES:
        return asked[:2].lower()
    ranked = sorted(enumerate(accept_language.split(",")), key=lambda part: (-weight(part[1]), part[0]))
    named = (part.partition(";")[0].strip()[:2].lower() for _, part in ranked if weight(part) > 0)
    return next((name for name in named if name in LANGUAGES), "en")


def terminal_language(environment: Mapping[str, str]) -> str:
    """The language of messages of a terminal: the first of LC_ALL, LC_MESSAGES and LANG that is set decides."""
    named = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "fr" if named.lower().startswith("fr") else "en"


def colon(lang: str) -> str:
    """What stands between a label and what it tells: French has a space before it."""
    return " : " if lang == "fr" else ": "


def weight(part: str) -> float:
    """That of one part of such a header, 1 where it names none and 0 where it names no number."""
    for parameter in part.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
