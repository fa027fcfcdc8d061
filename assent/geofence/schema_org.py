"""Places that a page states in JSON-LD (schema.org), brought to short statements; the rest of the page's data is left where it is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from assent.events.evidence import EvidenceKind
from assent.geofence.evidence import Evidence, stated, unreadable
from assent.geofence.place_names import places_in_text, places_named
from assent.geofence.point import Areas, Location, Point, point_evidence
from assent.optouts.bounded_json import parse_json
from assent.optouts.json_ld import term, types_of, values_of

RESIDENCE, PLACE, UNREADABLE = "residence", "place", "unreadable"
MAX_STATEMENTS = 16
MAX_DEPTH = 24
MAX_NODES = 20_000
_PLACES = frozenset({"contentLocation", "locationCreated", "spatialCoverage"})
_HOME, _ADDRESS = "homeLocation", "address"
_NAMES = (*_PLACES, _HOME, _ADDRESS)
_KINDS = {RESIDENCE: EvidenceKind.SCHEMA_RESIDENCE, PLACE: EvidenceKind.SCHEMA_PLACE}


def place_statements(text: str) -> tuple[str, ...]:
    """`role|country|region|city` or `role@latitude,longitude` for each place; `unreadable` where one is named and cannot be read."""
    try:
        found = tuple(dict.fromkeys(_Walk().statements(parse_json(text), None, MAX_DEPTH)))
    except ValueError:
        return (UNREADABLE,) if any(name in text for name in _NAMES) else ()
    return found if len(found) <= MAX_STATEMENTS else (*found[: MAX_STATEMENTS - 1], UNREADABLE)


def schema_evidence(statement: str, *, areas: Areas, location: Location) -> Evidence:
    """Evidence of one statement."""
    if "@" in statement:
        role, _, position = statement.partition("@")
        kind = _KINDS.get(role, EvidenceKind.SCHEMA_PLACE)
        return point_evidence(kind, _point(position) if role in _KINDS else None, areas=areas, location=location)
    role, country, region, city = (*statement.split("|"), "", "", "")[:4]
    known = _KINDS.get(role)
    if known is None:
        return unreadable(EvidenceKind.SCHEMA_PLACE)
    if not country and not region and "," in city:
        return stated(known, places_in_text(city))
    return stated(known, places_named(countries=[country], regions=[region], cities=[city]))


class _Walk:
    """One document, each of its nodes once."""

    def __init__(self) -> None:
        self._nodes = 0

    def statements(self, node: Any, role: str | None, depth: int) -> Iterator[str]:
        """The places of a node and of what it holds; `role` is what they are to the page, None outside any."""
        self._nodes += 1
        if depth <= 0 or self._nodes > MAX_NODES:
            raise ValueError("nested too deeply, or too much of it")
        if isinstance(node, list):
            for item in node:
                yield from self.statements(item, role, depth - 1)
        elif isinstance(node, dict):
            if role is not None:
                yield from _stated(node, role)
            for key, value in node.items():
                yield from self._of_key(key, value, node, role, depth)

    def _of_key(self, key: str, value: Any, node: dict[str, Any], role: str | None, depth: int) -> Iterator[str]:
        if role is not None or (inner := _role(term(key), node)) is None:
            yield from self.statements(value, role, depth - 1)
            return
        for place in value if isinstance(value, list) else [value]:
            found = list(self.statements(place, inner, depth - 1))
            # A place may be named in a form of which nothing can be made: a text, a bare name, a reference.
            yield from found or _of_text(place, inner)


def _role(key: str, node: dict[str, Any]) -> str | None:
    if key in _PLACES:
        return PLACE
    # An organisation's address is where it has its office, not where a person lives.
    return RESIDENCE if key == _HOME or (key == _ADDRESS and _is_person(node)) else None


def _is_person(node: dict[str, Any]) -> bool:
    return "Person" in types_of(node)


def _stated(node: dict[str, Any], role: str) -> Iterator[str]:
    address = [_texts(node, f"address{part}") for part in ("Country", "Region", "Locality")]
    for country, region, city in zip_longest(*address, fillvalue=""):
        yield f"{role}|{country}|{region}|{city}"
    position = [values_of(node, part) for part in ("latitude", "longitude")]
    if any(len(values) > 1 for values in (*address, *position)):
        # Written in two ways, with what may be two meanings.
        yield UNREADABLE
    elif any(position):
        yield f"{role}@{','.join(_text(values[0]) if values else '' for values in position)}"


def _texts(node: dict[str, Any], name: str) -> list[str]:
    return list(dict.fromkeys(text for value in values_of(node, name) if (text := _text(value))))


def _of_text(value: Any, role: str) -> Iterator[str]:
    if value not in (None, "", {}):
        name = _text(value)
        yield f"{role}|||{name}" if name else UNREADABLE


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = next((one for name in ("name", "identifier") for one in values_of(value, name) if one), None)
    return str(value).strip().replace("|", " ").replace("@", " ")[:80] if isinstance(value, (str, int, float)) else ""


def _point(position: str) -> Point | None:
    try:
        latitude, longitude = (float(part) for part in position.split(","))
    except ValueError:
        return None
    return Point(latitude, longitude)
