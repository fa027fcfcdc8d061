"""The items of a HEIF file: what each is, where its bytes lie, its properties and its references; two answers to one question are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assent.heif.boxes import Box, Cursor, HeifError, HeifTruncatedError, boxes

MAX_ITEMS = 2_048
"""A picture of 40 megapixels in tiles of 256 has 640, with as much again for what goes with it."""
MAX_EXTENTS = 8_192
MAX_REFERENCES = 16_384
MAX_ASSOCIATIONS = 32_768
_IN_FILE, _IN_META = 0, 1


@dataclass(frozen=True, slots=True)
class Kind:
    """What an item is: four letters, and for `mime` alone what is in it and how it is packed."""

    letters: bytes
    content_type: str = ""
    encoding: str = ""
    is_protected: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item's bytes lie: in the file or in the meta box, in this order; in another file where `is_outside`."""

    method: int
    is_outside: bool
    extents: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Property:
    """A property of an item; a reader that does not know an essential one must leave the item alone."""

    box: Box
    is_essential: bool


@dataclass(slots=True)
class Items:
    """The meta box of one file, read whole. `references` go by kind and the item they start from."""

    data: bytes
    primary: int | None = None
    kinds: dict[int, Kind] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    properties: dict[int, tuple[Property, ...]] = field(default_factory=dict)
    references: dict[tuple[bytes, int], tuple[int, ...]] = field(default_factory=dict)
    inner: Box | None = None

    def size_of(self, item: int) -> int:
        """How many bytes the item has. Raises HeifError."""
        return sum(length for _, length in self._place(item).extents)

    def bytes_of(self, item: int) -> bytes:
        """The bytes of an item. Raises HeifError where they are not all in this file."""
        place = self._place(item)
        # Each of thousands of parts may lie in the file, and all of them at the same bytes.
        if self.size_of(item) > len(self.data):
            raise HeifError("an item is more than the file")
        start, end = 0, len(self.data)
        if place.method == _IN_META:
            if self.inner is None:
                raise HeifError("an item lies in a box that is not there")
            start, end = self.inner.start, self.inner.end
        parts = []
        for offset, length in place.extents:
            if start + offset + length > end:
                raise HeifTruncatedError("an item lies beyond the end")
            parts.append(self.data[start + offset : start + offset + length])
        return b"".join(parts)

    def extents_in_file(self) -> list[tuple[int, int]]:
        """Start and end of whatever the file lists outside the meta box; some of it may lie beyond the end of the file."""
        places = [place for place in self.places.values() if place.method == _IN_FILE]
        return [(offset, offset + length) for place in places for offset, length in place.extents]

    def _place(self, item: int) -> Place:
        place = self.places.get(item)
        if place is None or place.is_outside or place.method not in (_IN_FILE, _IN_META) or not place.extents:
            raise HeifError("an item has no place in this file")
        return place


def read_items(data: bytes, meta: Box) -> Items:
    """The items that a meta box lists. Raises HeifError."""
    found = Items(data)
    parts: dict[bytes, Box] = {}
    for box in boxes(data, meta.start + 4, meta.end):
        if box.kind in _READERS and box.kind in parts:
            raise HeifError("a part of the meta box is there twice")
        parts[box.kind] = box
    for kind, read in _READERS.items():
        if kind in parts:
            read(found, parts[kind])
    return found


def _primary(found: Items, box: Box) -> None:
    fields = Cursor(found.data, box.start, box.end)
    version, _ = fields.version_and_flags()
    found.primary = fields.number(4 if version else 2)


def _inner(found: Items, box: Box) -> None:
    found.inner = box


def _kinds(found: Items, box: Box) -> None:
    fields = Cursor(found.data, box.start, box.end)
    version, _ = fields.version_and_flags()
    _at_most(fields.number(4 if version else 2), MAX_ITEMS)
    for entry in boxes(found.data, fields.position, box.end):
        if entry.kind != b"infe":
            continue
        item, kind = _kind(Cursor(found.data, entry.start, entry.end))
        if item in found.kinds:
            raise HeifError("an item is listed twice")
        found.kinds[item] = kind
        _at_most(len(found.kinds), MAX_ITEMS)


