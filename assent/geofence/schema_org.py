"""Places that a page states in JSON-LD (schema.org), brought to short statements; the rest of the page's data is left where it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from assent.events.evidence import EvidenceKind
from assent.geofence.evidence import Evidence, stated, unreadable
from assent.geofence.place_names import place_code
from assent.geofence.point import Areas, Location, Point, point_evidence

RESIDENCE, PLACE, UNREADABLE = "residence", "place", "unreadable"
MAX_STATEMENTS = 16
MAX_DEPTH = 24
_ROLES = {
    "homeLocation": RESIDENCE,
    "address": RESIDENCE,
    "contentLocation": PLACE,
    "locationCreated": PLACE,
    "spatialCoverage": PLACE,
}
_KINDS = {RESIDENCE: EvidenceKind.SCHEMA_RESIDENCE, PLACE: EvidenceKind.SCHEMA_PLACE}


def place_statements(text: str) -> tuple[str, ...]:
    """`role|country|region` or `role@latitude,longitude` for each place; `unreadable` where places are named in broken JSON."""
    try:
        document = json.loads(text)
        found = tuple(dict.fromkeys(_walk(document, None, MAX_DEPTH)))
    except (ValueError, RecursionError):
        return (UNREADABLE,) if any(f'"{name}"' in text for name in _ROLES) else ()
    return found[:MAX_STATEMENTS]


def schema_evidence(statement: str, *, areas: Areas, location: Location) -> Evidence:
    """Evidence of one statement."""
    if "@" in statement:
        role, _, position = statement.partition("@")
        kind = _KINDS.get(role, EvidenceKind.SCHEMA_PLACE)
        return point_evidence(kind, _point(position), areas=areas, location=location)
    role, _, named = statement.partition("|")
    country, _, region = named.partition("|")
    known = _KINDS.get(role)
    if known is None:
        return unreadable(EvidenceKind.SCHEMA_PLACE)
    return stated(known, place_code(country, region))


def _walk(node: Any, role: str | None, depth: int) -> Iterator[str]:
    if depth <= 0:
        raise RecursionError("nested too deeply")
    if isinstance(node, list):
        for item in node:
            yield from _walk(item, role, depth - 1)
    elif isinstance(node, dict):
        if role is not None:
            yield from _stated(node, role)
        for key, value in node.items():
            # An organisation's address is where it has its office, not where a person lives.
            inner = _ROLES.get(key, role)
            if key == "address" and role is None and node.get("@type") not in ("Person", "http://schema.org/Person"):
                inner = None
            yield from _walk(value, inner, depth - 1)


def _stated(node: dict[str, Any], role: str) -> Iterator[str]:
    country, region = _text(node.get("addressCountry")), _text(node.get("addressRegion"))
    if country or region:
        yield f"{role}|{country}|{region}"
    if "latitude" in node or "longitude" in node:
        yield f"{role}@{_text(node.get('latitude'))},{_text(node.get('longitude'))}"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("name") or value.get("identifier")
    return str(value).strip().replace("|", " ").replace("@", " ")[:80] if isinstance(value, (str, int, float)) else ""


def _point(position: str) -> Point | None:
    try:
        latitude, longitude = (float(part) for part in position.split(","))
    except ValueError:
        return None
    return Point(latitude, longitude)
