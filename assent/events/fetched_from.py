"""Where and when a stored face was fetched, by the keyed name of the address; a picture that was handed in has none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from assent.events.payload import UtcTime, WireModel

MOST = 16
"""Addresses kept of one face. One that is forgotten only closes: what is left then may be closed although the forgotten one is not."""


KeyedName = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FetchedFrom(WireModel):
    """`address` is the keyed name of the address that was asked; None for a picture that somebody handed in. `source` is that of the source
    rule that covered it there; under a joint grant `members` are those of the rules by which the grant of each of its people did, in
    their order. It is empty in what releases wrote that did not ask them.
    """

    address: KeyedName | None = None
    source: KeyedName | None = None
    at: UtcTime
    members: tuple[KeyedName, ...] = Field(default=(), exclude_if=lambda members: not members)


def merged(*each: Iterable[FetchedFrom]) -> tuple[FetchedFrom, ...]:
    """The newest of every address, newest first."""
    newest: dict[str | None, FetchedFrom] = {}
    for one in (one for several in each for one in several):
        held = newest.get(one.address)
        if held is None or held.at < one.at:
            newest[one.address] = one
    return tuple(sorted(newest.values(), key=lambda one: one.at, reverse=True)[:MOST])
