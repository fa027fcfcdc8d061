"""What a detector found: place, five landmarks and how sure it is; never an attribute of the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.faces.box import Box


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """One face. `landmarks` is float32[5, 2] in pixels of the upright image: the eye, the other eye, nose, two mouth corners,
    each pair from left to right as seen in the image. `score` is 0..1 and comparable within one model only."""

    box: Box
    landmarks: NDArray[np.float32]
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Faces as arrays: boxes float32[n, 4] (x, y, width, height), landmarks float32[n, 5, 2], scores float32[n]."""

    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    scores: NDArray[np.float32]

    @staticmethod
    def joined(parts: Sequence[Candidates]) -> Candidates:
        return Candidates(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.landmarks for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )

    def scaled(self, factor: tuple[float, float]) -> Candidates:
        """The same faces in an image that is wider and higher by the two factors."""
        by_axis = np.array(factor, dtype=np.float32)
        return Candidates(self.boxes * np.tile(by_axis, 2), self.landmarks * by_axis, self.scores)

    def only(self, chosen: NDArray[np.intp]) -> Candidates:
        return Candidates(self.boxes[chosen], self.landmarks[chosen], self.scores[chosen])
