"""The GPS directory of EXIF (CIPA DC-008): a position, or the statement that one is there and cannot be believed."""

from __future__ import annotations

from assent.events.evidence import EvidenceKind
from assent.geofence.evidence import Evidence, unreadable
from assent.geofence.point import Areas, Location, Point, datum_margin_m, point_evidence
from assent.geofence.tiff import GPS_DIRECTORY, Field, TiffError, directory, first_directory

_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE, _STATUS, _DATUM, _ERROR_M = 1, 2, 3, 4, 9, 18, 31
_POSITION = frozenset({_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE})
_SIGNS = {"N": 1, "S": -1, "E": 1, "W": -1}


def exif_gps_evidence(block: bytes, *, areas: Areas, location: Location) -> tuple[Evidence, ...]:
    """Evidence of one EXIF block: nothing where no position is stated."""
    try:
        gps = _gps_directory(block)
        if gps is None or not _POSITION & gps.keys():
            return ()
        point = _point(gps)
    except TiffError:
        return (unreadable(EvidenceKind.EXIF_GPS),)
    return (point_evidence(EvidenceKind.EXIF_GPS, point, areas=areas, location=location),)


def _gps_directory(block: bytes) -> dict[int, Field] | None:
    """None where EXIF names no GPS directory. Raises TiffError where it cannot be read."""
    pointer = first_directory(block).get(GPS_DIRECTORY)
    if pointer is None:
        return None
    return directory(block, pointer.number(), pointer.order)


def _point(gps: dict[int, Field]) -> Point | None:
    """The position, or None where a part is missing or void; beyond the poles is for the areas to say. Raises TiffError."""
    if not gps.keys() >= _POSITION or (_STATUS in gps and gps[_STATUS].text() != "A"):
        return None
    latitude = _degrees(gps[_LATITUDE], gps[_LATITUDE_REF], "NS")
    longitude = _degrees(gps[_LONGITUDE], gps[_LONGITUDE_REF], "EW")
    if latitude is None or longitude is None:
        return None
    accuracy_m = gps[_ERROR_M].rationals()[0] if _ERROR_M in gps else 0.0
    margin_m = datum_margin_m(gps[_DATUM].text()) if _DATUM in gps else 0.0
    return Point(latitude, longitude, accuracy_m, margin_m)


def _degrees(field: Field, reference: Field, allowed: str) -> float | None:
    sign, parts = reference.text(), field.rationals()
    if sign not in tuple(allowed) or len(parts) > 3 or any(part < 0 for part in parts):
        return None
    if any(part >= 60 for part in parts[1:]):
        return None
    value: float = sum(part / 60**place for place, part in enumerate(parts))
    return _SIGNS[sign] * value
