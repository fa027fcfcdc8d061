"""One place as metadata writes it in words, as evidence: a place that is stated and names no area is unreadable, never silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assent.events.evidence import EvidenceKind
from assent.geofence.evidence import Evidence, stated
from assent.geofence.place_names import places_in_text, places_named
from assent.geofence.toponyms import places_in_words, places_of_city


def place_evidence(
    kind: EvidenceKind,
    *,
    countries: Sequence[str],
    regions: Sequence[str],
    cities: Sequence[str],
    names: Sequence[str] = (),
    others: Sequence[str] = (),
    has_position: bool = False,
) -> Evidence | None:
    """Evidence of the texts of one place; None where they say nothing.

    `names` are those of buildings, streets, quarters and parts of the world, and many are called after a city elsewhere. So beside an
    area (`has_position`: one told in degrees) only a name that is a city's from end to end counts, as a city does. Where no area is told
    every word of them for a known place counts, and closes only. `others` are references, of which nothing is looked up.
    """
    called_so = [name for name in names if places_of_city(name)]
    if countries or regions or cities:
        return stated(kind, places_named(countries=countries, regions=regions, cities=[*cities, *called_so]))
    read = called_so if has_position else names
    if not read and (has_position or not others):
        return None
    places = frozenset(place for name in read for place in places_in_words(name) | places_in_text(name))
    return replace(stated(kind, places), allow_weight=0.0)
