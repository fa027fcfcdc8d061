"""What pages say of places: meta elements, language and JSON-LD, as the crawler hands them over and as an outside producer may."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.events.evidence import EvidenceKind, PageEvidence
from assent.geofence.evidence import Evidence
from assent.geofence.extract import page_evidence
from assent.geofence.host import host_evidence
from assent.geofence.schema_org import MAX_STATEMENTS, place_statements
from services.crawler.page import MAX_FIGURE_CAPTIONS, read_page
from tests.unit.place_examples import LOCATION, UNREADABLE, areas, said

META, LANGUAGE, SCHEMA = EvidenceKind.GEO_META, EvidenceKind.LANGUAGE, EvidenceKind.SCHEMA_PLACE
STATED = {META, LANGUAGE, SCHEMA, EvidenceKind.SCHEMA_RESIDENCE, EvidenceKind.CAPTION, EvidenceKind.URL_WORDS}
HOME = {"@type": "Person", "homeLocation": {"@type": "Place", "address": {"addressCountry": "CA", "addressRegion": "BC"}}}


def evidence(*told: tuple[EvidenceKind, str]) -> tuple[Evidence, ...]:
    items = tuple(PageEvidence(kind=kind, value=value) for kind, value in told)
    return page_evidence(items, areas=areas(), location=LOCATION)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("geo.region=CA-BC", {"CA-BC"}),
        ("geo.region=ca_qc", {"CA-QC"}),
        ("geo.region=CA-NF", {"CA-NL"}),
        ("geo.region=CA", {"CA"}),
        ("geo.region=US-IL", {"US-IL"}),
        ("geo.region=FR-75", {"FR"}),
        ("geo.region=GB-ENG", {"GB"}),
        ("geo.region=British Columbia", {"CA-BC"}),
        ("geo.region=Vancouver, Utah", {"US-UT", "CA-BC", "US-WA"}),
        ("geo.region=Utah", {"US-UT"}),
        ("geo.region=CA=BC", {"CA-BC"}),
        (" Geo.Region =  CA-BC ", {"CA-BC"}),
        ("geo.country=|CA", {"CA"}),
        ("geo.country=CAN", {"CA"}),
        ("geo.country=Canada", {"CA"}),
        ("geo.placename=Vancouver", {"CA-BC", "US-WA"}),
        ("geo.placename=Vancouver|CA-BC", {"CA-BC"}),
        ("geo.placename=Chicago|CA-BC", {"CA-BC", "US-IL"}),
        ("geo.placename=Nowhereville|CA-BC", {"CA-BC"}),
        ("geo.placename=-|CA-BC", {"CA-BC"}),
        ("geo.placename=Chicago|", {"US-IL"}),
        ("geo.placename=Chicago|nowhere", {"US-IL"}),
        ("geo.position=51.0447;-114.0719", {"CA-AB"}),
        ("geo.position=+51.0447; -114.0719 ", {"CA-AB"}),
        ("geo.position=51.0447,-114.0719", {"CA-AB"}),
        ("geo.position=48;2.", {"FR"}),
        ("icbm=45.4285, -75.7130", {"CA-QC", "CA-ON"}),
    ],
)
def test_meta_elements_are_read(value: str, expected: set[str]) -> None:
    assert said(evidence((META, value))) == {"geo_meta": expected}


@pytest.mark.parametrize(
    "value",
    ["geo.region=CA-ZZ", "geo.region=zzz", "geo.region=ont", "geo.region=-", "geo.placename=-", "geo.region= BC ",
     "geo.country=British Columbia", "geo.country=CA-BC",
     "geo.area=CA-BC", "region=CA-BC", "geo.position=51.0447", "geo.position=51.0447;-114.0719;9", "geo.position=5104;11",
     "geo.region=BC", "geo.country=ZZ", "geo.position=x", "geo.position=95;10", "geo.position=0;0",
     "geo.position=NaN;NaN", "icbm=45.4", "icbm=45°25′N, 75°42′W", "geo.placename=Nowhereville", "geo.placename=Nowhereville|ZZ", "CA-BC"],
)  # fmt: skip
def test_a_meta_element_that_names_no_known_place_is_unreadable(value: str) -> None:
    assert said(evidence((META, value))) == {"geo_meta": UNREADABLE}


@pytest.mark.parametrize(
    "value",
    ["geo.region=", "geo.position=;", "icbm= , ", "geo.country= ", "geo.placename=|CA-BC", "geo.placename=",
     "geo.placename= ;,|CA-BC", "geo.region= | ", "geo.country=,", "geo.position", "icbm=|"],
)  # fmt: skip
def test_a_template_left_blank_says_nothing(value: str) -> None:
    assert evidence((META, value)) == ()


def test_region_and_position_that_differ_both_count() -> None:
    assert said(evidence((META, "geo.region=CA-BC"), (META, "geo.position=51.0447;-114.0719"))) == {"geo_meta": {"CA-BC", "CA-AB"}}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("fr-CA", "CA"),
        ("fr, x-default, fr-CA", "CA"),
        ("fr_CA", "CA"),
        ("en_US", "US"),
        ("en-UK", "GB"),
        ("zh-Hant-TW", "TW"),
        ("fr_CA.UTF-8", "CA"),
        ("EN-au", "AU"),
    ],
)
def test_a_language_with_a_region_names_the_country_alone(value: str, place: str) -> None:
    assert said(evidence((LANGUAGE, value))) == {"language": {place}}


@pytest.mark.parametrize("value", ["fr", "en", "es-419", "en-001", "sr-Latn", "en-EN", "x-default", "english", "i-klingon", "zh-Hant"])
def test_a_language_without_a_region_says_nothing(value: str) -> None:
    assert evidence((LANGUAGE, value)) == ()


JSON_LD: dict[str, tuple[Any, dict[str, set[str]]]] = {
    "home": (HOME, {"schema_residence": {"CA-BC"}}),
    "address of a person": (
        {"@type": ["Thing", "https://schema.org/Person"], "address": {"addressCountry": {"name": "Canada"}, "addressRegion": "Québec"}},
        {"schema_residence": {"CA-QC"}},
    ),
    "content location": (
        {
            "contentLocation": {
                "address": {"addressCountry": "US", "addressRegion": "IL"},
                "geo": {"latitude": 51.04, "longitude": "-114.07"},
            }
        },
        {"schema_place": {"US-IL", "CA-AB"}},
    ),
    "in a graph": (
        {"@graph": [{"@type": "WebSite"}, {"image": [{"locationCreated": {"geo": {"latitude": "48.85", "longitude": 2.35}}}]}]},
        {"schema_place": {"FR"}},
    ),
    "city alone": ({"spatialCoverage": {"address": {"addressLocality": "Chicago"}}}, {"schema_place": {"US-IL"}}),
    "a text": ({"contentLocation": "Calgary, Alberta, Canada"}, {"schema_place": {"CA-AB", "CA"}}),
    "a text with a homonym": ({"contentLocation": "Vancouver, BC"}, {"schema_place": {"CA-BC"}}),
    "a name": ({"contentLocation": {"@type": "Place", "name": "Toronto"}}, {"schema_place": {"CA-ON"}}),
    "an unknown name": ({"contentLocation": {"@type": "Place", "name": "The hall"}}, {"schema_place": {"UNKNOWN"}}),
    "a reference": ({"contentLocation": {"@id": "#hall"}}, {"schema_place": {"UNKNOWN"}}),
    "no numbers": ({"contentLocation": {"geo": {"latitude": "north", "longitude": None}}}, {"schema_place": {"UNKNOWN"}}),
    "out of range": ({"contentLocation": {"geo": {"latitude": 951, "longitude": 3}}}, {"schema_place": {"UNKNOWN"}}),
    "empty": ({"contentLocation": None, "spatialCoverage": [], "homeLocation": ""}, {}),
    "an office": ({"@type": "Organization", "address": {"addressCountry": "AU"}}, {}),
    "nothing": ({"@type": "Article", "name": "x"}, {}),
}


@pytest.mark.parametrize("name", JSON_LD)
def test_json_ld_is_read_from_a_page_and_from_a_producer_alike(name: str) -> None:
    document, expected = JSON_LD[name]
    text = json.dumps(document)
    page = read_page(f'<script type="application/ld+json">{text}</script>'.encode(), url="https://example.com/")
    assert said(page_evidence(page.evidence, areas=areas(), location=LOCATION)) == expected
    assert said(evidence((SCHEMA, text))) == expected


@pytest.mark.parametrize("kind", [SCHEMA, EvidenceKind.SCHEMA_RESIDENCE])
def test_json_ld_of_an_outside_producer_is_taken_as_it_stood_and_a_short_statement_as_it_is(kind: EvidenceKind) -> None:
    for text in (json.dumps(HOME), f"\n {json.dumps(HOME)}", json.dumps([HOME]), f"  [{json.dumps(HOME)}]"):
        assert said(evidence((kind, text))) == {"schema_residence": {"CA-BC"}}
    assert said(evidence((kind, "residence|CA|QC|"))) == {"schema_residence": {"CA-QC"}}
    assert said(evidence((kind, "unreadable"))) == {"schema_place": UNREADABLE}


def test_the_words_of_a_caption_are_looked_at_again_whoever_sent_them() -> None:
    assert said(evidence((EvidenceKind.CAPTION, "Ada in Chicago and Montréal"))) == {"caption": {"US-IL", "CA-QC"}}
    assert evidence((EvidenceKind.CAPTION, "Ada at the lake")) == ()


def test_a_long_document_is_read_whole_by_the_crawler() -> None:
    text = json.dumps({"description": "x" * 5_000, **HOME})
    page = read_page(f'<html lang="fr-CA"><script type="application/ld+json">{text}</script>'.encode(), url="https://example.com/")
    found = said(page_evidence(page.evidence, areas=areas(), location=LOCATION))
    assert found == {"language": {"CA"}, "schema_residence": {"CA-BC"}}


def test_a_document_cut_off_inside_a_place_is_unreadable() -> None:
    assert said(evidence((SCHEMA, json.dumps(HOME)[:70]))) == {"schema_place": UNREADABLE}


def test_a_broken_document_that_speaks_of_no_place_says_nothing() -> None:
    assert evidence((SCHEMA, '{"name": "x')) == ()


@pytest.mark.parametrize(
    "document", ["[" * 200 + '"contentLocation"' + "]" * 200, '{"contentLocation": ' + "[" * 5_000 + "]" * 5_000 + "}"]
)
def test_a_document_nested_too_deeply_is_unreadable(document: str) -> None:
    assert place_statements(document) == ("unreadable",)


def test_more_places_than_are_kept_add_the_unknown() -> None:
    document = [{"contentLocation": {"geo": {"latitude": number, "longitude": 10}}} for number in range(1, 60)]
    statements = place_statements(json.dumps(document))
    assert len(statements) == MAX_STATEMENTS
    assert statements[-1] == "unreadable"


def test_the_address_of_another_page_says_what_addresses_say() -> None:
    for url in ("https://www.ville.montreal.qc.ca/ada/", "https://ada.example.com/paris/"):
        assert evidence((EvidenceKind.URL_WORDS, url)) == host_evidence(url) != ()
    assert evidence((EvidenceKind.URL_WORDS, "https://ada.example.com/")) == ()


@pytest.mark.parametrize("kind", sorted(set(EvidenceKind) - STATED))
def test_a_kind_that_no_page_states_is_not_believed(kind: EvidenceKind) -> None:
    (found,) = evidence((kind, "CA-NS"))
    assert found.is_invalid
    assert found.allow_weight == 0


@given(st.sampled_from(EvidenceKind), st.text(max_size=200))
def test_no_statement_raises(kind: EvidenceKind, value: str) -> None:
    for text in (value, f"geo.position={value}", f"geo.region={value}", f"place@{value}", f"residence|{value}"):
        assert all(item.jurisdictions for item in evidence((kind, text)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["contentLocation", "address", "homeLocation", "geo", "latitude", "longitude", "@type"]), inner, max_size=4
        )
    ),
    max_leaves=25,
)


@given(JSON)
def test_no_document_raises(document: Any) -> None:
    for statement in place_statements(json.dumps(document)):
        assert len(statement) <= 512
        assert all(item.jurisdictions for item in evidence((SCHEMA, statement)))


@pytest.mark.parametrize(
    "script_type",
    ["application/ld+json; charset=utf-8", "APPLICATION/LD+JSON", ' application/ld+json;profile="x"'],
    ids=["a charset", "capitals", "a profile"],
)
def test_json_ld_is_told_by_its_type_whatever_stands_behind_it(script_type: str) -> None:
    page = read_page(f"<script type='{script_type}'>{json.dumps(HOME)}</script>".encode(), url="https://example.com/")
    assert said(page_evidence(page.evidence, areas=areas(), location=LOCATION)) == {"schema_residence": {"CA-BC"}}
    other = read_page(f"<script type='application/json'>{json.dumps(HOME)}</script>".encode(), url="https://example.com/")
    assert other.evidence == ()


def test_captions_inside_each_other_are_read_up_to_a_number_of_them() -> None:
    html = "<figcaption>" * MAX_FIGURE_CAPTIONS + "Calgary"
    told = {"caption": {"CA-AB"}}
    for page, expected in ((html, told), (f"<figcaption>{html}", {"schema_place": UNREADABLE}), (f"<img alt=''>{html}", told)):
        found = read_page(page.encode(), url="https://example.com/").evidence
        assert said(page_evidence(found, areas=areas(), location=LOCATION)) == expected


def test_a_page_that_spells_one_address_without_end_has_the_addresses_before_it() -> None:
    sources = "".join(f'<img src="{number}.jpg">' for number in range(3)) + "".join(f'<img src="a#{number}">' for number in range(3_000))
    found = read_page(f'{sources}<img src="last.jpg">'.encode(), url="https://example.com/").images
    assert found == tuple(f"https://example.com/{name}" for name in ("0.jpg", "1.jpg", "2.jpg", "a"))
