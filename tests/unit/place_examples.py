"""What the tests of places share: the areas, the location rules, pictures with metadata put in by hand, and short forms of evidence."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Iterable
from typing import Any

from PIL import Image

from assent.geofence.areas import AreaIndex
from assent.geofence.evidence import Evidence
from assent.geofence.extract import image_evidence
from assent.geofence.policy import LocationRules
from assent.ids import UNKNOWN

LOCATION = LocationRules(deny_threshold=0.25, allow_threshold=0.7, gps_floor_m=100, buffer_m={"ne10m": 5000})
UNREADABLE = frozenset({UNKNOWN})


@functools.cache
def areas() -> AreaIndex:
    return AreaIndex.load()


def read(data: bytes) -> tuple[Evidence, ...]:
    return image_evidence(data, areas=areas(), location=LOCATION)


def said(evidence: Iterable[Evidence]) -> dict[str, frozenset[str]]:
    """Everything that each kind of evidence names; UNKNOWN stands for what was unreadable."""
    found: dict[str, frozenset[str]] = {}
    for item in evidence:
        # Areas that states dispute have no code, so a readable point may lie in UNKNOWN as well.
        assert not item.is_invalid or item.jurisdictions == UNREADABLE
        found[item.kind.value] = found.get(item.kind.value, frozenset()) | item.jurisdictions
    return found


def picture(kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (24, 16), (90, 120, 40)).save(stream, kind, **options)
    return stream.getvalue()


JPEG, PNG, WEBP = picture("JPEG"), picture("PNG"), picture("WEBP", lossless=True)


def jpeg_with(*segments: tuple[int, bytes]) -> bytes:
    """A JPEG with application segments after its start."""
    parts = (struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content for marker, content in segments)
    return JPEG[:2] + b"".join(parts) + JPEG[2:]


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with chunks after its header."""
    parts = (struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks)
    return PNG[:33] + b"".join(parts) + PNG[33:]


def webp_with(kind: bytes, content: bytes) -> bytes:
    """A WebP with one more chunk at its end."""
    body = WEBP[8:] + struct.pack("<4sI", kind, len(content)) + content + b"\0" * (len(content) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_exif(tiff: bytes) -> bytes:
    return jpeg_with((0xE1, b"Exif\0\0" + tiff))


def jpeg_xmp(packet: bytes) -> bytes:
    return jpeg_with((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet))
