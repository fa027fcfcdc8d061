"""A place that is told by the names of buildings, streets and quarters: known words close, and what names no area is in doubt."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.place_examples import UNREADABLE, jpeg_xmp, read, said
from tests.unit.test_geofence_c2pa_place import read as read_assertions
from tests.unit.test_geofence_xmp_iptc import dataset, iptc, listed, packet, resource

SHOWN = "Iptc4xmpExt:LocationShown"
KINDS = {"Iptc4xmpExt:LocationCreated": "xmp_location_created", SHOWN: "xmp_location_shown"}
PLACES: dict[str, tuple[dict[str, str], set[str] | frozenset[str]]] = {
    "a name": ({"LocationName": "Montr\u00e9al"}, {"CA-QC"}),
    "a name in a sentence": ({"LocationName": "Old Port of Montr\u00e9al"}, {"CA-QC"}),
    "a quarter": ({"Sublocation": "Vancouver harbour"}, {"CA-BC", "US-WA"}),
    "a name with its country": ({"LocationName": "Dotonbori, Japan"}, {"JP"}),
    "a part of the world": ({"WorldRegion": "Canada"}, {"CA"}),
    "two names": ({"LocationName": "Chicago office", "Sublocation": "Calgary room"}, {"US-IL", "CA-AB"}),
    "a name in two languages": (
        {"LocationName": '<rdf:Alt><rdf:li xml:lang="en">Pier</rdf:li><rdf:li xml:lang="fr">Quai de Gatineau</rdf:li></rdf:Alt>'},
        {"CA-QC"},
    ),
    "a name that nobody knows": ({"LocationName": "Pier 7"}, UNREADABLE),
    "a quarter that nobody knows": ({"Sublocation": "Pier"}, UNREADABLE),
    "a continent": ({"WorldRegion": "North America"}, UNREADABLE),
    "a reference": ({"LocationId": "http://sws.geonames.org/6077243/"}, UNREADABLE),
    "a reference beside a name": ({"LocationId": "http://sws.geonames.org/1/", "LocationName": "Calgary"}, {"CA-AB"}),
    # beside an area
    "an area": ({"CountryCode": "CA", "ProvinceState": "ON", "City": "Toronto", "Sublocation": "Victoria Park"}, {"CA-ON"}),
    "an area and a region": ({"CountryCode": "DE", "WorldRegion": "Europe", "LocationId": "x"}, {"DE"}),
    "a region alone": ({"ProvinceState": "Alberta", "LocationName": "Pier"}, {"CA-AB"}),
    "a city that nobody knows": ({"City": "Nowhereville", "LocationName": "Pier"}, UNREADABLE),
    "a city alone": ({"City": "Chicago", "LocationName": "Willis Tower"}, {"US-IL"}),
    "a name that is another city's": ({"CountryCode": "CA", "ProvinceState": "ON", "Sublocation": "Gatineau"}, {"CA-ON", "CA-QC"}),
    "a name that is a city's there": ({"CountryCode": "CA", "ProvinceState": "ON", "LocationName": "London"}, {"CA-ON"}),
}


@pytest.mark.parametrize("tag", KINDS)
@pytest.mark.parametrize("name", PLACES)
def test_a_place_of_the_iptc_extension_that_says_something_is_never_silent(name: str, tag: str) -> None:
    fields, expected = PLACES[name]
    assert said(read(jpeg_xmp(packet(content=listed(fields, tag=tag))))) == {KINDS[tag]: expected}


@pytest.mark.parametrize("name", PLACES)
def test_the_same_place_in_a_manifest_says_the_same(name: str) -> None:
    fields, expected = PLACES[name]
    if "<" in str(fields):
        fields = {"LocationName": {"en": "Pier", "fr": "Quai de Gatineau"}}  # type: ignore[dict-item]
    value: dict[str, Any] = {SHOWN: [{f"Iptc4xmpExt:{key}": text for key, text in fields.items()}]}
    assert read_assertions(("cawg.metadata", value)) == {"xmp_location_shown": expected}


def test_what_only_words_name_opens_nothing() -> None:
    (words,) = read(jpeg_xmp(packet(content=listed({"LocationName": "Calgary Tower"}))))
    (city,) = read(jpeg_xmp(packet(content=listed({"City": "Calgary"}))))
    assert (words.jurisdictions, words.deny_weight, words.allow_weight) == (city.jurisdictions, city.deny_weight, 0.0)
    assert city.allow_weight > 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Victoria Park", {"xmp_location_created": {"CA-AB"}}), ("Chicago", {"xmp_location_created": {"CA-AB", "US-IL"}})],
    ids=["a park called after a city", "a city"],
)
def test_a_position_in_the_same_place_is_its_area(name: str, expected: dict[str, set[str]]) -> None:
    position = "<exif:GPSLatitude>51,2.682N</exif:GPSLatitude><exif:GPSLongitude>114,4.314W</exif:GPSLongitude>"
    content = listed({"LocationName": name, "LocationId": "x"}).replace("</rdf:li>", f"{position}</rdf:li>")
    assert said(read(jpeg_xmp(packet(content=content)))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Montr\u00e9al", {"CA-QC"}), ("Stade, Montr\u00e9al", {"CA-QC"}), ("Pier", UNREADABLE)],
    ids=["a city", "a building and a city", "a word that nobody knows"],
)
def test_the_pictures_own_location_is_read_in_both_forms(text: str, expected: set[str]) -> None:
    assert said(read(jpeg_xmp(packet(f'Iptc4xmpCore:Location="{text}"')))) == {"iptc_place": expected}
    assert said(read(iptc(resource(dataset(92, text.encode()))))) == {"iptc_place": expected}
    beside = 'photoshop:Country="Canada" photoshop:State="Ontario" photoshop:City="Toronto" Iptc4xmpCore:Location="Pier"'
    assert said(read(jpeg_xmp(packet(beside)))) == {"iptc_place": {"CA-ON"}}


@pytest.mark.parametrize("text", ["", "  "], ids=["empty", "blank"])
def test_a_name_that_was_left_blank_says_nothing(text: str) -> None:
    assert read(jpeg_xmp(packet(content=listed({"LocationName": text, "Sublocation": text})))) == ()
    assert read(jpeg_xmp(packet(f'Iptc4xmpCore:Location="{text}"'))) == ()
    assert read(iptc(resource(dataset(92, text.encode())))) == ()


def test_a_long_name_is_read_whole_or_not_at_all() -> None:
    name = "Calgary".rjust(1_024, ".")
    assert said(read(jpeg_xmp(packet(content=listed({"LocationName": name}, tag=SHOWN))))) == {"xmp_location_shown": {"CA-AB"}}
    assert said(read(jpeg_xmp(packet(content=listed({"LocationName": f".{name}"}, tag=SHOWN))))) == {"xmp_location_created": UNREADABLE}


@pytest.mark.parametrize("name", ["LocationName", "Sublocation", "WorldRegion", "Location"])
def test_each_kind_of_name_counts_in_a_manifest(name: str) -> None:
    assert read_assertions(("cawg.metadata", {f"Iptc4xmpCore:{name}": "Calgary"})) == {"iptc_place": {"CA-AB"}}


def test_a_name_that_says_nothing_beside_a_position_in_a_manifest_is_no_doubt() -> None:
    position = {"exif:GPSLatitude": "51,2.682N", "exif:GPSLongitude": "114,4.314W"}
    assert read_assertions(("cawg.metadata", position | {"Iptc4xmpCore:Location": "Pier"})) == {"exif_gps": {"CA-AB"}}
    assert read_assertions(("cawg.metadata", {"Iptc4xmpCore:Location": "Pier"})) == {"iptc_place": UNREADABLE}


def test_beside_a_value_a_key_that_looks_like_a_language_is_none() -> None:
    country = {"@value": "Canada", "en": "France"}
    assert read_assertions(("cawg.metadata", {"photoshop:Country": country, "photoshop:State": "Alberta"})) == {"iptc_place": {"CA-AB"}}
