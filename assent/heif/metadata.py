"""EXIF, XMP and C2PA of a HEIF file, whichever of its pictures they speak of; nothing is decoded, nothing is searched for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assent.heif.boxes import Box, Cursor, HeifError, boxes
from assent.heif.file import top_level
from assent.heif.items import Items, Kind, read_items

MAX_METADATA_BYTES = 16 * 1024 * 1024
"""For all of one file: two thousand items may each claim the same megabytes."""
_EXIF_PREFIX = b"Exif\0\0"
_XMP_TYPES = frozenset({"application/rdf+xml", "application/xmp+xml"})
_XMP_NAME = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
C2PA_NAME = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_HASHES_ONLY = "merkle"
_UPDATED = ["original", "update"]
# The head of a box whose length follows in eight bytes.
_LONG_BOX = b"\0\0\0\1jumb"


@dataclass(slots=True)
class HeifMetadata:
    """What was found: TIFF blocks, XMP packets, C2PA stores, and where in the file the boxes of the stores lie.

    A store and the one that updates it are one store here, with the manifests of both in order.
    """

    exif: list[bytes] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    c2pa: list[bytes] = field(default_factory=list)
    c2pa_spans: list[tuple[int, int]] = field(default_factory=list)


def heif_metadata(data: bytes) -> HeifMetadata:
    """Raises HeifError where some of it cannot be cut out, and HeifMovingError for what is no still picture."""
    top = top_level(data)
    items = read_items(data, top.meta)
    found = HeifMetadata()
    total = 0
    for item, kind in items.kinds.items():
        if kind.letters == b"Exif" or kind.content_type in _XMP_TYPES:
            total += items.size_of(item)
            if total > MAX_METADATA_BYTES:
                raise HeifError("more metadata than a picture has")
            _read(items, item, kind, found)
    stores = [store for box in top.named for store in _read_named(data, box, found)]
    found.c2pa = _with_its_update(stores) or [store for _, store in stores]
    return found


def _read(items: Items, item: int, kind: Kind, found: HeifMetadata) -> None:
    if kind.is_protected or kind.encoding:
        raise HeifError("metadata is encrypted or packed in a way that is not read")
    content = items.bytes_of(item)
    if kind.letters == b"Exif":
        found.exif.append(_tiff(content))
    else:
        found.xmp.append(content)


def _tiff(content: bytes) -> bytes:
    """The block begins where its first four bytes say, counted from after them."""
    fields = Cursor(content, 0, len(content))
    fields.take(fields.number(4))
    return content[fields.position :].removeprefix(_EXIF_PREFIX)


def _read_named(data: bytes, box: Box, found: HeifMetadata) -> list[tuple[str, bytes]]:
    """The store in a box that is named by a UUID, with its purpose, where it has one; anything else goes to what was found."""
    stores = []
    fields = Cursor(data, box.start, box.end)
    name = fields.take(16)
    if name == _XMP_NAME:
        found.xmp.append(fields.take(fields.left))
    elif name == C2PA_NAME:
        fields.version_and_flags()
        purpose = fields.text()
        if purpose != _HASHES_ONLY:
            # Where the first box of hashes lies, which is not needed here.
            fields.take(8)
            stores.append((purpose, fields.take(fields.left)))
        found.c2pa_spans.append((box.head, box.end))
    return stores


def _with_its_update(stores: Sequence[tuple[str, bytes]]) -> list[bytes]:
    """An original and its update as one store (C2PA 2.1, embedding in BMFF-based files); nothing where the stores are no such pair."""
    if [purpose for purpose, _ in stores] != _UPDATED:
        return []
    try:
        (description, manifests), (same, update) = (_opened(store) for _, store in stores)
    except HeifError:
        return []
    if description != same:
        return []
    content = description + manifests + update
    return [_LONG_BOX + (len(_LONG_BOX) + 8 + len(content)).to_bytes(8, "big") + content]


def _opened(store: bytes) -> tuple[bytes, bytes]:
    """The first box inside the one box of a store, which describes it, and what follows. Raises HeifError."""
    found = list(boxes(store, 0, len(store)))
    first = next(boxes(store, found[0].start, found[0].end), None) if [box.kind for box in found] == [b"jumb"] else None
    if first is None:
        raise HeifError("a store is no box, or an empty one")
    return store[first.head : first.end], store[first.end :]
