"""How wide a circle a position of EXIF or XMP is read with: what the file says of its accuracy and of its map, and nothing else."""

from __future__ import annotations

import struct

import pytest

from assent.geofence.exif_gps import exif_gps_evidence
from assent.geofence.xmp_place import xmp_place_evidence
from assent.ids import Jurisdiction
from tests.unit.place_examples import LOCATION
from tests.unit.tiff_examples import ASCII, RATIONAL, SIGNED_RATIONAL, counted, directory

FLOOR_M, BUFFER_M, OLD_DATUM_M = 100, 5_000, 1_000
Tag = tuple[int, int, bytes]


class Asked:
    """One country everywhere; the circles that were asked about are remembered."""

    version = "ne10m-1"

    def __init__(self) -> None:
        self.circles: list[tuple[float, float, float]] = []

    def at(self, latitude: float, longitude: float, radius_m: float) -> frozenset[Jurisdiction]:
        self.circles.append((round(latitude, 9), round(longitude, 9), radius_m))
        return frozenset({Jurisdiction("FR")})


def quotients(*pairs: tuple[int, int], form: str = "<2I") -> bytes:
    return b"".join(struct.pack(form, *pair) for pair in pairs)


def exif(
    *more: Tag, north: bytes = b"N", east: bytes = b"E", latitude: bytes = b"", longitude: bytes = b""
) -> list[tuple[float, float, float]]:
    """The circles that a GPS directory asks about: 49.26 north and 2.5 east, unless it is said otherwise."""
    tags: list[Tag] = [
        (1, ASCII, north + b"\0"),
        (2, RATIONAL, latitude or quotients((49, 1), (15, 1), (36, 1))),
        (3, ASCII, east + b"\0"),
        (4, RATIONAL, longitude or quotients((5, 2))),
    ]
    given = {tag for tag, _, _ in more}
    gps = directory(counted([*(tag for tag in tags if tag[0] not in given), *more]), 26)
    block = b"II*\0" + struct.pack("<I", 8) + struct.pack("<HHHII", 1, 0x8825, 4, 1, 26) + b"\0\0\0\0" + gps
    areas = Asked()
    (found,) = exif_gps_evidence(block, areas=areas, location=LOCATION)
    assert found.is_invalid is not bool(areas.circles)
    return areas.circles


@pytest.mark.parametrize(
    ("more", "radius_m"),
    [
        ([], FLOOR_M),
        ([(9, ASCII, b"A\0")], FLOOR_M),
        ([(31, RATIONAL, quotients((0, 1)))], FLOOR_M),
        ([(31, RATIONAL, quotients((301, 2)))], 150.5),
        ([(31, RATIONAL, quotients((20_000, 1), (1, 1)))], 20_000),
        ([(18, ASCII, b"WGS-84\0")], FLOOR_M),
        ([(18, ASCII, b"TOKYO\0")], FLOOR_M + OLD_DATUM_M),
        ([(18, ASCII, b"TOKYO\0"), (31, RATIONAL, quotients((200, 1)))], 200 + OLD_DATUM_M),
    ],
)
def test_a_position_of_exif_is_as_wide_as_it_says(more: list[Tag], radius_m: float) -> None:
    assert exif(*more) == [(49.26, 2.5, radius_m + BUFFER_M)]


@pytest.mark.parametrize(
    ("latitude", "expected"),
    [
        (quotients((49, 1)), 49),
        (quotients((4926, 100)), 49.26),
        (quotients((49, 1), (156, 10)), 49.26),
        (quotients((49, 1), (15, 1), (0, 1)), 49.25),
        (quotients((0, 1), (0, 1), (1, 1)), 1 / 3600),
        (quotients((49, 1), (5999, 100), (5999, 100)), 49 + 59.99 / 60 + 59.99 / 3600),
        (quotients((59, 1), (59, 1)), 59 + 59 / 60),
        (quotients((61, 1), (1, 1)), 61 + 1 / 60),
    ],
)
def test_degrees_minutes_and_seconds_are_added_up_on_either_side_of_zero(latitude: bytes, expected: float) -> None:
    for north, east, side in ((b"N", b"E", 1), (b"S", b"W", -1)):
        (circle,) = exif(north=north, east=east, latitude=latitude)
        assert circle[:2] == (round(side * expected, 9), side * 2.5)


