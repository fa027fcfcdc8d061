"""HEVC (ITU-T H.265) as a still picture holds it: one set of parameters, one intra picture; anything else is refused, nothing decoded.

A decoder of video keeps pictures, takes new parameters on the way and refers back. A photo needs none of this, and that is where such
decoders have been attacked. So what goes to the decoder is written anew from the parts that a photo has.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from assent.heif.boxes import Cursor, HeifError
from assent.heif.file import HeifUnsupportedError
from assent.heif.sequence_parameters import Colours, sequence_parameters

MAX_UNITS = 2_048
"""Parts of one picture, or of its parameters. A level allows 600 slices at most."""
MAX_PARAMETER_BYTES = 16_384
MAX_PICTURE_PARAMETERS = 16
_VPS, _SPS, _PPS = 32, 33, 34
_PARAMETERS = frozenset({_VPS, _SPS, _PPS})
_INTRA = range(16, 22)
"""Pictures that refer to no other: BLA, IDR, CRA."""
_CODED = range(32)


@dataclass(frozen=True, slots=True)
class HevcParameters:
    """One hvcC record, checked: the size in pixels that a decoder gives, and the record written anew."""

    width: int
    height: int
    record: bytes
    length_size: int
    units: frozenset[bytes]
    colours: Colours | None = None


def hevc_parameters(record: bytes, colours: Colours | None = None) -> HevcParameters:
    """The parameters of an hvcC record, with the colours that the file states beside it.

    Raises HeifError, and HeifUnsupportedError for those of more than one picture.
    """
    fields = Cursor(record, 0, len(record))
    head = fields.take(22)
    if head[0] != 1:
        raise HeifUnsupportedError("the parameters are of a version that is not known")
    units: dict[int, list[bytes]] = {_VPS: [], _SPS: [], _PPS: []}
    listed = 0
    for _ in range(fields.number(1)):
        kind, count = fields.number(1) & 63, fields.number(2)
        listed += count
        if listed > MAX_UNITS:
            raise HeifError("parameters of too many parts")
        for _ in range(count):
            unit = fields.take(fields.number(2))
            kind_of_unit, is_lowest = _head(unit)
            if kind in _PARAMETERS and is_lowest:
                if kind_of_unit != kind or len(unit) > MAX_PARAMETER_BYTES:
                    raise HeifError("a parameter set is not what it is listed as")
                units[kind].append(unit)
    if len(units[_VPS]) != 1 or len(units[_SPS]) != 1 or not 1 <= len(units[_PPS]) <= MAX_PICTURE_PARAMETERS:
        raise HeifUnsupportedError("not the parameters of one picture")
    every = frozenset(unit for told in units.values() for unit in told)
    sequence = sequence_parameters(units[_SPS][0], colours)
    units[_SPS] = [sequence.unit]
    return HevcParameters(sequence.width, sequence.height, _written(head, units), (head[21] & 3) + 1, every, colours)


def hevc_picture(content: bytes, parameters: HevcParameters) -> bytes:
    """The slices of one picture, each with a length of four bytes. Raises HeifError, HeifUnsupportedError where it refers to another."""
    fields = Cursor(content, 0, len(content))
    kept: list[bytes] = []
    for _ in range(MAX_UNITS):
        if not fields.left:
            break
        unit = fields.take(fields.number(parameters.length_size))
        kind, is_lowest = _head(unit)
        if kind in _PARAMETERS and unit not in parameters.units and is_lowest:
            raise HeifUnsupportedError("the picture brings parameters of its own")
        if kind not in _CODED or not is_lowest:
            continue
        if kind not in _INTRA:
            raise HeifUnsupportedError("the picture refers to another one")
        if len(unit) < 3 or bool(unit[2] & 0x80) != (not kept):
            # The first bit after the head: whether a picture begins here.
            raise HeifError("not the slices of one picture")
        kept.append(struct.pack(">I", len(unit)) + unit)
    if fields.left or not kept:
        raise HeifError("a picture without slices, or with too many parts")
    return b"".join(kept)


def _head(unit: bytes) -> tuple[int, bool]:
    """What a unit is (ITU-T H.265, table 7-1), and whether it is of the lowest layer; a photo has no other."""
    if len(unit) < 2:
        raise HeifError("a part of the picture is shorter than its own head")
    return unit[0] >> 1 & 63, not unit[0] & 1 and not unit[1] >> 3


def _written(head: bytes, units: dict[int, list[bytes]]) -> bytes:
    """The record with these units alone, complete, and with lengths of four bytes."""
    parts = [head[:21], bytes([head[21] | 3, len(units)])]
    for kind in (_VPS, _SPS, _PPS):
        parts.append(struct.pack(">BH", 0x80 | kind, len(units[kind])))
        parts.extend(struct.pack(">H", len(unit)) + unit for unit in units[kind])
    return b"".join(parts)
