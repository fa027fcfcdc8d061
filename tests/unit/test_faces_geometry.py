"""Boxes, regions and alignment: arithmetic that decides whose face is meant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from insightface.utils.face_align import arcface_dst
from skimage.transform import SimilarityTransform

from assent.faces.alignment import align, similarity
from assent.faces.box import Box, RegionBox
from assent.faces.detected_face import DetectedFace
from assent.faces.region import match_region

SIDES = st.floats(1, 500)
PLACES = st.floats(-200, 700)
BOXES = st.builds(Box, PLACES, PLACES, SIDES, SIDES)


def face(x: float, y: float, width: float = 50, height: float = 60) -> DetectedFace:
    return DetectedFace(Box(x, y, width, height), np.zeros((5, 2), dtype=np.float32), 0.9)


@given(BOXES, BOXES)
def test_overlap_is_the_same_from_both_sides(one: Box, other: Box) -> None:
    assert one.iou(other) == pytest.approx(other.iou(one))
    assert 0 <= one.iou(other) <= 1 + 1e-9


@given(BOXES)
def test_a_box_in_the_image_comes_back_from_relative(box: Box) -> None:
    inside = box.intersection(Box(0, 0, 640, 480))
    region = box.relative(width=640, height=480)
    assert (region is None) == (inside is None)
    if region is not None and inside is not None:
        assert region.in_pixels(width=640, height=480).iou(inside) == pytest.approx(1)


@pytest.mark.parametrize("values", [(-0.1, 0, 0.5, 0.5), (0.6, 0, 0.5, 0.5), (0, 0, 0, 0.5), (0, 0, float("nan"), 0.5), (0, 0.9, 0.1, 0.2)])
def test_a_region_outside_the_image_is_refused(values: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="region"):
        RegionBox(*values)


class TestMatchRegion:
    REGION = RegionBox(0.1, 0.1, 0.1, 0.12)

    def match(self, *faces: DetectedFace) -> DetectedFace | None:
        return match_region(faces, self.REGION, width=500, height=500)

    def test_the_one_face_under_it(self) -> None:
        meant = face(52, 48)
        assert self.match(face(300, 300), meant, face(180, 50)) is meant

    def test_a_mark_round_the_whole_head(self) -> None:
        meant = face(110, 120)
        around = RegionBox(0.18, 0.18, 0.18, 0.22)
        assert match_region([meant], around, width=500, height=500) is meant

    def test_nobody_under_it(self) -> None:
        assert self.match(face(300, 300)) is None
        assert self.match() is None

    def test_two_under_it_are_never_guessed_between(self) -> None:
        assert self.match(face(50, 50), face(58, 55)) is None

    def test_a_small_face_inside_the_mark_makes_it_ambiguous(self) -> None:
        assert self.match(face(50, 50), face(80, 90, 12, 14)) is None

    def test_a_neighbour_that_reaches_into_it_makes_it_ambiguous(self) -> None:
        assert self.match(face(50, 50), face(86, 50)) is None

    def test_a_mark_over_a_whole_group_means_nobody(self) -> None:
        assert match_region([face(50, 50), face(200, 60)], RegionBox(0, 0, 1, 1), width=500, height=500) is None


@given(
    st.lists(st.floats(-8, 8), min_size=10, max_size=10),
    st.floats(0.3, 8),
    st.floats(-3, 3),
    st.floats(-400, 400),
)
def test_alignment_is_the_least_squares_similarity(noise: list[float], scale: float, angle: float, shift: float) -> None:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = (arcface_dst @ turn.T * scale + shift + np.reshape(noise, (5, 2))).astype(np.float32)
    expected = SimilarityTransform.from_estimate(landmarks.astype(np.float64), arcface_dst.astype(np.float64))
    assert np.abs(similarity(landmarks) - expected.params[:2]).max() < 1e-6 * (1 + abs(shift))


def test_a_mirrored_face_is_never_mirrored_back() -> None:
    # Bent landmarks can look like a face seen in a mirror; the picture itself must not be turned over for it.
    mirrored = (arcface_dst * np.array([-1, 1]) + 200).astype(np.float32)
    found = similarity(mirrored)
    assert np.linalg.det(found[:, :2]) > 0
    expected = SimilarityTransform.from_estimate(mirrored.astype(np.float64), arcface_dst.astype(np.float64))
    assert np.abs(found - expected.params[:2]).max() < 1e-3


def test_the_landmarks_land_on_the_template() -> None:
    landmarks = (arcface_dst * 2 + 30).astype(np.float32)
    picture = np.zeros((300, 300, 3), dtype=np.uint8)
    for x, y in landmarks:
        picture[round(float(y)) - 2 : round(float(y)) + 3, round(float(x)) - 2 : round(float(x)) + 3] = 255
    square = align(picture, landmarks)
    assert square.shape == (112, 112, 3)
    assert all(square[round(float(y)), round(float(x))].min() > 150 for x, y in arcface_dst)
    assert align(picture, landmarks, 224).shape == (224, 224, 3)


@pytest.mark.parametrize("landmarks", [np.full((5, 2), 7.0), np.full((5, 2), np.nan), np.zeros((4, 2))])
def test_landmarks_without_a_face_are_refused(landmarks: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> None:
    with pytest.raises(ValueError, match="landmarks"):
        similarity(landmarks.astype(np.float32))
