"""SCRFD, the detector of InsightFace's packs, behind the same interface as YuNet; never loads a second model by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from insightface.model_zoo.scrfd import SCRFD
from numpy.typing import NDArray

from assent.faces.detected_face import Candidates

# Boxes with landmarks at three strides: the only form of SCRFD that can be aligned afterwards.
OUTPUT_COUNT = 9
_PAD_TO = 32


class ScrfdRunner:
    """Runs one onnxruntime session through insightface's own class."""

    def __init__(self, session: Any) -> None:
        # Without a file and without static sessions the class has nothing it could open on its own.
        self._network = SCRFD(model_file=None, session=session, static_shape_sessions=False)

    def candidates(self, rgb: NDArray[np.uint8], *, min_score: float) -> Candidates:
        """Candidates of one upright image uint8[H, W, 3], in its pixels."""
        side = -(-max(rgb.shape[:2]) // _PAD_TO) * _PAD_TO
        bgr = np.ascontiguousarray(rgb[:, :, ::-1])
        found, landmarks = self._network.detect(bgr, input_size=(side, side), det_thresh=min_score)
        corners = np.asarray(found, dtype=np.float32)
        boxes = np.concatenate([corners[:, :2], corners[:, 2:4] - corners[:, :2]], axis=1)
        return Candidates(boxes, np.asarray(landmarks, dtype=np.float32).reshape(-1, 5, 2), corners[:, 4])
