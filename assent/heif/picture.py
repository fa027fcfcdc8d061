"""The one picture of a HEIF file that counts: the primary item, whole or in tiles, with what is cut off and how it is turned."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from assent.heif.boxes import Box, Cursor, HeifError
from assent.heif.file import HeifUnsupportedError, top_level
from assent.heif.hevc import HevcParameters, hevc_parameters, hevc_picture
from assent.heif.items import Items, read_items
from assent.heif.sequence_parameters import Colours

MAX_TILES = 1_024
"""40 megapixels in tiles of 256 are 640."""
_TURNS = frozenset({b"clap", b"irot", b"imir"})
_KNOWN = _TURNS | {b"ispe", b"hvcC", b"colr", b"pixi", b"pasp", b"auxC", b"rloc", b"clli", b"mdcv", b"cclv", b"amve", b"udes", b"altt"}
_ALPHA = frozenset({"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", "urn:mpeg:hevc:2015:auxid:1"})


@dataclass(frozen=True, slots=True)
class Cut:
    """Keep this part (clap)."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Turn:
    """Turn by so many quarters, against the clock (irot)."""

    quarters: int


@dataclass(frozen=True, slots=True)
class Mirror:
    """Exchange left and right, or else top and bottom (imir)."""

    is_sideways: bool


@dataclass(frozen=True, slots=True)
class HeifPicture:
    """`width` and `height` are what is coded, before `steps`, which are taken in this order. Tiles go row by row, all of one size."""

    width: int
    height: int
    columns: int
    parameters: HevcParameters
    tiles: tuple[int, ...]
    steps: tuple[Cut | Turn | Mirror, ...]
    items: Items

    def coded_tiles(self) -> list[bytes]:
        """The slices of each tile. Raises HeifError and HeifUnsupportedError."""
        total = sum(self.items.size_of(tile) for tile in self.tiles)
        if total > len(self.items.data):
            raise HeifError("the tiles are more than the file")
        return [hevc_picture(self.items.bytes_of(tile), self.parameters) for tile in self.tiles]

    def shown_size(self) -> tuple[int, int]:
        """Width and height after every step."""
        width, height = self.width, self.height
        for step in self.steps:
            if isinstance(step, Cut):
                width, height = step.width, step.height
            elif isinstance(step, Turn) and step.quarters % 2:
                width, height = height, width
        return width, height


def read_picture(data: bytes) -> HeifPicture:
    """The primary picture. Raises HeifError, HeifMovingError, and HeifUnsupportedError for another kind than HEVC, whole or in a grid."""
    items = read_items(data, top_level(data).meta)
    primary = items.primary
    if primary is None or primary not in items.kinds:
        raise HeifError("the file does not say which picture is meant")
    kind = items.kinds[primary]
    if kind.is_protected:
        raise HeifUnsupportedError("the picture is encrypted")
    if _has_alpha(items, primary):
        # A face can hide where nothing shows; photos of cameras have no such layer.
        raise HeifUnsupportedError("the picture is transparent in part")
    width, height = _extent(items, primary)
    tiles: tuple[int, ...] = (primary,)
    if kind.letters == b"hvc1":
        parameters, columns = _parameters(items, primary, _colours(items, primary)), 1
        if (parameters.width, parameters.height) != (width, height):
            raise HeifError("the picture has another size than it says")
    elif kind.letters == b"grid":
        parameters, columns, tiles = _grid(items, primary, width, height)
    else:
        raise HeifUnsupportedError("the picture is coded in another way than HEVC")
    return HeifPicture(width, height, columns, parameters, tiles, _steps(items, primary, width, height), items)


def _grid(items: Items, primary: int, width: int, height: int) -> tuple[HevcParameters, int, tuple[int, ...]]:
    fields = Cursor(content := items.bytes_of(primary), 0, len(content))
    version, flags = fields.number(1), fields.number(1)
    rows, columns = fields.number(1) + 1, fields.number(1) + 1
    size = 4 if flags & 1 else 2
    stated = fields.number(size), fields.number(size)
    tiles = items.references.get((b"dimg", primary), ())
    if version != 0 or stated != (width, height) or len(tiles) != rows * columns:
        raise HeifError("the tiles do not make the picture")
    if len(tiles) > MAX_TILES:
        raise HeifUnsupportedError("the picture has too many tiles")
    parameters = _parameters(items, tiles[0], _colours(items, primary) or _colours(items, tiles[0]))
    for tile in dict.fromkeys(tiles):
        kind = items.kinds.get(tile)
        if kind is None or kind.letters != b"hvc1" or kind.is_protected or _turning(items, tile):
            raise HeifUnsupportedError("a tile is coded in another way than HEVC, or turned by itself")
        if _extent(items, tile) != (parameters.width, parameters.height):
            raise HeifUnsupportedError("the tiles differ in size")
    # Compared as they stand, and each once: thousands of tiles may point to one long record, and to read it is slow.
    records = {_one(items, tile, b"hvcC") for tile in tiles}
    if len({items.data[record.start : record.end] for record in records}) > 1:
        raise HeifUnsupportedError("the tiles differ in how they are coded")
    # No row and no column lies outside altogether: what is decoded is hardly more than what is shown.
    if not (columns - 1) * parameters.width < width <= columns * parameters.width:
        raise HeifError("the tiles do not make the picture")
    if not (rows - 1) * parameters.height < height <= rows * parameters.height:
        raise HeifError("the tiles do not make the picture")
    return parameters, columns, tiles


