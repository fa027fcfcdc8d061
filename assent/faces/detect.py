"""Find the faces of one image at bounded cost; never keeps the image, and never looks at two images at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.faces.box import Box
from assent.faces.detected_face import Candidates, DetectedFace

# A missed bystander is a disclosure, so each image is searched coarse (a face that fills the picture) and fine (a face in the
# last row); a network of this kind finds faces of about 10 to 300 px. The fine one also bounds time and memory.
DEFAULT_SIDES_PX = (320, 640, 1280)
# Below what is embedded (quality gate): a possible face still counts as a bystander.
DEFAULT_MIN_SCORE = 0.5
_SAME_FACE_IOU = 0.3
MAX_FACES = 1000


class CandidateSource(Protocol):
    """One detection network: raw candidates of one upright image, in its pixels."""

    def candidates(self, rgb: NDArray[np.uint8], *, min_score: float) -> Candidates: ...


class Detector:
    """Several scales of one network, merged. Thread-safe."""

    def __init__(
        self,
        source: CandidateSource,
        *,
        sides_px: Sequence[int] = DEFAULT_SIDES_PX,
        min_score: float = DEFAULT_MIN_SCORE,
    ) -> None:
        self._source = source
        self._sides_px = tuple(sorted(sides_px))
        self._min_score = min_score

    def detect(self, rgb: NDArray[np.uint8]) -> list[DetectedFace]:
        """Faces of an upright image uint8[H, W, 3], the surest first; equal scores by place, so the order is always the same."""
        found = Candidates.joined([self._at(rgb, side_px) for side_px in self._scales(rgb)])
        found = found.only(np.flatnonzero(_is_finite(found)))
        kept = found.only(_suppress(found))
        faces = [
            DetectedFace(Box(*(float(value) for value in box)), landmarks.astype(np.float32), float(score))
            for box, landmarks, score in zip(kept.boxes, kept.landmarks, kept.scores, strict=True)
        ]
        return sorted(faces, key=lambda face: (-face.score, face.box.y, face.box.x))

    def _scales(self, rgb: NDArray[np.uint8]) -> list[int]:
        """The longest sides to search at: the image is never enlarged."""
        longest = max(rgb.shape[:2])
        return [*(side for side in self._sides_px[:-1] if side < longest), min(longest, self._sides_px[-1])]

    def _at(self, rgb: NDArray[np.uint8], side_px: int) -> Candidates:
        height, width = rgb.shape[:2]
        scale = side_px / max(height, width)
        if scale == 1.0:
            return self._source.candidates(rgb, min_score=self._min_score)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        return self._source.candidates(small, min_score=self._min_score).scaled((width / size[0], height / size[1]))


def _is_finite(found: Candidates) -> NDArray[np.bool_]:
    numbers = np.concatenate([found.boxes, found.landmarks.reshape(-1, 10), found.scores[:, None]], axis=1)
    return np.asarray(np.isfinite(numbers).all(axis=1))


def _suppress(found: Candidates) -> NDArray[np.intp]:
    """Indices of one candidate per face: the surest of those that overlap."""
    order = np.lexsort((found.boxes[:, 0], found.boxes[:, 1], -found.scores))
    corners = np.concatenate([found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]], axis=1)
    areas = found.boxes[:, 2] * found.boxes[:, 3]
    kept: list[int] = []
    while order.size and len(kept) < MAX_FACES:
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        top_left = np.maximum(corners[best, :2], corners[rest, :2])
        bottom_right = np.minimum(corners[best, 2:], corners[rest, 2:])
        common = np.prod(np.clip(bottom_right - top_left, 0, None), axis=1)
        union = areas[best] + areas[rest] - common
        # Overlap alone decides: a small face inside a large one's box may be a child in front, or a picture on the wall.
        order = rest[common <= _SAME_FACE_IOU * union]
    return np.array(kept, dtype=np.intp)
