"""Read format and size of an image from its first bytes; never allocates a pixel and never trusts a name or a content type.

Each format is walked far enough to know what decoding would cost: the size, whether it moves, and for JPEG how many times a
progressive file makes the decoder pass over the whole picture.
"""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from assent.faces.image_refusal import ImageRefusal, ImageRefusedError
from assent.heif.boxes import HeifError, HeifTruncatedError
from assent.heif.file import HeifMovingError, HeifUnsupportedError, is_heif
from assent.heif.picture import read_picture


class MediaType(StrEnum):
    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    HEIC = "image/heic"


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What the file says of itself. `width` and `height` are as stored, before the orientation is applied."""

    media_type: MediaType
    width: int
    height: int
    scans: int = 1


PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
# Baseline, extended and progressive Huffman coding; lossless and arithmetic coding are not images of people on the web.
_SOF_TAKEN = frozenset({0xC0, 0xC1, 0xC2})
_SOF_OTHER = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
SOS = 0xDA
_SOI, _EOI = 0xD8, 0xD9
# In coded data 0xFF is followed by 00 (stuffing), D0 to D7 (restart), 01 or more FF; anything else is the next marker.
_NEXT_MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
# Real files have a few dozen parts, a PNG of small pieces a few thousand; each costs time here.
_MAX_PARTS = 20_000


def read_header(data: bytes) -> ImageHeader:
    """The header of a JPEG, PNG, WebP or HEIC file; raises ImageRefusedError (empty, not_an_image, format, truncated, animated)."""
    if not data:
        raise ImageRefusedError(ImageRefusal.EMPTY)
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(PNG_MAGIC):
            return _png(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
        if is_heif(data):
            return _heic(data)
    except (struct.error, IndexError):
        raise ImageRefusedError(ImageRefusal.TRUNCATED) from None
    raise ImageRefusedError(ImageRefusal.FORMAT if _is_other_format(data) else ImageRefusal.NOT_AN_IMAGE)


def _is_other_format(data: bytes) -> bool:
    """True for formats a decoder would take and we do not: GIF, TIFF, BMP, PNM, JPEG 2000, AVIF, HDR, ICO."""
    starts = (b"GIF8", b"II*\0", b"MM\0*", b"BM", b"\0\0\0\x0cjP", b"\xff\x4f\xff\x51", b"#?", b"\0\0\x01\0", b"\x59\xa6\x6a\x95")
    return data.startswith(starts) or data[4:8] == b"ftyp" or re.match(rb"P[1-7F]\s", data) is not None


def _jpeg(data: bytes) -> ImageHeader:
    size: tuple[int, int] | None = None
    scans = 0
    for marker, start in jpeg_segments(data):
        if marker in _SOF_OTHER:
            raise ImageRefusedError(ImageRefusal.FORMAT)
        if marker in _SOF_TAKEN:
            precision, height, width = struct.unpack_from(">BHH", data, start + 2)
            if precision != 8:
                raise ImageRefusedError(ImageRefusal.FORMAT)
            size = width, height
        scans += marker == SOS
        if marker == _EOI:
            break
    else:
        raise ImageRefusedError(ImageRefusal.TRUNCATED)
    if size is None or scans == 0:
        raise ImageRefusedError(ImageRefusal.NOT_AN_IMAGE)
    return ImageHeader(MediaType.JPEG, *size, scans=scans)


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Each marker with the position of its length field; whatever stands between two markers is passed over."""
    position = 2
    for _ in range(_MAX_PARTS):
        found = _NEXT_MARKER.search(data, position)
        if found is None:
            return
        marker, position = found.group(1)[0], found.end()
        yield marker, position
        if marker != _SOI:
            position += struct.unpack_from(">H", data, position)[0]
    raise ImageRefusedError(ImageRefusal.BROKEN)


def _png(data: bytes) -> ImageHeader:
    length, kind, width, height = struct.unpack_from(">I4sII", data, len(PNG_MAGIC))
    if kind != b"IHDR" or length != 13:
        raise ImageRefusedError(ImageRefusal.NOT_AN_IMAGE)
    if any(kind == b"acTL" for kind, _, _ in png_chunks(data)):
        raise ImageRefusedError(ImageRefusal.ANIMATED)
    return ImageHeader(MediaType.PNG, width, height)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and length of the content of each chunk up to IEND; raises ImageRefusedError where the file ends before."""
    position = len(PNG_MAGIC)
    for _ in range(_MAX_PARTS):
        length, kind = struct.unpack(">I4s", _exactly(data, position, 8))
        if position + 12 + length > len(data):
            raise ImageRefusedError(ImageRefusal.TRUNCATED)
        yield kind, position + 8, length
        position += length + 12
        if kind == b"IEND":
            return
    raise ImageRefusedError(ImageRefusal.BROKEN)


def webp_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and length of the content of each chunk that is whole."""
    position = 12
    for _ in range(_MAX_PARTS):
        if position + 8 > len(data):
            return
        kind, length = struct.unpack_from("<4sI", data, position)
        if position + 8 + length <= len(data):
            yield kind, position + 8, length
        # Chunks start at even positions.
        position += 8 + length + length % 2


def _webp(data: bytes) -> ImageHeader:
    kind = data[12:16]
    if kind == b"VP8X":
        if data[20] & 0b10:
            raise ImageRefusedError(ImageRefusal.ANIMATED)
        width = 1 + int.from_bytes(_exactly(data, 24, 3), "little")
        height = 1 + int.from_bytes(_exactly(data, 27, 3), "little")
    elif kind == b"VP8L":
        bits = int.from_bytes(_exactly(data, 21, 4), "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        raise ImageRefusedError(ImageRefusal.NOT_AN_IMAGE if len(kind) == 4 else ImageRefusal.TRUNCATED)
    return ImageHeader(MediaType.WEBP, width, height)


def _heic(data: bytes) -> ImageHeader:
    with heif_refusals():
        picture = read_picture(data)
    return ImageHeader(MediaType.HEIC, picture.width, picture.height)


@contextlib.contextmanager
def heif_refusals() -> Iterator[None]:
    """What is wrong with a HEIF file as the refusal that is counted."""
    try:
        yield
    except HeifMovingError:
        raise ImageRefusedError(ImageRefusal.ANIMATED) from None
    except HeifUnsupportedError:
        raise ImageRefusedError(ImageRefusal.FORMAT) from None
    except HeifTruncatedError:
        raise ImageRefusedError(ImageRefusal.TRUNCATED) from None
    except HeifError:
        raise ImageRefusedError(ImageRefusal.BROKEN) from None


def _exactly(data: bytes, start: int, count: int) -> bytes:
    part = data[start : start + count]
    if len(part) < count:
        raise ImageRefusedError(ImageRefusal.TRUNCATED)
    return part
