"""Places in JSON-LD by themselves: which keys name one, whose it is, how it is stated, and where reading ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assent.geofence.schema_org import MAX_DEPTH, MAX_NODES, MAX_STATEMENTS, place_statements, schema_evidence
from assent.optouts.bounded_json import MAX_JSON_CHARS
from tests.unit.place_examples import LOCATION, UNREADABLE, areas, said

BC = {"addressCountry": "CA", "addressRegion": "BC", "addressLocality": "Vancouver"}
PLACE_KEYS = ("contentLocation", "locationCreated", "spatialCoverage")


def statements(document: Any) -> tuple[str, ...]:
    return place_statements(json.dumps(document))


@pytest.mark.parametrize("key", PLACE_KEYS)
@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({"address": BC}, ["place|CA|BC|Vancouver"]),
        (BC, ["place|CA|BC|Vancouver"]),
        ({"address": {"addressCountry": "CA"}}, ["place|CA||"]),
        ({"address": {"addressRegion": "BC"}}, ["place||BC|"]),
        ({"address": {"addressLocality": "Chicago"}}, ["place|||Chicago"]),
        ({"address": {"addressCountry": {"@type": "Country", "name": "Canada"}}}, ["place|Canada||"]),
        ({"address": {"addressCountry": {"@type": "Country", "identifier": "CA"}}}, ["place|CA||"]),
        ({"address": {"addressCountry": {"name": "", "identifier": "CA"}}}, ["place|CA||"]),
        ({"geo": {"latitude": 51.04, "longitude": "-114.07"}}, ["place@51.04,-114.07"]),
        ({"geo": {"latitude": 51}}, ["place@51,"]),
        ({"geo": {"longitude": -114}}, ["place@,-114"]),
        ({"latitude": "51.04", "longitude": "-114.07", "address": BC}, ["place@51.04,-114.07", "place|CA|BC|Vancouver"]),
        ({"containedInPlace": [{"address": BC}, {"geo": {"latitude": 1, "longitude": 2}}]}, ["place|CA|BC|Vancouver", "place@1,2"]),
        ({"homeLocation": {"address": BC}}, ["place|CA|BC|Vancouver"]),
        ("Calgary", ["place|||Calgary"]),
        (" Calgary ", ["place|||Calgary"]),
        (1867, ["place|||1867"]),
        (1.5, ["place|||1.5"]),
        ({"@type": "Place", "name": "Toronto"}, ["place|||Toronto"]),
        ({"@type": "Place", "identifier": "YYZ"}, ["place|||YYZ"]),
        ({"@id": "#hall"}, ["unreadable"]),
        ({"name": {"@value": "Toronto"}}, ["unreadable"]),
        ("  ", ["unreadable"]),
        ([["Calgary"]], ["unreadable"]),
        (["Calgary", None, "", {}, {"@id": "#hall"}, "Calgary"], ["place|||Calgary", "unreadable"]),
        (["Calgary", {"address": BC}, {"@id": "#hall"}], ["place|||Calgary", "place|CA|BC|Vancouver", "unreadable"]),
        ([{"address": BC}, {"address": BC | {"addressRegion": "AB"}}], ["place|CA|BC|Vancouver", "place|CA|AB|Vancouver"]),
        ("a|b@c", ["place|||a b c"]),
        ({"address": {"addressCountry": "a|b@c"}}, ["place|a b c||"]),
        ("x" * 81, [f"place|||{'x' * 80}"]),
        (None, []),
        ([], []),
        ([None, "", {}], []),
        ([[]], ["unreadable"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_place_is_stated_in_one_short_line(key: str, place: Any, expected: list[str]) -> None:
    assert statements({"@type": "Photograph", key: place}) == tuple(expected)
    assert statements([{"image": {key: place}}]) == tuple(expected)


@pytest.mark.parametrize("kind", ["Person", "https://schema.org/Person", "schema:Person", ["Thing", "Person"], ["Person"]])
def test_the_address_of_a_person_is_where_she_lives(kind: Any) -> None:
    assert statements({"@type": kind, "address": BC}) == ("residence|CA|BC|Vancouver",)
    assert statements({"author": {"@type": kind, "address": "Vancouver"}}) == ("residence|||Vancouver",)


@pytest.mark.parametrize("kind", ["Organization", "PersonalService", "schema:person", ["Thing"], [], None, 7, {"name": "Person"}])
def test_the_address_of_anybody_else_is_where_the_office_is(kind: Any) -> None:
    assert statements({"@type": kind, "address": BC}) == ()
    assert statements({"address": BC, "author": {"@type": "Person"}}) == ()


def test_a_home_is_a_residence_whoever_has_it() -> None:
    assert statements({"homeLocation": {"address": BC}}) == ("residence|CA|BC|Vancouver",)
    assert statements({"homeLocation": {"contentLocation": "Calgary", "address": BC}}) == ("residence|CA|BC|Vancouver",)


def test_other_keys_and_values_are_left_where_they_are() -> None:
    assert statements({"location": BC, "geo": {"latitude": 1, "longitude": 2}, "name": "contentLocation", "workLocation": "Calgary"}) == ()
    assert statements("contentLocation") == statements(None) == statements(3) == ()


@pytest.mark.parametrize("name", [*PLACE_KEYS, "homeLocation", "address"])
@pytest.mark.parametrize(
    "text",
    ['{"%s": ', "%s", "[" * 100_000 + '"%s"', '{"%s": "' + "\\ud800" + "x", '{"%s": ' + "9" * 5_000 + "}", '["%s", ' + "[" * 30 + "]" * 31],
    ids=["cut off", "no json", "without an end", "half a letter", "a number without an end", "too deep"],
)  # fmt: skip
def test_a_document_that_cannot_be_read_is_unreadable_where_it_may_name_a_place(name: str, text: str) -> None:
    assert place_statements(text % name) == ("unreadable",)
    assert place_statements(text % "description") == ()


@pytest.mark.parametrize(
    ("most", "more"),
    [
        ("[" * 22 + '{"contentLocation": "Calgary"}' + "]" * 22, "[" * 23 + '{"contentLocation": "Calgary"}' + "]" * 23),
        ('{"a":' * 22 + '{"contentLocation": "Calgary"}' + "}" * 22, '{"a":' * 23 + '{"contentLocation": "Calgary"}' + "}" * 23),
        ('[{"contentLocation": "Calgary"}' + ",1" * 19_997 + "]", '[{"contentLocation": "Calgary"}' + ",1" * 19_998 + "]"),
        ('{"contentLocation": "Calgary"}'.ljust(MAX_JSON_CHARS), '{"contentLocation": "Calgary"}'.ljust(MAX_JSON_CHARS + 1)),
    ],
    ids=["lists inside each other", "nodes inside each other", "values", "characters"],
)
def test_as_much_of_a_document_is_read_as_is_said_and_no_more(most: str, more: str) -> None:
    assert (MAX_DEPTH, MAX_NODES, MAX_JSON_CHARS) == (24, 20_000, 1_048_576)
    assert place_statements(most) == ("place|||Calgary",)
    assert place_statements(more) == ("unreadable",)


def test_as_many_places_are_stated_as_is_said_and_the_others_are_unreadable_in_one() -> None:
    assert MAX_STATEMENTS == 16
    cities = [f"city {number}" for number in range(MAX_STATEMENTS + 1)]
    stated = tuple(f"place|||{city}" for city in cities)
    assert statements({"contentLocation": [*cities[:-1], *cities[:-1]]}) == stated[:-1]
    assert statements({"contentLocation": cities}) == (*stated[:-2], "unreadable")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("place|CA|BC|Vancouver", {"schema_place": {"CA-BC"}}),
        ("residence|CA|BC|Vancouver", {"schema_residence": {"CA-BC"}}),
        ("residence|CA", {"schema_residence": {"CA"}}),
        ("place|CA|QC", {"schema_place": {"CA-QC"}}),
        ("place|CA|BC|Chicago", {"schema_place": {"CA-BC", "US-IL"}}),
        ("place||Quebec|", {"schema_place": {"CA-QC"}}),
        ("place|||Chicago", {"schema_place": {"US-IL"}}),
        ("place|||Calgary, Alberta", {"schema_place": {"CA-AB"}}),
        ("place||Quebec|Chicago, Illinois", {"schema_place": {"CA-QC"}}),
        ("place|FR||Chicago, Illinois", {"schema_place": {"FR"}}),
        ("place|||Nowhereville", {"schema_place": UNREADABLE}),
        ("place|||Georgia", {"schema_place": UNREADABLE}),
        ("place", {"schema_place": UNREADABLE}),
        ("residence", {"schema_residence": UNREADABLE}),
        ("work|CA|BC|Vancouver", {"schema_place": UNREADABLE}),
        ("unreadable", {"schema_place": UNREADABLE}),
        ("", {"schema_place": UNREADABLE}),
        ("place@51.0447,-114.0719", {"schema_place": {"CA-AB"}}),
        ("residence@51.0447, -114.0719", {"schema_residence": {"CA-AB"}}),
        ("work@51.0447,-114.0719", {"schema_place": UNREADABLE}),
        ("place@51.0447", {"schema_place": UNREADABLE}),
        ("place@51.0447,", {"schema_place": UNREADABLE}),
        ("residence@north,west", {"schema_residence": UNREADABLE}),
        ("place@51.0447,-114.0719,3", {"schema_place": UNREADABLE}),
        ("place@51.0447,-114.0719@1,2", {"schema_place": UNREADABLE}),
        ("place@nan,nan", {"schema_place": UNREADABLE}),
        ("place@inf,1", {"schema_place": UNREADABLE}),
    ],
)
def test_a_statement_is_evidence_of_its_kind(statement: str, expected: dict[str, set[str]]) -> None:
    assert said([schema_evidence(statement, areas=areas(), location=LOCATION)]) == expected


PREFIXES = ("schema:", "https://schema.org/", "http://schema.org/", "s:")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_name_is_the_same_under_any_prefix(prefix: str) -> None:
    def named(node: Any) -> Any:
        if isinstance(node, list):
            return [named(item) for item in node]
        return {key if key[0] == "@" else prefix + key: named(value) for key, value in node.items()} if isinstance(node, dict) else node

    for document in (
        *({key: {"address": BC}} for key in PLACE_KEYS),
        {"contentLocation": {"geo": {"latitude": 51.04, "longitude": -114.07}}},
        {"contentLocation": {"name": "Toronto"}},
        {"contentLocation": {"address": {"addressCountry": {"identifier": "CA"}}}},
        {"homeLocation": {"address": BC}},
        {"@type": "schema:Person", "address": BC},
    ):
        assert statements(named(document)) == statements(document) != ()


def test_a_place_that_is_written_in_two_ways_counts_in_both_and_two_meanings_are_in_doubt() -> None:
    assert statements({"contentLocation": "Calgary", "schema:contentLocation": "Chicago"}) == ("place|||Calgary", "place|||Chicago")
    address = {"addressCountry": "CA", "schema:addressCountry": "CA", "addressRegion": "BC"}
    assert statements({"contentLocation": address}) == ("place|CA|BC|",)
    assert "unreadable" in statements({"contentLocation": address | {"schema:addressRegion": "QC"}})
    assert statements({"contentLocation": {"latitude": 1, "longitude": 2, "schema:latitude": 3}}) == ("unreadable",)


def test_a_place_that_is_given_twice_under_one_key_is_unreadable() -> None:
    assert place_statements('{"contentLocation": "Calgary", "contentLocation": "Toronto"}') == ("unreadable",)