def _kind(fields: Cursor) -> tuple[int, Kind]:
    version, _ = fields.version_and_flags()
    item = fields.number(4 if version == 3 else 2)
    is_protected = fields.number(2) != 0
    letters = fields.take(4) if version >= 2 else b"mime"
    fields.text()
    if letters != b"mime":
        return item, Kind(letters, is_protected=is_protected)
    content_type = fields.text()
    return item, Kind(letters, content_type.partition(";")[0].strip().lower(), fields.text().strip(), is_protected)


def _places(found: Items, box: Box) -> None:
    fields = Cursor(found.data, box.start, box.end)
    version, _ = fields.version_and_flags()
    sizes = fields.number(2)
    offset_size, length_size, base_size, index_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15
    if version > 2 or not {offset_size, length_size, base_size, index_size if version else 0} <= {0, 4, 8}:
        raise HeifError("the places of the items are of a form that does not exist")
    total = 0
    for _ in range(_at_most(fields.number(4 if version == 2 else 2), MAX_ITEMS)):
        item = fields.number(4 if version == 2 else 2)
        method = fields.number(2) & 15 if version else 0
        is_outside = fields.number(2) != 0
        base = fields.number(base_size)
        count = fields.number(2)
        total = _at_most(total + count, MAX_EXTENTS)
        extents = []
        for _ in range(count):
            fields.number(index_size if version else 0)
            offset = fields.number(offset_size)
            extents.append((base + offset, fields.number(length_size)))
        if item in found.places:
            raise HeifError("an item has two places")
        found.places[item] = Place(method, is_outside, tuple(extents))


def _properties(found: Items, box: Box) -> None:
    parts = list(boxes(found.data, box.start, box.end))
    containers = [part for part in parts if part.kind == b"ipco"]
    if len(containers) != 1:
        raise HeifError("the properties are not kept in one box")
    known = list(boxes(found.data, containers[0].start, containers[0].end))
    total = 0
    for part in parts:
        if part.kind == b"ipma":
            total = _associations(found, part, known, total)


def _associations(found: Items, box: Box, known: Sequence[Box], total: int) -> int:
    fields = Cursor(found.data, box.start, box.end)
    version, flags = fields.version_and_flags()
    size = 2 if flags & 1 else 1
    essential = 0x80 << 8 * (size - 1)
    for _ in range(fields.number(4)):
        item = fields.number(4 if version else 2)
        count = fields.number(1)
        total = _at_most(total + count, MAX_ASSOCIATIONS)
        told = [fields.number(size) for _ in range(count)]
        if item in found.properties:
            raise HeifError("the properties of an item are listed twice")
        if any((one & ~essential) > len(known) for one in told):
            raise HeifError("an item has a property that is not there")
        found.properties[item] = tuple(Property(known[(one & ~essential) - 1], bool(one & essential)) for one in told if one & ~essential)
        _at_most(len(found.properties), MAX_ITEMS)
    return total


def _references(found: Items, box: Box) -> None:
    fields = Cursor(found.data, box.start, box.end)
    version, _ = fields.version_and_flags()
    size = 4 if version else 2
    total = 0
    for entry in boxes(found.data, fields.position, box.end):
        inner = Cursor(found.data, entry.start, entry.end)
        source = inner.number(size)
        count = inner.number(2)
        total = _at_most(total + count, MAX_REFERENCES)
        if (entry.kind, source) in found.references:
            raise HeifError("the references of an item are listed twice")
        found.references[entry.kind, source] = tuple(inner.number(size) for _ in range(count))


def _at_most(count: int, most: int) -> int:
    if count > most:
        raise HeifError("the file lists more than a picture has")
    return count


_READERS = {b"pitm": _primary, b"idat": _inner, b"iinf": _kinds, b"iloc": _places, b"iprp": _properties, b"iref": _references}
