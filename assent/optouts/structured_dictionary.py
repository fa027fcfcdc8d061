"""Dictionaries of RFC 9651 (structured fields), read strictly; a field with one fault is refused whole, as the RFC demands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_KEY = r"[a-z*][a-z0-9_.*-]*"
_WORD = r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*"
_BARE = "|".join(
    (
        r"-?[0-9]{1,12}\.[0-9]{1,3}(?![0-9.])",  # decimal
        r"-?[0-9]{1,15}(?![0-9.])",  # integer
        r'"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"',  # string
        r":[A-Za-z0-9+/=]*:",  # byte sequence
        r"\?[01]",  # boolean
        r"@-?[0-9]{1,15}(?![0-9.])",  # date
        r'%"(?:[\x20-\x21\x23-\x24\x26-\x7e]|%[0-9a-f]{2})*"',  # display string
        _WORD,
    )
)
_PARAMETERS = rf"(?:;[ ]*{_KEY}(?:=(?:{_BARE}))?)*"
_INNER_LIST = rf"\([ ]*(?:(?:{_BARE}){_PARAMETERS}(?:[ ]+(?:{_BARE}){_PARAMETERS})*)?[ ]*\)"
_MEMBER = re.compile(rf"({_KEY})(?:=(?:({_WORD})|(?:{_BARE})|{_INNER_LIST}))?{_PARAMETERS}")
_COMMA = re.compile(r"[ \t]*,[ \t]*")


class StructuredFieldError(ValueError):
    """Raised when a field is no dictionary of RFC 9651. The message says at which character."""


@dataclass(frozen=True, slots=True)
class Member:
    """A key with its value when that is a bare token; values of every other type are None."""

    key: str
    token: str | None


def parse_dictionary(text: str) -> tuple[Member, ...]:
    """The members in order, repeated keys included, since a caller may heed them all. Raises StructuredFieldError."""
    return tuple(_members(text.strip(" ")))


def _members(text: str) -> Iterator[Member]:
    position = 0
    while position < len(text):
        member = _MEMBER.match(text, position)
        if member is None:
            raise StructuredFieldError(f"no dictionary member at character {position}: write label=token, separated by commas")
        yield Member(member.group(1), member.group(2))
        position = member.end()
        if position == len(text):
            return
        comma = _COMMA.match(text, position)
        if comma is None or comma.end() == len(text):
            raise StructuredFieldError(f"no comma with a further member at character {position}")
        position = comma.end()
