"""Names of places as people write them: which countries, provinces and cities they may stand for, and when they stand for none."""

from __future__ import annotations

import pytest

from assent.geofence.country_names import country_code
from assent.geofence.place_names import places_in_text, places_named, places_near, region_code


def named(countries: str = "", regions: str = "", cities: str = "") -> set[str]:
    """Each a list with bars between its names; nothing at all for an empty one."""
    lists = ([name for name in text.split("|") if text] for text in (countries, regions, cities))
    return set(places_named(**dict(zip(("countries", "regions", "cities"), lists, strict=True))))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("UK", "GB"),
        ("GB", "GB"),
        ("England", "GB"),
        ("XK", "XK"),
        ("Kosovo", "XK"),
        ("EU", "EU"),
        ("can", "CA"),
        ("CÔTE D’IVOIRE", "CI"),
        ("U.S.A.", "US"),
        ("USA", "US"),
        ("zw", "ZW"),
        ("Zimbabwe", "ZW"),
        ("Andorra", "AD"),
        ("São Tomé and Príncipe", "ST"),
        ("Guinea-Bissau", "GW"),
    ],
)
def test_a_country_is_known_by_its_codes_and_names(text: str, code: str) -> None:
    assert country_code(text) == code


@pytest.mark.parametrize("text", ["", " ", "-", "zz", "canadian", "gb:gbr", "Cana da", "ad|and"])
def test_what_is_no_country_is_none(text: str) -> None:
    assert country_code(text) is None


REGIONS = {
    "a name in its country": (("Canada", "Alberta"), {"CA-AB"}),
    "a code in its country": (("CA", "AB"), {"CA-AB"}),
    "a code of both parts in its country": (("CA", "CA-AB"), {"CA-AB"}),
    "a code of both parts of another country": (("US", "CA-AB"), {"US", "CA-AB"}),
    "a code of both parts without a country": (("", "CA-AB"), {"CA-AB"}),
    "the shortest code of both parts": (("", "AT-9"), {"AT"}),
    "a name without a country": (("", "Alberta"), {"CA-AB"}),
    "a name of four letters without a country": (("", "Ohio"), {"US-OH"}),
    "a country where a region should stand": (("", "Scotland"), {"GB"}),
    "a country of four letters where a region should stand": (("", "Peru"), {"PE"}),
    "a region with the name of another country": (("Belgium", "Luxembourg"), {"BE"}),
    "a region that the country does not have": (("Canada", "Golden Horseshoe"), {"CA"}),
    "two regions, one of which the country has": (("Canada", "Alberta|Golden Horseshoe"), {"CA-AB", "CA"}),
    "two regions of two countries": (("Canada|US", "Alberta|Ohio"), {"CA-AB", "US-OH"}),
    "a region of one of two countries": (("Canada|US", "Alberta"), {"CA-AB", "US"}),
    "a blank country beside a region": (("  |", "Alberta"), {"CA-AB"}),
    "a blank region beside a country": (("Canada", "-"), {"CA"}),
    "three letters that are a code in some country": (("", "Ont"), set()),
    "three letters that are a country": (("", "CAN"), set()),
    "two letters that are a country": (("", "CA"), set()),
    "two letters that are a province": (("", "BC"), set()),
    "no region that anybody knows": (("", "Nowhere"), set()),
    "a region that nobody knows beside one": (("", "Alberta|Nowhere"), set()),
    "a country that nobody knows": (("Nowhere", "Alberta"), set()),
    "a country that nobody knows beside one": (("Canada|Nowhere", "Alberta"), set()),
}


@pytest.mark.parametrize("name", REGIONS)
def test_a_region_is_looked_up_in_its_country_first(name: str) -> None:
    (countries, regions), expected = REGIONS[name]
    assert named(countries, regions) == expected


CITIES = {
    "a city alone": (("", "", "Chicago"), {"US-IL"}),
    "a homonym alone": (("", "", "London"), {"GB", "CA-ON"}),
    "a homonym whose country was named": (("Canada", "", "London"), {"CA"}),
    "a homonym whose region was named": (("Canada", "Ontario", "London"), {"CA-ON"}),
    "a city of another region": (("Canada", "Alberta", "Chicago"), {"CA-AB", "US-IL"}),
    "a city that nobody knows in a country": (("Canada", "", "Nowhereville"), {"CA"}),
    "a city that nobody knows": (("", "", "Nowhereville"), set()),
    "a city that nobody knows beside one": (("", "", "Chicago|Nowhereville"), set()),
    "a blank city beside one": (("", "", "-|Chicago"), {"US-IL"}),
    "a city in a region that nobody knows": (("", "Nowhere", "Chicago"), set()),
}


@pytest.mark.parametrize("name", CITIES)
def test_a_city_adds_every_place_that_was_not_named_already(name: str) -> None:
    lists, expected = CITIES[name]
    assert named(*lists) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("San Francisco, CA", {"US-CA"}),
        ("Toronto, CAN", {"CA"}),
        ("Calgary, Alberta, Canada", {"CA-AB", "CA"}),
        ("Vancouver, WA", {"US-WA", "AU-WA"}),
        (", , Chicago,", {"US-IL"}),
        ("Nowhereville, ZZ", set()),
        ("", set()),
    ],
)
def test_an_address_in_one_line_names_what_is_known_of_it(text: str, expected: set[str]) -> None:
    assert places_in_text(text) == expected


def test_a_place_near_a_region_adds_what_contradicts_it() -> None:
    (alberta,) = places_in_text("Alberta")
    assert places_near(alberta, "Calgary") == {"CA-AB"}
    assert places_near(alberta, "Banff, Chicago") == {"CA-AB", "US-IL"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CA", "CA"),
        ("CA-BC", "CA-BC"),
        ("us_il", "US-IL"),
        ("US New York", "US-NY"),
        ("GB-ENG", "GB"),
        ("EU", "EU"),
        ("EU-FR", "EU"),
        ("CA-ZZ", None),
        ("CAN-BC", None),
        ("Canada", None),
        ("ZZ", None),
        ("", None),
    ],
)
def test_a_code_of_a_region_is_one_of_two_letters_and_what_follows(text: str, expected: str | None) -> None:
    assert region_code(text) == expected
