"""How metadata lies in JPEG, PNG and WebP, part by part: what is whole is read, what is cut or does not fit is in doubt."""

from __future__ import annotations

import functools
import struct
import zlib

import pytest

from assent.optouts.combination import combine
from assent.optouts.image import image_optouts
from assent.optouts.image_metadata import MAX_PARTS, MAX_XMP_TOTAL_BYTES, read_image_metadata
from assent.optouts.xmp import MAX_XMP_BYTES
from tests.unit.c2pa_examples import box
from tests.unit.place_examples import JPEG, PNG, WEBP, jpeg_with, jpeg_xmp, png_with, webp_with

NO = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" plus:DataMining="DMI-PROHIBITED"></x:xmpmeta>'
XMP, EXTENDED = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
PICTURE = JPEG.rindex(b"\xff\xda")
STORE = box(b"jumb", b"a store of which nothing is read here, not of even length")


def verdict(data: bytes) -> str:
    found = combine(image_optouts(data))
    return "deny" if found.denies else "unknown" if found.unknown else "none"


def extended(*parts: tuple[int, bytes], total: int) -> bytes:
    return jpeg_with(*((0xE1, EXTENDED + b"A" * 32 + struct.pack(">II", total, offset) + part) for offset, part in parts))


def segment(sequence: int, part: bytes, *, instance: int = 1) -> tuple[int, bytes]:
    return 0xEB, b"JP" + struct.pack(">HI", instance, sequence) + part


def webp_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(content)) + content + b"\0" * (len(content) % 2)


WHOLE = {
    "fill bytes before a marker of a JPEG": JPEG[:2] + b"\xff\xff\xff" + jpeg_xmp(NO)[2:],
    "a marker without length before it, 01": JPEG[:2] + b"\xff\x01" + jpeg_xmp(NO)[2:],
    "a marker without length before it, D0": JPEG[:2] + b"\xff\xd0" + jpeg_xmp(NO)[2:],
    "a marker without length before it, D8": JPEG[:2] + b"\xff\xd8" + jpeg_xmp(NO)[2:],
    "the tables of a JPEG before it": JPEG[:PICTURE] + jpeg_with((0xE1, XMP + NO))[2 : 2 - len(JPEG)] + JPEG[PICTURE:],
    "an empty segment of a JPEG before it": JPEG[:2] + b"\xff\xe0\0\2" + jpeg_xmp(NO)[2:],
    "extended XMP in one part": extended((0, NO), total=len(NO)),
    "text of a PNG": png_with((b"tEXt", b"XML:com.adobe.xmp\0" + NO)),
    "packed text of a PNG": png_with((b"zTXt", b"XML:com.adobe.xmp\0\0" + zlib.compress(NO))),
    "a profile in the international text of a PNG": png_with(
        (b"iTXt", b"Raw profile type xmp\0\0\0\0\0\nxmp\n%d\n%s\n" % (len(NO), NO.hex().encode()))
    ),
    "a profile in lines of a PNG": png_with(
        (b"tEXt", b"Raw profile type xmp\0\nxmp\n      2\n%s\n%s" % (NO[:9].hex().encode(), NO[9:].hex().encode()))
    ),
    "an odd chunk of a WebP before it": WEBP[:12] + webp_chunk(b"ANMF", b"abc") + webp_chunk(b"XMP ", NO) + WEBP[12:],
    "RIFF of something else": b"RIFF\0\0\0\0WAVE" + NO,
    "WEBP without RIFF": b"JUNK\0\0\0\0WEBP" + NO,
    "a packet alone": NO,
    "packets after each other": NO.replace(b"PROHIBITED", b"ALLOWED") + NO,
}


@pytest.mark.parametrize("data", WHOLE.values(), ids=list(WHOLE))
def test_a_no_is_found_wherever_the_format_allows_it(data: bytes) -> None:
    assert verdict(data) == "deny"
    assert not read_image_metadata(data).is_broken


DOUBTFUL = {
    "a byte that is no marker, then a segment": JPEG[:2] + b"\0" + jpeg_xmp(NO)[3:],
    "a segment that goes on after the end of a JPEG": JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(XMP + NO) + 3) + XMP + NO,
    "a chunk that goes on after the end of a PNG": PNG[:33] + struct.pack(">I4s", len(NO) + 19, b"tEXt") + b"XML:com.adobe.xmp\0" + NO,
    "a WebP that ends inside its picture": WEBP[:-9],
    "a chunk that goes on after the end of a WebP": WEBP + struct.pack("<4sI", b"XMP ", len(NO) + 1) + NO,
    "extended XMP with a hole": extended((0, NO[:50]), (60, NO[50:]), total=len(NO)),
    "extended XMP that begins late": extended((1, NO), total=len(NO)),
    "extended XMP that is longer than it says": extended((0, NO), total=len(NO) - 1),
    "a packet without its end": NO.replace(b"</x:xmpmeta", b""),
    "a packet whose end has no end": NO[:-1],
}


