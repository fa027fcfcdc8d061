"""YuNet: turn its twelve output maps into faces; never looks at more than one image at a time.

Input: float32 [1, 3, H, W], BGR 0..255, H and W multiples of 32. For each stride s of 8, 16, 32 and each cell (row, column):
score = sqrt(cls * obj), centre = (cell + offset) * s, size = exp(log_size) * s, landmarks = (cell + offset) * s.
The source is OpenCV's `FaceDetectorYN` and the training code of libfacedetection; a contract test compares the two.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.faces.detected_face import Candidates

STRIDES = (8, 16, 32)
OUTPUTS = tuple(f"{kind}_{stride}" for stride in STRIDES for kind in ("cls", "obj", "bbox", "kps"))
_PAD_TO = 32
# Above e^8 * 32 a side is longer than any image we take: the exponent must not overflow on a hostile image.
_MAX_LOG_SIZE = 8.0


class YunetRunner:
    """Runs one onnxruntime session; sessions may be used by several threads at once."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._input_name = session.get_inputs()[0].name

    def candidates(self, rgb: NDArray[np.uint8], *, min_score: float) -> Candidates:
        """All raw candidates of one upright image uint8[H, W, 3], in its pixels, before suppression."""
        maps = dict(zip(OUTPUTS, self._session.run(OUTPUTS, {self._input_name: _blob(rgb)}), strict=True))
        columns_px = -(-rgb.shape[1] // _PAD_TO) * _PAD_TO
        parts = [_decode(maps, stride, columns_px // stride, min_score) for stride in STRIDES]
        return Candidates.joined(parts)


def _blob(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    height, width = rgb.shape[:2]
    padded = cv2.copyMakeBorder(rgb, 0, -height % _PAD_TO, 0, -width % _PAD_TO, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    return np.ascontiguousarray(padded[:, :, ::-1].transpose(2, 0, 1)[None], dtype=np.float32)


def _decode(maps: dict[str, NDArray[np.float32]], stride: int, columns: int, min_score: float) -> Candidates:
    likely = np.clip(maps[f"cls_{stride}"][0, :, 0], 0, 1) * np.clip(maps[f"obj_{stride}"][0, :, 0], 0, 1)
    scores = np.sqrt(likely)
    chosen = np.flatnonzero(scores >= min_score)
    cell = np.stack([chosen % columns, chosen // columns], axis=1).astype(np.float32)
    raw = maps[f"bbox_{stride}"][0, chosen]
    centre = (cell + raw[:, :2]) * stride
    size = np.exp(np.minimum(raw[:, 2:], _MAX_LOG_SIZE)) * stride
    landmarks = (maps[f"kps_{stride}"][0, chosen].reshape(-1, 5, 2) + cell[:, None, :]) * stride
    return Candidates(np.concatenate([centre - size / 2, size], axis=1), landmarks, scores[chosen])