@pytest.mark.parametrize(
    "more",
    [
        [(2, SIGNED_RATIONAL, quotients((-49, 1), (-15, 1), (-36, 1), form="<2i"))],
        [(2, SIGNED_RATIONAL, quotients((49, 1), (-15, 1), (36, 1), form="<2i"))],
        [(4, SIGNED_RATIONAL, quotients((-5, 2), form="<2i"))],
        [(2, RATIONAL, quotients((49, 1), (60, 1), (0, 1)))],
        [(2, RATIONAL, quotients((49, 1), (15, 1), (60, 1)))],
        [(2, RATIONAL, quotients((49, 1), (15, 1), (36, 1), (0, 1)))],
        [(1, ASCII, b"E\0")],
        [(3, ASCII, b"N\0")],
        [(1, ASCII, b"\0")],
        [(1, ASCII, b"NS\0")],
        [(1, ASCII, b"-\0")],
        [(3, ASCII, b"-\0")],
        [(9, ASCII, b"V\0")],
        [(9, ASCII, b"\0")],
        [(31, SIGNED_RATIONAL, quotients((-1, 2), form="<2i"))],
        [(31, ASCII, b"near\0")],
    ],
)
def test_a_position_that_cannot_be_believed_asks_about_no_place(more: list[Tag]) -> None:
    assert exif(*more) == []


def xmp(attributes: str) -> list[tuple[float, float, float]]:
    packet = f'<a xmlns:exif="http://ns.adobe.com/exif/1.0/" {attributes}/>'
    areas = Asked()
    (found,) = xmp_place_evidence(packet.encode(), areas=areas, location=LOCATION)
    assert found.kind == "exif_gps"
    assert found.is_invalid is not bool(areas.circles)
    return areas.circles


POSITION = 'exif:GPSLatitude="49,15.6N" exif:GPSLongitude="2,30W" '


@pytest.mark.parametrize(
    ("more", "radius_m"),
    [
        ("", FLOOR_M),
        ('exif:GPSStatus="A"', FLOOR_M),
        ('exif:GPSHPositioningError="0"', FLOOR_M),
        ('exif:GPSHPositioningError="301/2"', 150.5),
        ('exif:GPSMapDatum="WGS-84"', FLOOR_M),
        ('exif:GPSMapDatum="Tokyo"', FLOOR_M + OLD_DATUM_M),
        ('exif:GPSMapDatum="Tokyo" exif:GPSHPositioningError="200"', 200 + OLD_DATUM_M),
    ],
)
def test_a_position_of_xmp_is_as_wide_as_it_says(more: str, radius_m: float) -> None:
    assert xmp(POSITION + more) == [(49.26, -2.5, radius_m + BUFFER_M)]


def test_of_two_statements_in_xmp_the_wider_counts_and_the_void_one() -> None:
    def described(inner: str) -> list[tuple[float, float, float]]:
        areas = Asked()
        packet = f'<a xmlns:exif="http://ns.adobe.com/exif/1.0/" {POSITION}>{inner}</a>'
        xmp_place_evidence(packet.encode(), areas=areas, location=LOCATION)
        return areas.circles

    def twice(name: str, *values: str) -> str:
        return "".join(f"<exif:{name}>{value}</exif:{name}>" for value in values)

    assert [circle[2] for circle in described(twice("GPSHPositioningError", "200", "900", "300"))] == [900 + BUFFER_M]
    assert [circle[2] for circle in described(twice("GPSMapDatum", "WGS-84", "Tokyo", "WGS-84"))] == [FLOOR_M + OLD_DATUM_M + BUFFER_M]
    assert described(twice("GPSStatus", "A", "V")) == []


@pytest.mark.parametrize("attributes", ['exif:GPSLatitude="49,15.6N"', 'exif:GPSLongitude="2,30W"', POSITION + 'exif:GPSStatus="V"'])
def test_half_a_position_of_xmp_and_a_void_one_ask_about_no_place(attributes: str) -> None:
    assert xmp(attributes) == []
