"""What is closed since where it was fetched, folded from what the crawler saw; the newest word counts, and a doubtful one only closes."""

from __future__ import annotations

from bisect import bisect_right, insort
from datetime import datetime
from itertools import pairwise

from assent.events.optout_changes import OptOutChanged
from assent.ids import RuleId

PLACE_TOLD = RuleId("place_told_later")
"""A page told since of a place in which nothing may be done with the picture under this grant."""


class OptedOut:
    """By keyed names alone: of addresses, of addresses under a grant that has set aside what is said there, and of their places under it.

    Every word of a place is kept, for what is set aside now may not have been when another no stood there.
    """

    def __init__(self) -> None:
        self._said: dict[str, OptOutChanged] = {}
        self._words: dict[str, list[OptOutChanged]] = {}
        self._unread: set[str] = set()

    def apply(self, change: OptOutChanged) -> bool:
        """Take one; False for one that is older than what is known, which tells of the time before alone."""
        words = self._words.setdefault(change.place, [])
        if change not in words:
            insort(words, change, key=_order)
        held = self._said.get(change.place)
        if held is not None and (change.seen_at < held.seen_at or (change.seen_at == held.seen_at and not change.is_closed)):
            return change == held
        self._said[change.place] = change
        self._unread.discard(change.place)
        return True

    def deny(self, place: str) -> None:
        """The crawler said something of this place that cannot be read: closed until it says something that can be."""
        self._unread.add(place)

    def __len__(self) -> int:
        return len(self._said.keys() | self._unread)

    def is_closed(self, place: str) -> bool:
        """A no stands there now."""
        said = self._said.get(place)
        return place in self._unread or (said is not None and said.is_closed)

    def closes(self, address: str, fetched_at: datetime) -> bool:
        """What was fetched there then may not stay: a no stands, or stood after that time."""
        said = self._said.get(address)
        return self.is_closed(address) or (said is not None and fetched_at < said.seen_at)

    def is_aside(self, place: str) -> bool:
        """The grant in this name has set aside all that is said at the address in it."""
        return place in self._said and not self.is_closed(place)

    def was_aside(self, place: str, address: str, fetched_at: datetime) -> bool:
        """The same, and of each no that stood there since that time."""
        words = self._words.get(address, [])
        noes = [(word, until) for word, until in pairwise([*words, None]) if word is not None and word.is_closed]
        return self.is_aside(place) and all(
            self._was_aside(place, max(no.seen_at, fetched_at), None if until is None else until.seen_at)
            for no, until in noes
            if until is None or fetched_at < until.seen_at
        )

    def _was_aside(self, place: str, since: datetime, until: datetime | None) -> bool:
        words = self._words[place]
        begun = bisect_right(words, since, key=_seen_at)
        later = (word for word in words[begun:] if until is None or word.seen_at < until)
        return begun > 0 and not words[begun - 1].is_closed and not any(word.is_closed for word in later)

    def changed_at(self, address: str) -> datetime | None:
        """When the word about an address changed last; None where there never was one."""
        said = self._said.get(address)
        return None if said is None else said.seen_at


def _seen_at(word: OptOutChanged) -> datetime:
    return word.seen_at


def _order(word: OptOutChanged) -> tuple[datetime, bool]:
    """Of two of one moment the no is the later one."""
    return word.seen_at, word.is_closed
