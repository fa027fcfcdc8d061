"""Degrees and numbers as XMP and C2PA write them in text; a text that can be read in two ways is no position."""

from __future__ import annotations

import re
from collections.abc import Sequence

_COORDINATE = re.compile(r"(\d{1,3})(?:,(\d{1,2}(?:\.\d{1,20})?))?(?:,(\d{1,2}(?:\.\d{1,20})?))?([NSEW])", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,20})?", re.ASCII)
_RATIONAL = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(?:/(\d{1,12}))?", re.ASCII)


class PositionError(ValueError):
    """Raised when a position is stated and a part of it is missing, void or no number."""


def degrees(texts: Sequence[str], allowed: str) -> float:
    """XMP writes degrees and decimal minutes, or minutes and seconds, with a letter: 49,15.6N. Raises PositionError."""
    values = set(texts)
    matched = _COORDINATE.fullmatch(values.pop().replace(" ", "")) if len(values) == 1 else None
    if matched is None or matched[4] not in allowed:
        raise PositionError("no degrees, or two positions in one")
    minutes, seconds = float(matched[2] or 0), float(matched[3] or 0)
    if minutes >= 60 or seconds >= 60:
        raise PositionError("more minutes than a degree has")
    found = float(matched[1]) + minutes / 60 + seconds / 3600
    return -found if matched[4] in "SW" else found


def signed_degrees(texts: Sequence[str], references: Sequence[str], allowed: str) -> float:
    """The same, or decimal degrees with a sign or with a letter of their own, as C2PA's signers write them. Raises PositionError."""
    values, letters = set(texts), set(references)
    value = next(iter(values)) if len(values) == 1 else ""
    if _DECIMAL.fullmatch(value) is None:
        found = degrees(texts, allowed)
        if letters and letters != {value[-1]}:
            raise PositionError("two letters that contradict each other")
        return found
    if not letters:
        return float(value)
    letter = letters.pop()
    if letters or letter not in tuple(allowed) or value[0] in "+-":
        raise PositionError("a sign beside a letter, or a letter of another axis")
    return -float(value) if letter in "SW" else float(value)


def number(text: str) -> float:
    """A number or a quotient. Raises PositionError."""
    matched = _RATIONAL.fullmatch(text)
    if matched is None or (matched[2] is not None and int(matched[2]) == 0):
        raise PositionError("no number")
    return float(matched[1]) / int(matched[2] or 1)
