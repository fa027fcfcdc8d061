"""Decisions about what lay at a web address, found by keyed names made anew from the question; the address itself is kept nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from assent.consent.source_url import SourceUrlError, normalise_url, without_scheme
from assent.identity.errors import ApiError
from assent.ids import ImageId, ProducerId, SightingId
from assent.intake.producers import CRAWLER
from assent.keys.identifiers import ImageIds
from services.query.flow import Decision

SCHEMES = ("https", "http")
"""They name the same place to a source rule, and so they do here."""


def spellings(url: str) -> tuple[str, ...]:
    """The address as the crawler names what it finds there, under either scheme. Raises ApiError, which never repeats it."""
    try:
        place = without_scheme(normalise_url(url))
    except SourceUrlError as error:
        raise ApiError(
            422, "bad_url", "This is no address of a picture on the web.", "Send url as http:// or https:// with host and path."
        ) from error
    return tuple(f"{scheme}://{place}" for scheme in SCHEMES)


def decisions_at(places: Sequence[str], decisions: Sequence[Decision], identifiers: ImageIds) -> list[Decision]:
    """Those of `decisions` whose sighting lay at one of the spellings, in their order.

    A sighting is named by its address, its image and who found it; image and finder are known of each decision, so that only the
    right address gives its name. What no producer is known of was found by the crawler, if it lay on the web.
    """
    names: dict[tuple[ImageId | None, ProducerId], frozenset[SightingId]] = {}
    found = []
    for decision in decisions:
        about = (decision.image_id, decision.producer or CRAWLER)
        if about not in names:
            image_id, producer = about
            named = (identifiers.sighting_id(final_url=place, image_id=image_id, producer=producer) for place in places)
            names[about] = frozenset(named)
        if decision.sighting_id in names[about]:
            found.append(decision)
    return found
