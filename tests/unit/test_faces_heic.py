"""HEIC photos: the pixels another decoder sees, upright once, the primary picture alone; what is bent ends as a refusal, soon and small."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from assent.faces.image import ImageRefusal, MediaType, decode, read_header
from assent.faces.perceptual_hash import perceptual_hash
from assent.geofence.tiff import first_directory
from assent.heif.movie import movie_of
from assent.heif.picture import read_picture
from assent.testing.face_pack import one_face
from tests.unit import heif_examples as heif
from tests.unit.heif_examples import (
    Layout,
    Part,
    box,
    coded,
    distance,
    exif_block,
    extent,
    full,
    grid,
    in_parts,
    nclx,
    others_view,
    picture,
    single,
    small,
    tiled,
    tiles_of,
    written,
)
from tests.unit.refused_image import LIMITS, refusal


@pytest.mark.parametrize("size", [(64, 64), (120, 80), (201, 77), (640, 480)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("chroma", [420, 422, 444])
def test_a_file_of_another_writer_is_decoded_as_another_reader_does(size: tuple[int, int], chroma: int) -> None:
    data = heif.saved_heic(picture(*size), chroma=chroma)
    header = read_header(data)
    # Odd sides are coded as even ones, and cut.
    stored = tuple(side + side % 2 for side in size)
    assert (header.media_type, header.width, header.height) == (MediaType.HEIC, *stored)
    decoded = decode(data, limits=LIMITS)
    assert (decoded.width, decoded.height) == size
    assert distance(decoded.rgb, others_view(data)) < 2.5
    assert distance(decoded.rgb, picture(*size)) < 4


def test_ten_bits_and_grey_become_rgb() -> None:
    wide = (picture(128, 96).astype(np.uint16) << 8).tobytes()
    buffer = io.BytesIO()
    pillow_heif.from_bytes(mode="RGB;16", size=(128, 96), data=wide).save(buffer, quality=90)
    assert distance(decode(buffer.getvalue(), limits=LIMITS).rgb, picture(128, 96)) < 4
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(picture(128, 96)).convert("L")).save(buffer, quality=90)
    grey = np.asarray(Image.fromarray(picture(128, 96)).convert("L"))
    assert distance(decode(buffer.getvalue(), limits=LIMITS).rgb, np.repeat(grey[:, :, None], 3, axis=2)) < 4


STEPS: dict[str, tuple[bytes, ...]] = {
    "as it is": (),
    **{f"turned by {quarters}": (heif.turned(quarters),) for quarters in range(1, 4)},
    **{f"mirrored at {axis}": (heif.mirrored(axis),) for axis in range(2)},
    **{f"turned by {quarters}, mirrored at {axis}": (heif.turned(quarters), heif.mirrored(axis)) for quarters in (1, 3) for axis in (0, 1)},
    "mirrored, then turned": (heif.mirrored(0), heif.turned(1)),
    "cut": (heif.cut(40, 36),),
    "cut beside the middle": (heif.cut(40, 36, 10, -8),),
    "cut, turned and mirrored": (heif.cut(40, 36, 10, -8), heif.turned(1), heif.mirrored(1)),
}


@pytest.mark.parametrize("steps", STEPS.values(), ids=list(STEPS))
def test_what_is_cut_and_how_it_is_turned_is_as_another_reader_has_it(steps: tuple[bytes, ...]) -> None:
    one = coded(picture(96, 64))
    data = written(single(one, *steps))
    assert distance(decode(data, limits=LIMITS).rgb, others_view(data)) < 2.5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_of_exif_turns_nothing_again(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    layout = single(small(), heif.turned(1))
    parts = {**layout.parts, 2: Part(b"Exif", struct.pack(">I", 6) + exif.tobytes())}
    data = written(Layout(parts, references=((b"cdsc", 2, (1,)),)))
    assert np.array_equal(decode(data, limits=LIMITS).rgb, decode(written(layout), limits=LIMITS).rgb)


def test_the_orientation_that_a_writer_puts_in_both_is_applied_once() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = picture(64, 96)
    lying = Image.fromarray(upright).rotate(90, expand=True)
    data = heif.saved_heic(np.asarray(lying), exif=exif.tobytes())
    assert b"irot" in data
    assert distance(decode(data, limits=LIMITS).rgb, upright) < 4


def test_a_picture_in_tiles_is_put_together() -> None:
    rgb = picture(300, 200)
    tiles, columns = tiles_of(rgb, 128)
    data = written(tiled(tiles, columns, 300, 200, heif.turned(3)))
    decoded = decode(data, limits=LIMITS)
    assert (read_header(data).width, read_header(data).height) == (300, 200)
    assert (decoded.width, decoded.height) == (200, 300)
    assert distance(decoded.rgb, others_view(data)) < 2.5
    assert distance(decoded.rgb, np.rot90(rgb, 3)) < 4


@pytest.mark.parametrize(("width", "height"), [(128, 96), (101, 77), (65, 33)])
def test_one_tile_may_be_larger_than_the_picture(width: int, height: int) -> None:
    """Writers put small pictures of odd sides so: what reaches beyond is padding."""
    (tile,), _ = tiles_of(picture(128, 96), 128)
    data = written(tiled([tile], 1, width, height))
    seen = decode(data, limits=LIMITS).rgb
    assert distance(seen, others_view(data)) < 2.5
    assert distance(seen, picture(128, 96)[:height, :width]) < 4


@pytest.mark.parametrize("matrix", [1, 6, 9])
@pytest.mark.parametrize("is_full", [True, False])
def test_colours_that_the_file_states_win_over_those_of_the_coding(matrix: int, is_full: bool) -> None:
    """As another reader has it: the same slices, told differently outside."""
    one = coded(picture(96, 64))
    data = written(single(one, nclx(matrix, is_full=is_full)))
    assert distance(decode(data, limits=LIMITS).rgb, others_view(data)) < 2.5


@pytest.mark.parametrize("is_full", [True, False])
def test_the_range_of_brightness_is_heeded(is_full: bool) -> None:
    rgb = picture(128, 96)
    rgb[:32], rgb[64:] = 0, 255
    told = {"color_primaries": 1, "transfer_characteristics": 13, "matrix_coefficients": 6, "full_range_flag": int(is_full)}
    seen = decode(heif.saved_heic(rgb, 95, **told), limits=LIMITS).rgb
    assert seen[4:20].mean() < 3
    assert seen[-20:-4].mean() > 252


def test_several_are_decoded_at_once_as_one_after_the_other() -> None:
    """The decoder reads its film through Python, while another thread may hold it: services decode in threads."""
    files = [heif.saved_heic(np.ascontiguousarray(np.roll(picture(256, 192), 16 * number, axis=1))) for number in range(4)]
    alone = [decode(data, limits=LIMITS).rgb for data in files]
    with ThreadPoolExecutor(max_workers=4) as pool:
        together = list(pool.map(lambda number: decode(files[number % 4], limits=LIMITS).rgb, range(80)))
    assert all(np.array_equal(seen, alone[number % 4]) for number, seen in enumerate(together))


def test_only_the_primary_picture_is_seen() -> None:
    """Neither a thumbnail, nor a depth map, nor the other pictures of a burst."""
    shown, hidden = coded(picture(96, 64)), coded(np.ascontiguousarray(picture(96, 64)[::-1, ::-1]))
    depth = hidden.properties(full(b"auxC", b"urn:mpeg:hevc:2015:auxid:2\0"))
    parts = {
        4: Part(b"hvc1", hidden.slices, hidden.properties()),
        1: Part(b"hvc1", shown.slices, shown.properties()),
        2: Part(b"hvc1", hidden.slices, depth),
        3: Part(b"hvc1", small().slices, small().properties()),
    }
    data = written(Layout(parts, references=((b"auxl", 2, (1,)), (b"thmb", 3, (1,)))))
    assert np.array_equal(decode(data, limits=LIMITS).rgb, decode(written(single(shown)), limits=LIMITS).rgb)


def test_a_copy_as_heic_looks_like_the_jpeg_of_it() -> None:
    """What must not come back is known again by what it looks like."""
    jpeg = io.BytesIO()
    Image.fromarray(one_face()).save(jpeg, "JPEG", quality=85)
    seen = [perceptual_hash(decode(data, limits=LIMITS).rgb) for data in (jpeg.getvalue(), heif.saved_heic(one_face(), 60))]
    assert sum((one ^ other).bit_count() for one, other in zip(*seen, strict=True)) <= 6


def avif() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture(64, 64)).save(buffer, "AVIF")
    return buffer.getvalue()


def transparent() -> bytes:
    rgba = np.dstack([picture(64, 64), np.full((64, 64), 9, dtype=np.uint8)])
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(rgba)).save(buffer, quality=90)
    return buffer.getvalue()


def derived(kind: bytes) -> bytes:
    return in_parts((2, Part(kind, b"\0" * 24, (extent(64, 64),))), primary=2, references=((b"dimg", 2, (1,)),))


def odd_tile(tile: Part) -> bytes:
    layout = tiled([small()] * 4, 2, 128, 128)
    return written(replace(layout, parts={**layout.parts, 3: tile}))


NOT_TAKEN: dict[str, tuple[Callable[[], bytes], ImageRefusal]] = {
    "AVIF": (avif, ImageRefusal.FORMAT),
    "transparency": (transparent, ImageRefusal.FORMAT),
    "a film": (lambda: written(replace(single(small()), brands=b"msf1\0\0\0\0msf1hevc")), ImageRefusal.ANIMATED),
    "a still picture and a film": (lambda: written(replace(single(small()), after=box(b"moov", b""))), ImageRefusal.ANIMATED),
    "an overlay": (lambda: derived(b"iovl"), ImageRefusal.FORMAT),
    "another picture turned": (lambda: derived(b"iden"), ImageRefusal.FORMAT),
    "another way of coding": (lambda: in_parts((2, Part(b"av01", b"x", (extent(64, 64),))), primary=2), ImageRefusal.FORMAT),
    "an encrypted picture": (
        lambda: written(Layout({1: replace(single(small()).parts[1], protection=1)})),
        ImageRefusal.FORMAT,
    ),
    "a property that is needed and not known": (
        lambda: written(single(small(), box(b"irot", b"\0"))).replace(b"irot", b"lsel"),
        ImageRefusal.FORMAT,
    ),
    "a tile that is turned": (lambda: odd_tile(Part(b"hvc1", small().slices, small().properties(heif.turned(1)))), ImageRefusal.FORMAT),
    "a tile that is a grid": (lambda: odd_tile(Part(b"grid", grid(2, 2, 128, 128), (extent(64, 64),))), ImageRefusal.FORMAT),
    "a tile of another size": (
        lambda: odd_tile(Part(b"hvc1", small().slices, (extent(32, 64), box(b"hvcC", small().record)))),
        ImageRefusal.FORMAT,
    ),
    "a version of the parameters that is not known": (
        lambda: written(single(replace(small(), record=b"\2" + small().record[1:]))),
        ImageRefusal.FORMAT,
    ),
}


@pytest.mark.parametrize(("make", "reason"), NOT_TAKEN.values(), ids=list(NOT_TAKEN))
def test_other_kinds_of_the_family_are_refused_by_what_they_are(make: Callable[[], bytes], reason: ImageRefusal) -> None:
    assert refusal(make()) is reason


def test_the_decoder_sees_nothing_but_slices() -> None:
    assert first_directory(exif_block())
    more = (box(b"colr", b"prof" + b"needle in the colour profile" * 9), box(b"uuid", bytes(16) + b"needle"))
    layout = single(small(), *more)
    parts = {**layout.parts, 2: Part(b"Exif", bytes(4) + exif_block()), 3: Part(b"mime", b"needle", content_type=b"application/rdf+xml")}
    data = written(Layout(parts, before=box(b"free", b"needle"), after=box(b"uuid", bytes(16) + b"needle")))
    assert data.count(b"needle") >= 13
    read = read_picture(data)
    assert b"needle" not in movie_of(read.coded_tiles(), read.parameters)
    assert distance(decode(data, limits=LIMITS).rgb, decode(written(single(small())), limits=LIMITS).rgb) == 0
