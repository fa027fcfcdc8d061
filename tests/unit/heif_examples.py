"""HEIC files for tests: pictures coded by x265 through pillow-heif, laid out box by box here, so that every field can be bent."""

from __future__ import annotations

import functools
import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from assent.heif.file import top_level
from assent.heif.items import read_items

IROT, IMIR, CLAP = b"irot", b"imir", b"clap"
ESSENTIAL = frozenset({b"hvcC", IROT, IMIR, CLAP})


@dataclass(frozen=True)
class Part:
    """One item with its properties, each a whole box."""

    kind: bytes
    content: bytes
    properties: tuple[bytes, ...] = ()
    is_inside: bool = False
    content_type: bytes = b""
    encoding: bytes = b""
    protection: int = 0


@dataclass(frozen=True)
class Layout:
    """A file: its items by number, which is meant, who refers to whom, and what stands beside the meta box."""

    parts: dict[int, Part]
    primary: int = 1
    references: tuple[tuple[bytes, int, tuple[int, ...]], ...] = ()
    brands: bytes = b"heic\0\0\0\0mif1heic"
    before: bytes = b""
    after: bytes = b""
    places: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    """Method, offset and length of an item that lies elsewhere than it should."""
    times: dict[int, int] = field(default_factory=dict)
    """How often the place of an item is told, as if it had as many parts; once, if nothing else is said."""
    essential: frozenset[bytes] = ESSENTIAL
    """The properties that a reader has to know."""


@dataclass(frozen=True)
class Coded:
    """One coded picture: its hvcC record, its slices, its size."""

    record: bytes
    slices: bytes
    width: int
    height: int

    def properties(self, *more: bytes) -> tuple[bytes, ...]:
        return (extent(self.width, self.height), box(b"hvcC", self.record), *more)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def full(kind: bytes, content: bytes, *, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags) + content)


def extent(width: int, height: int) -> bytes:
    return full(b"ispe", struct.pack(">II", width, height))


def nclx(matrix: int, *, is_full: bool) -> bytes:
    """The colours in numbers, beside what the coding says of them."""
    return box(b"colr", b"nclx" + struct.pack(">HHHB", 1, 13, matrix, is_full << 7))


def turned(quarters: int) -> bytes:
    return box(IROT, bytes([quarters]))


def mirrored(axis: int) -> bytes:
    return box(IMIR, bytes([axis]))


def cut(width: int, height: int, right: int = 0, down: int = 0) -> bytes:
    """What is kept, and how far its middle lies from that of the picture, in half pixels."""
    return box(CLAP, struct.pack(">IIIIiIiI", width, 1, height, 1, right, 2, down, 2))


def grid(rows: int, columns: int, width: int, height: int) -> bytes:
    return bytes([0, 0, rows - 1, columns - 1]) + struct.pack(">HH", width, height)


def written(layout: Layout) -> bytes:
    """The file of a layout."""
    head = box(b"ftyp", layout.brands) + layout.before
    inner = b"".join(part.content for part in layout.parts.values() if part.is_inside)
    outer = b"".join(part.content for part in layout.parts.values() if not part.is_inside)
    start = len(head) + len(_meta(layout, inner, 0)) + 8
    return head + _meta(layout, inner, start) + box(b"mdat", outer) + layout.after


def _meta(layout: Layout, inner: bytes, start: int) -> bytes:
    handler = full(b"hdlr", struct.pack(">I4s12x", 0, b"pict") + b"\0")
    primary = full(b"pitm", struct.pack(">H", layout.primary))
    held = _places(layout, start) + _kinds(layout) + _properties(layout)
    if layout.references:
        told = [box(kind, struct.pack(f">HH{len(to)}H", source, len(to), *to)) for kind, source, to in layout.references]
        held += full(b"iref", b"".join(told))
    return full(b"meta", handler + primary + held + (box(b"idat", inner) if inner else b""))


def _places(layout: Layout, start: int) -> bytes:
    entries, outside, inside = b"", start, 0
    for number, part in layout.parts.items():
        size = len(part.content)
        place = (1, inside, size) if part.is_inside else (0, outside, size)
        inside, outside = (inside + size, outside) if part.is_inside else (inside, outside + size)
        method, offset, length = layout.places.get(number, place)
        times = layout.times.get(number, 1)
        entries += struct.pack(">HHHH", number, method, 0, times) + struct.pack(">II", offset, length) * times
    return full(b"iloc", struct.pack(">HH", 0x4400, len(layout.parts)) + entries, version=1)


def _kinds(layout: Layout) -> bytes:
    entries = []
    for number, part in layout.parts.items():
        mime = part.content_type + b"\0" + (part.encoding + b"\0" if part.encoding else b"") if part.kind == b"mime" else b""
        entries.append(full(b"infe", struct.pack(">HH4s", number, part.protection, part.kind) + b"\0" + mime, version=2))
    return full(b"iinf", struct.pack(">H", len(entries)) + b"".join(entries))


