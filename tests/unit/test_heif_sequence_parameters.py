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
PARTS = {
    "plain": {},
    "two layers": {"layers": 2},
    "every colour sampled": {"chroma": 3},
    "scaling lists": {"scaling": "11" + SCALING},
    "scaling by the rule": {"scaling": "10"},
    "samples as they are": {"pcm": "1" + "0111" + "0111" + ue(0) + ue(2) + "0"},
    "references": {"references": REFERENCES},
    "references long ago": {"long": "1" + ue(2) + "0000001" + "1" + "0000010" + "0"},
}


def written(
    *,
    width: int = 640,
    height: int = 480,
    layers: int = 0,
    chroma: int = 1,
    cut: tuple[int, int, int, int] = (0, 2, 0, 1),
    scaling: str = "0",
    pcm: str = "0",
    references: str = ue(0),
    long: str = "0",
    told: str = "0",
) -> bytes:
    text = "0000" + f"{layers:03b}" + "1" + "0" * 96 + "11" * layers + ("00" * (8 - layers) if layers else "") + "1" * 96 * layers
    text += ue(0) + ue(chroma) + ("0" if chroma == 3 else "") + ue(width) + ue(height) + "1" + "".join(map(ue, cut))
    text += ue(0) + ue(0) + ue(4 - 1) + "1" + (ue(1) + ue(0) + ue(0)) * (layers + 1)
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
    across, down = (1, 1) if parts.get("chroma") == 3 else (2, 2)
    assert (found.width, found.height) == (640 - 2 * across, 480 - down)
    assert found.unit == written(**parts, told="1" + colours(2, 2, kept))  # type: ignore[arg-type]


@pytest.mark.parametrize(("matrix", "kept"), [(1, 1), (9, 9), (0, 2), (14, 2)])
@pytest.mark.parametrize("is_full", [True, False])
def test_what_the_file_states_outside_takes_the_place_of_it(matrix: int, kept: int, is_full: bool) -> None:
    found = sequence_parameters(written(told="1" + colours(9, 16, 6, is_full=not is_full)), Colours.of(matrix, is_full=is_full))
    assert found.unit == written(told="1" + colours(2, 2, kept, is_full=is_full))


@pytest.mark.parametrize("parts", PARTS.values(), ids=list(PARTS))
def test_a_set_that_says_nothing_of_colours_stays_as_it_is(parts: dict[str, object]) -> None:
    unit = written(**parts)  # type: ignore[arg-type]
    assert sequence_parameters(unit).unit == unit


BENT = {
    "ends too early": written(told="1" + colours(9, 16, 9))[:20],
    "wider than there is": written(width=20_000),
    "nothing is left": written(width=32, cut=(8, 8, 0, 0)),
    "a colour format of its own": written(chroma=4),
    "too many lists": written(references=ue(65)),
    "too many pictures": written(references=ue(1) + ue(17) + ue(0)),
    "a number without end": HEAD + b"\1" + bytes(40),
    "without end": written(scaling="11" + SCALING) + b"\x55" * 4_000,
}


@pytest.mark.parametrize("unit", BENT.values(), ids=list(BENT))
def test_a_set_that_cannot_be_is_broken(unit: bytes) -> None:
    with pytest.raises(HeifError):
        sequence_parameters(unit)


def test_a_small_picture_hides_no_large_one() -> None:
    with pytest.raises(HeifUnsupportedError):
        sequence_parameters(written(width=8_192, cut=(0, 4_000, 0, 0)))


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
