"""Captions and offsets from UTC in EXIF: what they hint at, and that none of them is passed over because it cannot be read."""

from __future__ import annotations

import struct
from collections.abc import Set

import pytest

from assent.geofence.captions import MAX_CAPTION_CHARS
from assent.geofence.exif_hints import exif_hint_evidence
from assent.geofence.tiff import MAX_TEXT_BYTES
from tests.unit.place_examples import UNREADABLE, jpeg_exif, read, said
from tests.unit.tiff_examples import ASCII, LONG, SHORT, UTF_8, counted, directory

CAPTION, EXIF_DIRECTORY = 0x010E, 0x8769
OFFSET_TIMES = (0x9010, 0x9011, 0x9012)


def block(*first: tuple[int, int, bytes], offsets: list[tuple[int, int, bytes]] | None = None) -> bytes:
    """A TIFF block; `offsets` are the tags of its EXIF directory, which stands in front."""
    inner = b"" if offsets is None else directory(counted(offsets), 8)
    pointer = [] if offsets is None else [(EXIF_DIRECTORY, LONG, struct.pack("<I", 8))]
    return b"II*\0" + struct.pack("<I", 8 + len(inner)) + inner + directory(counted([*first, *pointer]), 8 + len(inner))


def hints(*first: tuple[int, int, bytes], offsets: list[tuple[int, int, bytes]] | None = None) -> dict[str, frozenset[str]]:
    return said(exif_hint_evidence(block(*first, offsets=offsets)))


CAPTIONS: dict[str, tuple[int, bytes, dict[str, Set[str]]]] = {
    "utf-8": (ASCII, b"Lac Beauport, Qu\xc3\xa9bec\0", {"caption": {"CA-QC"}}),
    "the type for utf-8": (UTF_8, "Québec\0".encode(), {"caption": {"CA-QC"}}),
    "latin-1": (ASCII, "Québec\0".encode("latin-1"), {"caption": {"CA-QC"}}),
    "up to its first zero": (ASCII, b"Chicago\0Montreal\0", {"caption": {"US-IL"}}),
    "no word for a place": (ASCII, b"on holiday\0", {}),
    "no word": (ASCII, b"", {}),
    "a number": (SHORT, b"\1\0", {"caption": UNREADABLE}),
    "an unknown type": (99, b"Chicago", {"caption": UNREADABLE}),
    "the longest": (ASCII, b"Chicago ".ljust(MAX_CAPTION_CHARS), {"caption": {"US-IL"}}),
    "too long": (ASCII, b"Chicago ".ljust(MAX_CAPTION_CHARS + 1), {"caption": UNREADABLE}),
    "longer than a text": (ASCII, b"Chicago ".ljust(MAX_TEXT_BYTES + 1), {"caption": UNREADABLE}),
}


@pytest.mark.parametrize("name", CAPTIONS)
def test_the_words_of_a_caption_hint_at_places(name: str) -> None:
    kind, value, expected = CAPTIONS[name]
    assert hints((CAPTION, kind, value)) == expected


@pytest.mark.parametrize("tag", OFFSET_TIMES)
@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (ASCII, b"+05:45\0", {"time_zone": {"NP"}}),
        (UTF_8, b"+05:45", {"time_zone": {"NP"}}),
        (ASCII, b"   :  \0", {}),
        (ASCII, b"+5:45\0", {"time_zone": UNREADABLE}),
        (SHORT, b"\1\0", {"time_zone": UNREADABLE}),
        (99, b"+05:45\0", {"time_zone": UNREADABLE}),
    ],
)
def test_an_offset_of_any_of_the_three_times_hints_at_a_place(tag: int, kind: int, value: bytes, expected: dict[str, set[str]]) -> None:
    assert hints(offsets=[(tag, kind, value)]) == expected


def test_caption_and_offsets_all_count() -> None:
    offsets = [(0x9010, ASCII, b"+05:45\0"), (0x9011, ASCII, b"+08:30\0"), (0x9012, ASCII, b"noon\0")]
    assert hints((CAPTION, ASCII, b"Chicago\0"), offsets=offsets) == {"caption": {"US-IL"}, "time_zone": {"NP", "KP", "UNKNOWN"}}


def test_other_tags_say_nothing() -> None:
    assert hints((0x010F, ASCII, b"Chicago\0"), (0x9010, ASCII, b"+05:45\0"), offsets=[(0x9013, ASCII, b"Chicago\0")]) == {}
    assert hints() == {}


@pytest.mark.parametrize(
    ("kind", "value"),
    [(LONG, struct.pack("<I", 0xFFFF_FFF0)), (LONG, struct.pack("<2I", 8, 8)), (ASCII, b"8\0"), (99, b"\x08\0\0\0")],
    ids=["beyond the block", "two directories", "a text", "an unknown type"],
)
def test_a_directory_that_cannot_be_read_may_hold_an_offset(kind: int, value: bytes) -> None:
    assert hints((CAPTION, ASCII, b"Chicago\0"), (EXIF_DIRECTORY, kind, value)) == {"caption": {"US-IL"}, "time_zone": UNREADABLE}


def test_a_block_that_is_no_tiff_is_told_once_as_a_position_that_cannot_be_read() -> None:
    assert exif_hint_evidence(b"garbage") == ()
    assert said(read(jpeg_exif(b"garbage"))) == {"exif_gps": UNREADABLE}
