"""EXIF GPS in JPEG, PNG, WebP and HEIC: what is read, what is honoured, and what is stated but cannot be believed."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import IFD

from assent.events.evidence import Connector
from assent.geofence.image_blocks import read_blocks
from assent.heif.boxes import HeifError
from assent.heif.metadata import heif_metadata
from assent.ids import UNKNOWN
from tests.unit.heif_examples import Layout, Part, saved_heic, single, small, with_metadata, written
from tests.unit.place_examples import JPEG, UNREADABLE, areas, jpeg_exif, jpeg_with, picture, png_with, read, said, webp_with
from tests.unit.tiff_examples import ASCII, LONG, RATIONAL, SHORT, SIGNED_RATIONAL, Entry, directory
from tests.unit.tiff_examples import IFD as IFD_DIRECTORY

AT_CALGARY = (("N", 51.0447), ("W", 114.0719))


def rationals(*pairs: tuple[int, int]) -> bytes:
    return b"".join(struct.pack("<II", *pair) for pair in pairs)


def degrees(value: float) -> bytes:
    whole = int(value)
    return rationals((whole, 1), (int((value - whole) * 60), 1), (round((value * 60 % 1) * 60_000), 1000))


def gps(*more: Entry, without: tuple[int, ...] = ()) -> list[Entry]:
    """The entries of a good position in Calgary; `more` replaces or adds by tag."""
    (north, latitude), (west, longitude) = AT_CALGARY
    entries = [
        (1, ASCII, 2, north.encode() + b"\0"),
        (2, RATIONAL, 3, degrees(latitude)),
        (3, ASCII, 2, west.encode() + b"\0"),
        (4, RATIONAL, 3, degrees(longitude)),
    ]
    kept = [entry for entry in entries if entry[0] not in without and entry[0] not in {item[0] for item in more}]
    return sorted([*kept, *more])


def tiff(entries: list[Entry], *, pointer: Callable[[int], list[Entry]] | None = None) -> bytes:
    """A block with a first directory that points to a GPS directory; both laid out one after the other."""
    first = (pointer or (lambda place: [(0x8825, LONG, 1, struct.pack("<I", place))]))(8 + 2 + 12 + 4)
    start = 8 + 2 + 12 * len(first) + 4
    return b"II*\0" + struct.pack("<I", 8) + directory(first, 8) + directory(entries, start)


def places(block: bytes) -> frozenset[str]:
    return said(read(jpeg_exif(block))).get("exif_gps", frozenset())


def test_a_position_is_read() -> None:
    (found,) = read(jpeg_exif(tiff(gps())))
    assert found.jurisdictions == {"CA-AB"}
    assert (found.connector, found.deny_weight, found.allow_weight) == (Connector.CAPTURE, 1.0, 0.6)


def test_the_other_byte_order_is_read() -> None:
    exif = Image.Exif()
    exif.endian = ">"
    exif[0x8825] = {1: "N", 2: (51.0, 2.0, 40.92), 3: "W", 4: (114.0, 4.0, 18.84)}
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    assert block.startswith(b"MM")
    assert places(block) == {"CA-AB"}


@pytest.mark.parametrize(
    ("north", "latitude", "east", "longitude", "expected"),
    [
        ("N", 51.0447, "W", 114.0719, {"CA-AB"}),
        ("N", 48.8566, "E", 2.3522, {"FR"}),
        ("S", 33.8688, "E", 151.2093, {"AU-NSW"}),
        ("N", 45.4285, "W", 75.7130, {"CA-QC", "CA-ON"}),
        ("N", 41.8781, "W", 87.6298, {"US-IL"}),
    ],
)
def test_what_pillow_writes_is_read_back(north: str, latitude: float, east: str, longitude: float, expected: set[str]) -> None:
    exif = Image.Exif()
    exif[271] = "A camera"
    exif.get_ifd(IFD.GPSInfo).update({1: north, 2: sexagesimal(latitude), 3: east, 4: sexagesimal(longitude)})
    for kind in ("JPEG", "PNG", "WEBP"):
        assert said(read(picture(kind, exif=exif.tobytes()))) == {"exif_gps": expected}, kind
    heic = saved_heic(np.full((64, 64, 3), 90, dtype=np.uint8), exif=exif.tobytes())
    assert said(read(heic)) == {"exif_gps": expected}


def sexagesimal(value: float) -> tuple[float, float, float]:
    whole, rest = divmod(value, 1)
    minutes, part = divmod(rest * 60, 1)
    return whole, minutes, round(part * 60, 4)


def test_every_container_is_read() -> None:
    block = tiff(gps())
    hexed = b"\nexif\n%8d\n" % (len(block) + 6) + (b"Exif\0\0" + block).hex().encode()
    containers = {
        "jpeg": jpeg_exif(block),
        "png": png_with((b"eXIf", block)),
        "png with a prefix": png_with((b"eXIf", b"Exif\0\0" + block)),
        "png profile": png_with((b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(hexed))),
        "png plain profile": png_with((b"tEXt", b"Raw profile type APP1\0" + hexed)),
        "webp": webp_with(b"EXIF", block),
        "webp with a prefix": webp_with(b"EXIF", b"Exif\0\0" + block),
        "heic": with_metadata(exif=block),
        "heic with a prefix": heic_exif(struct.pack(">I", 6) + b"Exif\0\0" + block),
        "heic with a prefix and no word of it": heic_exif(struct.pack(">I", 0) + b"Exif\0\0" + block),
        "heic, of another picture": heic_exif(struct.pack(">I", 0) + block, of=9),
    }
    assert {name: said(read(data)) for name, data in containers.items()} == {name: {"exif_gps": {"CA-AB"}} for name in containers}


def heic_exif(content: bytes, *, of: int = 1, **more: object) -> bytes:
    """A HEIC with one EXIF item as it stands; `more` are other fields of the layout."""
    parts = {**single(small()).parts, 2: Part(b"Exif", content)}
    return written(replace(Layout(parts, references=((b"cdsc", 2, (of,)),)), **more))  # type: ignore[arg-type]


HEIC_UNREADABLE = {
    "an offset beyond the block": heic_exif(struct.pack(">I", 4_000) + tiff(gps())),
    "an offset of four gigabytes": heic_exif(b"\xff" * 4 + tiff(gps())),
    "an offset into the middle": heic_exif(struct.pack(">I", 5) + tiff(gps())),
    "no room for an offset": heic_exif(b"\0\0"),
    "beyond the end of the file": heic_exif(tiff(gps()), places={2: (0, 500, 0x7FFF_FFFF)}),
    "in the meta box, which has none": heic_exif(tiff(gps()), places={2: (1, 0, 50)}),
    "made of other items": heic_exif(tiff(gps()), places={2: (2, 0, 50)}),
    "the file is cut off": with_metadata(exif=tiff(gps()))[:-40],
    "two lists of items": with_metadata(exif=tiff(gps()), after=b"\0\0\0\x0cmeta\0\0\0\0"),
}


@pytest.mark.parametrize("data", HEIC_UNREADABLE.values(), ids=list(HEIC_UNREADABLE))
def test_exif_of_a_heic_that_cannot_be_cut_out_is_unknown(data: bytes) -> None:
    assert said(read(data))["exif_gps"] == UNREADABLE


def test_every_exif_item_of_a_heic_counts() -> None:
    paris = gps((1, ASCII, 2, b"N\0"), (2, RATIONAL, 3, degrees(48.8566)), (3, ASCII, 2, b"E\0"), (4, RATIONAL, 3, degrees(2.3522)))
    parts = {**single(small()).parts, 2: Part(b"Exif", bytes(4) + tiff(gps())), 3: Part(b"Exif", bytes(4) + tiff(paris))}
    assert said(read(written(Layout(parts)))) == {"exif_gps": {"CA-AB", "FR"}}
    many = {**parts, **{number: Part(b"Exif", bytes(4) + tiff(gps())) for number in range(4, 12)}}
    assert said(read(written(Layout(many)))) == {"exif_gps": {"CA-AB", "FR", UNKNOWN}}


def test_items_that_claim_the_same_bytes_cost_them_once() -> None:
    parts = {**single(small()).parts, **{number: Part(b"Exif", b"") for number in range(2, 2_000)}}
    free = b"\0\x0f\x42\x48free" + bytes(1_000_000)
    somewhere = written(Layout(parts, places={number: (0, 0, 1_000_000) for number in range(2, 2_000)}, after=free))
    claimed = {number: (0, len(somewhere) - 1_000_000, 1_000_000) for number in range(2, 2_000)}
    began = time.process_time()
    data = written(Layout(parts, places=claimed, after=free))
    found = read_blocks(data)
    assert (found.is_broken, found.exif) == (True, [])
    assert said(read(data))["exif_gps"] == UNREADABLE
    assert time.process_time() - began < 3
    with pytest.raises(HeifError, match="more metadata"):
        heif_metadata(data)


@pytest.mark.parametrize("data", [JPEG, picture("PNG"), picture("WEBP"), with_metadata()])
def test_no_metadata_is_no_evidence(data: bytes) -> None:
    assert read(data) == ()


def test_a_gps_directory_without_a_position_says_nothing() -> None:
    assert places(tiff([(0, 1, 4, b"\2\3\0\0"), (29, ASCII, 11, b"2026:11:25\0")])) == frozenset()
    assert read(jpeg_exif(tiff([]))) == ()


def test_a_block_without_gps_says_nothing() -> None:
    assert read(jpeg_exif(b"II*\0" + struct.pack("<I", 8) + directory([(0x0112, SHORT, 1, b"\1\0")], 8))) == ()


UNBELIEVABLE: dict[str, list[Entry]] = {
    "no latitude reference": gps(without=(1,)),
    "no longitude reference": gps(without=(3,)),
    "no latitude": gps(without=(2,)),
    "no longitude": gps(without=(4,)),
    "references only": gps(without=(2, 4)),
    "references swapped": gps((1, ASCII, 2, b"W\0"), (3, ASCII, 2, b"N\0")),
    "an unknown reference": gps((1, ASCII, 2, b"X\0")),
    "an empty reference": gps((1, ASCII, 1, b"\0")),
    "both references": gps((1, ASCII, 3, b"NS\0")),
    "zero by zero": gps((2, RATIONAL, 3, rationals((0, 0), (0, 0), (0, 0)))),
    "seconds by zero": gps((2, RATIONAL, 3, rationals((51, 1), (2, 1), (40, 0)))),
    "null island": gps((2, RATIONAL, 3, degrees(0)), (4, RATIONAL, 3, degrees(0))),
    "latitude 95": gps((2, RATIONAL, 3, degrees(95.0))),
    "longitude 181": gps((4, RATIONAL, 3, degrees(181.0))),
    "seventy minutes": gps((2, RATIONAL, 3, rationals((51, 1), (70, 1), (0, 1)))),
    "negative degrees": gps((2, SIGNED_RATIONAL, 3, struct.pack("<6i", -51, 1, 2, 1, 40, 1))),
    "four parts": gps((2, RATIONAL, 4, rationals((51, 1), (2, 1), (40, 1), (1, 1)))),
    "no parts": gps((2, RATIONAL, 0, b"")),
    "whole numbers": gps((2, LONG, 3, struct.pack("<3I", 51, 2, 40))),
    "an unknown type": gps((2, 99, 3, b"\0\0\0\0")),
    "all of unknown types": [(tag, 99, 1, b"\0\0\0\0") for tag in (1, 2, 3, 4)],
    "too many values": gps((2, RATIONAL, 4096, b"\0\0\0\0")),
    "given twice": sorted([*gps(), (2, RATIONAL, 3, degrees(49.26))]),
    "status void": gps((9, ASCII, 2, b"V\0")),
    "status unknown": gps((9, ASCII, 2, b"?\0")),
    "accuracy zero by zero": gps((31, RATIONAL, 1, rationals((0, 0)))),
    "accuracy without a value": gps((31, RATIONAL, 0, b"")),
    "accuracy beyond measure": gps((31, RATIONAL, 1, rationals((2**32 - 1, 1)))),
    "negative accuracy": gps((31, SIGNED_RATIONAL, 1, struct.pack("<2i", -5, 1))),
    "the open sea": gps((2, RATIONAL, 3, degrees(45.0)), (4, RATIONAL, 3, degrees(40.0))),
}


@pytest.mark.parametrize("name", UNBELIEVABLE)
def test_a_stated_position_that_cannot_be_believed_is_unreadable(name: str) -> None:
    assert places(tiff(UNBELIEVABLE[name])) == UNREADABLE


def test_an_active_status_and_a_good_accuracy_are_believed() -> None:
    assert places(tiff(gps((9, ASCII, 2, b"A\0"), (31, RATIONAL, 1, rationals((48, 10)))))) == {"CA-AB"}


def test_the_reported_accuracy_widens_the_place() -> None:
    hammond = [(2, RATIONAL, 3, degrees(41.60)), (4, RATIONAL, 3, degrees(87.34))]
    assert places(tiff(gps(*hammond))) == {"US-IN"}
    assert places(tiff(gps(*hammond, (31, RATIONAL, 1, rationals((20_000, 1)))))) == {"US-IN", "US-IL"}


def test_an_old_map_datum_widens_the_place() -> None:
    """5.8 km from the border: outside the buffer and the floor, inside them with a kilometre more."""
    near = [(2, RATIONAL, 3, degrees(49.0520)), (4, RATIONAL, 3, degrees(121.0))]
    assert places(tiff(gps(*near))) == {"CA-BC"}
    assert places(tiff(gps(*near, (18, ASCII, 7, b"WGS-84\0")))) == {"CA-BC"}
    assert places(tiff(gps(*near, (18, ASCII, 6, b"NAD27\0")))) == {"CA-BC", "US-WA"}


def test_a_pointer_of_the_type_for_directories_is_followed() -> None:
    assert places(tiff(gps(), pointer=lambda place: [(0x8825, IFD_DIRECTORY, 1, struct.pack("<I", place))])) == {"CA-AB"}


@pytest.mark.parametrize(
    "pointer",
    [
        lambda _: [(0x8825, LONG, 1, struct.pack("<I", 0xFFFF_FFF0))],
        lambda _: [(0x8825, RATIONAL, 1, rationals((1, 0)))],
        lambda _: [(0x8825, 99, 1, b"\0\0\0\0")],
        lambda _: [(0x8825, LONG, 0, b"\0\0\0\0")],
        lambda place: [(0x8825, LONG, 1, struct.pack("<I", place + 12))] * 2,
    ],
)
def test_a_pointer_that_leads_nowhere_is_unreadable(pointer: Callable[[int], list[Entry]]) -> None:
    assert places(tiff(gps(), pointer=pointer)) == UNREADABLE


@pytest.mark.parametrize("block", [b"", b"II*\0", b"II+\0\x08\0\0\0", b"garbage", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff"])
def test_a_broken_block_is_unreadable(block: bytes) -> None:
    assert places(block) == UNREADABLE


def test_a_neighbour_outside_the_block_does_not_hide_the_position() -> None:
    entries = [*gps(), (29, ASCII, 4000, b"\0\0\0\0")]
    assert places(tiff(entries)) == {"CA-AB"}


def test_two_blocks_both_count() -> None:
    paris = tiff(gps((2, RATIONAL, 3, degrees(48.8566)), (3, ASCII, 2, b"E\0"), (4, RATIONAL, 3, degrees(2.3522))))
    data = jpeg_with((0xE1, b"Exif\0\0" + tiff(gps())), (0xE1, b"Exif\0\0" + paris))
    assert said(read(data)) == {"exif_gps": {"CA-AB", "FR"}}


def test_more_blocks_than_are_read_add_the_unknown() -> None:
    data = jpeg_with(*[(0xE1, b"Exif\0\0" + tiff(gps()))] * 9)
    assert said(evidence := read(data))["exif_gps"] == {"CA-AB", "UNKNOWN"}
    assert len(evidence) == 2


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\0\0\0\x18ftypheic", b"II*\0\x08\0\0\0", JPEG[:40], png_with()[:60]])
def test_another_format_and_a_broken_file_are_unreadable(data: bytes) -> None:
    assert said(read(data))["exif_gps"] == UNREADABLE


def test_a_profile_that_unpacks_to_too_much_is_unreadable() -> None:
    bomb = png_with((b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"0" * 50_000_000, 9)))
    before = time.process_time()
    assert said(read(bomb))["exif_gps"] == UNREADABLE
    assert time.process_time() - before < 1.0


def test_many_small_segments_cost_little() -> None:
    long = (0xED, b"Photoshop 3.0\0" + b"\0" * 60_000)
    data = jpeg_with(*[long] * 300, *[(0xED, b"Photoshop 3.0\0" + b"\0")] * 15_000)
    before = time.process_time()
    read(data)
    assert time.process_time() - before < 1.0


@settings(max_examples=300)
@given(st.binary(max_size=400), st.integers(0, 200), st.booleans())
def test_bytes_spliced_into_a_block_never_raise(noise: bytes, place: int, inserted: bool) -> None:
    block = tiff(gps())
    end = place if inserted else place + len(noise)
    for data in (jpeg_exif(block[:place] + noise + block[end:]), png_with((b"eXIf", noise)), webp_with(b"EXIF", noise)):
        said(read(data))


@settings(max_examples=300)
@given(st.binary(max_size=600))
def test_bytes_after_any_magic_never_raise(noise: bytes) -> None:
    for magic in (b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x10ftypheic\0\0\0\0", b""):
        assert all(item.jurisdictions for item in read(magic + noise))


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_a_position_is_never_believed_elsewhere(latitude: float, longitude: float) -> None:
    """What is read from the file is what the index says of the same point, to a second of arc."""
    entries = gps(
        (1, ASCII, 2, b"N\0" if latitude >= 0 else b"S\0"),
        (2, RATIONAL, 3, degrees(abs(latitude))),
        (3, ASCII, 2, b"E\0" if longitude >= 0 else b"W\0"),
        (4, RATIONAL, 3, degrees(abs(longitude))),
    )
    near = said(read(jpeg_exif(tiff(entries))))["exif_gps"]
    assert near == UNREADABLE or near <= areas().at(latitude, longitude, 5_200.0)


def test_fill_bytes_before_a_marker_are_skipped_and_cost_little() -> None:
    whole = jpeg_exif(tiff(gps()))
    assert said(read(whole[:2] + b"\xff" * 9 + whole[2:])) == {"exif_gps": {"CA-AB"}}
    assert said(read(b"\xff\xd8" + b"\xff" * 1_000_000))["exif_gps"] == UNREADABLE
