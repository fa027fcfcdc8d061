"""The one picture of a HEIC that counts: its size, its tiles, its steps; a part that contradicts another ends the reading."""

from __future__ import annotations

import functools
import struct
from dataclasses import replace

import pytest

from assent.heif.boxes import HeifError
from assent.heif.file import HeifUnsupportedError
from assent.heif.picture import Cut, HeifPicture, Mirror, Turn, read_picture
from assent.heif.sequence_parameters import Colours
from tests.unit import heif_examples as heif
from tests.unit.heif_examples import (
    ESSENTIAL,
    Coded,
    Layout,
    Part,
    box,
    coded,
    extent,
    full,
    grid,
    nclx,
    picture,
    single,
    small,
    tiled,
    written,
)


@functools.cache
def wide() -> Coded:
    return coded(picture(128, 64))


def clap(*numbers: int) -> bytes:
    """Width, height and how far the middle lies to the right and below; each above and below the line."""
    return box(b"clap", struct.pack(">IIIIiIiI", *numbers))


def read(layout: Layout) -> HeifPicture:
    return read_picture(written(layout))


def test_a_picture_that_is_whole_is_its_own_tile() -> None:
    found = read(single(wide()))
    assert (found.width, found.height, found.columns, found.tiles, found.steps) == (128, 64, 1, (1,), ())
    assert (found.parameters.width, found.parameters.height, found.shown_size()) == (128, 64, (128, 64))
    assert len(found.coded_tiles()) == 1


STEPS: dict[str, tuple[tuple[bytes, ...], tuple[Cut | Turn | Mirror, ...], tuple[int, int]]] = {
    "turned by 0": ((heif.turned(0),), (Turn(0),), (128, 64)),
    "turned by 1": ((heif.turned(1),), (Turn(1),), (64, 128)),
    "turned by 2": ((heif.turned(2),), (Turn(2),), (128, 64)),
    "turned by 3": ((heif.turned(3),), (Turn(3),), (64, 128)),
    "turned, with reserved bits": ((heif.turned(0b11111101),), (Turn(1),), (64, 128)),
    "mirrored at 0": ((heif.mirrored(0),), (Mirror(is_sideways=False),), (128, 64)),
    "mirrored at 1": ((heif.mirrored(1),), (Mirror(is_sideways=True),), (128, 64)),
    "mirrored, with reserved bits": ((heif.mirrored(0b11111110),), (Mirror(is_sideways=False),), (128, 64)),
    "cut": ((heif.cut(40, 20),), (Cut(44, 22, 40, 20),), (40, 20)),
    "all of it": ((heif.cut(128, 64),), (Cut(0, 0, 128, 64),), (128, 64)),
    "one pixel": ((clap(1, 1, 1, 1, -127, 2, 63, 2),), (Cut(0, 63, 1, 1),), (1, 1)),
    "one pixel in the other corner": ((clap(1, 1, 1, 1, 127, 2, -63, 2),), (Cut(127, 0, 1, 1),), (1, 1)),
    "to the left and the top": ((heif.cut(40, 20, -88, -44),), (Cut(0, 0, 40, 20),), (40, 20)),
    "to the right and the bottom": ((heif.cut(40, 20, 88, 44),), (Cut(88, 44, 40, 20),), (40, 20)),
    "half a pixel is left to the picture": ((heif.cut(41, 21),), (Cut(43, 21, 41, 21),), (41, 21)),
    "the middle of a half": ((heif.cut(41, 21, 1, -1),), (Cut(44, 21, 41, 21),), (41, 21)),
    "fractions": ((clap(81, 2, 63, 3, 7, 3, -7, 3),), (Cut(46, 19, 40, 21),), (40, 21)),
    "sizes have no sign": ((clap(1 << 31, 1 << 25, 1 << 31, 1 << 26, 0, 1, 0, 1),), (Cut(32, 16, 64, 32),), (64, 32)),
    "all of it, turned before": ((heif.turned(1), heif.cut(64, 128)), (Turn(1), Cut(0, 0, 64, 128)), (64, 128)),
    "all of it, turned by 3 before": ((heif.turned(3), heif.cut(64, 128)), (Turn(3), Cut(0, 0, 64, 128)), (64, 128)),
    "all of it, turned by 2 before": ((heif.turned(2), heif.cut(128, 64)), (Turn(2), Cut(0, 0, 128, 64)), (128, 64)),
    "all of it, mirrored before": ((heif.mirrored(0), heif.cut(128, 64)), (Mirror(is_sideways=False), Cut(0, 0, 128, 64)), (128, 64)),
    "cut, turned and mirrored": (
        (heif.cut(40, 20), heif.turned(1), heif.mirrored(1)),
        (Cut(44, 22, 40, 20), Turn(1), Mirror(is_sideways=True)),
        (20, 40),
    ),
}


