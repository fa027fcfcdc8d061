"""What a file says it is: a still picture of the HEIF family, one that moves, or something else; and its one meta box."""

from __future__ import annotations

from dataclasses import dataclass

from assent.heif.boxes import Box, HeifError, boxes

STILL = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2"})
MOVING = frozenset({b"hevc", b"hevx", b"hevm", b"hevs", b"msf1"})
_MAX_BRANDS_BYTES = 4_096


class HeifUnsupportedError(ValueError):
    """Raised for a picture that is whole, perhaps, and of a kind that is not read here."""


class HeifMovingError(ValueError):
    """Raised for a file that holds a sequence of pictures."""


@dataclass(frozen=True, slots=True)
class TopLevel:
    """The boxes of the file itself: the one that lists its items, and those that are named by a UUID."""

    meta: Box
    named: tuple[Box, ...]


def is_heif(data: bytes) -> bool:
    """Whether the file says that it is one of this family, in the brands of its first box."""
    return bool(_brands(data) & (STILL | MOVING))


def top_level(data: bytes) -> TopLevel:
    """Raises HeifError, and HeifMovingError for what is no still picture."""
    metas, named = [], []
    is_moving = data[8:12] in MOVING
    for box in boxes(data, 0, len(data)):
        if box.kind == b"meta":
            metas.append(box)
        elif box.kind == b"uuid":
            named.append(box)
        elif box.kind in (b"moov", b"moof"):
            is_moving = True
    if is_moving:
        raise HeifMovingError("the file holds a sequence of pictures")
    if len(metas) != 1:
        raise HeifError("the file has no list of its items, or several, and readers differ on which one counts")
    return TopLevel(metas[0], tuple(named))


def _brands(data: bytes) -> frozenset[bytes]:
    if data[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(data[:4], "big"), len(data), _MAX_BRANDS_BYTES)
    # The four bytes after the first brand are its version.
    return frozenset(data[place : place + 4] for place in (8, *range(16, end - 3, 4)))
