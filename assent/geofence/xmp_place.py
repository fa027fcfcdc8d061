"""Places in XMP packets (IPTC Photo Metadata 2023, Photoshop, EXIF in XMP), read as a stream; no entity, no unbounded depth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from assent.events.evidence import EvidenceKind
from assent.geofence.evidence import Evidence, stated, unreadable
from assent.geofence.place_names import place_code
from assent.geofence.point import Areas, Location, Point, point_evidence

MAX_XMP_BYTES = 1024 * 1024
MAX_ELEMENTS = 20_000
MAX_DEPTH = 64
MAX_PLACES = 16
_IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_IPTC_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_LISTS = {
    f"{{{_IPTC_EXT}}}LocationCreated": EvidenceKind.XMP_LOCATION_CREATED,
    f"{{{_IPTC_EXT}}}LocationShown": EvidenceKind.XMP_LOCATION_SHOWN,
}
_FIELDS = {
    f"{{{_IPTC_EXT}}}CountryCode": "country",
    f"{{{_IPTC_EXT}}}CountryName": "country_name",
    f"{{{_IPTC_EXT}}}ProvinceState": "region",
    f"{{{_EXIF}}}GPSLatitude": "latitude",
    f"{{{_EXIF}}}GPSLongitude": "longitude",
}
_PLAIN = {
    f"{{{_IPTC_CORE}}}CountryCode": "country",
    f"{{{_PHOTOSHOP}}}Country": "country_name",
    f"{{{_PHOTOSHOP}}}State": "region",
    f"{{{_EXIF}}}GPSLatitude": "latitude",
    f"{{{_EXIF}}}GPSLongitude": "longitude",
}
_COORDINATE = re.compile(r"(\d{1,3})(?:,(\d{1,2}(?:\.\d{1,12})?))?(?:,(\d{1,2}(?:\.\d{1,12})?))?([NSEW])")
_RDF_ITEM = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"


@dataclass(frozen=True, slots=True)
class _Place:
    """The fields of one place, as text."""

    kind: EvidenceKind
    fields: dict[str, str]


def xmp_place_evidence(packet: bytes, *, areas: Areas, location: Location) -> tuple[Evidence, ...]:
    """Evidence of one packet. One that names places and cannot be read is unreadable; one without a place says nothing."""
    try:
        places = _places(packet)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return (unreadable(EvidenceKind.XMP_LOCATION_CREATED),) if _speaks_of_places(packet) else ()
    return tuple(item for place in places for item in _evidence(place, areas, location))


def _evidence(place: _Place, areas: Areas, location: Location) -> list[Evidence]:
    found: list[Evidence] = []
    country = place.fields.get("country") or place.fields.get("country_name") or ""
    region = place.fields.get("region", "")
    if country or region:
        found.append(stated(place.kind, place_code(country, region)))
    if "latitude" in place.fields or "longitude" in place.fields:
        kind = EvidenceKind.EXIF_GPS if place.kind is EvidenceKind.IPTC_PLACE else place.kind
        found.append(point_evidence(kind, _point(place.fields), areas=areas, location=location))
    return found


def _point(fields: dict[str, str]) -> Point | None:
    latitude = _degrees(fields.get("latitude", ""), "NS")
    longitude = _degrees(fields.get("longitude", ""), "EW")
    return None if latitude is None or longitude is None else Point(latitude, longitude)


def _degrees(text: str, allowed: str) -> float | None:
    """XMP writes degrees and decimal minutes with a letter: 49,15.6N."""
    matched = _COORDINATE.fullmatch(text.replace(" ", ""))
    if matched is None or matched[4] not in allowed:
        return None
    degrees = float(matched[1]) + float(matched[2] or 0) / 60 + float(matched[3] or 0) / 3600
    return -degrees if matched[4] in "SW" else degrees


def _speaks_of_places(packet: bytes) -> bool:
    plain = packet.replace(b"\0", b"")
    return any(word in plain for word in (b"LocationCreated", b"LocationShown", b"GPSLatitude", b"photoshop:Country", b"photoshop:State"))


def _places(packet: bytes) -> list[_Place]:
    if len(packet) > MAX_XMP_BYTES:
        raise ValueError("the packet is too long")
    reader = _Reader()
    parser = XMLParser(target=reader, forbid_dtd=True)
    parser.feed(packet if packet.startswith((b"\xff\xfe", b"\xfe\xff")) else packet.strip(b"\0 \t\r\n"))
    parser.close()
    return reader.places()


class _Reader:
    """Target of the XML parser. Fields inside a location list belong to its items, the others to the picture as a whole."""

    def __init__(self) -> None:
        self._stack: list[str] = []
        self._elements = 0
        self._plain: dict[str, str] = {}
        self._lists: list[tuple[EvidenceKind, int]] = []
        self._item: dict[str, str] = {}
        self._found: list[_Place] = []
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._stack.append(tag)
        if self._elements > MAX_ELEMENTS or len(self._stack) > MAX_DEPTH or len(self._found) > MAX_PLACES:
            raise ValueError("the packet has too many elements, or too many inside each other")
        if tag in _LISTS:
            self._lists.append((_LISTS[tag], len(self._stack)))
            self._item = {}
        elif tag == _RDF_ITEM and self._lists:
            self._close_item()
        self._text.clear()
        for name, value in attributes.items():
            self._take(name, value)

    def data(self, text: str) -> None:
        if len(self._text) < 64:
            self._text.append(text)

    def end(self, tag: str) -> None:
        self._take(tag, "".join(self._text))
        self._text.clear()
        if self._lists and self._lists[-1][1] == len(self._stack):
            self._close_item()
            self._lists.pop()
        self._stack.pop()

    def close(self) -> None:
        return None

    def places(self) -> list[_Place]:
        """Everything found, the picture as a whole last."""
        return [*self._found, *([_Place(EvidenceKind.IPTC_PLACE, self._plain)] if self._plain else [])]

    def _take(self, name: str, value: str) -> None:
        value = value.strip()[:128]
        if self._lists and name in _FIELDS and value:
            self._item.setdefault(_FIELDS[name], value)
        elif not self._lists and name in _PLAIN and value:
            self._plain.setdefault(_PLAIN[name], value)

    def _close_item(self) -> None:
        if self._item:
            self._found.append(_Place(self._lists[-1][0], self._item))
        self._item = {}
