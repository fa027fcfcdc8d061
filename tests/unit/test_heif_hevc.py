"""HEVC as a still picture holds it: which units reach the decoder, which are left out, and which end the reading."""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence

import pytest

from assent.heif.boxes import HeifError
from assent.heif.file import HeifUnsupportedError
from assent.heif.hevc import HevcParameters, hevc_parameters, hevc_picture
from assent.heif.sequence_parameters import Colours
from tests.unit.heif_examples import small

VPS, SPS, PPS, END_OF_SEQUENCE, MESSAGE = 32, 33, 34, 36, 39
IDR, TRAILING = 19, 1


def unit(kind: int, content: bytes = b"\x80content", *, layer: int = 0) -> bytes:
    return bytes([kind << 1 | layer >> 5, (layer & 31) << 3 | 1]) + content


def parts_of(record: bytes) -> list[tuple[int, list[bytes]]]:
    """The arrays of an hvcC record (ISO/IEC 14496-15, 8.3.3.1) with their units, to its very end."""
    found, place = [], 23
    for _ in range(record[22]):
        kind, count = struct.unpack_from(">BH", record, place)
        place += 3
        units = []
        for _ in range(count):
            (length,) = struct.unpack_from(">H", record, place)
            units.append(record[place + 2 : place + 2 + length])
            place += 2 + length
        found.append((kind, units))
    assert place == len(record)
    return found


HEAD = small().record[:22]
SETS: dict[int, bytes] = {kind & 63: units[0] for kind, units in parts_of(small().record)}


def record(arrays: Sequence[tuple[int, Sequence[bytes]]], head: bytes = HEAD) -> bytes:
    told = [struct.pack(">BH", kind, len(units)) + b"".join(struct.pack(">H", len(one)) + one for one in units) for kind, units in arrays]
    return head + bytes([len(told)]) + b"".join(told)


def sets(*, vps: Sequence[bytes] = (), sps: Sequence[bytes] = (), pps: Sequence[bytes] = ()) -> bytes:
    """A record with these sets, and of what is not told the one that the small picture has."""
    return record([(VPS, vps or [SETS[VPS]]), (SPS, sps or [SETS[SPS]]), (PPS, pps or [SETS[PPS]])])


def read(slices: Sequence[bytes], parameters: HevcParameters | None = None, *, size: int = 4) -> bytes:
    content = b"".join(len(one).to_bytes(size, "big") + one for one in slices)
    return hevc_picture(content, parameters or hevc_parameters(sets()))


def kept(*slices: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(one)) + one for one in slices)


def test_what_goes_to_the_decoder_is_one_set_of_each_kind_complete_and_nothing_else() -> None:
    message, enhanced = unit(MESSAGE, b"\5needle"), unit(SPS, b"needle", layer=1)
    head = HEAD[:21] + bytes([0b11111000])
    arrays = [(MESSAGE, [message]), (SPS, [SETS[SPS], enhanced]), (0x80 | VPS, [SETS[VPS]]), (PPS, [SETS[PPS]])]
    found = hevc_parameters(record(arrays, head))
    assert (found.width, found.height, found.length_size, found.colours) == (64, 64, 1, None)
    # The record says of each kind that no more of it is in the slices, and that lengths have four bytes.
    assert found.record[:23] == head[:21] + bytes([0b11111011, 3])
    written = dict(parts_of(found.record))
    assert list(written) == [0x80 | VPS, 0x80 | SPS, 0x80 | PPS]
    assert (written[0x80 | VPS], written[0x80 | PPS]) == ([SETS[VPS]], [SETS[PPS]])
    assert b"needle" not in found.record
    assert found.units == frozenset(SETS[kind] for kind in (VPS, SPS, PPS))


def test_the_colours_that_the_file_states_are_written_into_the_set_and_kept() -> None:
    stated = Colours.of(9, is_full=False)
    with_colours = hevc_parameters(sets(), stated)
    assert with_colours.colours == stated
    assert with_colours.record != hevc_parameters(sets()).record
    assert with_colours.units == hevc_parameters(sets()).units


def test_sixteen_picture_parameter_sets_are_a_pictures_and_seventeen_are_not() -> None:
    many = [SETS[PPS] + bytes([number]) for number in range(17)]
    assert dict(parts_of(hevc_parameters(sets(pps=many[:16])).record))[0x80 | PPS] == many[:16]
    with pytest.raises(HeifUnsupportedError):
        hevc_parameters(sets(pps=many))


def test_parameters_have_2048_parts_at_most() -> None:
    messages = [b"\x4e\1"] * 2_045
    arrays = [*parts_of(sets()), (MESSAGE, messages[:1_000]), (MESSAGE, messages[1_000:])]
    assert hevc_parameters(record(arrays)).record == hevc_parameters(sets()).record
    with pytest.raises(HeifError, match="too many parts"):
        hevc_parameters(record([*arrays, (MESSAGE, messages[:1])]))


def test_a_parameter_set_has_16384_bytes_at_most() -> None:
    assert hevc_parameters(sets(vps=[SETS[VPS].ljust(16_384, b"\1")]))
    with pytest.raises(HeifError, match="not what it is listed as"):
        hevc_parameters(sets(vps=[SETS[VPS].ljust(16_385, b"\1")]))


