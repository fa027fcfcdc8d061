"""Bits of a parameter set: numbers of up to 32 bits, 2048 bytes, and no start code in what is written anew."""

from __future__ import annotations

import time

import pytest

from assent.heif.bits import Bits
from assent.heif.boxes import HeifError


def bits_of(text: str) -> Bits:
    """These bits, with a one at the end and filled up; every other byte is kept from being taken for an escape."""
    text += "1" + "0" * (-(len(text) + 1) % 8)
    found = Bits(b"\xff" * (len(text) // 8))
    found.write(len(text), int(text, 2))
    found.position = 0
    return found


@pytest.mark.parametrize(
    ("coded", "number"),
    [
        ("1", 0),
        ("010", 1),
        ("011", 2),
        ("00100", 3),
        ("0" * 31 + "1" + "0" * 31, (1 << 31) - 1),
        ("0" * 31 + "1" + "1" * 31, (1 << 32) - 2),
    ],
)
def test_a_number_of_any_length_that_the_standard_has_is_read(coded: str, number: int) -> None:
    bits = bits_of(coded)
    assert (bits.golomb(), bits.position) == (number, len(coded))


def test_a_number_longer_than_that_is_none_and_costs_no_time() -> None:
    with pytest.raises(HeifError, match="too long"):
        bits_of("0" * 32 + "1" + "1" * 32).golomb()
    began = time.process_time()
    with pytest.raises(HeifError, match="too long"):
        bits_of("0" * 16_000 + "1").golomb()
    assert time.process_time() - began < 0.5


def test_nothing_is_read_or_written_beyond_the_end() -> None:
    bits = Bits(b"\xab\xcd")
    assert (bits.take(4), bits.take(12)) == (0xA, 0xBCD)
    for beyond in (lambda: Bits(b"\xab").take(9), lambda: Bits(b"\xab").skip(9), lambda: Bits(b"\xab").write(9, 0), Bits(b"").golomb):
        with pytest.raises(HeifError, match="ends too early"):
            beyond()
    Bits(b"\xab").skip(8)


def test_2048_bytes_are_read_as_they_are_without_their_escapes_and_one_more_is_not() -> None:
    longest = b"\xab" * 2_045 + b"\0\0\3"
    assert Bits(longest + b"\1").payload() == longest + b"\1"
    assert Bits(b"\xab" * 2_048).payload() == b"\xab" * 2_048
    for more in (longest + b"\1\xab", b"\xab" * 2_049):
        with pytest.raises(HeifError, match="longer than one has to be"):
            Bits(more)


def test_what_is_written_takes_the_place_of_what_stood_there_alone() -> None:
    bits = Bits(b"\xff\xff\xff")
    bits.skip(6)
    bits.write(5, 0b00100)
    assert (bits.position, bits.payload()) == (11, bytes([0b11111100, 0b10011111, 0xFF]))


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        (b"\0\0\0", b"\0\0\3\0"),
        (b"\0\0\1", b"\0\0\3\1"),
        (b"\0\0\2", b"\0\0\3\2"),
        (b"\0\0\3", b"\0\0\3\3"),
        (b"\0\0\4", b"\0\0\4"),
        (b"\0\1\0\1", b"\0\1\0\1"),
        (b"\0\0\0\0\0\1", b"\0\0\3\0\0\3\0\1"),
        (b"\0\0\1\0\1", b"\0\0\3\1\0\1"),
        (b"\0\0", b"\0\0"),
    ],
)
def test_no_start_code_comes_about(raw: bytes, written: bytes) -> None:
    """Three bytes stand for the beginning of the next unit, so a 3 comes between (7.4.2)."""
    bits = Bits(b"\xff" * len(raw))
    bits.write(8 * len(raw), int.from_bytes(raw, "big"))
    assert bits.payload() == written
