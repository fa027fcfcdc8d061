"""What a page says of places in its meta elements, language, JSON-LD and captions; a language without a region says nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assent.events.evidence import EvidenceKind, PageEvidence
from assent.geofence.captions import Captions
from assent.geofence.country_names import country_code
from assent.geofence.evidence import Evidence, stated, unreadable
from assent.geofence.host import host_evidence
from assent.geofence.place_names import places_in_text, places_near, region_code
from assent.geofence.point import Areas, Location, Point, point_evidence
from assent.geofence.schema_org import place_statements, schema_evidence
from assent.geofence.server import server_evidence
from assent.ids import Jurisdiction

_DEGREES = r"([+-]?\d{1,3}(?:\.\d{0,20})?)"
_POSITION = re.compile(rf"\s*{_DEGREES}\s*[;,]\s*{_DEGREES}\s*", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][a-z]{3}){0,3}(?:[-_][a-z]{4})?[-_]([a-z]{2})(?:[-_.@].*)?", re.ASCII | re.IGNORECASE)


def page_evidence_of(told: PageEvidence, *, areas: Areas, location: Location) -> Iterator[Evidence]:
    """Evidence of one raw statement; nothing where it says nothing of a place."""
    match told.kind:
        case EvidenceKind.GEO_META:
            yield from _geo_meta(told.value, areas, location)
        case EvidenceKind.LANGUAGE:
            yield from _language(told.value)
        case EvidenceKind.SCHEMA_PLACE | EvidenceKind.SCHEMA_RESIDENCE:
            for statement in _statements(told.value):
                yield schema_evidence(statement, areas=areas, location=location)
        case EvidenceKind.CAPTION:
            captions = Captions()
            captions.add(told.value)
            yield from captions.evidence()
        case EvidenceKind.URL_WORDS:
            # The address of another page that shows the same picture.
            yield from host_evidence(told.value)
        case EvidenceKind.SERVER_ADDRESS:
            yield from server_evidence(told.value)
        case _:
            # Another kind is not one that a page states; whoever sent it is not believed, and not ignored either.
            yield unreadable(told.kind)


def _geo_meta(value: str, areas: Areas, location: Location) -> Iterator[Evidence]:
    name, _, content = value.partition("=")
    name, content = name.strip().lower(), content.strip()
    if name in ("geo.position", "icbm", "geo.region", "geo.country") and not content.strip(" ;,|"):
        # A template that was left blank.
        return
    if name in ("geo.position", "icbm"):
        matched = _POSITION.fullmatch(content)
        point = None if matched is None else Point(float(matched[1]), float(matched[2]))
        yield point_evidence(EvidenceKind.GEO_META, point, areas=areas, location=location)
        return
    if name == "geo.placename":
        yield from _place_name(content)
        return
    code = {"geo.region": region_code, "geo.country": country_code}.get(name, lambda _: None)(content)
    if code is None and name == "geo.region" and len(content) > 3:
        yield stated(EvidenceKind.GEO_META, places_in_text(content))
    else:
        yield stated(EvidenceKind.GEO_META, frozenset() if code is None else frozenset({code}))


def _place_name(content: str) -> Iterator[Evidence]:
    """`name|region`: beside a region that is known, a name that is in no list adds nothing, and a homonym means the one there."""
    place, _, region = content.partition("|")
    code = region_code(region)
    if place.strip(" ;,"):
        yield stated(EvidenceKind.GEO_META, places_in_text(place) if code is None else places_near(code, place))


def _language(value: str) -> Iterator[Evidence]:
    """One tag, or several with commas between them."""
    countries = {country for country in map(country_of_language, value.split(",")) if country is not None}
    if countries:
        yield stated(EvidenceKind.LANGUAGE, frozenset(countries))


def country_of_language(tag: str) -> Jurisdiction | None:
    """The country of a language tag such as fr-CA, or None; a language is spoken in many."""
    matched = _LANGUAGE.fullmatch(tag.strip())
    return None if matched is None else country_code(matched[1])


def _statements(value: str) -> tuple[str, ...]:
    """JSON-LD as it stood in the page is brought to statements first; the crawler has done so before."""
    return place_statements(value) if value.lstrip().startswith(("{", "[")) else (value,)
