"""Blocks cut out of files: exactly the bytes that stand there, a file that does not fit said to be broken, and an end to all reading."""

from __future__ import annotations

import struct
import zlib

import pytest

from assent.geofence.image_blocks import MAX_PARTS, MAX_PROFILE_BYTES, MAX_PROFILES, ImageBlocks, read_blocks
from tests.unit.heif_examples import with_metadata
from tests.unit.place_examples import JPEG, PNG, UNREADABLE, WEBP, jpeg_with, png_with, read, said, webp_with

EXIF, IPTC = b"II*\0 any bytes", b"8BIM any bytes"
APP1, APP13, RESTART, TEMPORARY = 0xE1, 0xED, 0xD7, 0x01
NOTHING, BROKEN = ImageBlocks(), ImageBlocks(is_broken=True)


def exif(*blocks: bytes, is_broken: bool = False) -> ImageBlocks:
    return ImageBlocks(exif=list(blocks), is_broken=is_broken)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(content)) + content + b"\0" * (len(content) % 2)


def riff(*chunks: bytes, form: bytes = b"WEBP") -> bytes:
    body = form + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def profile(name: bytes, block: bytes, *, is_packed: bool = False) -> tuple[bytes, bytes]:
    """A text chunk as ImageMagick writes it, 72 hex digits in a line."""
    digits = block.hex().encode()
    lines = b"\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
    text = b"\n%s\n%8d\n%s\n" % (name, len(block), lines)
    keyword = b"Raw profile type %s\0" % name
    return (b"zTXt", keyword + b"\0" + zlib.compress(text)) if is_packed else (b"tEXt", keyword + text)


def text_of(length: int) -> bytes:
    """The text of a profile, this long, of one block."""
    return (b"\niptc\n%8d\n" % len(IPTC) + IPTC.hex().encode()).ljust(length)


WHOLE: dict[str, tuple[bytes, ImageBlocks]] = {
    "jpeg without any": (JPEG, NOTHING),
    "jpeg with both": (
        jpeg_with((APP1, b"Exif\0\0" + EXIF), (APP13, b"Photoshop 3.0\0" + IPTC)),
        ImageBlocks(exif=[EXIF], iptc=[IPTC]),
    ),
    "jpeg, resources over two segments": (
        jpeg_with((APP13, b"Photoshop 3.0\0" + IPTC), (APP1, b"http"), (APP13, b"Photoshop 3.0\0more")),
        ImageBlocks(iptc=[IPTC + b"more"]),
    ),
    "jpeg, other segments of the same numbers": (jpeg_with((APP1, b"http://" + EXIF), (APP13, b"Adobe_CM" + IPTC)), NOTHING),
    "jpeg, the same words in other segments": (jpeg_with((0xE2, b"Exif\0\0" + EXIF), (0xFE, b"Photoshop 3.0\0" + IPTC)), NOTHING),
    "jpeg, a segment of nothing": (jpeg_with((0xFE, b""), (APP1, b"Exif\0\0")), exif(b"")),
    "jpeg, markers without a length": (
        JPEG[:2]
        + b"".join(bytes((0xFF, marker)) for marker in (TEMPORARY, *range(0xD0, 0xD9)))
        + jpeg_with((APP1, b"Exif\0\0" + EXIF))[2:],
        exif(EXIF),
    ),
    "jpeg, what follows the coded picture": (JPEG[:2] + b"\xff\xda" + jpeg_with((APP1, b"Exif\0\0" + EXIF))[2:], NOTHING),
    "jpeg, nothing but its end": (b"\xff\xd8\xff\xd9" + jpeg_with((APP1, b"Exif\0\0" + EXIF))[2:], NOTHING),
    "png without any": (PNG, NOTHING),
    "png, two blocks": (png_with((b"eXIf", EXIF), (b"eXIf", b"Exif\0\0II*\0")), exif(EXIF, b"II*\0")),
    "png, nothing of it after its end": (PNG + png_with((b"eXIf", EXIF))[33:], NOTHING),
    "png, its end alone": (PNG[:8] + b"\0\0\0\0IEND\xae\x42\x60\x82", NOTHING),
    "png, other texts": (png_with((b"tEXt", b"Comment\0zz"), (b"zTXt", b"Comment\0\0zz"), (b"tEXt", b"")), NOTHING),
    "png, a profile in a chunk of another kind": (png_with((b"iTXt", profile(b"exif", EXIF)[1])), NOTHING),
    "png, a profile of xmp": (png_with(profile(b"xmp", b"<x/>"), profile(b"APP1", b"http://ns.adobe.com/xap/1.0/\0<x/>")), NOTHING),
    "png, profiles of exif": (
        png_with(profile(b"exif", EXIF), profile(b"exif", b"Exif\0\0" + EXIF * 50, is_packed=True), profile(b"APP1", b"Exif\0\0" + EXIF)),
        exif(EXIF, EXIF * 50, EXIF),
    ),
    "png, profiles of iptc": (
        png_with(profile(b"iptc", IPTC * 50), profile(b"8bim", IPTC, is_packed=True)),
        ImageBlocks(iptc=[IPTC * 50, IPTC]),
    ),
    "webp without any": (WEBP, NOTHING),
    "webp with one": (webp_with(b"EXIF", EXIF), exif(EXIF)),
    "webp, after chunks of odd and even length": (
        riff(chunk(b"VP8X", b"12"), chunk(b"ICCP", b"123"), chunk(b"EXIF", EXIF + b"!"), chunk(b"EXIF", b"Exif\0\0II")),
        exif(EXIF + b"!", b"II"),
    ),
    "webp, a last chunk without its byte of filling": (riff(chunk(b"EXIF", EXIF + b"!"))[:-1], exif(EXIF + b"!")),
    "webp, seven bytes more": (riff(chunk(b"EXIF", EXIF)) + b"\0" * 7, exif(EXIF)),
    "webp, an empty one at its end": (riff(chunk(b"EXIF", b"")), exif(b"")),
    "webp of nothing": (riff(), NOTHING),
    "heic": (with_metadata(exif=EXIF), exif(EXIF)),
}


