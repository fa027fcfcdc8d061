"""A moment as people write it, in UTC; programs read the ISO form beside it."""

from __future__ import annotations

from datetime import UTC, datetime

_MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
}


def day_text(at: datetime, lang: str = "en") -> str:
    """`26 November 2026`, `26 novembre 2026`; the first of a month is `1er` in French."""
    at = at.astimezone(UTC)
    day = "1er" if lang == "fr" and at.day == 1 else str(at.day)
    return f"{day} {_MONTHS.get(lang, _MONTHS['en'])[at.month - 1]} {at.year}"


def moment_text(at: datetime, lang: str = "en") -> str:
    """`26 November 2026, 06:05 UTC`, `26 novembre 2026 à 6 h 05 UTC`."""
    at = at.astimezone(UTC)
    if lang == "fr":
        return f"{day_text(at, lang)} à {at.hour} h {at.minute:02} UTC"
    return f"{day_text(at, lang)}, {at:%H:%M} UTC"
