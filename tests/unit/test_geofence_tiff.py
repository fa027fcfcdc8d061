"""The reader of TIFF directories by itself: every type in both orders of bytes, what has no value, and where reading ends."""

from __future__ import annotations

import struct

import pytest

from assent.geofence.tiff import (
    MAX_DIRECTORY_BYTES,
    MAX_ENTRIES,
    MAX_TEXT_BYTES,
    MAX_VALUE_BYTES,
    Field,
    TiffError,
    directory,
    first_directory,
)
from tests.unit.tiff_examples import ASCII, BYTE, IFD, LONG, RATIONAL, SHORT, SIGNED_RATIONAL, SIZES, UNDEFINED, UTF_8

ORDERS = {"<": b"II*\0", ">": b"MM\0*"}
TAG, NEXT = 0x9010, 0x9011


def entry(order: str, tag: int, kind: int, count: int, value: bytes) -> bytes:
    return struct.pack(order + "HHI", tag, kind, count) + value.ljust(4, b"\0")


def one(kind: int, count: int, value: bytes, *, order: str = "<") -> bytes:
    """A block with one tag, whose value ends with the block."""
    inline = value if len(value) <= 4 else struct.pack(order + "I", 22)
    return block([entry(order, TAG, kind, count, inline)], order=order) + (b"" if len(value) <= 4 else value)


def block(entries: list[bytes], *, order: str = "<", count: int | None = None) -> bytes:
    counted = len(entries) if count is None else count
    return ORDERS[order] + struct.pack(order + "IH", 8, counted) + b"".join(entries)


def nothing(order: str = "<") -> Field:
    """What is there and has no value."""
    return Field(0, 0, b"", order)


def values(block: bytes) -> list[float]:
    return first_directory(block)[TAG].rationals()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("count", [1, 3, 4, 5])
def test_a_value_of_every_type_is_cut_out_whole(order: str, kind: int, count: int) -> None:
    value = bytes(range(1, count * SIZES[kind] + 1))
    whole = one(kind, count, value, order=order)
    assert first_directory(whole) == {TAG: Field(kind, count, value, order)}
    if len(value) > 4:
        assert first_directory(whole[:-1]) == {TAG: nothing(order)}


@pytest.mark.parametrize("header", [b"", b"II", b"II+\0", b"MM*\0", b"II\0*", b"mm\0*", b"IIII"])
def test_only_the_two_headers_of_tiff_are_taken(header: bytes) -> None:
    with pytest.raises(TiffError, match="no TIFF header"):
        first_directory(header + one(SHORT, 1, b"\1\0")[4:])


def test_a_block_that_is_cut_off_anywhere_ends_in_no_other_way() -> None:
    whole = block([entry("<", TAG, SHORT, 1, b"\1\0"), entry("<", NEXT, ASCII, 6, struct.pack("<I", 34))]) + b"+02:00"
    assert {tag: field.data for tag, field in first_directory(whole).items()} == {TAG: b"\1\0", NEXT: b"+02:00"}
    for end in range(34):
        with pytest.raises(TiffError):
            first_directory(whole[:end])
    assert all(first_directory(whole[:end])[NEXT] == nothing() for end in range(34, 40))


def test_an_entry_without_a_sense_spoils_itself_and_not_its_neighbours() -> None:
    good = entry("<", TAG, SHORT, 1, b"\1\0")
    for bad in (
        entry("<", NEXT, 99, 1, b"\0\0\0\0"),
        entry("<", NEXT, 0, 0xFFFF_FFFF, b"\0\0\0\0"),
        entry("<", NEXT, 99, 9, b"")[:8],
        entry("<", NEXT, LONG, 1, b"")[:11],
        entry("<", NEXT, ASCII, 50, struct.pack("<I", 8)),
        entry("<", NEXT, ASCII, 5, b"\xff\xff\xff\xff"),
        entry("<", NEXT, RATIONAL, 0xFFFF_FFFF, struct.pack("<I", 8)),
    ):
        assert first_directory(block([good, bad])) == {TAG: Field(SHORT, 1, b"\1\0", "<"), NEXT: nothing()}


def test_a_tag_that_is_given_twice_has_no_value_however_often_it_comes() -> None:
    twice = [entry("<", TAG, SHORT, 1, b"\1\0"), entry("<", TAG, SHORT, 1, b"\2\0")]
    assert first_directory(block(twice)) == {TAG: nothing()}
    assert first_directory(block([*twice, twice[0]])) == {TAG: nothing()}


