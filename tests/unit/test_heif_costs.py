"""A small HEIC that points to the same bytes again and again costs no more time and memory than its own size."""

from __future__ import annotations

import struct
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import pytest

from assent.faces.image import ImageRefusal
from assent.heif.boxes import HeifError
from assent.heif.picture import HeifPicture, read_picture
from tests.unit.heif_examples import Coded, Layout, Part, box, extent, full, grid, single, small, tiled, written
from tests.unit.refused_image import refusal

MEGABYTE = 1 << 20


def of_one(tile: Coded) -> Layout:
    """A thousand tiles that are items of their own, and have one record between them."""
    parts = {1: Part(b"grid", grid(10, 100, 6_400, 640), (extent(6_400, 640),), is_inside=True)}
    parts |= {number: Part(b"hvc1", tile.slices, tile.properties()) for number in range(2, 1_002)}
    return Layout(parts, references=((b"dimg", 1, tuple(range(2, 1_002))),))


def with_messages(count: int) -> Coded:
    """The small picture with a record that has so many messages."""
    record, messages = small().record, struct.pack(">BH", 39, count) + b"\0\2\x4e\1" * count
    return replace(small(), record=record[:22] + bytes([record[22] + 1]) + record[23:] + messages)


def layers(count: int, names: int) -> Layout:
    """A picture with so many layers beside it, each of which has so many times the same long name."""
    name = full(b"auxC", b"n" * MEGABYTE)
    beside = {number: Part(b"hvc1", b"", (name,) * names) for number in range(2, 2 + count)}
    return Layout({**single(small()).parts, **beside}, references=tuple((b"auxl", number, (1,)) for number in beside))


READ: dict[str, Callable[[], Layout]] = {
    "tiles of one record of two thousand parts": lambda: of_one(with_messages(2_000)),
    "layers of one name of a megabyte": lambda: layers(250, 100),
}


@pytest.mark.parametrize("layout", READ.values(), ids=list(READ))
def test_what_many_share_is_read_once(layout: Callable[[], Layout]) -> None:
    data = written(layout())
    # The quickest of three: a collection of everything that other tests left may fall into one of them.
    assert min(seconds_to_read(data) for _ in range(3)) < 0.5


def seconds_to_read(data: bytes) -> float:
    """Of a processor, and of this thread alone."""
    began = time.thread_time()
    assert isinstance(read_picture(data), HeifPicture)
    return time.thread_time() - began


def test_a_list_of_tiles_that_claims_the_file_many_times_takes_no_memory() -> None:
    layout = replace(tiled([small()], 1, 64, 64), after=box(b"free", bytes(MEGABYTE)), places={1: (0, 0, MEGABYTE)}, times={1: 200})
    data = written(layout)
    tracemalloc.start()
    try:
        with pytest.raises(HeifError, match="more than the file"):
            read_picture(data)
        assert tracemalloc.get_traced_memory()[1] < 4 * MEGABYTE
    finally:
        tracemalloc.stop()
    assert refusal(data) is ImageRefusal.BROKEN
