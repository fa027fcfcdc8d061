"""All metadata of one file together: eight blocks of a kind are read, and what was left unread may hold a place."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest

from tests.unit.c2pa_examples import superbox
from tests.unit.place_examples import UNREADABLE, jpeg_with, png_with, read, said

TIFF = b"II*\0\x08\0\0\0" + b"\0\0" + b"\0\0\0\0"
PROFILE = b"8BIM\x04\x04\0\0\0\0\0\0"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'


def profile() -> bytes:
    return b"Raw profile type iptc\0\0" + zlib.compress(b"\niptc\n%8d\n" % len(PROFILE) + PROFILE.hex().encode())


def jumbf(number: int) -> bytes:
    """A store of another standard than C2PA, which says no place."""
    return b"JP" + struct.pack(">HI", number, 1) + superbox("other", superbox("x"))


BLOCKS: dict[str, tuple[Callable[[int], bytes], str]] = {
    "EXIF": (lambda number: jpeg_with(*[(0xE1, b"Exif\0\0" + TIFF)] * number), "exif_gps"),
    "IPTC": (lambda number: png_with(*[(b"zTXt", profile())] * number), "exif_gps"),
    "XMP": (lambda number: jpeg_with(*[(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)] * number), "xmp_location_created"),
    "JUMBF": (lambda number: jpeg_with(*((0xEB, jumbf(one)) for one in range(number))), "signed_gps"),
}


@pytest.mark.parametrize("kind", BLOCKS)
def test_eight_blocks_of_a_kind_are_read_and_a_ninth_may_hold_any_place(kind: str) -> None:
    made, told = BLOCKS[kind]
    assert read(made(8)) == ()
    assert said(read(made(9))) == {told: UNREADABLE}


def test_a_file_whose_text_cannot_be_unpacked_may_hold_any_place() -> None:
    assert said(read(png_with((b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0not packed")))) == {"xmp_location_created": UNREADABLE}


def test_a_file_of_another_format_may_hold_any_place() -> None:
    assert said(read(b"GIF89a" + XMP)) == {"exif_gps": UNREADABLE}


def test_a_statement_that_two_blocks_make_is_told_once() -> None:
    country = XMP.replace(b"/></x", b'><r:Description xmlns:p="http://ns.adobe.com/photoshop/1.0/" p:Country="Canada"/></r:RDF></x')
    (found,) = read(jpeg_with(*[(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + country)] * 2))
    assert found.jurisdictions == {"CA"}
