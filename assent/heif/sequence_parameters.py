"""A sequence parameter set of HEVC (ITU-T H.265, 7.3.2.2): the size of its pictures, and the same set without the colours it claims.

Colours of other primaries or another curve make a converter compute a table of all colours, which took seconds for a picture of 64
pixels. They say nothing of a face. What brightness means (the range) and how colours are mixed (the matrix) stay, unless the file says
otherwise outside.
"""

from __future__ import annotations

from dataclasses import dataclass

from assent.heif.bits import Bits
from assent.heif.boxes import HeifError
from assent.heif.file import HeifUnsupportedError

MAX_SIDE = 16_384
MAX_PADDING = 64
"""A picture is coded in whole blocks, of at most 64 pixels."""
UNSAID = 2
_MATRICES = frozenset({1, 5, 6, 9})
"""BT.709, the two forms of BT.601, BT.2020: the ones that photos have."""
_MAX_SETS, _MAX_PICTURES, _MAX_LONG = 64, 16, 32
_SCALING = ((6, 16), (6, 64), (6, 65), (2, 65))
"""Of each size of a block how many lists, and how many numbers in one; of large blocks the first coefficient has its own."""


@dataclass(frozen=True, slots=True)
class Colours:
    """How colours are mixed (matrix, ITU-T H.273), and whether brightness takes the full range."""

    matrix: int
    is_full: bool

    @classmethod
    def of(cls, matrix: int, *, is_full: bool) -> Colours:
        """A matrix that no photo has is none."""
        return cls(matrix if matrix in _MATRICES else UNSAID, is_full)


@dataclass(frozen=True, slots=True)
class SequenceParameters:
    """Width and height that a decoder gives, and the unit as it may go there."""

    width: int
    height: int
    unit: bytes


def sequence_parameters(unit: bytes, colours: Colours | None = None) -> SequenceParameters:
    """`colours` are those that the file states outside, which win.

    Raises HeifError, and HeifUnsupportedError where much more is coded than is shown.
    """
    bits = Bits(unit[2:])
    bits.skip(4)
    layers = bits.take(3)
    bits.skip(1)
    _skip_profile(bits, layers)
    bits.golomb()
    chroma = bits.golomb()
    if chroma > 3:
        raise HeifError("a colour format that does not exist")
    bits.skip(chroma == 3)
    width, height = _size(bits, chroma)
    _skip_coding(bits, layers)
    if bits.take(1):
        _forget_colours(bits, colours)
    return SequenceParameters(width, height, unit[:2] + bits.payload())


def _skip_profile(bits: Bits, layers: int) -> None:
    """profile_tier_level (7.3.3)."""
    bits.skip(88 + 8)
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.skip(2 * (8 - layers))
    for has_profile, has_level in present:
        bits.skip(88 * has_profile + 8 * has_level)


def _size(bits: Bits, chroma: int) -> tuple[int, int]:
    width, height = bits.golomb(), bits.golomb()
    across, down = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1)
    left, right, top, bottom = (bits.golomb() for _ in range(4)) if bits.take(1) else (0, 0, 0, 0)
    cut_x, cut_y = across * (left + right), down * (top + bottom)
    if not (0 < width - cut_x <= width <= MAX_SIDE and 0 < height - cut_y <= height <= MAX_SIDE):
        raise HeifError("a picture of a size that does not exist")
    if max(cut_x, cut_y) > MAX_PADDING:
        raise HeifUnsupportedError("more is coded than is shown")
    return width - cut_x, height - cut_y


def _skip_coding(bits: Bits, layers: int) -> None:
    """From the depths to the flag that says whether something is told about the colours."""
    _skip_numbers(bits, 2)
    order_bits = 4 + bits.golomb()
    _skip_numbers(bits, 3 * (layers + 1 if bits.take(1) else 1))
    _skip_numbers(bits, 6)
    if bits.take(1) and bits.take(1):
        _skip_scaling(bits)
    bits.skip(2)
    if bits.take(1):
        bits.skip(8)
        _skip_numbers(bits, 2)
        bits.skip(1)
    _skip_reference_sets(bits)
    if bits.take(1):
        for _ in range(_at_most(bits.golomb(), _MAX_LONG)):
            bits.skip(order_bits + 1)
    bits.skip(2)


def _skip_scaling(bits: Bits) -> None:
    """scaling_list_data (7.3.4). What is not listed is the same as another list, whose number follows."""
    for lists, numbers in _SCALING:
        for _ in range(lists):
            _skip_numbers(bits, numbers if bits.take(1) else 1)


def _skip_reference_sets(bits: Bits) -> None:
    """Which pictures others refer to (7.3.7): a photo has none, and its encoder may list them all the same."""
    before = 0
    for index in range(_at_most(bits.golomb(), _MAX_SETS)):
        if index and bits.take(1):
            bits.skip(1)
            bits.golomb()
            # Used by the picture, or else kept for later ones: one bit, or two.
            before = sum(1 if bits.take(1) else bits.take(1) for _ in range(before + 1))
        else:
            before = _at_most(bits.golomb(), _MAX_PICTURES) + _at_most(bits.golomb(), _MAX_PICTURES)
            for _ in range(before):
                bits.golomb()
                bits.skip(1)


def _forget_colours(bits: Bits, colours: Colours | None) -> None:
    """The beginning of vui_parameters (E.2.1): the shape of a pixel, overscan, then the colours."""
    if bits.take(1) and bits.take(8) == 255:
        bits.skip(32)
    if bits.take(1):
        bits.skip(1)
    if bits.take(1):
        bits.skip(3)
        is_full = bool(bits.take(1))
        if colours is not None:
            bits.position -= 1
            bits.write(1, colours.is_full)
        if bits.take(1):
            bits.write(8, UNSAID)
            bits.write(8, UNSAID)
            stated = colours or Colours.of(bits.take(8), is_full=is_full)
            bits.position -= 0 if colours else 8
            bits.write(8, stated.matrix)


def _skip_numbers(bits: Bits, count: int) -> None:
    for _ in range(count):
        bits.golomb()


def _at_most(count: int, most: int) -> int:
    if count > most:
        raise HeifError("a parameter set lists more than there can be")
    return count
