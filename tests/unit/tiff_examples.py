"""What the tests of EXIF share: the types of TIFF and directories written by hand, little-endian."""

from __future__ import annotations

import struct

Entry = tuple[int, int, int, bytes]
"""Tag, type, count and the value's bytes."""
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SIGNED_RATIONAL, IFD, UTF_8 = 1, 2, 3, 4, 5, 7, 10, 13, 129
SIZES = (
    dict.fromkeys((BYTE, ASCII, 6, UNDEFINED, UTF_8), 1)
    | dict.fromkeys((SHORT, 8), 2)
    | dict.fromkeys((LONG, 9, 11, IFD), 4)
    | dict.fromkeys((RATIONAL, SIGNED_RATIONAL, 12), 8)
)
"""Of every type that TIFF 6, its supplement and EXIF 3 know."""


def counted(tags: list[tuple[int, int, bytes]]) -> list[Entry]:
    """Entries that count as many values as their bytes hold."""
    return [(tag, kind, len(value) // SIZES.get(kind, 1), value) for tag, kind, value in tags]


def directory(entries: list[Entry], start: int) -> bytes:
    """The directory at an offset of the block, and behind it the values that are longer than four bytes."""
    values, after = b"", start + 2 + 12 * len(entries) + 4
    packed = struct.pack("<H", len(entries))
    for tag, kind, count, value in entries:
        packed += struct.pack("<HHI", tag, kind, count)
        packed += value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", after + len(values))
        values += value if len(value) > 4 else b""
    return packed + b"\0\0\0\0" + values
