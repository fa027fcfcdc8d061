"""What is opted out where it was fetched, folded from what the crawler saw; the newest word counts, and a doubtful one only closes."""

from __future__ import annotations

from datetime import datetime

from assent.events.optout_changes import OptOutChanged


class OptedOut:
    """By keyed names alone: of addresses, and of addresses under a grant that has set aside what is said there."""

    def __init__(self) -> None:
        self._said: dict[str, OptOutChanged] = {}
        self._unread: set[str] = set()

    def apply(self, change: OptOutChanged) -> bool:
        """Take one; False for one that is older than what is known, which changes nothing."""
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

    def changed_at(self, address: str) -> datetime | None:
        """When the word about an address changed last; None where there never was one."""
        said = self._said.get(address)
        return None if said is None else said.seen_at
