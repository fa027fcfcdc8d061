"""An address from which something came in under a grant, for the crawler alone, which asks it again; it stands nowhere in the clear."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from assent.events.payload import EventPayload, UtcTime
from assent.events.topics import Topic
from assent.ids import GrantId


class AddressKept(EventPayload):
    """`place` is the keyed name of the address under this grant. `sealed` holds the address, that of the page that showed it and the places
    that pages told, under the key of the grant, so that it goes with the grant.
    """

    type: ClassVar[str] = "addresses.v1"
    topic: ClassVar[Topic] = Topic.ADDRESSES
    place: str = Field(pattern=r"^[0-9a-f]{64}$")
    grant_id: GrantId
    sealed: bytes = Field(max_length=8192)
    kept_at: UtcTime

    def key(self) -> str:
        return self.place
