"""Places in XMP packets (IPTC Photo Metadata 2023, Photoshop, EXIF in XMP) as evidence; what cannot be read is never taken as silence."""

from __future__ import annotations

from assent.events.evidence import EvidenceKind
from assent.geofence.evidence import Evidence, unreadable
from assent.geofence.named_place import place_evidence
from assent.geofence.point import Areas, Location, Point, datum_margin_m, point_evidence
from assent.geofence.position_text import PositionError, degrees, number
from assent.geofence.xmp_fields import NAME, REFERENCE, PlaceFields, XmpPlaceError, xmp_places


def xmp_place_evidence(packet: bytes, *, areas: Areas, location: Location) -> tuple[Evidence, ...]:
    """Evidence of one packet: nothing where no place is stated. A packet that cannot be read may hide one, so it is unreadable."""
    try:
        found = xmp_places(packet)
    except XmpPlaceError:
        return (unreadable(EvidenceKind.XMP_LOCATION_CREATED),)
    places = (item for place in found.places for item in _evidence(place, areas, location))
    return (*places, *found.captions.evidence())


def _evidence(place: PlaceFields, areas: Areas, location: Location) -> list[Evidence]:
    has_position = bool(place.of("latitude") or place.of("longitude"))
    named = place_evidence(
        place.kind,
        countries=place.of("country"),
        regions=place.of("region"),
        cities=place.of("city"),
        names=place.of(NAME),
        others=place.of(REFERENCE),
        has_position=has_position,
    )
    found = [] if named is None else [named]
    if has_position:
        # A position outside any list is EXIF's own, written into XMP.
        kind = EvidenceKind.EXIF_GPS if place.kind is EvidenceKind.IPTC_PLACE else place.kind
        found.append(point_evidence(kind, _point(place), areas=areas, location=location))
    return found


def _point(place: PlaceFields) -> Point | None:
    try:
        if any(status != "A" for status in place.of("status")):
            return None
        accuracy_m = max((number(text) for text in place.of("accuracy")), default=0.0)
        margin_m = max((datum_margin_m(text) for text in place.of("datum")), default=0.0)
        return Point(degrees(place.of("latitude"), "NS"), degrees(place.of("longitude"), "EW"), accuracy_m, margin_m)
    except PositionError:
        return None