@pytest.mark.parametrize(("told", "steps", "shown"), STEPS.values(), ids=list(STEPS))
def test_how_a_picture_is_cut_and_turned(told: tuple[bytes, ...], steps: tuple[Cut | Turn | Mirror, ...], shown: tuple[int, int]) -> None:
    found = read(single(wide(), *told))
    assert (found.steps, found.shown_size(), (found.width, found.height)) == (steps, shown, (128, 64))


NO_STEPS: dict[str, tuple[bytes, ...]] = {
    "turned twice": (heif.turned(1), heif.turned(2)),
    "mirrored twice": (heif.mirrored(0), heif.mirrored(1)),
    "cut twice": (heif.cut(40, 20), heif.cut(20, 20)),
    "the same turn twice": (heif.turned(1), heif.mirrored(1), heif.turned(1)),
    "wider than the picture": (heif.cut(129, 64),),
    "higher than the picture": (heif.cut(128, 65),),
    "a pixel to the left": (heif.cut(40, 20, -89, 0),),
    "a pixel to the right": (heif.cut(40, 20, 90, 0),),
    "a pixel above": (heif.cut(40, 20, 0, -45),),
    "a pixel below": (heif.cut(40, 20, 0, 46),),
    "no width": (heif.cut(0, 20),),
    "no height": (heif.cut(40, 0),),
    "half a pixel wide": (clap(1, 2, 20, 1, 0, 1, 0, 1),),
    "half a pixel high": (clap(20, 1, 1, 2, 0, 1, 0, 1),),
    "far to the right": (clap(40, 1, 20, 1, 2**31 - 1, 1, 0, 1),),
    "two gigapixels wide": (clap(2**31, 1, 20, 1, 0, 1, 0, 1),),
    "four gigapixels high": (clap(40, 1, 2**32 - 1, 1, 0, 1, 0, 1),),
    "as if it were not turned": (heif.turned(1), heif.cut(128, 64)),
    "as if it were turned": (heif.turned(2), heif.cut(64, 128)),
    "a width by zero": (clap(40, 0, 20, 1, 0, 1, 0, 1),),
    "a height by zero": (clap(40, 1, 20, 0, 0, 1, 0, 1),),
    "to the right by zero": (clap(40, 1, 20, 1, 0, 0, 0, 1),),
    "below by zero": (clap(40, 1, 20, 1, 0, 1, 0, 0),),
    "a cut that ends too early": (box(b"clap", bytes(31)),),
    "a turn without a number": (box(b"irot", b""),),
}


@pytest.mark.parametrize("told", NO_STEPS.values(), ids=list(NO_STEPS))
def test_a_cut_outside_and_what_is_told_twice_is_an_error(told: tuple[bytes, ...]) -> None:
    with pytest.raises(HeifError):
        read(single(wide(), *told))


def whole(*properties: bytes, **more: object) -> Layout:
    return replace(Layout({1: Part(b"hvc1", small().slices, properties)}), **more)  # type: ignore[arg-type]


SIZE, CODING = extent(64, 64), box(b"hvcC", small().record)


@pytest.mark.parametrize(
    "name", [b"ispe", b"hvcC", b"clap", b"irot", b"imir", b"colr", b"pixi", b"pasp", b"auxC", b"rloc", b"clli", b"mdcv", b"cclv", b"amve",
             b"udes", b"altt"]
)  # fmt: skip
def test_what_a_reader_has_to_know_of_a_photo_is_known(name: bytes) -> None:
    told = {b"ispe": SIZE, b"hvcC": CODING, b"clap": heif.cut(64, 64), b"irot": heif.turned(0), b"imir": heif.mirrored(0)}
    properties = dict.fromkeys((SIZE, CODING, told.get(name, box(name, bytes(16)))))
    assert read(whole(*properties, essential=ESSENTIAL | {name})).width == 64


def test_what_is_not_known_is_left_alone_where_it_need_not_be_known() -> None:
    assert read(whole(SIZE, CODING, box(b"what", b"")))
    with pytest.raises(HeifUnsupportedError, match="not known here"):
        read(whole(SIZE, CODING, box(b"what", b""), essential=frozenset({b"what"})))