def test_as_many_entries_are_read_as_is_said_and_no_more() -> None:
    entries = [entry("<", number, BYTE, 1, b"\7") for number in range(MAX_ENTRIES)]
    found = first_directory(block(entries))
    assert set(found) == set(range(512))
    assert set(found.values()) == {Field(BYTE, 1, b"\7", "<")}
    with pytest.raises(TiffError, match="too many entries"):
        first_directory(block([*entries, entry("<", 9_999, BYTE, 1, b"\7")]))
    assert first_directory(block(entries, count=0)) == {}


@pytest.mark.parametrize(
    ("kind", "most"), [(BYTE, MAX_VALUE_BYTES), (UNDEFINED, 4_096), (ASCII, MAX_TEXT_BYTES), (UTF_8, 262_144)], ids=str
)
def test_a_value_of_the_most_bytes_is_read_and_one_more_is_not(kind: int, most: int) -> None:
    assert first_directory(one(kind, most, b"x" * most))[TAG].data == b"x" * most
    assert first_directory(one(kind, most + 1, b"x" * (most + 1)))[TAG] == nothing()


def test_tags_that_claim_the_same_bytes_are_read_as_far_as_there_is_room() -> None:
    shared, tags = b"x" * MAX_TEXT_BYTES, range(5)
    assert MAX_DIRECTORY_BYTES == 1_048_576

    def claimed(*lengths: int) -> bytes:
        start = 8 + 2 + 12 * len(lengths)
        entries = [entry("<", tag, ASCII, length, struct.pack("<I", start)) for tag, length in zip(tags, lengths, strict=False)]
        return block(entries) + shared

    most = (MAX_TEXT_BYTES, MAX_TEXT_BYTES, MAX_TEXT_BYTES, MAX_TEXT_BYTES - 5, 5)
    assert [len(field.data) for field in first_directory(claimed(*most)).values()] == list(most)
    with pytest.raises(TiffError, match="too much in one directory"):
        first_directory(claimed(*most[:-1], 6))


def test_a_directory_is_read_where_it_is_pointed_to() -> None:
    assert directory(b"......" + block([entry(">", TAG, SHORT, 1, b"\0\5")], order=">")[8:], 6, ">")[TAG].number() == 5


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("kind", "form", "value"), [(BYTE, "B", 200), (SHORT, "H", 40_000), (LONG, "I", 4_000_000_000), (IFD, "I", 3_000_000_000)]
)
def test_whole_numbers_are_read_in_both_orders(order: str, kind: int, form: str, value: int) -> None:
    assert first_directory(one(kind, 1, struct.pack(order + form, value), order=order))[TAG].number() == value


@pytest.mark.parametrize(
    ("kind", "count", "value"),
    [(SHORT, 2, b"\1\0\2\0"), (LONG, 0, b""), (ASCII, 1, b"8"), (9, 1, b"\1\0\0\0"), (99, 1, b"\1\0\0\0")],
    ids=str,
)
def test_what_is_no_single_whole_number_is_none(kind: int, count: int, value: bytes) -> None:
    with pytest.raises(TiffError, match="not a whole number"):
        first_directory(one(kind, count, value))[TAG].number()


@pytest.mark.parametrize("order", ORDERS)
def test_quotients_are_read_with_their_sign_and_in_their_order(order: str) -> None:
    assert values(one(RATIONAL, 3, struct.pack(order + "6I", 1, 2, 4_000_000_000, 1, 7, 8), order=order)) == [0.5, 4e9, 0.875]
    assert values(one(SIGNED_RATIONAL, 2, struct.pack(order + "4i", -5, 2, 3, -4), order=order)) == [-2.5, -0.75]


@pytest.mark.parametrize(
    ("kind", "count", "value", "said"),
    [
        (RATIONAL, 0, b"", "not a rational"),
        (LONG, 2, struct.pack("<2I", 1, 2), "not a rational"),
        (99, 1, struct.pack("<2I", 1, 2), "not a rational"),
        (RATIONAL, 1, struct.pack("<2I", 1, 0), "a zero denominator"),
        (RATIONAL, 2, struct.pack("<4I", 0, 0, 1, 1), "a zero denominator"),
        (SIGNED_RATIONAL, 2, struct.pack("<4i", 1, 1, -1, 0), "a zero denominator"),
    ],
    ids=str,
)
def test_what_is_no_quotient_is_none(kind: int, count: int, value: bytes, said: str) -> None:
    with pytest.raises(TiffError, match=said):
        values(one(kind, count, value))


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"N\0", "N"), (b" +02:00 \0", "+02:00"), (b"A\0B\0\1", "A"), (b"\0N", ""), (b"", ""), (b"\xffN", "\ufffdN"), (b"N", "N")],
    ids=str,
)
def test_a_text_ends_at_its_first_zero_and_never_raises(value: bytes, text: str) -> None:
    assert first_directory(one(ASCII, len(value), value))[TAG].text() == text
