"""The directories of a TIFF block, as EXIF is one: bounded reading of tags, nothing followed twice, no value guessed."""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAX_ENTRIES = 512
MAX_VALUE_BYTES = 4_096
MAX_TEXT_BYTES = 256 * 1024
"""For texts, which are captions too: more than a caption is long, so that a long one is not taken for a broken one."""
MAX_DIRECTORY_BYTES = 1024 * 1024
"""For all tags of one directory: each of them may claim the same bytes."""
EXIF_DIRECTORY, GPS_DIRECTORY = 0x8769, 0x8825
ASCII, UTF_8 = 2, 129
TEXTS = frozenset({ASCII, UTF_8})
_RATIONAL, _SIGNED_RATIONAL = 5, 10
_SIZES = {UTF_8: 1, 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
# Camera makers point to a directory with LONG or, as TIFF's supplement has it, IFD (13).
_WHOLE = {1: "B", 3: "H", 4: "I", 13: "I"}


class TiffError(ValueError):
    """Raised when the block is cut off, or a tag is not of the form that it should have."""


@dataclass(frozen=True, slots=True)
class Field:
    """One tag: its type, how many values, and their bytes in the block's byte order; type 0 when it is there and unreadable."""

    kind: int
    count: int
    data: bytes
    order: str

    def text(self) -> str:
        """ASCII up to the first zero."""
        return self.data.partition(b"\0")[0].decode("ascii", "replace").strip()

    def rationals(self) -> list[float]:
        """Quotients, at least one. Raises TiffError for none, for a zero denominator or another type."""
        if self.kind not in (_RATIONAL, _SIGNED_RATIONAL) or self.count < 1:
            raise TiffError("not a rational")
        form = self.order + ("I" if self.kind == _RATIONAL else "i") * 2
        pairs = [struct.unpack_from(form, self.data, 8 * index) for index in range(self.count)]
        if any(below == 0 for _, below in pairs):
            raise TiffError("a zero denominator")
        return [above / below for above, below in pairs]

    def number(self) -> int:
        """One whole number. Raises TiffError for another type."""
        form = _WHOLE.get(self.kind)
        if form is None or self.count != 1:
            raise TiffError("not a whole number")
        return int(struct.unpack_from(self.order + form, self.data)[0])


def first_directory(block: bytes) -> dict[int, Field]:
    """The tags of the first directory. Raises TiffError."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        raise TiffError("no TIFF header")
    (start,) = _unpack(order + "I", block, 4)
    return directory(block, start, order)


def directory(block: bytes, start: int, order: str) -> dict[int, Field]:
    """The tags of the directory at an offset. Raises TiffError."""
    (count,) = _unpack(order + "H", block, start)
    if count > MAX_ENTRIES:
        raise TiffError("too many entries")
    found: dict[int, Field] = {}
    taken = 0
    for index in range(count):
        place = start + 2 + 12 * index
        (tag,) = _unpack(order + "H", block, place)
        # Readers differ on which of two counts, so a tag that is given twice has no value.
        found[tag] = _field(block, place, order) if tag not in found else Field(0, 0, b"", order)
        taken += len(found[tag].data)
        if taken > MAX_DIRECTORY_BYTES:
            raise TiffError("too much in one directory")
    return found


def _field(block: bytes, place: int, order: str) -> Field:
    """The tag of one entry. One that lies outside the block spoils itself, not its neighbours."""
    kind, count = _unpack(order + "HI", block, place + 2)
    size = _SIZES.get(kind, 0) * count
    start = place + 8
    if size > 4:
        (start,) = _unpack(order + "I", block, start)
    most = MAX_TEXT_BYTES if kind in TEXTS else MAX_VALUE_BYTES
    if kind not in _SIZES or size > most or start + size > len(block):
        return Field(0, 0, b"", order)
    return Field(kind, count, block[start : start + size], order)


def _unpack(form: str, block: bytes, place: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(form, block, place)
    except struct.error as error:
        raise TiffError("the block is cut off") from error
