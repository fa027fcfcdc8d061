"""Where and when a stored face was fetched, by the keyed name of the address; a picture that was handed in has none."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from assent.events.payload import UtcTime, WireModel

MOST = 16
"""Addresses kept of one face. One that is forgotten only closes: what is left then may be closed although the forgotten one is not."""


class FetchedFrom(WireModel):
    """`address` is the keyed name of the address that was asked; None for a picture that somebody handed in. `source` is that of the source
    rule that covered it there.
    """

    address: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    source: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    at: UtcTime


def merged(*each: Iterable[FetchedFrom]) -> tuple[FetchedFrom, ...]:
    """The newest of every address, newest first."""
    newest: dict[str | None, FetchedFrom] = {}
    for one in (one for several in each for one in several):
        held = newest.get(one.address)
        if held is None or held.at < one.at:
            newest[one.address] = one
    return tuple(sorted(newest.values(), key=lambda one: one.at, reverse=True)[:MOST])
