"""Places in the assertions of C2PA manifests: a position counts as signed only under a trusted seal; a broken seal is never silence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from assent.events.evidence import EvidenceKind
from assent.geofence.c2pa_manifest import Manifest, ManifestUnreadableError, decoded, labels_listed, manifests_of
from assent.geofence.c2pa_seal import Seal, seal_of
from assent.geofence.evidence import Evidence, stated, unreadable
from assent.geofence.named_place import place_evidence
from assent.geofence.point import Areas, Location, Point, datum_margin_m, point_evidence
from assent.geofence.position_text import PositionError, number, signed_degrees
from assent.geofence.signers import Signers
from assent.optouts.jumbf import Superbox
from assent.optouts.reading_budget import ReadingBudget

MAX_DEPTH = 24
MAX_NODES = 20_000
MAX_VALUES = 64
MAX_PLACES = 32
"""For all assertions of one file: each position is looked up among the areas of the world."""
_ASSERTION = re.compile(r"(?:stds\.(?:exif|iptc(?:\.photo-metadata)?)|(?:c2pa|cawg)\.metadata)(?:\.v\d+)?(?:__\d+)?", re.ASCII)
_POSITION = ("GPSLatitude", "GPSLongitude", "GPSLatitudeRef", "GPSLongitudeRef")
_LISTS = {"LocationCreated": EvidenceKind.XMP_LOCATION_CREATED, "LocationShown": EvidenceKind.XMP_LOCATION_SHOWN}
_JPEG = b"\xff\xd8"
_COUNTRIES, _REGIONS, _CITIES = ("CountryCode", "CountryName", "Country"), ("ProvinceState", "State"), ("City",)
_NAMES, _REFERENCES = ("LocationName", "Sublocation", "WorldRegion", "Location"), ("LocationId",)
# A text in several languages.
_LANGUAGE = re.compile(r"x-default|[a-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")


def c2pa_evidence(
    stores: Sequence[bytes], *, data: bytes, spans: Sequence[tuple[int, int]], areas: Areas, location: Location, signers: Signers
) -> tuple[Evidence, ...]:
    """Evidence of the C2PA stores of one file. Manifests of what the picture was made from are read too, and are not signed for it."""
    found: list[Evidence] = []
    walk = _Walk(areas, location)
    try:
        # Only in a JPEG do other standards keep their boxes where C2PA keeps its own.
        manifests = manifests_of(tuple(stores), may_be_others=data.startswith(_JPEG), budget=walk.budget)
        for manifest in manifests:
            told = [(box.label, item) for box in manifest.assertions for item in _told(box, walk)]
            if manifest is manifests[-1] and (told or _lacks_a_place(manifest, walk.budget)):
                found.extend(_sealed(told, seal_of(manifest, data=data, spans=spans, signers=signers)))
            else:
                found.extend(item for _, item in told)
    except ManifestUnreadableError:
        found.append(unreadable(EvidenceKind.SIGNED_GPS))
    return tuple(found)


def _sealed(told: Sequence[tuple[str, Evidence]], seal: Seal) -> Iterator[Evidence]:
    """Without a trusted seal a position is what anybody may write into a file."""
    if seal.is_broken:
        yield unreadable(EvidenceKind.SIGNED_GPS)
        return
    for label, item in told:
        is_position = item.kind is EvidenceKind.EXIF_GPS and not item.is_invalid
        yield stated(EvidenceKind.SIGNED_GPS, item.jurisdictions) if is_position and label in seal.trusted else item


def _told(box: Superbox, walk: _Walk) -> tuple[Evidence, ...]:
    """What the assertion says, as if nobody had signed it. Raises ManifestUnreadableError."""
    if _ASSERTION.fullmatch(box.label) is None:
        return ()
    return tuple(walk.evidence(decoded(box, walk.budget), EvidenceKind.IPTC_PLACE, MAX_DEPTH))


def _lacks_a_place(manifest: Manifest, budget: ReadingBudget) -> bool:
    """Whether an assertion that may state a place is claimed and not there. One that a later manifest removed is of an earlier one."""
    there = {box.label for box in manifest.assertions}
    return any(label not in there and _ASSERTION.fullmatch(label) is not None for label in labels_listed(manifest, budget))


class _Walk:
    """All assertions of one file, each node once, under one limit."""

    def __init__(self, areas: Areas, location: Location) -> None:
        self._areas = areas
        self._location = location
        self.budget = ReadingBudget()
        self._nodes = 0
        self._places = 0

    def evidence(self, node: Any, kind: EvidenceKind, depth: int) -> Iterator[Evidence]:
        """`kind` is what names of places are to the picture here."""
        self._nodes += 1
        if depth <= 0 or self._nodes > MAX_NODES:
            raise ManifestUnreadableError("nested too deeply, or too much of it")
        if isinstance(node, list):
            for item in node:
                yield from self.evidence(item, kind, depth - 1)
        elif isinstance(node, dict):
            fields = _fields(node)
            yield from self._stated(fields, kind)
            for key, value in node.items():
                yield from self.evidence(value, _LISTS.get(_name(key), kind), depth - 1)

    def _stated(self, fields: dict[str, list[str]], kind: EvidenceKind) -> Iterator[Evidence]:
        countries, regions, cities, names, others = (
            [text for name in known for text in fields.get(name, ())] for known in (_COUNTRIES, _REGIONS, _CITIES, _NAMES, _REFERENCES)
        )
        has_position = any(name in fields for name in _POSITION)
        named = place_evidence(
            kind, countries=countries, regions=regions, cities=cities, names=names, others=others, has_position=has_position
        )
        if named is not None:
            self._count()
            yield named
        if has_position:
            self._count()
            yield point_evidence(EvidenceKind.EXIF_GPS, _point(fields), areas=self._areas, location=self._location)

    def _count(self) -> None:
        self._places += 1
        if self._places > MAX_PLACES:
            raise ManifestUnreadableError("the file states too many places")


def _point(fields: dict[str, list[str]]) -> Point | None:
    """The position of one node, or None where a part is missing, void or given in two ways."""
    try:
        if any(status != "A" for status in fields.get("GPSStatus", ())):
            return None
        latitude = signed_degrees(fields.get("GPSLatitude", []), fields.get("GPSLatitudeRef", []), "NS")
        longitude = signed_degrees(fields.get("GPSLongitude", []), fields.get("GPSLongitudeRef", []), "EW")
        accuracy_m = max((number(text) for text in fields.get("GPSHPositioningError", ())), default=0.0)
    except PositionError:
        return None
    margin_m = max((datum_margin_m(text) for text in fields.get("GPSMapDatum", ())), default=0.0)
    return Point(latitude, longitude, accuracy_m, margin_m)


def _fields(node: dict[Any, Any]) -> dict[str, list[str]]:
    """The texts of a node by the name of the field, whatever prefix or namespace stands before it."""
    found: dict[str, list[str]] = {}
    for key, value in node.items():
        texts = found.setdefault(_name(key), [])
        texts.extend(_texts(value))
        if len(texts) > MAX_VALUES:
            raise ManifestUnreadableError("one field has too many values")
    return {name: texts for name, texts in found.items() if texts}


def _texts(value: Any) -> Iterator[str]:
    """A value, or each of several; JSON-LD may write one as an object with `@value`."""
    for item in value if isinstance(value, list) else [value]:
        for inner in _spoken(item) if isinstance(item, dict) else [item]:
            if isinstance(inner, (str, int, float)) and not isinstance(inner, bool) and str(inner).strip():
                yield str(inner).strip()[:128]


def _spoken(item: dict[Any, Any]) -> list[Any]:
    """The value of an object with `@value`, or all of one with a key for each language."""
    is_spoken = all(_LANGUAGE.fullmatch(str(key)) for key in item)
    return list(item.values()) if is_spoken else [item.get("@value")]


def _name(key: Any) -> str:
    """What stands behind the last of these signs. A key may be megabytes of them."""
    text = str(key)
    for sign in ":/#":
        text = text.rpartition(sign)[2]
    return text
