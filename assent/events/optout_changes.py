"""What is held of an address was opted out, or no longer; it names the address by a keyed hash, and never says where it is."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from assent.events.payload import EventPayload, UtcTime
from assent.events.topics import Topic


class OptOutChanged(EventPayload):
    """Seen by the crawler at `seen_at`. `place` is the keyed name of an address, of an address under one grant, or of its place under one.

    Of an address: `is_closed` while a site, page or picture says no there; once it no longer does, what was fetched before stays closed.
    Of an address under a grant: false while that grant has set aside all that is said there, so that it closes nothing of hers.
    Of its place under a grant: `is_closed` while a page tells of a place in which that grant opens less, and which none told when the
    picture came in.
    """

    type: ClassVar[str] = "optouts.v1"
    topic: ClassVar[Topic] = Topic.OPTOUTS
    place: str = Field(pattern=r"^[0-9a-f]{64}$")
    is_closed: bool
    seen_at: UtcTime

    def key(self) -> str:
        return self.place