NOT_OF_ONE = {
    "no video set": record([(SPS, [SETS[SPS]]), (PPS, [SETS[PPS]])]),
    "two video sets": sets(vps=[SETS[VPS]] * 2),
    "no sequence set": record([(VPS, [SETS[VPS]]), (PPS, [SETS[PPS]])]),
    "two sequence sets": sets(sps=[SETS[SPS]] * 2),
    "no picture set": record([(VPS, [SETS[VPS]]), (SPS, [SETS[SPS]])]),
    "a sequence set of another layer alone": sets(sps=[unit(SPS, SETS[SPS][2:], layer=1)]),
    "a sequence set of layer 32 alone": sets(sps=[unit(SPS, SETS[SPS][2:], layer=32)]),
    "another version": record(list(parts_of(sets())), b"\0" + HEAD[1:]),
}


@pytest.mark.parametrize("told", NOT_OF_ONE.values(), ids=list(NOT_OF_ONE))
def test_the_parameters_of_more_or_less_than_one_picture_are_not_taken(told: bytes) -> None:
    with pytest.raises(HeifUnsupportedError):
        hevc_parameters(told)


BROKEN = {
    "a picture set listed as a video set": record([(VPS, [SETS[PPS]]), (SPS, [SETS[SPS]]), (PPS, [SETS[PPS]])]),
    "a set without a head": sets(pps=[SETS[PPS], b"\x44"]),
    "a message without a head": record([*parts_of(sets()), (MESSAGE, [b""])]),
    "no room for the number of kinds": HEAD,
    "not even a head": HEAD[:21],
    "more kinds than are there": HEAD + b"\4" + sets()[23:],
    "more units than are there": record([(VPS, [SETS[VPS]]), (SPS, [SETS[SPS]])])[:22] + b"\3" + sets()[23:-1],
}


@pytest.mark.parametrize("told", BROKEN.values(), ids=list(BROKEN))
def test_parameters_that_do_not_fit_are_broken(told: bytes) -> None:
    with pytest.raises(HeifError):
        hevc_parameters(told)


def test_each_kind_of_unit_is_kept_left_out_or_refused() -> None:
    """As table 7-1 numbers them: pictures that refer to none are kept, pictures that do are refused, what codes no pixels is left out."""
    whole, found = unit(IDR, b"\x80whole"), {}
    for kind in range(64):
        try:
            found[kind] = read([unit(kind), *([] if kind < 32 else [whole])])
        except HeifUnsupportedError:
            found[kind] = b"refused"
    own = {VPS, SPS, PPS}
    assert {kind for kind in found if found[kind] == b"refused"} == {*range(16), *range(22, 32), *own}
    assert {kind for kind in found if found[kind] == kept(unit(kind))} == set(range(16, 22))
    assert {kind for kind in found if found[kind] == kept(whole)} == set(range(35, 64))


@pytest.mark.parametrize("layer", [1, 31, 32, 63])
def test_units_of_another_layer_are_left_out(layer: int) -> None:
    first = unit(IDR)
    for kind in (TRAILING, IDR, VPS, SPS, PPS, MESSAGE):
        assert read([unit(kind, layer=layer), first, unit(kind, layer=layer)]) == kept(first)


def test_what_only_marks_the_end_has_nothing_but_a_head_and_is_left_out() -> None:
    first = unit(IDR)
    assert read([first, unit(END_OF_SEQUENCE, b"")]) == kept(first)


def test_the_same_parameters_again_are_left_out() -> None:
    first = unit(IDR)
    assert read([*SETS.values(), first]) == kept(first)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_lengths_have_as_many_bytes_as_the_record_says(size: int) -> None:
    parameters = hevc_parameters(record(parts_of(sets()), HEAD[:21] + bytes([0xFC | size - 1])))
    first, second = unit(IDR), unit(IDR, b"\x7f")
    assert parameters.length_size == size
    assert read([first, second], parameters, size=size) == kept(first, second)


SLICES = {
    "no unit": [],
    "no slice": [unit(MESSAGE)],
    "a slice without content": [unit(IDR, b"")],
    "a further slice without content": [unit(IDR), unit(IDR, b"")],
    "a picture that never began": [unit(IDR, b"\x7f")],
    "a second picture": [unit(IDR), unit(IDR)],
    "a unit of one byte": [unit(IDR), b"\x26"],
    "an empty unit": [unit(IDR), b""],
}


@pytest.mark.parametrize("slices", SLICES.values(), ids=list(SLICES))
def test_slices_that_are_not_those_of_one_picture_are_broken(slices: list[bytes]) -> None:
    with pytest.raises(HeifError):
        read(slices)


def test_a_picture_has_2048_parts_at_most() -> None:
    first, more = unit(IDR, b"\x80"), unit(IDR, b"\0")
    parameters = hevc_parameters(sets())
    assert read([first, *[more] * 2_047], parameters) == kept(first, *[more] * 2_047)
    began = time.process_time()
    for rest in (2_048, 20_000):
        with pytest.raises(HeifError, match="too many parts"):
            read([first, *[more] * rest], parameters)
    assert time.process_time() - began < 1