def _properties(layout: Layout) -> bytes:
    known = list(dict.fromkeys(one for part in layout.parts.values() for one in part.properties))
    told = b""
    for number, part in layout.parts.items():
        marks = [known.index(one) + 1 | (0x8000 if one[4:8] in layout.essential else 0) for one in part.properties]
        told += struct.pack(f">HB{len(marks)}H", number, len(marks), *marks)
    return box(b"iprp", box(b"ipco", b"".join(known)) + full(b"ipma", struct.pack(">I", len(layout.parts)) + told, flags=1))


def saved_heic(rgb: NDArray[np.uint8], quality: int = 90, **options: object) -> bytes:
    """A file as pillow-heif writes it."""
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(rgb)).save(buffer, quality=quality, **options)
    return buffer.getvalue()


def coded(rgb: NDArray[np.uint8], quality: int = 90) -> Coded:
    """The coded picture alone. Its sides are whole blocks, so that nothing is cut off."""
    data = saved_heic(rgb, quality)
    items = read_items(data, top_level(data).meta)
    assert items.primary is not None
    (record,) = (one.box for one in items.properties[items.primary] if one.box.kind == b"hvcC")
    return Coded(data[record.start : record.end], items.bytes_of(items.primary), rgb.shape[1], rgb.shape[0])


def single(one: Coded, *more: bytes) -> Layout:
    return Layout({1: Part(b"hvc1", one.slices, one.properties(*more))})


def tiled(tiles: Sequence[Coded], columns: int, width: int, height: int, *more: bytes) -> Layout:
    """A picture in tiles of one size, row by row; the tiles are the items from 2 on."""
    content = grid(len(tiles) // columns, columns, width, height)
    parts = {1: Part(b"grid", content, (extent(width, height), *more), is_inside=True)}
    parts |= {number: Part(b"hvc1", tile.slices, tile.properties()) for number, tile in enumerate(tiles, 2)}
    return Layout(parts, references=((b"dimg", 1, tuple(range(2, len(tiles) + 2))),))


@functools.cache
def small() -> Coded:
    """64 pixels square, four flat quarters."""
    rgb = np.zeros((64, 64, 3), dtype=np.uint8)
    rgb[:32, :32], rgb[:32, 32:], rgb[32:, :32], rgb[32:, 32:] = (220, 30, 30), (30, 220, 30), (30, 30, 220), (220, 220, 30)
    return coded(rgb)


def with_metadata(*, exif: bytes | None = None, xmp: bytes | None = None, after: bytes = b"") -> bytes:
    """The small picture with an EXIF block and an XMP packet that speak of it."""
    layout = single(small())
    parts, references = dict(layout.parts), []
    if exif is not None:
        parts[2] = Part(b"Exif", struct.pack(">I", 0) + exif)
        references.append((b"cdsc", 2, (1,)))
    if xmp is not None:
        parts[3] = Part(b"mime", xmp, content_type=b"application/rdf+xml")
        references.append((b"cdsc", 3, (1,)))
    return written(Layout(parts, references=tuple(references), after=after))


def with_box(name: str, content: bytes) -> bytes:
    """The small picture and a box at the end of the file that a UUID names."""
    return with_metadata(after=box(b"uuid", bytes.fromhex(name) + content))


def with_c2pa(store: bytes) -> bytes:
    return with_box("d8fec3d61b0e483c92975828877ec481", bytes(4) + b"manifest\0" + bytes(8) + store)


def picture(width: int, height: int) -> NDArray[np.uint8]:
    """Smooth colours without symmetry: every turn and every cut gives another picture."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    rgb = np.stack([200 * x + 30, 200 * y + 20, 120 + 100 * np.sin(5 * x * y)], axis=2)
    return rgb.astype(np.uint8)


def others_view(data: bytes) -> NDArray[np.uint8]:
    """What libheif makes of the file, turned as the file says."""
    return np.asarray(pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True).to_pillow().convert("RGB"))


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def tiles_of(rgb: NDArray[np.uint8], side: int) -> tuple[list[Coded], int]:
    """The picture in tiles, the last of each row and column filled up."""
    rows, columns = -(-rgb.shape[0] // side), -(-rgb.shape[1] // side)
    whole = np.pad(rgb, ((0, rows * side - rgb.shape[0]), (0, columns * side - rgb.shape[1]), (0, 0)), mode="edge")
    parts = [whole[y * side : (y + 1) * side, x * side : (x + 1) * side] for y in range(rows) for x in range(columns)]
    return [coded(np.ascontiguousarray(part)) for part in parts], columns


def in_parts(*more: tuple[int, Part], primary: int = 1, references: tuple[tuple[bytes, int, tuple[int, ...]], ...] = ()) -> bytes:
    return written(Layout({**single(small()).parts, **dict(more)}, primary=primary, references=references))


def exif_block() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "needle in the description"
    return exif.tobytes().removeprefix(b"Exif\0\0")
