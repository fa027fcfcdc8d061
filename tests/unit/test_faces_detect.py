"""The detector finds every face there is, once, in the same order, whatever the size of the picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.faces.box import Box
from assent.faces.detect import Detector
from assent.faces.detected_face import Candidates
from assent.testing.face_pack import embedded_pack, one_face, six_faces


@dataclass
class FakeCandidateSource:
    """Gives the same candidates for every picture and remembers the sizes it saw."""

    boxes: list[tuple[float, float, float, float]]
    scores: list[float]
    seen: list[tuple[int, int]] = field(default_factory=list)

    def candidates(self, rgb: NDArray[np.uint8], *, min_score: float) -> Candidates:
        self.seen.append((rgb.shape[1], rgb.shape[0]))
        boxes = np.array(self.boxes, dtype=np.float32).reshape(-1, 4)
        return Candidates(boxes, np.zeros((len(boxes), 5, 2), np.float32), np.array(self.scores, np.float32))


def scaled(rgb: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor), dtype=np.uint8)


def moved(box: Box, factor: float) -> Box:
    """The same box in a picture of another size."""
    return Box(box.x * factor, box.y * factor, box.width * factor, box.height * factor)


def test_one_face() -> None:
    faces = embedded_pack().detector.detect(one_face())
    assert len(faces) == 1
    assert faces[0].landmarks.shape == (5, 2)
    assert faces[0].landmarks.dtype == np.float32
    # Eyes above nose above mouth, left before right as seen.
    points = faces[0].landmarks
    assert points[:2, 1].max() < points[2, 1] < points[3:, 1].min()
    assert points[0, 0] < points[1, 0]
    assert points[3, 0] < points[4, 0]


@pytest.mark.parametrize("factor", [0.25, 0.5, 1.0, 2.0, 3.5])
def test_six_faces_at_every_size(factor: float) -> None:
    at_full_size = embedded_pack().detector.detect(six_faces())
    found = embedded_pack().detector.detect(scaled(six_faces(), factor))
    assert len(found) == len(at_full_size) == 6
    for face in at_full_size:
        assert max(moved(face.box, factor).iou(other.box) for other in found) > 0.7


@pytest.mark.parametrize("factor", [1.0, 8.0])
def test_a_face_that_fills_the_picture(factor: float) -> None:
    assert len(embedded_pack().detector.detect(scaled(one_face()[60:200, 170:280], factor))) == 1


def test_small_faces_in_a_large_crowd() -> None:
    crowd = np.zeros((3000, 4000, 3), dtype=np.uint8)
    group = scaled(six_faces(), 0.5)
    expected = [moved(face.box, 0.5) for face in embedded_pack().detector.detect(six_faces())]
    for row in range(4):
        for column in range(4):
            crowd[row * 700 : row * 700 + group.shape[0], column * 900 : column * 900 + group.shape[1]] = group
    found = [face.box for face in embedded_pack().detector.detect(crowd)]
    for row in range(4):
        for column in range(4):
            for box in expected:
                there = Box(box.x + column * 900, box.y + row * 700, box.width, box.height)
                assert max(there.iou(other) for other in found) > 0.5
    # At this size a glass of whisky on the table counts as a face too: doubt makes bystanders, never the other way round.
    assert len(found) <= 96 + 16


def test_the_order_is_the_surest_first_and_always_the_same() -> None:
    first = embedded_pack().detector.detect(six_faces())
    again = embedded_pack().detector.detect(six_faces().copy())
    assert [face.score for face in first] == sorted((face.score for face in first), reverse=True)
    assert [(face.box, face.score) for face in first] == [(face.box, face.score) for face in again]


@pytest.mark.parametrize("shape", [(32, 32), (33, 390), (390, 33), (1000, 777)])
def test_no_face_where_there_is_none(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert embedded_pack().detector.detect(noise) == []


def test_the_picture_is_never_enlarged_and_the_cost_is_bounded() -> None:
    source = FakeCandidateSource([], [])
    detector = Detector(source, sides_px=(320, 640, 1280))
    for width, height in [(200, 100), (500, 400), (900, 1000), (8000, 500)]:
        detector.detect(np.zeros((height, width, 3), dtype=np.uint8))
    assert source.seen == [
        (200, 100),
        (320, 256),
        (500, 400),
        (288, 320),
        (576, 640),
        (900, 1000),
        (320, 20),
        (640, 40),
        (1280, 80),
    ]


def test_equal_scores_are_ordered_by_place() -> None:
    source = FakeCandidateSource([(90, 50, 9, 9), (10, 50, 9, 9), (50, 10, 9, 9)], [0.7, 0.7, 0.7])
    faces = Detector(source).detect(np.zeros((100, 100, 3), dtype=np.uint8))
    assert [(face.box.x, face.box.y) for face in faces] == [(50, 10), (10, 50), (90, 50)]


def test_one_face_seen_twice_is_one_face() -> None:
    source = FakeCandidateSource([(10, 10, 50, 50), (14, 12, 50, 50), (70, 70, 20, 20)], [0.8, 0.9, 0.6])
    faces = Detector(source).detect(np.zeros((100, 100, 3), dtype=np.uint8))
    assert [face.box.x for face in faces] == [14, 70]


def test_a_small_face_in_front_of_a_large_one_is_kept() -> None:
    source = FakeCandidateSource([(10, 10, 60, 80), (20, 30, 20, 25)], [0.9, 0.6])
    assert len(Detector(source).detect(np.zeros((100, 100, 3), dtype=np.uint8))) == 2


def test_numbers_that_are_none_are_no_face() -> None:
    nan = float("nan")
    source = FakeCandidateSource([(nan, 1, 9, 9), (10, 10, float("inf"), 9), (40, 40, 9, 9)], [0.9, 0.9, 0.6])
    assert [face.box.x for face in Detector(source).detect(np.zeros((100, 100, 3), dtype=np.uint8))] == [40]
