"""What a page says of places in its meta elements and its language; a language without a region says nothing."""

from __future__ import annotations

import re

from assent.events.evidence import EvidenceKind, PageEvidence
from assent.geofence.evidence import Evidence, stated, unreadable
from assent.geofence.place_names import country_code, region_code
from assent.geofence.point import Areas, Location, Point, point_evidence
from assent.geofence.schema_org import schema_evidence

_POSITION = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,12})?)\s*[;,]\s*(-?\d{1,3}(?:\.\d{1,12})?)\s*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?[-_]([A-Za-z]{2}|\d{3})(?:[-_].*)?")


def page_evidence_of(told: PageEvidence, *, areas: Areas, location: Location) -> Evidence | None:
    """Evidence of one raw statement, or None where it says nothing of a place."""
    match told.kind:
        case EvidenceKind.GEO_META:
            return _geo_meta(told.value, areas, location)
        case EvidenceKind.LANGUAGE:
            return _language(told.value)
        case EvidenceKind.SCHEMA_PLACE | EvidenceKind.SCHEMA_RESIDENCE:
            return schema_evidence(told.value, areas=areas, location=location)
    # Another kind is not one that a page states; whoever sent it is not believed, and not ignored either.
    return unreadable(told.kind)


def _geo_meta(value: str, areas: Areas, location: Location) -> Evidence:
    name, _, content = value.partition("=")
    if name in ("geo.position", "icbm"):
        matched = _POSITION.fullmatch(content)
        point = None if matched is None else Point(float(matched[1]), float(matched[2]))
        return point_evidence(EvidenceKind.GEO_META, point, areas=areas, location=location)
    code = region_code(content) if name == "geo.region" else country_code(content.strip())
    return unreadable(EvidenceKind.GEO_META) if code is None else stated(EvidenceKind.GEO_META, frozenset({code}))


def _language(value: str) -> Evidence | None:
    matched = _LANGUAGE.fullmatch(value.strip())
    if matched is None or matched[1].isdigit():
        return None
    code = country_code(matched[1])
    return None if code is None else stated(EvidenceKind.LANGUAGE, frozenset({code}))
