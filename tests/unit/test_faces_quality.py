"""The quality gate names what is wrong with the picture of a face, and nothing about the person."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.faces.box import Box
from assent.faces.detected_face import DetectedFace
from assent.faces.quality import QualityLimits, QualityReason, quality_reasons
from assent.testing.face_pack import embedded_pack, one_face, six_faces

LIMITS = QualityLimits()


def reasons(rgb: NDArray[np.uint8]) -> tuple[QualityReason, ...]:
    faces = embedded_pack().detector.detect(rgb)
    assert len(faces) == 1
    return quality_reasons(rgb, faces[0], limits=LIMITS)


def portrait() -> tuple[NDArray[np.uint8], DetectedFace]:
    return one_face(), embedded_pack().detector.detect(one_face())[0]


def test_ordinary_faces_pass() -> None:
    assert reasons(one_face()) == ()
    picture = six_faces()
    for face in embedded_pack().detector.detect(picture):
        assert quality_reasons(picture, face, limits=LIMITS) == ()


def test_a_blurred_face() -> None:
    assert reasons(np.asarray(cv2.GaussianBlur(one_face(), (0, 0), 4), dtype=np.uint8)) == (QualityReason.BLURRED,)


def test_a_small_face() -> None:
    small = np.asarray(cv2.resize(one_face(), (200, 200), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    assert QualityReason.TOO_SMALL in reasons(small)


def test_a_face_the_detector_doubts() -> None:
    rgb, face = portrait()
    assert quality_reasons(rgb, dataclasses.replace(face, score=0.55), limits=LIMITS) == (QualityReason.LOW_SCORE,)


@pytest.mark.parametrize("shift", [(-120, 0), (0, -140), (400, 0), (2000, 2000)])
def test_a_face_cut_off_by_the_edge(shift: tuple[int, int]) -> None:
    rgb, face = portrait()
    moved = Box(face.box.x - 100 + shift[0], face.box.y + shift[1], face.box.width, face.box.height)
    assert QualityReason.CUT_OFF in quality_reasons(rgb, dataclasses.replace(face, box=moved), limits=LIMITS)


def test_everything_wrong_is_named_at_once() -> None:
    rgb = np.zeros((64, 64, 3), dtype=np.uint8)
    face = DetectedFace(Box(60, 60, 20, 20), np.array([[61, 61], [70, 61], [65, 66], [62, 71], [69, 71]], np.float32), 0.5)
    assert set(quality_reasons(rgb, face, limits=LIMITS)) == set(QualityReason)