@pytest.mark.parametrize("name", WHOLE)
def test_the_blocks_of_a_whole_file_are_cut_out_to_the_byte(name: str) -> None:
    data, expected = WHOLE[name]
    assert read_blocks(data) == expected


DOES_NOT_FIT: dict[str, bytes] = {
    "no bytes": b"",
    "another format": b"GIF89a" + bytes(60),
    "another kind of riff": riff(chunk(b"EXIF", EXIF), form=b"WAVE"),
    "heic by its items and another by its name": with_metadata(exif=EXIF).replace(b"heic", b"isom").replace(b"mif1", b"iso2"),
    "webp in no riff": b"RIFX" + webp_with(b"EXIF", EXIF)[4:],
    "jpeg, a segment of one byte": JPEG[:2] + b"\xff\xe1\0\1" + JPEG[2:],
    "jpeg, a segment of no byte": JPEG[:2] + b"\xff\xe1\0\0" + JPEG[2:],
    "jpeg, no marker": JPEG[:2] + b"\xfe\xe1\0\2" + JPEG[2:],
    "jpeg, no marker after a segment": JPEG[:2] + b"\xff\xe1\0\2\0" + JPEG[2:],
    "jpeg, cut off in its exif": jpeg_with((APP1, b"Exif\0\0" + bytes(60)))[:60],
    "jpeg, cut off in a length": JPEG[:2] + b"\xff\xe1\0",
    "jpeg, cut off after a marker": JPEG[:2] + b"\xff\xe1",
    "jpeg, cut off in a marker": JPEG[:2] + b"\xff",
    "jpeg, nothing but its beginning": JPEG[:2],
    "png, nothing but its beginning": PNG[:8],
    "png, cut off in a chunk": PNG[:-13],
    "png, cut off in the sum of a chunk": png_with((b"eXIf", EXIF))[: 33 + 12 + len(EXIF) - 1],
    "png without an end": PNG[:-12],
    "webp, cut off in its picture": riff(chunk(b"VP8 ", bytes(60)), chunk(b"EXIF", EXIF))[:60],
    "webp, a picture of four gigabytes": riff(b"VP8 \xff\xff\xff\xff", chunk(b"EXIF", EXIF)),
    "webp, cut off in its exif": riff(chunk(b"EXIF", EXIF))[:-1],
    "png, a profile of no hex digits": png_with((b"tEXt", b"Raw profile type exif\0\nexif\n 1\nzz")),
    "png, a profile of half a byte": png_with((b"tEXt", b"Raw profile type exif\0\nexif\n 1\n123")),
    "png, a profile of no ascii": png_with((b"tEXt", b"Raw profile type exif\0\nexif\n 1\n\xff\xff")),
    "png, a packed profile that is plain": png_with((b"zTXt", profile(b"exif", EXIF)[1])),
    "png, a packed profile that is cut off": png_with((b"zTXt", profile(b"exif", EXIF * 50, is_packed=True)[1][:-4])),
    "heic, cut off": with_metadata(exif=EXIF)[:-40],
}


@pytest.mark.parametrize("name", DOES_NOT_FIT)
def test_a_file_whose_parts_do_not_fit_is_said_to_be_broken(name: str) -> None:
    assert read_blocks(DOES_NOT_FIT[name]) == BROKEN


