"""XMP packets and C2PA stores of a JPEG, PNG, WebP or HEIF file, cut out by its own structure; no pixel is decoded."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from assent.heif.file import is_heif
from assent.heif.metadata import heif_metadata
from assent.optouts.xmp import MAX_XMP_BYTES

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
MAX_PARTS = 20_000
MAX_XMP_TOTAL_BYTES = 2 * MAX_XMP_BYTES
"""For all packets of one file: a packed text of 8 KiB unpacks to 8 MiB, and a file has room for thousands of them."""
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_APP1, _APP11, _SOS, _EOI = 0xE1, 0xEB, 0xDA, 0xD9
# A marker may be preceded by any number of fill bytes.
_FILL = re.compile(rb"\xff+(?=\xff)")
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_PACKET = re.compile(rb"<((?:[A-Za-z_][\w.-]{0,31}:)?xmpmeta)\b")


class ImageMetadataError(ValueError):
    """Raised when the parts of a file do not fit, or are too many."""


@dataclass(slots=True)
class ImageMetadata:
    """What was found, and where in the file C2PA stores lie; `is_broken` when some of it could not be cut out."""

    xmp: list[bytes] = field(default_factory=list)
    c2pa: list[bytes] = field(default_factory=list)
    c2pa_spans: list[tuple[int, int]] = field(default_factory=list)
    is_broken: bool = False


def read_image_metadata(data: bytes) -> ImageMetadata:
    """The metadata of a file; one of another format is searched for plain XMP packets."""
    found = ImageMetadata()
    try:
        if data.startswith(b"\xff\xd8"):
            _jpeg(data, found)
        elif data.startswith(PNG_MAGIC):
            _png(data, found)
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            _webp(data, found)
        elif is_heif(data):
            inner = heif_metadata(data)
            found.xmp, found.c2pa, found.c2pa_spans = inner.xmp, inner.c2pa, inner.c2pa_spans
        else:
            _any_format(data, found)
    except (struct.error, ValueError, zlib.error):
        found.is_broken = True
    return found


def _jpeg(data: bytes, found: ImageMetadata) -> None:
    extended: dict[bytes, list[tuple[int, int, bytes]]] = {}
    stores: dict[int, list[tuple[int, bytes]]] = {}
    for marker, start, end in _jpeg_segments(data):
        content = data[start:end]
        if marker == _APP1 and content.startswith(_XMP):
            found.xmp.append(content[len(_XMP) :])
        elif marker == _APP1 and content.startswith(_EXTENDED_XMP):
            guid, total, offset = struct.unpack_from(">32sII", content, len(_EXTENDED_XMP))
            extended.setdefault(guid, []).append((offset, total, content[len(_EXTENDED_XMP) + 40 :]))
        elif marker == _APP11 and content.startswith(b"JP"):
            instance, sequence = struct.unpack_from(">HI", content, 2)
            stores.setdefault(instance, []).append((sequence, content[8:]))
            found.c2pa_spans.append((start - 4, end))
    found.xmp.extend(_joined_xmp(parts) for parts in extended.values())
    found.c2pa.extend(_joined_store(parts) for parts in stores.values())


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, and start and end of the content, of each segment before the coded picture."""
    position = 2
    for _ in range(MAX_PARTS):
        fill = _FILL.match(data, position)
        position = fill.end() if fill is not None else position
        mark, marker = struct.unpack_from(">BB", data, position)
        if mark != 0xFF:
            raise ImageMetadataError("a segment does not begin with a marker")
        position += 2
        if marker in (_SOS, _EOI):
            return
        if marker in _WITHOUT_LENGTH:
            continue
        (length,) = struct.unpack_from(">H", data, position)
        if length < 2 or position + length > len(data):
            raise ImageMetadataError("a segment is longer than the file")
        yield marker, position + 2, position + length
        position += length
    raise ImageMetadataError("the file has too many segments")


