"""The film that goes to the decoder: what the standard says of each of its boxes, at each byte, and nothing that is not told here."""

from __future__ import annotations

import struct

import pytest

from assent.heif.boxes import boxes
from assent.heif.hevc import HevcParameters
from assent.heif.movie import movie_of
from assent.heif.sequence_parameters import Colours

HOLDERS = {b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"dinf": 0, b"dref": 8, b"stbl": 0, b"stsd": 8, b"hvc1": 78}
"""What holds other boxes, and the bytes of its own before them."""
UPRIGHT = "00010000 00000000 00000000 00000000 00010000 00000000 00000000 00000000 40000000"
PICTURES = (b"\0\0\0\1first", b"\0\0\0\1second one")


def read(data: bytes) -> list[tuple[str, str]]:
    """Each box by where it stands, with what it holds of its own; in the order of the file."""
    found: list[tuple[str, str]] = []

    def walk(start: int, end: int, path: str) -> None:
        for one in boxes(data, start, end):
            name = f"{path}/{one.kind.decode()}"
            own = HOLDERS.get(one.kind)
            content = data[one.start : one.end if own is None else one.start + own]
            found.append((name, content.hex()))
            if own is not None:
                walk(one.start + own, one.end, name)

    walk(0, len(data), "")
    return found


def parameters(colours: Colours | None = None) -> HevcParameters:
    return HevcParameters(width=640, height=480, record=b"the record", length_size=4, units=frozenset(), colours=colours)


def expected(start: int, colours: str = "") -> list[tuple[str, str]]:
    """ISO/IEC 14496-12: two frames of a 25th of a second each, 640 by 480, upright, in one chunk of this same file."""
    head = b"isom".hex() + "00000200" + b"isomhvc1".hex()
    table = "/moov/trak/mdia/minf/stbl"
    told = [
        ("/ftyp", head),
        ("/moov", ""),
        # Version and flags, made, changed, ticks of a second, length, speed 1.0, volume 1.0, reserved, matrix, six zeros, next track.
        ("/moov/mvhd", f"00000000 00000000 00000000 00000019 00000002 00010000 0100 {'00' * 10} {UPRIGHT} {'00' * 24} 00000002"),
        ("/moov/trak", ""),
        # Enabled and in the film; track 1; layer, group and volume are 0; sides in 16.16.
        ("/moov/trak/tkhd", f"00000003 00000000 00000000 00000001 00000000 00000002 {'00' * 8} {'00' * 8} {UPRIGHT} 02800000 01e00000"),
        ("/moov/trak/mdia", ""),
        # The language is "und".
        ("/moov/trak/mdia/mdhd", "00000000 00000000 00000000 00000019 00000002 55c4 0000"),
        ("/moov/trak/mdia/hdlr", f"00000000 00000000 {b'vide'.hex()} {'00' * 12} 00"),
        ("/moov/trak/mdia/minf", ""),
        ("/moov/trak/mdia/minf/vmhd", f"00000001 {'00' * 8}"),
        ("/moov/trak/mdia/minf/dinf", ""),
        ("/moov/trak/mdia/minf/dinf/dref", "00000000 00000001"),
        # The flag says that the frames lie in this file: nothing is fetched.
        ("/moov/trak/mdia/minf/dinf/dref/url ", "00000001"),
        (table, ""),
        (f"{table}/stsd", "00000000 00000001"),
        # Reserved, source 1, reserved, sides, 72 dots an inch twice, reserved, one frame, no name, 24 bits, no palette.
        (f"{table}/stsd/hvc1", f"{'00' * 6} 0001 {'00' * 16} 0280 01e0 00480000 00480000 00000000 0001 {'00' * 32} 0018 ffff"),
        (f"{table}/stsd/hvc1/hvcC", b"the record".hex()),
        *([(f"{table}/stsd/hvc1/colr", colours)] if colours else []),
        (f"{table}/stts", "00000000 00000001 00000002 00000001"),
        (f"{table}/stsc", "00000000 00000001 00000001 00000002 00000001"),
        (f"{table}/stsz", f"00000000 00000000 00000002 {len(PICTURES[0]):08x} {len(PICTURES[1]):08x}"),
        (f"{table}/stco", f"00000000 00000001 {start:08x}"),
        ("/mdat", b"".join(PICTURES).hex()),
    ]
    return [(path, content.replace(" ", "")) for path, content in told]


COLOURS: dict[str, tuple[Colours | None, str]] = {
    "none told": (None, ""),
    "the full range": (Colours(9, is_full=True), f"{b'nclx'.hex()} 0002 0002 0009 80"),
    "the small range": (Colours(2, is_full=False), f"{b'nclx'.hex()} 0002 0002 0002 00"),
}


@pytest.mark.parametrize(("colours", "told"), COLOURS.values(), ids=list(COLOURS))
def test_the_decoder_is_given_a_film_of_these_frames_and_nothing_else(colours: Colours | None, told: str) -> None:
    data = movie_of(PICTURES, parameters(colours))
    content = b"".join(PICTURES)
    assert read(data) == expected(len(data) - len(content), told)
    assert data.endswith(struct.pack(">I", len(content) + 8) + b"mdat" + content)