def test_what_was_cut_out_before_a_file_broke_off_is_kept() -> None:
    assert read_blocks(jpeg_with((APP1, b"Exif\0\0" + EXIF))[:60]) == exif(EXIF, is_broken=True)
    assert read_blocks(jpeg_with((APP1, b"Exif\0\0" + EXIF))[: 12 + len(EXIF)]) == exif(EXIF, is_broken=True)
    assert read_blocks(png_with((b"eXIf", EXIF))[:-1]) == exif(EXIF, is_broken=True)
    assert read_blocks(riff(chunk(b"EXIF", EXIF), b"EXIF\x02\0\0\0!")) == exif(EXIF, is_broken=True)


def test_a_jpeg_of_the_most_segments_is_read_and_one_more_is_not() -> None:
    """The coded picture is a segment too."""
    most = [b"\xff\xe1\0\x0aExif\0\0II", *[b"\xff\xfe\0\2"] * (MAX_PARTS - 2)]
    picture = b"\xff\xda"
    assert MAX_PARTS == 20_000
    assert read_blocks(b"\xff\xd8" + b"".join(most) + picture) == exif(b"II")
    assert read_blocks(b"\xff\xd8" + b"".join(most) + b"\xff\xd0" + picture) == exif(b"II", is_broken=True)


def test_a_png_of_the_most_chunks_is_read_and_one_more_is_not() -> None:
    most, end = b"\0\0\0\0tEXt\0\0\0\0" * (MAX_PARTS - 1), PNG[-12:]
    assert read_blocks(PNG[:8] + most + end) == NOTHING
    assert read_blocks(PNG[:8] + most + b"\0\0\0\0eXIf\0\0\0\0" + end) == exif(b"", is_broken=True)


def test_a_webp_of_the_most_chunks_is_read_and_one_more_is_not() -> None:
    most = chunk(b"ANMF", b"") * (MAX_PARTS - 2)
    assert read_blocks(riff(most, chunk(b"EXIF", EXIF))) == exif(EXIF)
    assert read_blocks(riff(most, chunk(b"ANMF", b""), chunk(b"EXIF", EXIF))) == exif(EXIF, is_broken=True)
    assert read_blocks(riff(most, chunk(b"ANMF", b"") * 2, chunk(b"EXIF", EXIF))) == BROKEN


def test_as_many_profiles_are_read_as_is_said_and_no_more() -> None:
    assert MAX_PROFILES == 16
    most = [profile(b"exif", EXIF), profile(b"8bim", IPTC, is_packed=True)] * (MAX_PROFILES // 2)
    assert read_blocks(png_with(*most)) == ImageBlocks(exif=[EXIF] * 8, iptc=[IPTC] * 8)
    assert read_blocks(png_with(*most, (b"tEXt", b"Comment\0" + b"x" * 300_000))).is_broken is False
    assert read_blocks(png_with(*most, profile(b"iptc", IPTC))) == ImageBlocks(exif=[EXIF] * 8, iptc=[IPTC] * 8, is_broken=True)


def test_a_profile_of_the_most_bytes_is_read_and_one_more_is_not() -> None:
    plain, packed = b"Raw profile type iptc\0", b"Raw profile type iptc\0\0"
    most = text_of(MAX_PROFILE_BYTES)
    assert MAX_PROFILE_BYTES == 262_144
    assert read_blocks(png_with((b"tEXt", plain + most))) == ImageBlocks(iptc=[IPTC])
    assert read_blocks(png_with((b"tEXt", plain + text_of(MAX_PROFILE_BYTES + 1)))) == BROKEN
    assert read_blocks(png_with((b"zTXt", packed + zlib.compress(text_of(MAX_PROFILE_BYTES - 1))))) == ImageBlocks(iptc=[IPTC])
    assert read_blocks(png_with((b"zTXt", packed + zlib.compress(text_of(MAX_PROFILE_BYTES + 1))))) == BROKEN


def test_a_place_behind_the_room_for_a_profile_is_not_taken_for_none() -> None:
    """What comes first says nothing of a place, and ends where reading did."""
    before = b"8BIM\x04\x0c\0\0" + struct.pack(">I", 131_044) + bytes(131_044)
    place = b"8BIM\x04\x04\0\0\0\0\0\x08\x1c\x02\x64\0\x03CAN"
    text = b"\niptc\n   9\n" + (before + place).hex().encode()
    assert said(read(png_with((b"tEXt", b"Raw profile type iptc\0" + text)))) == {"exif_gps": UNREADABLE}


def test_a_webp_cut_off_inside_its_picture_is_not_taken_for_one_without_a_place() -> None:
    cut = riff(chunk(b"VP8 ", bytes(600)), chunk(b"EXIF", EXIF))[:400]
    # XMP would lie behind EXIF.
    assert said(read(cut)) == {"exif_gps": UNREADABLE, "xmp_location_created": UNREADABLE}
