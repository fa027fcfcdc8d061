"""Whether a face is good enough to be told from another; never kept, and never a statement about the person (QC-4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.faces.alignment import align
from assent.faces.box import Box
from assent.faces.detected_face import DetectedFace


class QualityReason(StrEnum):
    """Why a face is not embedded."""

    LOW_SCORE = "low_score"
    TOO_SMALL = "too_small"
    CUT_OFF = "cut_off"
    BLURRED = "blurred"


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """`min_sharpness` is the variance of the Laplacian of the grey, aligned 112 px face."""

    min_score: float = 0.6
    min_face_px: float = 40.0
    min_visible: float = 0.8
    min_sharpness: float = 20.0


def quality_reasons(rgb: NDArray[np.uint8], face: DetectedFace, *, limits: QualityLimits) -> tuple[QualityReason, ...]:
    """Everything that speaks against embedding this face of an upright image uint8[H, W, 3]; empty when it is good enough."""
    reasons: list[QualityReason] = []
    if face.score < limits.min_score:
        reasons.append(QualityReason.LOW_SCORE)
    if min(face.box.width, face.box.height) < limits.min_face_px:
        reasons.append(QualityReason.TOO_SMALL)
    visible = face.box.intersection(Box(0, 0, rgb.shape[1], rgb.shape[0]))
    if visible is None or visible.area < limits.min_visible * face.box.area:
        reasons.append(QualityReason.CUT_OFF)
    if sharpness(align(rgb, face.landmarks)) < limits.min_sharpness:
        reasons.append(QualityReason.BLURRED)
    return tuple(reasons)


def sharpness(square: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of an aligned face uint8[px, px, 3]."""
    return float(cv2.Laplacian(cv2.cvtColor(square, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())
