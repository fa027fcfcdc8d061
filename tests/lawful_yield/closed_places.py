"""Faults of place: something ties the case to a place that the shipped policy keeps closed, or that her grant was not given for."""

from __future__ import annotations

from tests.lawful_yield.case import Case
from tests.lawful_yield.fault import (
    Change,
    Family,
    Fault,
    at_home_alone,
    both,
    case_with,
    granted_also_for,
    hosted,
    photo,
    position,
    site,
)
from tests.lawful_yield.towns import CLOSED, HOMES, RULE_OF

_ONE = ("CA-BC",), ("CA-AB",), ("US-IL",)
_DOMAINS = (
    ("portraits.qc.ca", "CA-QC"),
    ("photos.gouv.qc.ca", "CA-QC"),
    ("portraits.quebec", "CA-QC"),
    ("rink.on.ca", "CA-ON"),
    ("album.gc.ca", "CA"),
    ("choir.sk.ca", "CA-SK"),
    ("portraits.co.uk", "GB"),
    ("album.london", "GB"),
    ("portraits.de", "DE"),
    ("album.fr", "FR"),
    ("atelier.paris", "FR"),
    ("gallery.com.au", "AU"),
    ("gallery.vic.gov.au", "AU-VIC"),
    ("school.k12.tx.us", "US-TX"),
    ("album.texas.gov", "US-TX"),
    ("retratos.com.mx", "MX"),
)
_CAPTIONS: tuple[tuple[str, dict[str, str]], ...] = (
    ("CA-ON", {"city": "Toronto", "region": "Ontario", "country": "Canada"}),
    ("CA-QC", {"city": "Montréal", "region": "Québec", "country_code": "CA"}),
    ("GB", {"city": "Leeds", "country": "United Kingdom"}),
    ("US-TX", {"city": "Austin", "region": "TX", "country_code": "US"}),
)


def _lives(*places: str) -> Change:
    return both(case_with(lives=places), _granted_where_she_lives)


def _lives_also(place: str) -> Change:
    return lambda case: _lives(case.lives[0], place)(case)


def _granted_where_she_lives(case: Case) -> Case:
    return granted_also_for(*case.lives)(case)


def _meta(place: str) -> Change:
    return site(meta={"geo.region": place})


def _json_ld(kind: str, place: str) -> Change:
    country, _, region = place.partition("-")
    address = {"@type": "PostalAddress", "addressRegion": region, "addressCountry": country}
    if kind == "person":
        return site(json_ld=[{"@type": "Person", "homeLocation": {"@type": "Place", "address": address}}])
    return site(json_ld=[{"@type": "Photograph", "contentLocation": {"@type": "Place", "address": address}}])


BY_POSITION = Family(
    "a closed place by position",
    tuple(
        Fault(
            f"taken in {town.name} ({town.place}), granted there too",
            (RULE_OF[town.place],),
            both(position(town), granted_also_for(town.place)),
            cases=2,
        )
        for town in CLOSED
    ),
)
BY_RESIDENCE = Family(
    "a closed place by residence",
    (
        *(
            Fault(f"she lives in {place}, granted there too", (RULE_OF[place],), _lives(place), homes=_ONE[index % 3], cases=2)
            for index, place in enumerate(("CA-ON", "CA-QC", "CA-SK", "US-TX", "US-NY", "FR", "GB", "AU-VIC"))
        ),
        *(
            Fault(f"she lives in {place} as well", (RULE_OF[place],), _lives_also(place), homes=_ONE[index % 3], cases=2)
            for index, place in enumerate(("CA-QC", "CA-ON", "GB"))
        ),
    ),
)
BY_DOMAIN = Family(
    "a closed place by domain",
    (
        *(
            Fault(f"published under {host}", (RULE_OF[place],), both(hosted(host), granted_also_for(place)), cases=2)
            for host, place in _DOMAINS
        ),
        Fault(
            "published under .ca by somebody of Illinois",
            ("CA-1",),
            both(hosted("portraits.ca"), granted_also_for("CA")),
            homes=("US-IL",),
            cases=3,
        ),
    ),
)
BY_PAGE = Family(
    "a closed place by page",
    (
        *(
            Fault(f"geo.region {place}", (RULE_OF[place],), both(_meta(place), granted_also_for(place)), cases=2)
            for place in ("CA-ON", "CA-QC", "GB")
        ),
        *(
            Fault(f"the page says of the {kind}: {place}", (RULE_OF[place],), both(_json_ld(kind, place), granted_also_for(place)), cases=2)
            for kind, place in (("person", "CA-QC"), ("person", "US-TX"), ("photo", "CA-ON"), ("photo", "FR"))
        ),
    ),
)
BY_CAPTION = Family(
    "a closed place by caption",
    tuple(
        Fault(
            f"{form} says {place}",
            (RULE_OF[place],),
            both(photo(**{form: told, other: {}}), granted_also_for(place)),
            kind="upload",
            cases=2,
        )
        for place, told in _CAPTIONS
        for form, other in (("xmp", "iptc"), ("iptc", "xmp"))
    ),
)
_CALGARY, _KELOWNA, _PEORIA = HOMES["CA-AB"][0], HOMES["CA-BC"][6], HOMES["US-IL"][7]
_NEITHER = ("legal_form_missing", "scope_not_granted")
NOT_GIVEN_THERE = Family(
    "an open place that her grant was not given for",
    (
        Fault(
            "taken in Calgary, granted at home alone",
            _NEITHER,
            both(position(_CALGARY), at_home_alone()),
            homes=("CA-BC", "US-IL"),
            cases=4,
        ),
        Fault(
            "taken in Kelowna, granted at home alone",
            _NEITHER,
            both(position(_KELOWNA), at_home_alone()),
            homes=("CA-AB", "US-IL"),
            cases=4,
        ),
        Fault(
            "taken in Peoria with the form of Illinois, and her grant does not reach there",
            ("scope_not_granted",),
            both(position(_PEORIA), at_home_alone(with_form_for="US-IL")),
            homes=("CA-BC", "CA-AB"),
            cases=4,
        ),
    ),
)
CLOSED_PLACES = (BY_POSITION, BY_RESIDENCE, BY_DOMAIN, BY_PAGE, BY_CAPTION, NOT_GIVEN_THERE)