@pytest.mark.parametrize("data", DOUBTFUL.values(), ids=list(DOUBTFUL))
def test_nothing_is_taken_out_of_what_is_not_whole(data: bytes) -> None:
    assert verdict(data) == "unknown"
    found = read_image_metadata(data)
    assert (found.xmp, found.is_broken) == ([], True)


def test_what_was_whole_before_a_file_was_cut_is_read() -> None:
    data = b"\xff\xd8" + jpeg_with((0xE1, XMP + NO))[2 : 2 - len(JPEG)]
    assert (verdict(data), read_image_metadata(data).is_broken) == ("deny", True)
    assert verdict(WEBP + struct.pack("<4sI", b"XMP ", 0)) == "unknown"


SILENT = {
    "EXIF of a JPEG": jpeg_with((0xE1, b"Exif\0\0II*\0")),
    "a remark of a JPEG that begins like XMP": jpeg_with((0xFE, XMP + NO)),
    "a remark of a JPEG that begins like extended XMP": jpeg_with((0xFE, EXTENDED)),
    "a remark of a JPEG that begins like a store": jpeg_with((0xFE, b"JP")),
    "another use of the segment of stores": jpeg_with((0xEB, b"HDR_RI")),
    "the end of a JPEG without a picture": b"\xff\xd8\xff\xd9" + jpeg_xmp(NO)[2:],
    "what follows the end of a PNG": PNG + png_with((b"tEXt", b"XML:com.adobe.xmp\0" + NO))[33:],
    "another text of a PNG": png_with((b"tEXt", b"Comment\0" + NO)),
}


@pytest.mark.parametrize("data", SILENT.values(), ids=list(SILENT))
def test_what_is_no_metadata_is_not_read_as_such(data: bytes) -> None:
    assert verdict(data) == "none"
    assert read_image_metadata(data).xmp == read_image_metadata(data).c2pa == []


@pytest.mark.parametrize(
    "kind", ["jpeg", "jpeg in three segments", "jpeg in segments out of order", "jpeg in two stores", "png", "webp", "webp, then more"]
)
def test_a_store_is_whole_and_where_it_lay_is_known_to_the_byte(kind: str) -> None:
    """What a signature covers is the file without these places: one byte more or less, and a seal would not hold."""
    stores = [STORE] if kind != "jpeg in two stores" else [STORE, STORE[:-1] + b"!"]
    data, bare = {
        "jpeg": (jpeg_with(segment(1, STORE)), JPEG),
        "jpeg in three segments": (
            jpeg_with(segment(1, STORE[:20]), segment(2, STORE[:8] + STORE[20:40]), segment(3, STORE[:8] + STORE[40:])),
            JPEG,
        ),
        "jpeg in segments out of order": (jpeg_with(segment(2, STORE[:8] + STORE[30:]), segment(1, STORE[:30])), JPEG),
        "jpeg in two stores": (jpeg_with(segment(1, STORE, instance=256), segment(1, STORE[:-1] + b"!", instance=512)), JPEG),
        "png": (png_with((b"caBX", STORE)), PNG),
        "webp": (webp_with(b"C2PA", STORE), WEBP),
        "webp, then more": (webp_with(b"C2PA", STORE) + webp_chunk(b"XMP ", NO), WEBP + webp_chunk(b"XMP ", NO)),
    }[kind]
    found = read_image_metadata(data)
    assert (found.c2pa, found.is_broken) == (stores, False)
    for start, end in reversed(found.c2pa_spans):
        data = data[:start] + data[end:]
    # The first bytes of a WebP hold its length.
    assert data[8:] == bare[8:]


def parts(kind: str, number: int) -> bytes:
    """A file of this many parts, the one that ends it counted."""
    match kind:
        case "jpeg":
            return b"\xff\xd8" + b"\xff\xe0\0\2" * (number - 1) + b"\xff\xd9"
        case "png":
            return PNG[:8] + b"\0\0\0\0teSt\0\0\0\0" * (number - 1) + b"\0\0\0\0IEND\0\0\0\0"
        case "webp":
            return b"RIFF\0\0\0\0WEBP" + b"teSt\0\0\0\0" * (number - 1)
    return b"<xmpmeta></xmpmeta>" * number


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "another format"])
def test_a_file_of_as_many_parts_as_are_read_is_read(kind: str) -> None:
    assert MAX_PARTS == 20_000
    assert not read_image_metadata(parts(kind, 20_000)).is_broken
    assert read_image_metadata(parts(kind, 20_001)).is_broken


@functools.cache
def packed(size: int) -> bytes:
    return b"XML:com.adobe.xmp\0\0" + zlib.compress(b" " * size, 1)


def test_packets_unpack_to_their_bound_and_not_beyond() -> None:
    assert (MAX_XMP_BYTES, MAX_XMP_TOTAL_BYTES) == (8_388_608, 16_777_216)
    most = (b"zTXt", packed(8_388_608))
    found = read_image_metadata(png_with(most, most))
    assert ([len(packet) for packet in found.xmp], found.is_broken) == ([8_388_608, 8_388_608], False)
    for chunks in (((b"zTXt", packed(8_388_609)),), (most, most, (b"tEXt", b"XML:com.adobe.xmp\0x"))):
        assert read_image_metadata(png_with(*chunks)).is_broken
