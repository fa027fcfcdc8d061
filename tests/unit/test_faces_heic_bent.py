"""HEIC files that somebody bent: each ends as a refusal, soon and small, and none ends the process."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from assent.faces.image import ImageLimits, ImageRefusal, decode
from assent.heif.boxes import boxes
from tests.unit import heif_examples as heif
from tests.unit.heif_examples import (
    Layout,
    Part,
    box,
    coded,
    distance,
    extent,
    full,
    grid,
    in_parts,
    picture,
    single,
    small,
    tiled,
    written,
)
from tests.unit.refused_image import LIMITS, refusal


def units(slices: bytes) -> list[bytes]:
    found, place = [], 0
    while place < len(slices):
        length = int.from_bytes(slices[place : place + 4], "big")
        found.append(slices[place + 4 : place + 4 + length])
        place += 4 + length
    return found


def recoded(change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    kept = b"".join(struct.pack(">I", len(unit)) + unit for unit in change(units(small().slices)))
    return written(single(replace(small(), slices=kept)))


def parameters(kind: int) -> bytes:
    """The parameter set of this kind, as the record holds it."""
    record, place = small().record, 23
    for _ in range(record[22]):
        found = record[place] & 63
        length = int.from_bytes(record[place + 3 : place + 5], "big")
        if found == kind:
            return record[place + 5 : place + 5 + length]
        place += 5 + length
    raise AssertionError("the record has no such set")


def twice(kind: int) -> bytes:
    """The record with one more parameter set of a kind."""
    record = small().record
    unit = parameters(kind)
    more = struct.pack(">BHH", 0x80 | kind, 1, len(unit)) + unit
    return written(single(replace(small(), record=record[:22] + bytes([record[22] + 1]) + record[23:] + more)))


def second_named_first(kind: bytes, offset: int) -> bytes:
    """Two items, where one list gives the second the number of the first; its number stands so far behind the four letters."""
    data = bytearray(in_parts((2, Part(b"hvc1", small().slices, small().properties()))))
    place = data.rindex(kind) + offset
    assert data[place : place + 2] == b"\0\2", data[place : place + 2]
    data[place : place + 2] = b"\0\1"
    return bytes(data)


BENT: dict[str, tuple[Callable[[], bytes], set[ImageRefusal]]] = {
    "a picture that refers to another": (lambda: recoded(lambda had: [b"\2" + had[-1][1:]]), {ImageRefusal.FORMAT}),
    "two pictures in one": (lambda: recoded(lambda had: had * 2), {ImageRefusal.BROKEN}),
    "no slice": (lambda: recoded(lambda had: [b"\x4e\1" + b"\5"]), {ImageRefusal.BROKEN}),
    "a picture that goes on and never began": (
        lambda: recoded(lambda had: [had[-1][:2] + bytes([had[-1][2] & 0x7F]) + had[-1][3:]]),
        {ImageRefusal.BROKEN},
    ),
    "parameters on the way": (
        lambda: recoded(lambda had: [parameters(33)[:-3] + b"\1\2\3", *had]),
        {ImageRefusal.FORMAT},
    ),
    "a slice longer than the picture": (
        lambda: written(single(replace(small(), slices=b"\x7f\xff\xff\xff" + small().slices[4:]))),
        {ImageRefusal.BROKEN},
    ),
    "slices without end": (lambda: recoded(lambda had: [b"\x4e\1\5"] * 3_000 + had), {ImageRefusal.BROKEN}),
    "two sequence parameter sets": (lambda: twice(33), {ImageRefusal.FORMAT}),
    "no parameters": (lambda: written(single(replace(small(), record=small().record[:22] + b"\0"))), {ImageRefusal.FORMAT}),
    "parameters that end too early": (
        lambda: written(single(replace(small(), record=small().record[:40]))),
        {ImageRefusal.BROKEN},
    ),
    "another size than is coded": (
        lambda: written(Layout({1: Part(b"hvc1", small().slices, (extent(64, 128), box(b"hvcC", small().record)))})),
        {ImageRefusal.BROKEN},
    ),
    "2^31 pixels on each side": (
        lambda: written(Layout({1: Part(b"hvc1", small().slices, (extent(1 << 31, 1 << 31), box(b"hvcC", small().record)))})),
        {ImageRefusal.BROKEN},
    ),
    "no pixels": (
        lambda: written(Layout({1: Part(b"hvc1", small().slices, (extent(0, 64), box(b"hvcC", small().record)))})),
        {ImageRefusal.BROKEN},
    ),
    "a grid that is its own tile": (
        lambda: written(
            Layout({1: Part(b"grid", grid(1, 1, 64, 64), (extent(64, 64), box(b"hvcC", small().record)))}, references=((b"dimg", 1, (1,)),))
        ),
        {ImageRefusal.FORMAT},
    ),
    "a grid of 65536 tiles": (
        lambda: written(
            Layout(
                {1: Part(b"grid", grid(256, 256, 16_384, 16_384), (extent(16_384, 16_384),)), 2: single(small()).parts[1]},
                references=((b"dimg", 1, (2,) * 65_535),),
            )
        ),
        {ImageRefusal.BROKEN},
    ),
    "one tile that is the whole file, 1024 times": (
        lambda: written(
            Layout(
                {1: Part(b"grid", grid(32, 32, 2_048, 2_048), (extent(2_048, 2_048),), is_inside=True), 2: single(small()).parts[1]},
                references=((b"dimg", 1, (2,) * 1_024),),
                after=box(b"free", b"\0" * 100_000),
                places={2: (0, 0, 100_000)},
            )
        ),
        {ImageRefusal.BROKEN},
    ),
    "fewer tiles than places": (
        lambda: written(replace(tiled([small()] * 4, 2, 128, 128), references=((b"dimg", 1, (2, 3, 4)),))),
        {ImageRefusal.BROKEN},
    ),
    "tiles far beyond the picture": (
        lambda: written(tiled([small()] * 4, 2, 64, 64)),
        {ImageRefusal.BROKEN},
    ),
    "an item beyond the end": (
        lambda: written(replace(single(small()), places={1: (0, 800, 300)})),
        {ImageRefusal.TRUNCATED},
    ),
    "an item of two gigabytes": (
        lambda: written(replace(single(small()), places={1: (0, 400, 0x7FFF_FFFF)})),
        {ImageRefusal.BROKEN},
    ),
    "an item in a box that is not there": (
        lambda: written(replace(single(small()), places={1: (1, 0, 10)})),
        {ImageRefusal.BROKEN},
    ),
    "an item made of another": (
        lambda: written(replace(single(small()), places={1: (2, 0, 10)})),
        {ImageRefusal.BROKEN},
    ),
    "thousands of items": (
        lambda: in_parts(*((number, Part(b"Exif", b"")) for number in range(2, 5_000))),
        {ImageRefusal.BROKEN},
    ),
    "an item in two places": (lambda: second_named_first(b"iloc", 28), {ImageRefusal.BROKEN}),
    "an item of two kinds": (lambda: second_named_first(b"infe", 8), {ImageRefusal.BROKEN}),
    "an item with two lists of properties": (lambda: second_named_first(b"ipma", 19), {ImageRefusal.BROKEN}),
    "an item with two lists of tiles": (
        lambda: written(replace(tiled([small()] * 4, 2, 128, 128), references=((b"dimg", 1, (2, 3, 4, 5)),) * 2)),
        {ImageRefusal.BROKEN},
    ),
    "a box in two places": (
        lambda: written(single(small())).replace(b"pitm", b"iloc"),
        {ImageRefusal.BROKEN},
    ),
    "two lists of items": (
        lambda: written(replace(single(small()), after=full(b"meta", b""))),
        {ImageRefusal.BROKEN},
    ),
    "a primary picture that is not there": (lambda: written(replace(single(small()), primary=9)), {ImageRefusal.BROKEN}),
    "a box of a length that overlaps": (
        lambda: (lambda data: data.replace(struct.pack(">I", len(small().record) + 8) + b"hvcC", struct.pack(">I", 4) + b"hvcC"))(
            written(single(small()))
        ),
        {ImageRefusal.BROKEN},
    ),
    "a cut outside the picture": (lambda: written(single(small(), heif.cut(60, 60, 40, 0))), {ImageRefusal.BROKEN}),
    "a cut of nothing": (lambda: written(single(small(), heif.cut(0, 60))), {ImageRefusal.BROKEN}),
    "a cut by zero": (
        lambda: written(single(small(), box(b"clap", struct.pack(">IIIIiIiI", 40, 0, 40, 1, 0, 1, 0, 1)))),
        {ImageRefusal.BROKEN},
    ),
    "a cut that leaves too little": (lambda: written(single(small(), heif.cut(16, 16))), {ImageRefusal.TOO_SMALL}),
    "turned twice": (lambda: written(single(small(), heif.turned(1), heif.turned(2))), {ImageRefusal.BROKEN}),
    "nothing but its first box": (lambda: box(b"ftyp", b"heic\0\0\0\0mif1heic"), {ImageRefusal.BROKEN}),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("make", "reasons"), BENT.values(), ids=list(BENT))
def test_what_is_bent_is_refused_soon(make: Callable[[], bytes], reasons: set[ImageRefusal]) -> None:
    data = make()
    began = time.perf_counter()
    assert refusal(data) in reasons
    assert time.perf_counter() - began < 2


def test_where_slices_are_missing_nothing_of_another_picture_is_seen() -> None:
    """Damage inside a slice is damage of the picture, as in a JPEG: what could not be decoded stays black."""
    bright = decode(heif.saved_heic(np.full((512, 512, 3), 250, dtype=np.uint8)), limits=LIMITS)
    assert bright.rgb.min() > 200
    whole = coded(picture(512, 512))
    (unit,) = [unit for unit in units(whole.slices) if unit[0] >> 1 in range(16, 22)]
    short = unit[: len(unit) // 4]
    data = written(single(replace(whole, slices=struct.pack(">I", len(short)) + short)))
    seen = decode(data, limits=LIMITS).rgb
    assert distance(seen[:100], picture(512, 512)[:100]) < 4
    assert seen[-100:].max() < 200
    assert np.array_equal(seen, decode(data, limits=LIMITS).rgb)


def test_a_picture_in_tiles_is_bounded_as_a_whole() -> None:
    data = written(tiled([small()] * 4, 2, 128, 128))
    assert decode(data, limits=ImageLimits(max_pixels=128 * 128)).width == 128
    assert refusal(data, ImageLimits(max_pixels=128 * 128 - 1)) is ImageRefusal.TOO_MANY_PIXELS


def every_end(data: bytes) -> set[int]:
    """Where each box begins and ends, at every depth that is read."""
    found: set[int] = set()
    waiting = [(0, len(data), b"")]
    inside = {b"meta": 4, b"iinf": 6, b"iref": 4, b"iprp": 0, b"ipco": 0}
    while waiting:
        start, end, _ = waiting.pop()
        for one in boxes(data, start, end):
            found |= {one.head, one.start, one.end}
            if one.kind in inside:
                waiting.append((one.start + inside[one.kind], one.end, one.kind))
    return found


@pytest.mark.timeout(60)
def test_every_cut_is_refused() -> None:
    """In the middle of a box, at its ends, in its head; and whatever is left of the file, its end is missed."""
    data = written(tiled([small()] * 2, 2, 128, 64, heif.turned(1)))
    for place in {near for end in every_end(data) for near in (end - 1, end, end + 1, end + 5) if 12 <= near < len(data)}:
        assert refusal(data[:place]) in {ImageRefusal.TRUNCATED, ImageRefusal.BROKEN, ImageRefusal.NOT_AN_IMAGE}, place
