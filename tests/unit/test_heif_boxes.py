"""The boxes of a file and the fields in them: what fits exactly is read, one byte or one box more is an error."""

from __future__ import annotations

import struct
import time

import pytest

from assent.heif.boxes import Box, Cursor, HeifError, HeifTruncatedError, boxes
from assent.heif.file import HeifMovingError, is_heif, top_level
from tests.unit.heif_examples import box


def all_of(data: bytes, start: int = 0, end: int | None = None) -> list[Box]:
    return list(boxes(data, start, len(data) if end is None else end))


def large(kind: bytes, length: int) -> bytes:
    """The head of a box that states its length in eight bytes."""
    return struct.pack(">I4sQ", 1, kind, length)


def test_boxes_follow_each_other_without_a_gap() -> None:
    data = box(b"free", b"") + large(b"wide", 19) + b"abc" + large(b"none", 16) + struct.pack(">I4s", 0, b"last") + b"to the end"
    assert all_of(data) == [
        Box(b"free", 0, 8, 8),
        Box(b"wide", 8, 24, 27),
        Box(b"none", 27, 43, 43),
        Box(b"last", 43, 51, 61),
    ]
    assert all_of(data, 27, 43) == [Box(b"none", 27, 43, 43)]
    assert [(one.kind, one.end) for one in all_of(data, 43, 60)] == [(b"last", 60)]


@pytest.mark.parametrize("head", [struct.pack(">I4s", length, b"free") for length in range(2, 8)] + [large(b"free", 15), large(b"free", 0)])
def test_a_box_is_not_shorter_than_its_head(head: bytes) -> None:
    with pytest.raises(HeifError, match="shorter than its own head"):
        all_of(head + bytes(40))


BEYOND = {
    "less than a head": b"\0\0\0\x08fre",
    "less than a long head": large(b"free", 16)[:15],
    "less than its content": struct.pack(">I4s", 13, b"free") + b"four",
    "less than its content of a long head": large(b"free", 21) + b"four",
    "four gigabytes": struct.pack(">I4s", 0xFFFF_FFFF, b"free"),
    "more than there are bytes anywhere": large(b"free", 1 << 63),
}


@pytest.mark.parametrize("data", BEYOND.values(), ids=list(BEYOND))
def test_a_box_beyond_the_end_says_whether_the_file_or_what_holds_it_is_too_short(data: bytes) -> None:
    with pytest.raises(HeifTruncatedError):
        all_of(data)
    with pytest.raises(HeifError, match="longer than what holds it") as caught:
        all_of(data + bytes(40), 0, len(data))
    assert not isinstance(caught.value, HeifTruncatedError)


def test_8192_boxes_are_read_and_one_more_is_not() -> None:
    assert len(all_of(box(b"free", b"") * 8_192)) == 8_192
    began = time.process_time()
    with pytest.raises(HeifError, match="too many boxes"):
        all_of(box(b"free", b"") * 200_000)
    assert time.process_time() - began < 1
    with pytest.raises(HeifError, match="too many boxes"):
        all_of(box(b"free", b"") * 8_193)


def test_fields_are_read_to_the_end_and_not_beyond() -> None:
    fields = Cursor(b"..\1\2\3\4\5\6\7..", 2, 9)
    assert (fields.number(0), fields.number(2), fields.version_and_flags(), fields.left) == (0, 0x102, (3, 0x040506), 1)
    assert (fields.take(1), fields.left, fields.take(0)) == (b"\7", 0, b"")
    with pytest.raises(HeifError, match="ends inside a field"):
        fields.take(1)


def test_a_text_ends_with_its_zero_or_with_its_box() -> None:
    fields = Cursor(b"\0one", 0, 4)
    assert (fields.text(), fields.position) == ("", 1)
    fields = Cursor(b"..one\0\0\xfftwo\0three", 2, 11)
    assert (fields.text(), fields.position, fields.text(), fields.left) == ("one", 6, "", 4)
    assert (fields.text(), fields.left, fields.text()) == ("\N{REPLACEMENT CHARACTER}two", 0, "")


def first(*brands: bytes, version: bytes = b"\0\0\0\0") -> bytes:
    return box(b"ftyp", brands[0] + version + b"".join(brands[1:]))


META = box(b"meta", b"")


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2"])
def test_the_brands_of_still_pictures_are_known_first_and_later(brand: bytes) -> None:
    for data in (first(brand), first(b"what", brand), first(b"what", b"jpeg", brand)):
        assert is_heif(data)
        assert is_heif(data + META)
        assert top_level(data + META).meta == Box(b"meta", len(data), len(data) + 8, len(data) + 8)


@pytest.mark.parametrize("brand", [b"hevc", b"hevx", b"hevm", b"hevs", b"msf1"])
def test_the_brands_of_sequences_are_known_and_refused_where_they_come_first(brand: bytes) -> None:
    assert is_heif(first(brand))
    assert is_heif(first(b"heic", brand))
    with pytest.raises(HeifMovingError):
        top_level(first(brand, b"mif1", b"heic") + META)
    assert top_level(first(b"heic", brand) + META)


@pytest.mark.parametrize("kind", [b"moov", b"moof"])
def test_a_film_beside_the_picture_is_a_film(kind: bytes) -> None:
    with pytest.raises(HeifMovingError):
        top_level(first(b"heic") + META + box(kind, b""))
    with pytest.raises(HeifMovingError):
        top_level(first(b"heic") + box(kind, b""))


OTHERS = {
    "another brand": first(b"avif", b"isom"),
    "its version is no brand": first(b"avif", version=b"heic"),
    "half a brand at the end": first(b"avif", b"mif"),
    "a brand across two": first(b"avif", b"..he", b"ic.."),
    "a brand behind the box": first(b"avif") + b"heic",
    "a brand beyond the end": struct.pack(">I4s", 40, b"ftyp") + b"avif\0\0\0\0isomhei",
    "another first box": box(b"free", b"heic\0\0\0\0heic"),
    "brands beyond the first 4096 bytes": first(*[b"what"] * 1_021, b"heic"),
    "nothing": b"",
}


@pytest.mark.parametrize("data", OTHERS.values(), ids=list(OTHERS))
def test_what_does_not_say_it_is_of_the_family_is_none(data: bytes) -> None:
    assert not is_heif(data)


def test_the_first_4096_bytes_of_brands_count_to_the_last() -> None:
    assert is_heif(first(*[b"what"] * 1_020, b"heic"))


def test_the_boxes_that_a_uuid_names_are_found_in_order() -> None:
    data = first(b"heic") + box(b"uuid", b"one") + META + box(b"free", b"") + box(b"uuid", b"three")
    found = top_level(data)
    assert [data[one.start : one.end] for one in found.named] == [b"one", b"three"]
    assert found.meta.kind == b"meta"


@pytest.mark.parametrize("metas", [0, 2])
def test_a_file_has_one_list_of_its_items(metas: int) -> None:
    with pytest.raises(HeifError, match="list of its items"):
        top_level(first(b"heic") + META * metas)
