"""Where a server stands, told by the records of tables of addresses: a country or nothing, never a city; no address gets this far.

A table says where an address is used, more or less. Of an address that answers from many places, or is lent to anybody anywhere, it
says nothing: those are known by the network (autonomous system) that announces them, which changes far less than its addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from assent.events.evidence import EvidenceKind, PageEvidence
from assent.geofence.country_names import country_code
from assent.geofence.evidence import Evidence, stated, unreadable
from assent.ids import Jurisdiction

_STATEMENT = re.compile(r"([A-Z]{2})(?: (servers-[0-9a-f]{12}))?", re.ASCII)
_NETWORK = re.compile(r"(?:AS)?([0-9]{1,10})", re.ASCII)
_EVERYWHERE = ("is_anycast", "is_satellite_provider", "is_anonymous_proxy")
SHARED_NETWORKS: dict[int, str] = {
    12222: "Akamai",
    13335: "Cloudflare",
    14618: "Amazon",
    15133: "Edgecast",
    15169: "Google",
    16509: "Amazon",
    16625: "Akamai",
    19551: "Imperva",
    20446: "Highwinds",
    20940: "Akamai",
    22822: "Limelight",
    30081: "CacheFly",
    30148: "Sucuri",
    31898: "Oracle",
    37963: "Alibaba",
    45090: "Tencent",
    45102: "Alibaba",
    54113: "Fastly",
    60068: "CDN77",
    132203: "Tencent",
    199524: "G-Core",
    200325: "Bunny",
    209242: "Cloudflare",
    396982: "Google",
    8075: "Microsoft",
}
"""Content networks and clouds by their number: what answers there may stand anywhere, or in several places at once."""


def country_of(place: Any, network: Any) -> Jurisdiction | None:
    """The country of an address by its records in a table of places and in one of networks, which may be the same.

    Nothing where the network is not known: without it a content network looks like a server.
    """
    told = place if isinstance(place, dict) else {}
    number = network_number(network)
    if number is None or number in SHARED_NETWORKS or _is_everywhere(told) or _is_everywhere(network):
        return None
    country = told.get("country")
    # Never `registered_country`: where a company is entered says nothing of where its machines stand.
    named = country.get("iso_code") if isinstance(country, dict) else told.get("country_code", country)
    return country_code(named) if isinstance(named, str) and len(named) == 2 else None


def network_number(record: Any) -> int | None:
    """The number of the autonomous system, in any of the forms that tables give it."""
    told = record if isinstance(record, dict) else {}
    number = told.get("autonomous_system_number", told.get("asn"))
    if isinstance(number, str):
        matched = _NETWORK.fullmatch(number)
        number = None if matched is None else int(matched[1])
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None


def server_statement(country: Jurisdiction, table: str) -> PageEvidence:
    """What crosses the log: the country, and which table said so."""
    return PageEvidence(kind=EvidenceKind.SERVER_ADDRESS, value=f"{country} {table}")


def server_evidence(value: str) -> Iterator[Evidence]:
    """Evidence of such a statement; one that names no country is unreadable."""
    matched = _STATEMENT.fullmatch(value.strip())
    code = None if matched is None else country_code(matched[1])
    yield unreadable(EvidenceKind.SERVER_ADDRESS) if code is None else stated(EvidenceKind.SERVER_ADDRESS, frozenset({code}))


def server_tables(told: Iterable[PageEvidence]) -> tuple[str, ...]:
    """Which tables of addresses were asked, for the record of the decision."""
    found = (_STATEMENT.fullmatch(item.value.strip()) for item in told if item.kind is EvidenceKind.SERVER_ADDRESS)
    return tuple(dict.fromkeys(matched[2] for matched in found if matched is not None and matched[2]))


def _is_everywhere(record: dict[str, Any]) -> bool:
    traits = record.get("traits")
    return any(held.get(flag) is True for held in (record, traits if isinstance(traits, dict) else {}) for flag in _EVERYWHERE)