def _joined_xmp(parts: list[tuple[int, int, bytes]]) -> bytes:
    """One packet from its parts, of which a file may have thousands: they are copied once."""
    ordered, end = [], 0
    for offset, _, part in sorted(parts):
        if offset != end:
            raise ImageMetadataError("a part of the extended XMP is missing")
        ordered.append(part)
        end += len(part)
    if end != parts[0][1]:
        raise ImageMetadataError("the extended XMP is not whole")
    return b"".join(ordered)


def _joined_store(parts: list[tuple[int, bytes]]) -> bytes:
    """One box from its segments, each of which repeats the box's head."""
    ordered = [part for _, part in sorted(parts)]
    head = 16 if ordered[0][:4] == b"\0\0\0\x01" else 8
    return ordered[0] + b"".join(part[head:] for part in ordered[1:])


def _png(data: bytes, found: ImageMetadata) -> None:
    position, unpacked = len(PNG_MAGIC), 0
    for _ in range(MAX_PARTS):
        length, kind = struct.unpack_from(">I4s", data, position)
        content = data[position + 8 : position + 8 + length]
        if len(content) < length:
            raise ImageMetadataError("a chunk is longer than the file")
        if kind == b"caBX":
            found.c2pa.append(content)
            found.c2pa_spans.append((position, position + 12 + length))
        elif kind in (b"iTXt", b"zTXt", b"tEXt"):
            for packet in _png_xmp(kind, content):
                unpacked += len(packet)
                if unpacked > MAX_XMP_TOTAL_BYTES:
                    raise ImageMetadataError("the packets unpack to too much")
                found.xmp.append(packet)
        elif kind == b"IEND":
            return
        position += 12 + length
    raise ImageMetadataError("the file has too many chunks")


def _png_xmp(kind: bytes, content: bytes) -> Iterator[bytes]:
    keyword, _, rest = content.partition(b"\0")
    if keyword == b"XML:com.adobe.xmp":
        yield _png_text(kind, rest)
    elif keyword == b"Raw profile type xmp":
        # ImageMagick's form: a line break, the name, the length, then hex digits in lines.
        yield bytes.fromhex("".join(_png_text(kind, rest).decode("ascii").split()[2:]))


def _png_text(kind: bytes, rest: bytes) -> bytes:
    """The text of a chunk after its keyword."""
    if kind == b"zTXt":
        return _inflated(rest[1:])
    if kind == b"tEXt":
        return rest
    _, _, after_language = rest[2:].partition(b"\0")
    _, _, text = after_language.partition(b"\0")
    return _inflated(text) if rest[:1] == b"\1" else text


def _inflated(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(packed, MAX_XMP_BYTES + 1)
    if len(text) > MAX_XMP_BYTES or not unpacker.eof:
        raise ImageMetadataError("a packed text is not whole or unpacks to too much")
    return text


def _webp(data: bytes, found: ImageMetadata) -> None:
    position = 12
    for _ in range(MAX_PARTS):
        if position + 8 > len(data):
            return
        kind, length = struct.unpack_from("<4sI", data, position)
        content = data[position + 8 : position + 8 + length]
        if len(content) < length:
            # XMP comes last there, so a file that is cut off inside its picture has lost it.
            raise ImageMetadataError("a chunk is longer than the file")
        if kind in (b"XMP ", b"C2PA"):
            (found.xmp if kind == b"XMP " else found.c2pa).append(content)
            if kind == b"C2PA":
                found.c2pa_spans.append((position, position + 8 + length + length % 2))
        # Chunks start at even positions.
        position += 8 + length + length % 2
    raise ImageMetadataError("the file has too many chunks")


def _any_format(data: bytes, found: ImageMetadata) -> None:
    position = 0
    while (opening := _PACKET.search(data, position)) is not None:
        closing = data.find(b"</" + opening.group(1), opening.end())
        if closing < 0 or len(found.xmp) >= MAX_PARTS:
            raise ImageMetadataError("a packet has no end")
        position = data.find(b">", closing) + 1
        if not position:
            raise ImageMetadataError("a packet has no end")
        found.xmp.append(data[opening.start() : position])
