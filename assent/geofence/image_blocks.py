"""EXIF and IPTC blocks cut out of a JPEG, PNG, WebP or HEIF file by its own structure; no pixel is decoded, nothing is guessed."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from assent.geofence.iptc_place import PHOTOSHOP_PREFIX
from assent.heif.file import is_heif
from assent.heif.metadata import heif_metadata

MAX_PARTS = 20_000
MAX_PROFILE_BYTES = 256 * 1024
MAX_PROFILES = 16
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_EXIF_PREFIX = b"Exif\0\0"
_APP1, _APP13, _SOS, _EOI = 0xE1, 0xED, 0xDA, 0xD9
# A marker may be preceded by any number of fill bytes.
_FILL = re.compile(rb"\xff+(?=\xff)")
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
# ImageMagick's form for what PNG had no chunk for.
_EXIF_PROFILES = frozenset({b"Raw profile type exif", b"Raw profile type APP1"})
_IPTC_PROFILES = frozenset({b"Raw profile type iptc", b"Raw profile type 8bim"})


@dataclass(slots=True)
class ImageBlocks:
    """What was found; `is_broken` when the parts of the file do not fit, or the format is not one of the four."""

    exif: list[bytes] = field(default_factory=list)
    iptc: list[bytes] = field(default_factory=list)
    is_broken: bool = False


def read_blocks(data: bytes) -> ImageBlocks:
    """The blocks of one file."""
    found = ImageBlocks()
    try:
        if data.startswith(b"\xff\xd8"):
            _jpeg(data, found)
        elif data.startswith(_PNG_MAGIC):
            _png(data, found)
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            found.exif.extend(block.removeprefix(_EXIF_PREFIX) for block in _webp(data))
        elif is_heif(data):
            # What IPTC says stands in XMP there.
            found.exif.extend(heif_metadata(data).exif)
        else:
            found.is_broken = True
    except (struct.error, ValueError, zlib.error):
        found.is_broken = True
    return found


def _jpeg(data: bytes, found: ImageBlocks) -> None:
    iptc: list[bytes] = []
    for marker, content in _segments(data):
        if marker == _APP1 and content.startswith(_EXIF_PREFIX):
            found.exif.append(content[len(_EXIF_PREFIX) :])
        elif marker == _APP13 and content.startswith(PHOTOSHOP_PREFIX):
            # A long resource goes on in the next segment.
            iptc.append(content[len(PHOTOSHOP_PREFIX) :])
    if iptc:
        found.iptc.append(b"".join(iptc))


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 2
    for _ in range(MAX_PARTS):
        fill = _FILL.match(data, position)
        position = fill.end() if fill is not None else position
        mark, marker = struct.unpack_from(">BB", data, position)
        if mark != 0xFF:
            raise ValueError("a segment does not begin with a marker")
        position += 2
        if marker in (_SOS, _EOI):
            return
        if marker in _WITHOUT_LENGTH:
            continue
        (length,) = struct.unpack_from(">H", data, position)
        if length < 2 or position + length > len(data):
            raise ValueError("a segment is longer than the file")
        yield marker, data[position + 2 : position + length]
        position += length
    raise ValueError("too many segments")


def _webp(data: bytes) -> Iterator[bytes]:
    position = 12
    for _ in range(MAX_PARTS):
        if position + 8 > len(data):
            return
        kind, length = struct.unpack_from("<4sI", data, position)
        if position + 8 + length > len(data):
            # EXIF comes last there, so a file that is cut off inside its picture has lost it.
            raise ValueError("a chunk is longer than the file")
        if kind == b"EXIF":
            yield data[position + 8 : position + 8 + length]
        position += 8 + length + length % 2
    raise ValueError("too many chunks")


def _png(data: bytes, found: ImageBlocks) -> None:
    profiles = 0
    for kind, content in _chunks(data):
        if kind == b"eXIf":
            found.exif.append(content.removeprefix(_EXIF_PREFIX))
        elif kind in (b"tEXt", b"zTXt"):
            keyword, _, rest = content.partition(b"\0")
            if keyword in _EXIF_PROFILES | _IPTC_PROFILES:
                profiles += 1
                if profiles > MAX_PROFILES or len(rest) > MAX_PROFILE_BYTES:
                    raise ValueError("too many profiles, or one that is too long")
                block = _profile(rest, is_packed=kind == b"zTXt")
                # An APP1 profile may hold XMP, which is read elsewhere.
                if keyword in _IPTC_PROFILES:
                    found.iptc.append(block)
                elif block.startswith(_EXIF_PREFIX) or keyword != b"Raw profile type APP1":
                    found.exif.append(block.removeprefix(_EXIF_PREFIX))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = len(_PNG_MAGIC)
    for _ in range(MAX_PARTS):
        length, kind = struct.unpack_from(">I4s", data, position)
        if position + 12 + length > len(data):
            raise ValueError("a chunk is longer than the file")
        if kind == b"IEND":
            return
        yield kind, data[position + 8 : position + 8 + length]
        position += 12 + length
    raise ValueError("too many chunks")


def _profile(text: bytes, *, is_packed: bool) -> bytes:
    """A line break, the name, the length, then hex digits in lines. Raises ValueError or zlib.error."""
    if is_packed:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(text[1:], MAX_PROFILE_BYTES)
        if not unpacker.eof:
            raise ValueError("a profile is not whole or unpacks to too much")
    return bytes.fromhex("".join(text.decode("ascii").split()[2:]))