def test_a_property_counts_once_and_two_are_none() -> None:
    assert read(whole(SIZE, CODING, SIZE)).width == 64
    for properties in ((SIZE,), (CODING,), (SIZE, CODING, extent(64, 65)), (SIZE, CODING, box(b"hvcC", wide().record))):
        with pytest.raises(HeifError, match="lacks a property, or has it twice"):
            read(whole(*properties))


@pytest.mark.parametrize("size", [(0, 64), (64, 0)])
def test_a_picture_without_pixels_is_none(size: tuple[int, int]) -> None:
    with pytest.raises(HeifError, match="without pixels"):
        read(whole(extent(*size), CODING))


@pytest.mark.parametrize("size", [(64, 65), (65, 64), (32, 64), (64, 32), (1 << 31, 1 << 31)])
def test_the_size_that_is_stated_is_the_one_that_is_coded(size: tuple[int, int]) -> None:
    with pytest.raises(HeifError, match="another size than it says"):
        read(whole(extent(*size), CODING))


def test_the_size_is_read_behind_its_version() -> None:
    assert read(whole(full(b"ispe", struct.pack(">II", 64, 64), version=9, flags=9), CODING)).width == 64


def test_a_file_says_which_picture_is_meant() -> None:
    with pytest.raises(HeifError, match="which picture is meant"):
        read_picture(written(single(small())).replace(b"pitm", b"free"))
    with pytest.raises(HeifError, match="which picture is meant"):
        read(replace(single(small()), primary=2))


@pytest.mark.parametrize(
    "part",
    [
        Part(b"hvc1", small().slices, (SIZE, CODING), protection=1),
        Part(b"grid", grid(1, 1, 64, 64), (SIZE, CODING), protection=1),
        Part(b"av01", small().slices, (SIZE, CODING)),
        Part(b"hvc2", small().slices, (SIZE, CODING)),
        Part(b"iovl", bytes(40), (SIZE, CODING)),
    ],
    ids=["protected", "protected tiles", "av01", "hvc2", "iovl"],
)
def test_other_pictures_are_not_taken(part: Part) -> None:
    with pytest.raises(HeifUnsupportedError):
        read(Layout({1: part}))


ALPHA = b"urn:mpeg:hevc:2015:auxid:1\0"


def beside(kind: bytes, of: int, name: bytes, *, version: int = 0) -> Layout:
    """A second picture that goes with one, with a name for what it shows."""
    second = Part(b"hvc1", small().slices, small().properties(full(b"pixi", ALPHA), full(b"auxC", name, version=version)))
    layout = single(small())
    return replace(layout, parts={**layout.parts, 2: second}, references=((kind, 2, (7, of)),))


