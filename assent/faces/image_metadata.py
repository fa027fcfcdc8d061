"""Take an image file's metadata away before a decoder sees it, and read one number out of it: how the picture is turned.

EXIF, XMP, ICC and text are the parsers that have been attacked most and the ones that write what they read into debug logs. They
never run here; nothing but the orientation is looked at, and nothing of it is kept.
"""

from __future__ import annotations

import struct

from assent.faces.image_header import PNG_MAGIC, SOS, MediaType, jpeg_segments, png_chunks, webp_chunks

_ORIENTATION_TAG, _SHORT = 0x0112, 3
_EXIF_PREFIX = b"Exif\0\0"
_COMMENT, _APP1 = 0xFE, 0xE1
# JFIF and Adobe say how the colours are coded; the other application segments say where, when, by whom.
_JPEG_DROPPED = frozenset(range(_APP1, 0xF0)) - {0xEE} | {_COMMENT}
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})


def without_metadata(data: bytes, media_type: MediaType) -> tuple[bytes, int]:
    """The file without its metadata, and the EXIF orientation, 1 to 8: 1 when there is none or it cannot be read."""
    if media_type is MediaType.JPEG:
        return _jpeg(data)
    if media_type is MediaType.PNG:
        return _png(data)
    # Pillow hands out a WebP's metadata unread, so it may stay.
    exif = next((data[start : start + length] for kind, start, length in webp_chunks(data) if kind == b"EXIF"), b"")
    return data, _orientation(exif)


def _jpeg(data: bytes) -> tuple[bytes, int]:
    kept, exif, position = [data[:2]], b"", 2
    for marker, start in jpeg_segments(data):
        if marker == SOS:
            break
        end = start + struct.unpack_from(">H", data, start)[0]
        if marker not in _JPEG_DROPPED:
            kept.append(data[position:end])
        elif marker == _APP1 and not exif and data.startswith(_EXIF_PREFIX, start + 2):
            exif = data[start + 2 : end]
        position = end
    return b"".join([*kept, data[position:]]), _orientation(exif)


def _png(data: bytes) -> tuple[bytes, int]:
    kept, exif = [PNG_MAGIC], b""
    for kind, start, length in png_chunks(data):
        if kind in _PNG_KEPT:
            kept.append(data[start - 8 : start + length + 4])
        elif kind == b"eXIf" and not exif:
            exif = data[start : start + length]
    return b"".join(kept), _orientation(exif)


def _orientation(exif: bytes) -> int:
    """The orientation tag of the first directory of an EXIF block (TIFF 6.0)."""
    tiff = exif.removeprefix(_EXIF_PREFIX)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, directory)
        for index in range(count):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * index)
            if tag == _ORIENTATION_TAG:
                return value if kind == _SHORT and 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
