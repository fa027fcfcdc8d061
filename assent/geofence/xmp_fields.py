"""The fields of XMP packets that speak of places, read as a stream; no entity, no tree, no unbounded depth."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import XMLParser

from assent.events.evidence import EvidenceKind
from assent.geofence.captions import Captions

MAX_XMP_BYTES = 8 * 1024 * 1024
MAX_ELEMENTS = 20_000
MAX_DEPTH = 64
MAX_NAME_CHARS = 512
"""With its namespace, which the parser writes out for every element that has it."""
MAX_PLACES = 16
MAX_VALUES = 64
MAX_VALUE_CHARS = 128
MAX_PLACE_NAME_CHARS = 1_024
"""Any word of a name may be one for a place, so a longer one is not read in part."""
_IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
# A misprint of the first edition of the standard, which writers have copied.
_IPTC_EXT_MISPRINT = "http://iptc.org/std/Iptc4xmpExt/2008-02-19/"
_IPTC_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_LISTS = {
    f"{{{_IPTC_EXT}}}LocationCreated": EvidenceKind.XMP_LOCATION_CREATED,
    f"{{{_IPTC_EXT}}}LocationShown": EvidenceKind.XMP_LOCATION_SHOWN,
}
_POSITION = {
    f"{{{_EXIF}}}GPSLatitude": "latitude",
    f"{{{_EXIF}}}GPSLongitude": "longitude",
    f"{{{_EXIF}}}GPSStatus": "status",
    f"{{{_EXIF}}}GPSHPositioningError": "accuracy",
    f"{{{_EXIF}}}GPSMapDatum": "datum",
}
NAME, REFERENCE = "name", "reference"
"""Of a building, a street, a quarter, a part of the world; and where else something is said of the place."""
_LISTED = _POSITION | {
    f"{{{_IPTC_EXT}}}CountryCode": "country",
    f"{{{_IPTC_EXT}}}CountryName": "country",
    f"{{{_IPTC_EXT}}}ProvinceState": "region",
    f"{{{_IPTC_EXT}}}City": "city",
    f"{{{_IPTC_EXT}}}LocationName": NAME,
    f"{{{_IPTC_EXT}}}Sublocation": NAME,
    f"{{{_IPTC_EXT}}}WorldRegion": NAME,
    f"{{{_IPTC_EXT}}}LocationId": REFERENCE,
}
_CAPTION = "caption"
_PLAIN = _POSITION | {
    f"{{{_IPTC_CORE}}}CountryCode": "country",
    f"{{{_PHOTOSHOP}}}Country": "country",
    f"{{{_PHOTOSHOP}}}State": "region",
    f"{{{_PHOTOSHOP}}}City": "city",
    f"{{{_IPTC_CORE}}}Location": NAME,
    f"{{{_PHOTOSHOP}}}Headline": _CAPTION,
    f"{{{_DUBLIN_CORE}}}description": _CAPTION,
    f"{{{_DUBLIN_CORE}}}title": _CAPTION,
    f"{{{_DUBLIN_CORE}}}subject": _CAPTION,
    f"{{{_IPTC_CORE}}}AltTextAccessibility": _CAPTION,
    f"{{{_IPTC_CORE}}}ExtDescrAccessibility": _CAPTION,
}
_VALUES = frozenset({f"{{{_RDF}}}value", f"{{{_RDF}}}resource"})
_ITEM = f"{{{_RDF}}}li"


class XmpPlaceError(ValueError):
    """Raised when a packet is no XML, declares entities or goes beyond a limit."""


@dataclass(slots=True)
class PlaceFields:
    """The texts of one place by field, each stripped and not empty; kind IPTC_PLACE for those of the picture as a whole."""

    kind: EvidenceKind
    texts: dict[str, list[str]] = field(default_factory=dict)

    def of(self, name: str) -> list[str]:
        """The texts of one field, in order."""
        return self.texts.get(name, [])

    def add(self, name: str, text: str) -> None:
        """Keep a text that is not blank. Raises XmpPlaceError beyond the limit."""
        if text.strip():
            texts = self.texts.setdefault(name, [])
            if name == NAME and len(text) > MAX_PLACE_NAME_CHARS:
                raise XmpPlaceError("the name of a place is longer than any")
            texts.append(text.strip() if name == NAME else text.strip()[:MAX_VALUE_CHARS])
            if len(texts) > MAX_VALUES:
                raise XmpPlaceError("one place has too many values")


@dataclass(frozen=True, slots=True)
class XmpPlaces:
    """The places of one packet, the picture as a whole last, and its captions."""

    places: tuple[PlaceFields, ...]
    captions: Captions


def xmp_places(packet: bytes) -> XmpPlaces:
    """What one packet says of places. Raises XmpPlaceError."""
    if len(packet) > MAX_XMP_BYTES:
        raise XmpPlaceError(f"the packet has {len(packet)} bytes, at most {MAX_XMP_BYTES} are read")
    reader = _Reader()
    parser = XMLParser(target=reader, forbid_dtd=True)
    try:
        # Writers pad a packet with zeros; in UTF-16 that begins with its lower half, a zero is half of the last letter.
        parser.feed(packet if packet.startswith(b"\xff\xfe") else packet.strip(b"\0 \t\r\n"))
        parser.close()
    except (ParseError, ValueError, LookupError) as error:
        # What defusedxml refuses is a ValueError.
        raise XmpPlaceError("the packet is no XML without entities") from error
    return XmpPlaces(tuple(place for place in (*reader.places, reader.plain) if place.texts), reader.captions)


class _Reader:
    """Target of the XML parser. Fields inside a list of locations belong to its items, the others to the picture as a whole."""

    def __init__(self) -> None:
        self.places: list[PlaceFields] = []
        self.plain = PlaceFields(EvidenceKind.IPTC_PLACE)
        self.captions = Captions()
        self._depth = 0
        self._elements = 0
        self._list: tuple[EvidenceKind, int] | None = None
        self._field: tuple[str, int] | None = None
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._depth += 1
        if self._elements > MAX_ELEMENTS or self._depth > MAX_DEPTH:
            raise XmpPlaceError("the packet has too many elements, or too many inside each other")
        if any(len(name) > MAX_NAME_CHARS for name in (tag, *attributes)):
            raise XmpPlaceError("a name is longer than any that is known")
        self._end_of_text()
        self._enter(tag.replace(_IPTC_EXT_MISPRINT, _IPTC_EXT))
        for key, value in attributes.items():
            name = self._name(key.replace(_IPTC_EXT_MISPRINT, _IPTC_EXT))
            if name is not None:
                self._keep(name, value)
            elif self._field is not None and key in _VALUES:
                self._keep(self._field[0], value)

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, _: str) -> None:
        self._end_of_text()
        if self._field is not None and self._field[1] == self._depth:
            self._field = None
        if self._list is not None and self._list[1] == self._depth:
            self._list = None
        self._depth -= 1

    def close(self) -> None:
        return None

    def _keep(self, name: str, text: str) -> None:
        if name == _CAPTION:
            self.captions.add(text)
        else:
            (self.plain if self._list is None else self.places[-1]).add(name, text)

    def _name(self, tag: str) -> str | None:
        return (_PLAIN if self._list is None else _LISTED).get(tag)

    def _enter(self, tag: str) -> None:
        if self._list is None and tag in _LISTS:
            self._list = _LISTS[tag], self._depth
            self._new_place(_LISTS[tag])
        elif self._list is not None and tag == _ITEM and self._depth == self._list[1] + 2:
            # List, bag, item: an item deeper down belongs to a field with several languages.
            self._new_place(self._list[0])
        name = self._name(tag)
        if name is not None and self._field is None:
            self._field = name, self._depth

    def _new_place(self, kind: EvidenceKind) -> None:
        if len(self.places) >= MAX_PLACES * 2:
            raise XmpPlaceError("the packet has too many places")
        self.places.append(PlaceFields(kind))

    def _end_of_text(self) -> None:
        # The parser may hand over one text in several pieces, for example round a comment.
        if self._field is not None and self._text:
            self._keep(self._field[0], "".join(self._text))
        self._text.clear()
