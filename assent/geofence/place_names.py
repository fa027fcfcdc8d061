"""Names and codes of provinces and states as metadata writes them, to one code each; a name that is not known is no place."""

from __future__ import annotations

from collections.abc import Iterable

from assent.geofence.country_names import country_code, folded
from assent.geofence.toponyms import places_of_city
from assent.ids import Jurisdiction

_CANADA = (
    "AB:alberta|alb|alta; BC:british columbia|colombie britannique|b c|c b; MB:manitoba|man; NB:new brunswick|nouveau brunswick|n b; "
    "NL:nf|newfoundland and labrador|newfoundland|labrador|terre neuve et labrador|terre neuve; NS:nova scotia|nouvelle ecosse|n s; "
    "NT:northwest territories|territoires du nord ouest|nwt|n w t; NU:nunavut; ON:ontario|ont; "
    "PE:prince edward island|ile du prince edouard|pei|p e i; QC:quebec|que|pq|p q|province de quebec|province of quebec; "
    "SK:saskatchewan|sask; YT:yk|yukon|yukon territory|territoire du yukon"
)
_UNITED_STATES = (
    "AL:alabama; AK:alaska; AZ:arizona; AR:arkansas; CA:california|calif; CO:colorado; CT:connecticut; DE:delaware; "
    "DC:district of columbia|washington dc|washington d c|d c; FL:florida; GA:georgia; HI:hawaii; ID:idaho; IL:illinois|ill; IN:indiana; "
    "IA:iowa; KS:kansas; KY:kentucky; LA:louisiana; ME:maine; MD:maryland; MA:massachusetts|mass; MI:michigan; MN:minnesota; "
    "MS:mississippi; MO:missouri; MT:montana; NE:nebraska; NV:nevada; NH:new hampshire; NJ:new jersey; NM:new mexico; "
    "NY:new york|new york state; NC:north carolina; ND:north dakota; OH:ohio; OK:oklahoma; OR:oregon; PA:pennsylvania; RI:rhode island; "
    "SC:south carolina; SD:south dakota; TN:tennessee; TX:texas; UT:utah; VT:vermont; VA:virginia; WA:washington|washington state; "
    "WV:west virginia; WI:wisconsin; WY:wyoming"
)
_AUSTRALIA = (
    "ACT:australian capital territory; NSW:new south wales; NT:northern territory; QLD:queensland; SA:south australia; TAS:tasmania; "
    "VIC:victoria; WA:western australia"
)


def _table(text: str, country: str) -> dict[str, Jurisdiction]:
    table: dict[str, Jurisdiction] = {}
    for entry in text.split("; "):
        code, names = entry.split(":")
        for name in (code.lower(), *names.split("|")):
            table[name] = Jurisdiction(f"{country}-{code}")
    return table


SUBDIVISIONS = {"CA": _table(_CANADA, "CA"), "US": _table(_UNITED_STATES, "US"), "AU": _table(_AUSTRALIA, "AU")}


def places_named(*, countries: Iterable[str], regions: Iterable[str] = (), cities: Iterable[str] = ()) -> frozenset[Jurisdiction]:
    """Every jurisdiction that the names of one place stand for; empty where one of them is needed to know it and is not known.

    A region that its country does not have leaves the country, whole. Names that contradict each other all count.
    """
    codes = {country_code(name) for name in countries if name.strip()}
    known = {code for code in codes if code is not None}
    by_region = [_regions(region, known) for region in regions if folded(region)]
    if None in codes or (not known and not all(by_region)):
        return frozenset()
    found = set[Jurisdiction]().union(*by_region)
    found |= {code for code in known if not all(by_region) or not any(place.startswith(f"{code}-") for place in found)}
    named_cities = [city for city in cities if folded(city)]
    if not found and not all(places_of_city(city) for city in named_cities):
        return frozenset()
    return frozenset(_with_cities(found, named_cities))


def places_in_text(text: str) -> frozenset[Jurisdiction]:
    """The jurisdictions of an address written in one line, with commas; empty where nothing of it is known."""
    parts = text.split(",")
    found: set[Jurisdiction] = set()
    for part in parts:
        # Two letters are a province far more often than a country at the end of a line.
        country = country_code(part) if len(folded(part)) > 2 else None
        found |= {country} if country is not None else _codes(folded(part))
    return frozenset(_with_cities(found, parts))


def places_near(region: Jurisdiction, text: str) -> frozenset[Jurisdiction]:
    """The jurisdictions of a place name of which the region is known: the region, and what the name says against it."""
    return frozenset(_with_cities({region}, text.split(",")))


def region_code(text: str) -> Jurisdiction | None:
    """The code of an ISO 3166-1 or 3166-2 text such as CA-BC, or None. A part of another country stands for the country."""
    words = folded(text).split()
    country = country_code(words[0]) if words and len(words[0]) == 2 else None
    if country is None:
        return None
    if len(words) == 1:
        return country
    known = SUBDIVISIONS.get(country)
    return country if known is None else known.get(" ".join(words[1:]))


def is_code(text: str) -> bool:
    """Whether this is a code of ISO 3166-1 or 3166-2 as it is written there. Any part of a country whose parts have no list here is one."""
    return region_code(text) in (text, text.partition("-")[0])


def _regions(region: str, countries: set[Jurisdiction]) -> set[Jurisdiction]:
    """The subdivisions of that name in the countries named, else anywhere, else the country that has the name."""
    name = folded(region)
    own = {SUBDIVISIONS[code].get(name) for code in countries if code in SUBDIVISIONS}
    known = {place for place in own if place is not None}
    if known:
        return known
    # Two or three letters alone are a code in several countries, and a word in some language.
    elsewhere = _codes(name) if len(name) > 3 else set()
    coded = region_code(region) if len(name) > 3 else None
    country = country_code(region) if not countries and len(name) > 3 else None
    return elsewhere | {place for place in (coded, country) if place is not None}


def _with_cities(named: set[Jurisdiction], cities: Iterable[str]) -> set[Jurisdiction]:
    """A homonym whose other place was named is not doubted; a city that lies in none of them is a contradiction, and counts."""
    found = set(named)
    for city in cities:
        meant = places_of_city(city)
        if not any(place in named or place.partition("-")[0] in named for place in meant):
            found |= meant
    return found


def _codes(name: str) -> set[Jurisdiction]:
    return {table[name] for table in SUBDIVISIONS.values() if name in table}
