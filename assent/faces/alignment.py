"""Turn a face upright and to the size the recogniser was trained on; never enlarges the view beyond that square."""

from __future__ import annotations

import cv2
import numpy as np
from insightface.utils.face_align import arcface_dst
from numpy.typing import NDArray

# Where insightface puts the five landmarks in a square of 112 px: its constant, so that packs made for it fit.
_TEMPLATE_PX = 112
_TEMPLATE = np.asarray(arcface_dst, dtype=np.float64)


def similarity(landmarks: NDArray[np.float32], *, px: int = _TEMPLATE_PX) -> NDArray[np.float64]:
    """The 2x3 rotation, scale and shift that brings float32[5, 2] landmarks nearest to the template (Umeyama 1991).

    insightface's own function computes the same through scikit-image and warns of its removal at each call.
    """
    source = np.asarray(landmarks, dtype=np.float64)
    if source.shape != (5, 2) or not np.isfinite(source).all():
        raise ValueError(f"Five finite landmarks of two coordinates are needed, got shape {source.shape}.")
    target = _TEMPLATE * (px / _TEMPLATE_PX)
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    centred, wanted = source - source_mean, target - target_mean
    u, spread, vt = np.linalg.svd(wanted.T @ centred / len(source))
    # Without this sign a badly placed landmark could mirror the face.
    signs = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ np.diag(signs) @ vt
    variance = centred.var(axis=0).sum()
    if variance < 1e-9:
        raise ValueError("The five landmarks are one point; there is no face to align.")
    scale = float(spread @ signs) / variance
    shift = target_mean - scale * rotation @ source_mean
    return np.concatenate([scale * rotation, shift[:, None]], axis=1)


def align(rgb: NDArray[np.uint8], landmarks: NDArray[np.float32], px: int = _TEMPLATE_PX) -> NDArray[np.uint8]:
    """The aligned face, uint8[px, px, 3] RGB; what lies outside the image is black."""
    warped = cv2.warpAffine(rgb, similarity(landmarks, px=px), (px, px), borderValue=0.0)
    return np.asarray(warped, dtype=np.uint8)