@pytest.mark.parametrize("name", [ALPHA, b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0", ALPHA + b"more", ALPHA[:-1]])
def test_a_transparent_layer_is_not_taken(name: bytes) -> None:
    for version in (0, 1):
        with pytest.raises(HeifUnsupportedError, match="transparent in part"):
            read(beside(b"auxl", 1, name, version=version))


def test_other_layers_and_those_of_other_pictures_are_left_alone() -> None:
    for layout in (
        beside(b"auxl", 1, b"urn:mpeg:hevc:2015:auxid:2\0"),
        beside(b"auxl", 1, b"urn:mpeg:hevc:2015:auxid:12\0"),
        beside(b"auxl", 3, ALPHA),
        beside(b"thmb", 1, ALPHA),
    ):
        assert read(layout).tiles == (1,)


PROFILE = box(b"colr", b"prof" + bytes(20))
COLOURS: dict[str, tuple[tuple[bytes, ...], Colours | None]] = {
    "nothing told": ((), None),
    "a profile alone": ((PROFILE,), None),
    "the full range": ((nclx(9, is_full=True),), Colours(9, is_full=True)),
    "the small range, with reserved bits": ((box(b"colr", b"nclx" + b"\1\2\3\4\0\6\x7f"),), Colours(6, is_full=False)),
    "beside a profile": ((PROFILE, nclx(1, is_full=False)), Colours(1, is_full=False)),
    "the first of two": ((nclx(6, is_full=False), nclx(1, is_full=True)), Colours(6, is_full=False)),
    "a matrix that no photo has": ((nclx(0, is_full=True),), Colours(2, is_full=True)),
    "a matrix of 256 and more": ((nclx(0x0109, is_full=True),), Colours(2, is_full=True)),
}


@pytest.mark.parametrize(("told", "colours"), COLOURS.values(), ids=list(COLOURS))
def test_the_colours_that_the_file_states(told: tuple[bytes, ...], colours: Colours | None) -> None:
    assert read(single(small(), *told)).parameters.colours == colours
    assert read(tiled([small()] * 2, 2, 128, 64, *told)).parameters.colours == colours
    tile = Part(b"hvc1", small().slices, small().properties(*told))
    layout = tiled([small()] * 2, 2, 128, 64)
    assert read(replace(layout, parts={**layout.parts, 2: tile})).parameters.colours == colours


def test_the_colours_of_the_whole_win_over_those_of_its_first_tile_and_those_over_the_others() -> None:
    one, other = nclx(1, is_full=True), nclx(9, is_full=False)
    layout = tiled([small()] * 2, 2, 128, 64, one)
    tiles = {2: Part(b"hvc1", small().slices, small().properties(other)), 3: Part(b"hvc1", small().slices, small().properties(one))}
    assert read(replace(layout, parts={**layout.parts, **tiles})).parameters.colours == Colours(1, is_full=True)
    layout = tiled([small()] * 2, 2, 128, 64)
    assert read(replace(layout, parts={**layout.parts, **tiles})).parameters.colours == Colours(9, is_full=False)


def in_grid(content: bytes, tiles: tuple[int, ...], size: tuple[int, int], *, tile: Part | None = None) -> Layout:
    """A picture in tiles that are all the same item, or one and this one."""
    parts = {1: Part(b"grid", content, (extent(*size),)), 2: Part(b"hvc1", small().slices, small().properties())}
    return Layout(parts | ({3: tile} if tile else {}), references=((b"dimg", 1, tiles),))


GRIDS: dict[str, tuple[bytes, tuple[int, ...], tuple[int, int], int]] = {
    "one": (grid(1, 1, 64, 64), (2,), (64, 64), 1),
    "three rows": (grid(3, 1, 64, 192), (2,) * 3, (64, 192), 1),
    "three columns": (grid(1, 3, 192, 64), (2,) * 3, (192, 64), 3),
    "two by three": (grid(2, 3, 192, 128), (2,) * 6, (192, 128), 3),
    "one pixel of the last row and column": (grid(2, 3, 129, 65), (2,) * 6, (129, 65), 3),
    "one pixel of one": (grid(1, 1, 1, 1), (2,), (1, 1), 1),
    "sides of four bytes": (bytes([0, 1, 1, 2]) + struct.pack(">II", 192, 128), (2,) * 6, (192, 128), 3),
    "other flags": (bytes([0, 0xFE, 1, 2]) + struct.pack(">HH", 192, 128), (2,) * 6, (192, 128), 3),
    "as many as there can be": (grid(32, 32, 2_048, 2_048), (2,) * 1_024, (2_048, 2_048), 32),
    "256 columns": (grid(4, 256, 16_384, 256), (2,) * 1_024, (16_384, 256), 256),
}


@pytest.mark.parametrize(("content", "tiles", "size", "columns"), GRIDS.values(), ids=list(GRIDS))
def test_tiles_make_a_picture(content: bytes, tiles: tuple[int, ...], size: tuple[int, int], columns: int) -> None:
    found = read(in_grid(content, tiles, size))
    assert ((found.width, found.height), found.columns, found.tiles) == (size, columns, tiles)
    assert (found.parameters.width, found.parameters.height) == (64, 64)


NO_GRIDS: dict[str, tuple[bytes, tuple[int, ...], tuple[int, int]]] = {
    "another version": (b"\1" + grid(1, 1, 64, 64)[1:], (2,), (64, 64)),
    "another width than it says": (grid(1, 1, 63, 64), (2,), (64, 64)),
    "another height than it says": (grid(1, 1, 64, 63), (2,), (64, 64)),
    "one tile too few": (grid(2, 2, 128, 128), (2,) * 3, (128, 128)),
    "one tile too many": (grid(2, 2, 128, 128), (2,) * 5, (128, 128)),
    "no tiles": (grid(1, 1, 64, 64), (), (64, 64)),
    "a column outside": (grid(1, 3, 128, 64), (2,) * 3, (128, 64)),
    "a row outside": (grid(3, 1, 64, 128), (2,) * 3, (64, 128)),
    "a pixel without a column": (grid(1, 2, 129, 64), (2,) * 2, (129, 64)),
    "a pixel without a row": (grid(2, 1, 64, 129), (2,) * 2, (64, 129)),
}


@pytest.mark.parametrize(("content", "tiles", "size"), NO_GRIDS.values(), ids=list(NO_GRIDS))
def test_tiles_that_do_not_make_the_picture_are_an_error(content: bytes, tiles: tuple[int, ...], size: tuple[int, int]) -> None:
    with pytest.raises(HeifError, match="do not make the picture"):
        read(in_grid(content, tiles, size))


def test_a_grid_without_references_and_one_that_ends_too_early_is_an_error() -> None:
    layout = in_grid(grid(1, 1, 64, 64), (2,), (64, 64))
    with pytest.raises(HeifError, match="do not make the picture"):
        read(replace(layout, references=((b"thmb", 1, (2,)), (b"dimg", 2, (2,)))))
    with pytest.raises(HeifError, match="ends inside a field"):
        read(in_grid(grid(1, 1, 64, 64)[:-1], (2,), (64, 64)))


def test_1025_tiles_are_too_many() -> None:
    with pytest.raises(HeifUnsupportedError, match="too many tiles"):
        read(in_grid(grid(41, 25, 1_600, 2_624), (2,) * 1_025, (1_600, 2_624)))


TILES: dict[str, Part] = {
    "coded otherwise": Part(b"av01", small().slices, small().properties()),
    "a grid": Part(b"grid", grid(1, 1, 64, 64), small().properties()),
    "protected": Part(b"hvc1", small().slices, small().properties(), protection=1),
    "turned": Part(b"hvc1", small().slices, small().properties(heif.turned(0))),
    "mirrored": Part(b"hvc1", small().slices, small().properties(heif.mirrored(0))),
    "cut": Part(b"hvc1", small().slices, small().properties(heif.cut(64, 64))),
    "of another width than it says": Part(b"hvc1", small().slices, (extent(63, 64), CODING)),
    "of another height than it says": Part(b"hvc1", small().slices, (extent(64, 63), CODING)),
    "of other parameters": Part(b"hvc1", small().slices, (SIZE, box(b"hvcC", small().record[:12] + b"\x99" + small().record[13:]))),
}


@pytest.mark.parametrize("tile", TILES.values(), ids=list(TILES))
def test_a_tile_unlike_the_first_is_not_taken(tile: Part) -> None:
    for tiles in ((2, 3), (2, 2, 3)):
        with pytest.raises(HeifUnsupportedError):
            read(in_grid(grid(1, len(tiles), 64 * len(tiles), 64), tiles, (64 * len(tiles), 64), tile=tile))


def test_a_tile_of_another_size_is_not_taken() -> None:
    other = Part(b"hvc1", wide().slices, wide().properties())
    with pytest.raises(HeifUnsupportedError):
        read(in_grid(grid(1, 2, 128, 64), (2, 3), (128, 64), tile=other))


def test_a_tile_that_is_not_listed_is_not_taken() -> None:
    data = bytearray(written(in_grid(grid(1, 2, 128, 64), (2, 3), (128, 64), tile=Part(b"hvc1", small().slices, small().properties()))))
    # The last entry of the list of kinds becomes another box: the item has its place and its properties, and is nothing.
    place = data.rindex(b"infe")
    data[place : place + 4] = b"free"
    with pytest.raises(HeifUnsupportedError):
        read_picture(bytes(data))


def test_the_tiles_are_no_more_than_the_file() -> None:
    """An item may be a tile many times; what they are together is decoded, and so is bounded."""
    layout = in_grid(grid(1, 2, 128, 64), (2, 2), (128, 64))
    odd = len(written(layout)) % 2
    layout = replace(layout, after=box(b"free", bytes(odd)))
    size = len(written(layout))
    with pytest.raises(HeifError) as caught:
        read(replace(layout, places={2: (0, 0, size // 2)})).coded_tiles()
    assert "more than the file" not in str(caught.value)
    with pytest.raises(HeifError, match="more than the file"):
        read(replace(layout, places={2: (0, 0, size // 2 + 1)})).coded_tiles()


def test_the_slices_of_each_tile_are_given_in_order() -> None:
    found = read(tiled([small(), small()], 2, 128, 64))
    one = read(single(small())).coded_tiles()
    assert found.coded_tiles() == one * 2
