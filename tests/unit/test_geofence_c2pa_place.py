"""Which fields of a C2PA manifest say a place, in which spelling, and how much of a hostile one is read before it is unreadable."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assent.geofence.extract import image_evidence
from assent.ids import Jurisdiction
from tests.unit.c2pa_examples import CALGARY, box, signed, signers, superbox
from tests.unit.heif_examples import with_c2pa, with_metadata
from tests.unit.place_examples import LOCATION, UNREADABLE, areas, jpeg_with, png_with, said, webp_with

STATED = {"exif_gps": {"CA-AB"}}
NO_POSITION = {"exif_gps": UNREADABLE}
TOO_MUCH = {"signed_gps": UNREADABLE}


def manifest(label: str, *assertions: tuple[str, Any]) -> bytes:
    boxes = (superbox(name, box(b"json", json.dumps(value, separators=(",", ":")).encode())) for name, value in assertions)
    return superbox(label, superbox("c2pa.assertions", *boxes))


def read(*assertions: tuple[str, Any]) -> dict[str, frozenset[str]]:
    """What assertions say of what a picture was made from: nobody need have signed them for the picture itself."""
    return loose(superbox("c2pa", manifest("urn:older", *assertions), manifest("urn:newer")))


def loose(*stores: bytes) -> dict[str, frozenset[str]]:
    return place_of(png_with(*((b"caBX", store) for store in stores)))


def place_of(data: bytes) -> dict[str, frozenset[str]]:
    return said(image_evidence(data, areas=areas(), location=LOCATION, signers=signers()))


def told(value: Any) -> dict[str, frozenset[str]]:
    return read(("stds.exif", value))


@pytest.mark.parametrize(
    "label",
    [
        "stds.exif", "stds.exif.v2", "stds.exif__1", "stds.exif.v1__12", "stds.iptc", "stds.iptc.photo-metadata", "c2pa.metadata",
        "cawg.metadata", "cawg.metadata.v3__2",
    ],
)  # fmt: skip
def test_assertions_that_hold_metadata_are_read(label: str) -> None:
    assert read((label, CALGARY)) == STATED


@pytest.mark.parametrize("label", ["stds.exif2", "x.stds.exif", "stds.exif.v", "stds-exif", "c2pa.actions", "stds.schema-org.CreativeWork"])
def test_other_assertions_say_no_place(label: str) -> None:
    assert read((label, CALGARY)) == {}


def test_a_position_in_a_box_of_another_kind_is_unreadable() -> None:
    content = box(b"bidb", json.dumps(CALGARY).encode())
    whole = superbox("urn:older", superbox("c2pa.assertions", superbox("stds.exif", content)))
    assert loose(superbox("c2pa", whole, manifest("urn:newer"))) == TOO_MUCH


def test_a_store_of_another_standard_is_no_second_store() -> None:
    both = (superbox("other", superbox("x")), superbox("c2pa", manifest("urn:older", ("stds.exif", CALGARY)), manifest("urn:newer")))
    assert loose(*both) == STATED


def test_where_c2pa_alone_keeps_its_boxes_a_store_without_a_manifest_is_unreadable() -> None:
    """In a JPEG the boxes of other standards lie at the same place."""
    other, empty = superbox("other", manifest("urn:older", ("stds.exif", CALGARY))), superbox("c2pa")
    for store, in_a_jpeg in ((other, {}), (b"", {}), (empty, TOO_MUCH)):
        assert place_of(jpeg_with((0xEB, b"JP" + bytes(6) + store))) == in_a_jpeg
        for data in (png_with((b"caBX", store)), webp_with(b"C2PA", store), with_c2pa(store)):
            assert place_of(data) == TOO_MUCH
    for data in (jpeg_with(), png_with(), with_metadata()):
        assert place_of(data) == {}


@pytest.mark.parametrize("name", ["GPSLatitude", "GPSLongitude", "GPSLatitudeRef", "GPSLongitudeRef"])
def test_a_part_of_a_position_is_a_position_that_cannot_be_read(name: str) -> None:
    assert told({f"exif:{name}": "51,2.682N"}) == NO_POSITION


@pytest.mark.parametrize("value", [None, "", "  ", [], True, {"x": "51,2.682N"}, {"@value": None}])
def test_what_holds_no_text_says_nothing(value: Any) -> None:
    assert told({"exif:GPSLatitude": value, "exif:GPSLongitude": value, "City": value}) == {}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"CountryCode": "CA"}, {"CA"}),
        ({"CountryName": "Canada"}, {"CA"}),
        ({"photoshop:Country": "Canada"}, {"CA"}),
        ({"ProvinceState": "Alberta"}, {"CA-AB"}),
        ({"photoshop:State": "Alberta"}, {"CA-AB"}),
        ({"photoshop:City": "Calgary"}, {"CA-AB"}),
        ({"Country": ["Canada", "France"]}, {"CA", "FR"}),
        ({"http://iptc.org/std/Iptc4xmpExt/2008-02-29/City": {"@value": "Calgary"}}, {"CA-AB"}),
        ({"http://ns.example.com/terms#City": "Calgary"}, {"CA-AB"}),
        ({"photoshop-City": "Calgary", "photoshop.City": "Calgary", "photoshop City": "Calgary"}, None),
        ({"exif:Make": "Canada"}, None),
    ],
)
def test_every_field_that_names_a_place_is_read(fields: dict[str, Any], expected: set[str] | None) -> None:
    assert told(fields) == ({} if expected is None else {"iptc_place": expected})


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"exif:GPSStatus": "A"}, STATED),
        ({"exif:GPSStatus": ["A", "V"]}, NO_POSITION),
        ({"exif:GPSLatitude": " 51.0447 ", "exif:GPSLongitude": " -114.0719 "}, STATED),
        ({"exif:GPSLatitude": ["51,2.682N", "51,2.682N"]}, STATED),
        ({"exif:GPSLatitude": 51, "exif:GPSLongitude": -114}, STATED),
        ({"exif:GPSLatitude": "51.0447", "exif:GPSLatitudeRef": "-"}, NO_POSITION),
        ({"exif:GPSLongitude": "114.0719", "exif:GPSLongitudeRef": "-"}, NO_POSITION),
        ({"exif:GPSLatitude": "51,2.682E"}, NO_POSITION),
        ({"exif:GPSLongitude": "114,4.314N"}, NO_POSITION),
    ],
)
def test_a_position_is_read_where_every_part_agrees(more: dict[str, Any], expected: dict[str, Any]) -> None:
    assert told(CALGARY | more) == expected


class Circles:
    """Canada everywhere; the circles that were asked about are remembered."""

    version = "ne10m-1"

    def __init__(self) -> None:
        self.radii: list[float] = []

    def at(self, latitude: float, longitude: float, radius_m: float) -> frozenset[Jurisdiction]:
        self.radii.append(radius_m)
        return frozenset({Jurisdiction("CA")})


@pytest.mark.parametrize(
    ("more", "radius_m"),
    [
        ({}, 5_100),
        ({"exif:GPSHPositioningError": "300"}, 5_300),
        ({"exif:GPSHPositioningError": ["300", "700", "20"]}, 5_700),
        ({"exif:GPSMapDatum": "WGS-84"}, 5_100),
        ({"exif:GPSMapDatum": ["Tokyo", "WGS-84"]}, 6_100),
    ],
)
def test_the_worst_accuracy_and_the_worst_map_that_are_told_widen_the_circle(more: dict[str, Any], radius_m: float) -> None:
    circles = Circles()
    image_evidence(signed(places={"stds.exif": CALGARY | more}), areas=circles, location=LOCATION, signers=signers())
    assert circles.radii == [radius_m]


def nested(lists: int) -> Any:
    value: Any = CALGARY
    for _ in range(lists):
        value = [value]
    return value


def test_a_position_may_lie_in_22_lists_inside_each_other() -> None:
    assert told(nested(22)) == STATED
    assert told(nested(23)) == TOO_MUCH


def test_20_000_values_of_one_file_are_read() -> None:
    assert read(("stds.exif", CALGARY), ("stds.exif__1", [[]] * 19_996)) == STATED
    assert read(("stds.exif", CALGARY), ("stds.exif__1", [[]] * 19_997)) == TOO_MUCH


def test_one_field_may_have_64_values() -> None:
    assert told(CALGARY | {"exif:GPSLatitude": ["51,2.682N"] * 64}) == STATED
    assert told(CALGARY | {"exif:GPSLatitude": ["51,2.682N"] * 65}) == TOO_MUCH
    assert told(CALGARY | {"exif:GPSLatitude": ["51,2.682N"] * 40, "EXIF:GPSLatitude": ["51,2.682N"] * 40}) == TOO_MUCH


def test_one_file_may_state_32_places_each_of_them_a_position_or_words() -> None:
    words = {"City": "Calgary"}
    assert told([CALGARY] * 32) == STATED
    assert told([words] * 16 + [CALGARY] * 16) == STATED | {"iptc_place": {"CA-AB"}}
    for places in ([CALGARY] * 33, [words] * 33, [CALGARY | words] * 17):
        assert told(places) == TOO_MUCH
