"""Places in XMP packets (IPTC Photo Metadata 2023, Photoshop, EXIF in XMP) as evidence; what cannot be read is never taken as silence."""

from __future__ import annotations

import re

from assent.events.evidence import EvidenceKind
from assent.geofence.evidence import Evidence, stated, unreadable
from assent.geofence.place_names import places_named
from assent.geofence.point import Areas, Location, Point, datum_margin_m, point_evidence
from assent.geofence.xmp_fields import PlaceFields, XmpPlaceError, place_fields

_COORDINATE = re.compile(r"(\d{1,3})(?:,(\d{1,2}(?:\.\d{1,20})?))?(?:,(\d{1,2}(?:\.\d{1,20})?))?([NSEW])", re.ASCII)
_RATIONAL = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(?:/(\d{1,12}))?", re.ASCII)


class _UnbelievedError(ValueError):
    """Raised when a position is stated and a part of it is missing, void or no number."""


def xmp_place_evidence(packet: bytes, *, areas: Areas, location: Location) -> tuple[Evidence, ...]:
    """Evidence of one packet: nothing where no place is stated. A packet that cannot be read may hide one, so it is unreadable."""
    try:
        places = place_fields(packet)
    except XmpPlaceError:
        return (unreadable(EvidenceKind.XMP_LOCATION_CREATED),)
    return tuple(item for place in places for item in _evidence(place, areas, location))


def _evidence(place: PlaceFields, areas: Areas, location: Location) -> list[Evidence]:
    found: list[Evidence] = []
    countries, regions, cities = place.of("country"), place.of("region"), place.of("city")
    if countries or regions or cities:
        found.append(stated(place.kind, places_named(countries=countries, regions=regions, cities=cities)))
    if place.of("latitude") or place.of("longitude"):
        # A position outside any list is EXIF's own, written into XMP.
        kind = EvidenceKind.EXIF_GPS if place.kind is EvidenceKind.IPTC_PLACE else place.kind
        found.append(point_evidence(kind, _point(place), areas=areas, location=location))
    return found


def _point(place: PlaceFields) -> Point | None:
    try:
        if any(status != "A" for status in place.of("status")):
            return None
        accuracy_m = max((_number(text) for text in place.of("accuracy")), default=0.0)
        margin_m = max((datum_margin_m(text) for text in place.of("datum")), default=0.0)
        return Point(_degrees(place.of("latitude"), "NS"), _degrees(place.of("longitude"), "EW"), accuracy_m, margin_m)
    except _UnbelievedError:
        return None


def _degrees(texts: list[str], allowed: str) -> float:
    """XMP writes degrees and decimal minutes, or minutes and seconds, with a letter: 49,15.6N. Raises _UnbelievedError."""
    values = set(texts)
    matched = _COORDINATE.fullmatch(values.pop().replace(" ", "")) if len(values) == 1 else None
    if matched is None or matched[4] not in allowed:
        raise _UnbelievedError("no degrees, or two positions in one")
    minutes, seconds = float(matched[2] or 0), float(matched[3] or 0)
    if minutes >= 60 or seconds >= 60:
        raise _UnbelievedError("more minutes than a degree has")
    degrees = float(matched[1]) + minutes / 60 + seconds / 3600
    return -degrees if matched[4] in "SW" else degrees


def _number(text: str) -> float:
    """A number or a quotient. Raises _UnbelievedError."""
    matched = _RATIONAL.fullmatch(text)
    if matched is None or (matched[2] is not None and int(matched[2]) == 0):
        raise _UnbelievedError("no number")
    return float(matched[1]) / int(matched[2] or 1)
