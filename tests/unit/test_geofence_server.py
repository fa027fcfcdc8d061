"""What a record of an address says of a server: a country, or nothing where it may stand anywhere."""

from __future__ import annotations

from typing import Any

import pytest

from assent.events.evidence import Connector, EvidenceKind, PageEvidence
from assent.geofence.extract import page_evidence
from assent.geofence.server import SHARED_NETWORKS, country_of, server_statement, server_tables
from assent.ids import Jurisdiction
from tests.unit.place_examples import LOCATION, UNREADABLE, areas, said

SYDNEY = {"country": {"iso_code": "AU", "names": {"en": "Australia"}}, "registered_country": {"iso_code": "US"}}
OWN_NETWORK = {"autonomous_system_number": 1221, "autonomous_system_organization": "Telstra"}
TABLE = "servers-0123456789ab"

PLACED: dict[str, tuple[Any, Any, str]] = {
    "a country, and networks in another table": (SYDNEY, OWN_NETWORK, "AU"),
    "both in one record": ({"country_code": "AU", "asn": "AS1221"}, {"country_code": "AU", "asn": "AS1221"}, "AU"),
    "a code by itself": ({"country": "AU"}, {"asn": 1221}, "AU"),
    "the least number of a network": (SYDNEY, {"asn": 1}, "AU"),
    "a network that says that it is none of these": (SYDNEY, {**OWN_NETWORK, "is_anycast": False}, "AU"),
    "traits that are none": ({**SYDNEY, "traits": [1]}, OWN_NETWORK, "AU"),
    "a city, which is left out": ({**SYDNEY, "city": {"names": {"en": "Sydney"}}}, OWN_NETWORK, "AU"),
}
NOWHERE: dict[str, tuple[Any, Any]] = {
    "no record": (None, OWN_NETWORK),
    "no network": (SYDNEY, None),
    "a network without a number": (SYDNEY, {"autonomous_system_organization": "x"}),
    "a number that is none": (SYDNEY, {"asn": "ASx"}),
    "a number of no network": (SYDNEY, {"asn": 0}),
    "a number below nought": (SYDNEY, {"asn": -1}),
    "a yes for a number": (SYDNEY, {"asn": True}),
    "a content network": (SYDNEY, {"autonomous_system_number": 13335}),
    "a cloud": (SYDNEY, {"asn": "AS16509"}),
    "an address of many places": ({**SYDNEY, "traits": {"is_anycast": True}}, OWN_NETWORK),
    "the same, told with the network": (SYDNEY, {**OWN_NETWORK, "is_anycast": True}),
    "a satellite": ({**SYDNEY, "traits": {"is_satellite_provider": True}}, OWN_NETWORK),
    "a proxy that hides who asks": ({**SYDNEY, "traits": {"is_anonymous_proxy": True}}, OWN_NETWORK),
    "only where it is entered": ({"registered_country": {"iso_code": "AU"}}, OWN_NETWORK),
    "a code of nobody": ({"country": {"iso_code": "ZZ"}}, OWN_NETWORK),
    "a name in place of a code": ({"country": "Australia"}, OWN_NETWORK),
    "another kind of record": ([1], OWN_NETWORK),
}


@pytest.mark.parametrize(("place", "network", "country"), PLACED.values(), ids=list(PLACED))
def test_every_form_of_a_record_gives_the_country(place: Any, network: Any, country: str) -> None:
    assert country_of(place, network) == country


@pytest.mark.parametrize(("place", "network"), NOWHERE.values(), ids=list(NOWHERE))
def test_what_may_stand_anywhere_gives_nothing(place: Any, network: Any) -> None:
    assert country_of(place, network) is None


@pytest.mark.parametrize("number", sorted(SHARED_NETWORKS))
def test_each_shared_network_gives_nothing(number: int) -> None:
    assert country_of(SYDNEY, {"autonomous_system_number": number}) is None


def test_a_statement_is_read_back_as_evidence() -> None:
    told = server_statement(Jurisdiction("AU"), TABLE)
    (found,) = page_evidence([told], areas=areas(), location=LOCATION)
    assert (found.kind, found.connector, sorted(found.jurisdictions)) == (EvidenceKind.SERVER_ADDRESS, Connector.SERVER, ["AU"])
    assert (found.deny_weight, found.allow_weight) == (0.4, 0.05)
    assert server_tables([told, told]) == (TABLE,)


def test_spaces_round_a_statement_are_no_part_of_it() -> None:
    told = PageEvidence(kind=EvidenceKind.SERVER_ADDRESS, value=f" AU {TABLE}\n")
    assert said(page_evidence([told], areas=areas(), location=LOCATION)) == {"server_address": {"AU"}}
    assert server_tables([told]) == (TABLE,)


@pytest.mark.parametrize("value", ["", "ZZ", "AU-NSW", "au", "127.0.0.1", "AU servers-x", "Australia", "AU; servers-0123456789ab"])
def test_a_statement_of_another_form_is_unreadable_and_names_no_table(value: str) -> None:
    told = PageEvidence(kind=EvidenceKind.SERVER_ADDRESS, value=value)
    assert said(page_evidence([told], areas=areas(), location=LOCATION)) == {"server_address": UNREADABLE}
    assert server_tables([told]) == ()


def test_other_statements_name_no_table() -> None:
    assert server_tables([PageEvidence(kind=EvidenceKind.GEO_META, value=f"AU {TABLE}")]) == ()
