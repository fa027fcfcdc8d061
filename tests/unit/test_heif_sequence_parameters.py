"""A sequence parameter set written bit by bit: its size is found behind everything that may stand before it, and its colours go."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.faces.image import ImageLimits, decode
from assent.heif.bits import Bits
from assent.heif.boxes import HeifError
from assent.heif.file import HeifUnsupportedError
from assent.heif.sequence_parameters import Colours, sequence_parameters
from tests.unit.heif_examples import distance, others_view, picture, saved_heic

HEAD = b"\x42\x01"


def ue(value: int) -> str:
    text = f"{value + 1:b}"
    return "0" * (len(text) - 1) + text


def colours(primaries: int, curve: int, matrix: int, *, is_full: int = 1) -> str:
    """A pixel of a shape of its own, overscan, then the colours; then a flag of what follows."""
    return (
        "1"
        + "11111111"
        + f"{16:016b}{9:016b}"
        + "11"
        + "1"
        + "101"
        + f"{is_full:d}"
        + "1"
        + f"{primaries:08b}{curve:08b}{matrix:08b}"
        + "0"
    )


SCALING = "".join("1" + ue(5) * (min(64, 16 << 2 * size) + (size > 1)) for size in range(4) for _ in range(0, 6, 3 if size == 3 else 1))
# Three sets: one of two pictures, one told by the first (used, kept, neither), and one of none.
REFERENCES = ue(3) + (ue(1) + ue(1) + (ue(0) + "1") * 2) + ("1" + "0" + ue(0) + "1" + "01" + "00") + ("0" + ue(0) + ue(0))
# Told by the one before, which is told by the first: of two pictures one is used and one is kept, so three flags follow.
CHAIN = ue(3) + (ue(1) + ue(0) + (ue(0) + "1")) + ("1" + "0" + ue(0) + "1" + "01") + ("1" + "1" + ue(0) + "00" + "00" + "1")
PARTS = {
    "plain": {},
    "two layers": {"layers": 2},
    "two layers with one order of pictures": {"layers": 2, "order": "0" + ue(1) + ue(0) + ue(0)},
    "every colour sampled": {"chroma": 3},
    "colours sampled at each line": {"chroma": 2},
    "no colours": {"chroma": 0},
    "nothing is cut": {"cut": None},
    "scaling lists": {"scaling": "11" + SCALING},
    "scaling lists like others": {"scaling": "11" + ("0" + ue(0)) * 20},
    "scaling by the rule": {"scaling": "10"},
    "samples as they are": {"pcm": "1" + "0111" + "0111" + ue(0) + ue(2) + "0"},
    "references": {"references": REFERENCES},
    "references told by others": {"references": CHAIN},
    "as many references as there can be": {"references": ue(64) + (ue(16) + ue(16) + (ue(0) + "1") * 32) + ("0" + ue(0) + ue(0)) * 63},
    "references long ago": {"long": "1" + ue(2) + "0000001" + "1" + "0000010" + "0"},
    "as many of long ago as there can be": {"long": "1" + ue(32) + "00000011" * 32},
}


def written(
    *,
    width: int = 640,
    height: int = 480,
    layers: int = 0,
    chroma: int = 1,
    cut: tuple[int, int, int, int] | None = (0, 2, 0, 1),
    order: str | None = None,
    scaling: str = "0",
    pcm: str = "0",
    references: str = ue(0),
    long: str = "0",
    told: str = "0",
) -> bytes:
    text = "0000" + f"{layers:03b}" + "1" + "0" * 96 + "11" * layers + ("00" * (8 - layers) if layers else "") + "1" * 96 * layers
    text += ue(0) + ue(chroma) + ("0" if chroma == 3 else "") + ue(width) + ue(height)
    text += "0" if cut is None else "1" + "".join(map(ue, cut))
    text += ue(0) + ue(0) + ue(4 - 1) + ("1" + (ue(1) + ue(0) + ue(0)) * (layers + 1) if order is None else order)
    text += "".join(map(ue, (0, 3, 0, 3, 0, 0))) + scaling + "10" + pcm + references + long + "11" + told + "1"
    text += "0" * (-len(text) % 8)
    return HEAD + escaped(int(text, 2).to_bytes(len(text) // 8, "big"))


def escaped(raw: bytes) -> bytes:
    bits = Bits(b"\xff" * len(raw))
    for byte in raw:
        bits.write(8, byte)
    return bits.payload()


@pytest.mark.parametrize("parts", PARTS.values(), ids=list(PARTS))
@pytest.mark.parametrize(("primaries", "curve", "matrix", "kept"), [(9, 16, 9, 9), (12, 13, 6, 6), (1, 1, 0, 2), (9, 18, 14, 2)])
def test_the_size_is_found_and_the_colours_are_unsaid(parts: dict[str, object], primaries: int, curve: int, matrix: int, kept: int) -> None:
    found = sequence_parameters(written(**parts, told="1" + colours(primaries, curve, matrix)))  # type: ignore[arg-type]
    across, down = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}[int(str(parts.get("chroma", 1)))]
    assert (found.width, found.height) == ((640 - 2 * across, 480 - down) if "cut" not in parts else (640, 480))
    assert found.unit == written(**parts, told="1" + colours(2, 2, kept))  # type: ignore[arg-type]


@pytest.mark.parametrize(("matrix", "kept"), [(each, each if each in (1, 5, 6, 9) else 2) for each in range(16)])
@pytest.mark.parametrize("is_full", [True, False])
def test_what_the_file_states_outside_takes_the_place_of_it(matrix: int, kept: int, is_full: bool) -> None:
    found = sequence_parameters(written(told="1" + colours(9, 16, 6, is_full=not is_full)), Colours.of(matrix, is_full=is_full))
    assert found.unit == written(told="1" + colours(2, 2, kept, is_full=is_full))


@pytest.mark.parametrize("parts", PARTS.values(), ids=list(PARTS))
def test_a_set_that_says_nothing_of_colours_stays_as_it_is(parts: dict[str, object]) -> None:
    unit = written(**parts)  # type: ignore[arg-type]
    assert sequence_parameters(unit).unit == unit


BENT = {
    "ends too early": (written(told="1" + colours(9, 16, 9))[:20], "ends too early"),
    "a colour format of its own": (written(chroma=4), "a colour format"),
    "wider than there is": (written(width=16_386), "of a size"),
    "higher than there is": (written(height=16_385), "of a size"),
    "nothing is left of the width": (written(width=32, cut=(8, 8, 0, 0)), "of a size"),
    "nothing is left of the height": (written(height=32, cut=(0, 0, 15, 1)), "of a size"),
    "no width": (written(width=0, cut=None), "of a size"),
    "no height": (written(height=0, cut=None), "of a size"),
    "too many lists": (written(references=ue(65) + ue(0) * 400), "more than there can be"),
    "too many pictures before": (written(references=ue(1) + ue(17) + ue(0) + "1" * 400), "more than there can be"),
    "too many pictures after": (written(references=ue(1) + ue(0) + ue(17) + "1" * 400), "more than there can be"),
    "too many pictures of long ago": (written(long="1" + ue(33) + "1" * 400), "more than there can be"),
    "a number without end": (HEAD + b"\1" + bytes(40), "too long"),
    "without end": (written(scaling="11" + SCALING) + b"\x55" * 4_000, "longer than one has to be"),
}


@pytest.mark.parametrize(("unit", "why"), BENT.values(), ids=list(BENT))
def test_a_set_that_cannot_be_is_broken(unit: bytes, why: str) -> None:
    with pytest.raises(HeifError, match=why):
        sequence_parameters(unit)


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"width": 16_384, "height": 16_384, "cut": None}, (16_384, 16_384)),
        ({"width": 33, "height": 1, "cut": (30, 2, 0, 0), "chroma": 3}, (1, 1)),
        ({"width": 1, "height": 33, "cut": (0, 0, 2, 30), "chroma": 3}, (1, 1)),
    ],
)
def test_the_largest_and_the_smallest_are_read(asked: dict[str, object], size: tuple[int, int]) -> None:
    found = sequence_parameters(written(**asked))  # type: ignore[arg-type]
    assert (found.width, found.height) == size


@pytest.mark.parametrize("sides", [(30, 34, 0, 0), (0, 0, 64, 0)])
def test_a_small_picture_hides_no_large_one(sides: tuple[int, int, int, int]) -> None:
    """64 pixels are the padding of a block; one more is hidden."""
    assert sequence_parameters(written(width=8_192, height=8_192, chroma=3, cut=sides))
    left, right, top, bottom = sides
    more = (left, right + 1, top, bottom) if right else (left, right, top, bottom + 1)
    for cut in (more, (4_000, 0, 0, 0), (0, 0, 0, 4_000)):
        with pytest.raises(HeifUnsupportedError):
            sequence_parameters(written(width=8_192, height=8_192, chroma=3, cut=cut))


@given(st.binary(max_size=400))
def test_what_is_escaped_is_read_back(raw: bytes) -> None:
    coded = escaped(raw)
    assert not any(coded[place : place + 3] in (b"\0\0\0", b"\0\0\1", b"\0\0\2") for place in range(len(coded)))
    bits = Bits(coded)
    assert bytes(bits.take(8) for _ in raw) == raw


@given(st.binary(max_size=300))
def test_noise_is_read_or_broken(noise: bytes) -> None:
    try:
        sequence_parameters(HEAD + noise)
    except (HeifError, HeifUnsupportedError):
        return


@pytest.mark.parametrize(("primaries", "curve", "matrix"), [(9, 16, 9), (9, 18, 9), (12, 13, 6), (1, 13, 1)])
def test_other_colours_cost_no_time_and_change_no_picture(primaries: int, curve: int, matrix: int) -> None:
    told = {"color_primaries": primaries, "transfer_characteristics": curve, "matrix_coefficients": matrix, "full_range_flag": 1}
    data = saved_heic(picture(320, 240), **told)
    began = time.process_time()
    seen = decode(data, limits=ImageLimits()).rgb
    assert time.process_time() - began < 0.5
    assert distance(seen, others_view(data)) < 4
