"""A minimal MP4 file (ISO/IEC 14496-12) of intra pictures, which decoders of HEVC read; never holds anything from outside but slices.

Of the file that came in nothing else goes to the decoder: no box, no item, no profile, no text.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from assent.heif.hevc import HevcParameters
from assent.heif.sequence_parameters import UNSAID

_MATRIX = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_TICKS = 25


def movie_of(pictures: Sequence[bytes], parameters: HevcParameters) -> bytes:
    """One frame for each picture, in order; all under the same parameters."""
    head = _box(b"ftyp", b"isom" + struct.pack(">I", 512) + b"isom" + b"hvc1")
    content = b"".join(pictures)
    # Its length does not depend on where the frames lie, so it is written twice.
    start = len(head) + len(_movie(pictures, parameters, 0)) + 8
    return b"".join((head, _movie(pictures, parameters, start), struct.pack(">I", len(content) + 8), b"mdat", content))


def _movie(pictures: Sequence[bytes], parameters: HevcParameters, start: int) -> bytes:
    count = len(pictures)
    header = _full(b"mvhd", struct.pack(">IIIIIH10x", 0, 0, _TICKS, count, 0x10000, 0x100) + _MATRIX + bytes(24) + struct.pack(">I", 2))
    return _box(b"moov", header + _box(b"trak", _track_header(count, parameters) + _media(pictures, parameters, start)))


def _track_header(count: int, parameters: HevcParameters) -> bytes:
    size = struct.pack(">II", parameters.width << 16, parameters.height << 16)
    return _full(b"tkhd", struct.pack(">IIII", 0, 0, 1, 0) + struct.pack(">I8x", count) + bytes(8) + _MATRIX + size, flags=3)


def _media(pictures: Sequence[bytes], parameters: HevcParameters, start: int) -> bytes:
    header = _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, _TICKS, len(pictures), 0x55C4, 0))
    handler = _full(b"hdlr", bytes(4) + b"vide" + bytes(12) + b"\0")
    # The frames lie in this same file.
    source = _box(b"dinf", _full(b"dref", struct.pack(">I", 1) + _full(b"url ", b"", flags=1)))
    return _box(b"mdia", header + handler + _box(b"minf", _full(b"vmhd", bytes(8), flags=1) + source + _table(pictures, parameters, start)))


def _table(pictures: Sequence[bytes], parameters: HevcParameters, start: int) -> bytes:
    count = len(pictures)
    size = struct.pack(">HH", parameters.width, parameters.height)
    entry = bytes(6) + struct.pack(">H", 1) + bytes(16) + size + struct.pack(">III", 0x480000, 0x480000, 0)
    entry += struct.pack(">H", 1) + bytes(32) + struct.pack(">Hh", 24, -1) + _box(b"hvcC", parameters.record)
    if parameters.colours is not None:
        # Where the parameters say nothing of it, this counts.
        told = struct.pack(">HHHB", UNSAID, UNSAID, parameters.colours.matrix, parameters.colours.is_full << 7)
        entry += _box(b"colr", b"nclx" + told)
    return _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1) + _box(b"hvc1", entry))
        + _full(b"stts", struct.pack(">III", 1, count, 1))
        + _full(b"stsc", struct.pack(">IIII", 1, 1, count, 1))
        + _full(b"stsz", struct.pack(">II", 0, count) + b"".join(struct.pack(">I", len(picture)) for picture in pictures))
        + _full(b"stco", struct.pack(">II", 1, start)),
    )


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _full(kind: bytes, content: bytes, *, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", flags) + content)
