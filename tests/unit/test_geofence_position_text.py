"""Degrees and numbers in text: every spelling that XMP and signers use, to the last second, and none that can be read in two ways."""

from __future__ import annotations

import pytest

from assent.geofence.position_text import PositionError, degrees, number, signed_degrees


@pytest.mark.parametrize(
    ("text", "allowed", "expected"),
    [
        ("49N", "NS", 49),
        ("49,15.6N", "NS", 49.26),
        ("49,15,36N", "NS", 49.26),
        ("49,15,36.0001N", "NS", 49.26 + 0.0001 / 3600),
        ("0,0,1N", "NS", 1 / 3600),
        ("0,1S", "NS", -1 / 60),
        ("33,52,7S", "NS", -(33 + 52 / 60 + 7 / 3600)),
        ("114,4.314W", "EW", -114.0719),
        ("151,12.558E", "EW", 151.2093),
        ("49, 15.6 N", "NS", 49.26),
        ("59,59.99N", "NS", 59 + 59.99 / 60),
        ("59,59,59.99N", "NS", 59 + 59 / 60 + 59.99 / 3600),
    ],
)
def test_degrees_are_read(text: str, allowed: str, expected: float) -> None:
    assert degrees([text], allowed) == pytest.approx(expected, abs=1e-9)
    assert degrees([text, text], allowed) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("text", ["49,60N", "49,60.0,0N", "49,15,60N", "49,99,10N", "49,10,99N"])
def test_sixty_minutes_or_seconds_are_no_position(text: str) -> None:
    with pytest.raises(PositionError, match="more minutes than a degree has"):
        degrees([text], "NS")


@pytest.mark.parametrize(
    "texts",
    [[], ["49,15.6N", "49,15.7N"], ["49,15.6W"], ["49,15.6"], ["49.26N"], ["-49,15.6N"], ["N"], [""], ["4915,6N"], ["49,15.6NS"],
     ["49,15,6,1N"], ["٤٩,15N"], ["49;15N"], ["49,15.6N\n"]],
    ids=str,
)  # fmt: skip
def test_what_is_no_degrees_is_no_position(texts: list[str]) -> None:
    with pytest.raises(PositionError, match="no degrees, or two positions in one"):
        degrees(texts, "NS")


@pytest.mark.parametrize(
    ("texts", "letters", "allowed", "expected"),
    [
        (["51.0447"], [], "NS", 51.0447),
        (["+51.0447"], [], "NS", 51.0447),
        (["-114.0719"], [], "EW", -114.0719),
        (["51"], [], "NS", 51),
        (["51.0447", "51.0447"], ["N", "N"], "NS", 51.0447),
        (["33.8688"], ["S"], "NS", -33.8688),
        (["114.0719"], ["W"], "EW", -114.0719),
        (["151.2093"], ["E"], "EW", 151.2093),
        (["51,2.682N"], [], "NS", 51.0447),
        (["51,2.682N"], ["N"], "NS", 51.0447),
        (["33,52.128S"], ["S", "S"], "NS", -33.8688),
    ],
)
def test_decimal_degrees_are_read_with_a_sign_or_a_letter(texts: list[str], letters: list[str], allowed: str, expected: float) -> None:
    assert signed_degrees(texts, letters, allowed) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("texts", "letters", "said"),
    [
        ([], [], "no degrees"),
        ([], ["N"], "no degrees"),
        (["51.04", "51.05"], [], "no degrees"),
        (["51.04", "51.05"], ["N"], "no degrees"),
        (["51.04N"], [], "no degrees"),
        (["5104.5"], [], "no degrees"),
        (["NaN"], ["N"], "no degrees"),
        (["51,2.6W"], [], "no degrees"),
        (["51,2.6N"], ["S"], "contradict"),
        (["51,2.6N"], ["N", "S"], "contradict"),
        (["51.04"], ["N", "S"], "a sign beside a letter"),
        (["51.04"], ["W"], "another axis"),
        (["51.04"], ["NS"], "another axis"),
        (["51.04"], [""], "another axis"),
        (["-51.04"], ["N"], "a sign beside a letter"),
        (["+51.04"], ["N"], "a sign beside a letter"),
    ],
)
def test_what_can_be_read_in_two_ways_is_no_position(texts: list[str], letters: list[str], said: str) -> None:
    with pytest.raises(PositionError, match=said):
        signed_degrees(texts, letters, "NS")


@pytest.mark.parametrize(
    ("text", "expected"), [("5", 5), ("4.8", 4.8), ("48/10", 4.8), ("0/5", 0), ("1.5/3", 0.5), ("7/1", 7), ("3/2", 1.5)]
)
def test_numbers_and_quotients_are_read(text: str, expected: float) -> None:
    assert number(text) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    "text", ["", "0/0", "1/0", "1/000", "/3", "3/", "-5", "1e5", "near", "1/-2", "1/2/3", "9" * 13, "٥", "5\n", "1/1.5"]
)
def test_what_is_no_number_is_no_position(text: str) -> None:
    with pytest.raises(PositionError, match="no number"):
        number(text)