def _parameters(items: Items, item: int, colours: Colours | None) -> HevcParameters:
    record = _one(items, item, b"hvcC")
    return hevc_parameters(items.data[record.start : record.end], colours)


def _colours(items: Items, item: int) -> Colours | None:
    """What the file says of an item's colours in numbers, which wins over what its coding says; a profile beside it is left alone."""
    for one in items.properties.get(item, ()):
        if one.box.kind == b"colr":
            fields = Cursor(items.data, one.box.start, one.box.end)
            if fields.take(4) == b"nclx":
                fields.take(4)
                return Colours.of(fields.number(2), is_full=bool(fields.number(1) & 0x80))
    return None


def _extent(items: Items, item: int) -> tuple[int, int]:
    size = _one(items, item, b"ispe")
    fields = Cursor(items.data, size.start, size.end)
    fields.version_and_flags()
    width, height = fields.number(4), fields.number(4)
    if not width or not height:
        raise HeifError("a picture without pixels")
    return width, height


def _one(items: Items, item: int, kind: bytes) -> Box:
    """The property of this kind, of which an item has one. Raises HeifUnsupportedError for an essential unknown one."""
    properties = items.properties.get(item, ())
    if any(one.is_essential and one.box.kind not in _KNOWN for one in properties):
        raise HeifUnsupportedError("the picture needs something that is not known here")
    found = {one.box for one in properties if one.box.kind == kind}
    if len(found) != 1:
        raise HeifError("a picture lacks a property, or has it twice")
    return found.pop()


def _has_alpha(items: Items, primary: int) -> bool:
    layers = [source for (kind, source), targets in items.references.items() if kind == b"auxl" and primary in targets]
    # Read once, however many layers have it.
    names = dict.fromkeys(one.box for layer in layers for one in items.properties.get(layer, ()) if one.box.kind == b"auxC")
    return any(_name(items.data, box) in _ALPHA for box in names)


def _name(data: bytes, box: Box) -> str:
    fields = Cursor(data, box.start, box.end)
    fields.version_and_flags()
    return fields.text()


def _turning(items: Items, item: int) -> list[tuple[bytes, Cursor]]:
    return [
        (one.box.kind, Cursor(items.data, one.box.start, one.box.end)) for one in items.properties.get(item, ()) if one.box.kind in _TURNS
    ]


def _steps(items: Items, item: int, width: int, height: int) -> tuple[Cut | Turn | Mirror, ...]:
    turning = _turning(items, item)
    if len({kind for kind, _ in turning}) != len(turning):
        raise HeifError("a picture is cut or turned twice")
    found: list[Cut | Turn | Mirror] = []
    for kind, fields in turning:
        if kind == b"irot":
            found.append(Turn(fields.number(1) & 3))
            width, height = (height, width) if found[-1] in (Turn(1), Turn(3)) else (width, height)
        elif kind == b"imir":
            found.append(Mirror(is_sideways=bool(fields.number(1) & 1)))
        else:
            found.append(_cut(fields, width, height))
    return tuple(found)


def _cut(fields: Cursor, width: int, height: int) -> Cut:
    """The clean aperture (ISO/IEC 14496-12, 12.1.4): a size, and how far its middle lies from that of the picture."""
    kept_x, kept_y = _fraction(fields), _fraction(fields)
    off_x, off_y = _fraction(fields, is_signed=True), _fraction(fields, is_signed=True)
    cut = Cut(_first(off_x, width, kept_x), _first(off_y, height, kept_y), int(kept_x), int(kept_y))
    if min(cut.left, cut.top) < 0 or min(cut.width, cut.height) < 1:
        raise HeifError("what is kept of the picture lies outside it")
    if cut.left + cut.width > width or cut.top + cut.height > height:
        raise HeifError("what is kept of the picture lies outside it")
    return cut


def _first(offset: Fraction, whole: int, kept: Fraction) -> int:
    """The first pixel that is kept; a half one is left to the picture."""
    return math.floor(offset + Fraction(whole - int(kept), 2))


def _fraction(fields: Cursor, *, is_signed: bool = False) -> Fraction:
    above, below = fields.take(4), fields.number(4)
    if not below:
        raise HeifError("a zero denominator")
    return Fraction(int.from_bytes(above, "big", signed=is_signed), below)
