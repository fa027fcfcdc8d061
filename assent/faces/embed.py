"""Turn aligned faces into templates; never keeps one, and never lets one leave that is not a unit vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NewType

import numpy as np
from insightface.model_zoo.arcface_onnx import ArcFaceONNX
from numpy.typing import NDArray

from assent.faces.alignment import align
from assent.faces.detected_face import DetectedFace

Template = NewType("Template", np.ndarray[tuple[int, ...], np.dtype[np.float32]])
"""float32[dimensions], length 1. A photograph can be rebuilt from it: treat it as one."""

# Bounds the memory of one run; the result does not depend on it (self-test at load).
_MAX_BATCH = 16
_MIN_NORM = 1e-6


class TemplateError(Exception):
    """Raised when the recogniser gives no usable vector (NaN, infinite or zero): a failure of ours, never a refusal."""


class Embedder:
    """One recogniser. Thread-safe: onnxruntime sessions are."""

    def __init__(self, network: ArcFaceONNX, *, input_px: int, dimensions: int) -> None:
        self._network = network
        self._px = input_px
        self._dimensions = dimensions
        batch = network.input_shape[0]
        # Some exports fix the batch at one; they are run face by face.
        self._max_batch = batch if isinstance(batch, int) and batch > 0 else _MAX_BATCH

    def embed(self, rgb: NDArray[np.uint8], face: DetectedFace) -> Template:
        """The template of one face of an upright image uint8[H, W, 3]. Raises TemplateError."""
        return self.embed_many(rgb, [face])[0]

    def embed_many(self, rgb: NDArray[np.uint8], faces: Sequence[DetectedFace]) -> list[Template]:
        """Templates of several faces of one image, in their order; each is the same as if it had been embedded alone."""
        return self.embed_aligned([align(rgb, face.landmarks, self._px) for face in faces])

    def embed_aligned(self, squares: Sequence[NDArray[np.uint8]]) -> list[Template]:
        """Templates of aligned squares uint8[px, px, 3] RGB, of one image or of many. Raises TemplateError."""
        templates: list[Template] = []
        for start in range(0, len(squares), self._max_batch):
            # insightface takes BGR.
            batch = [np.ascontiguousarray(square[:, :, ::-1]) for square in squares[start : start + self._max_batch]]
            templates.extend(self._unit(row) for row in self._network.get_feat(batch))
        return templates

    def _unit(self, row: NDArray[np.float32]) -> Template:
        if row.shape != (self._dimensions,):
            raise TemplateError(f"The recogniser gave shape {row.shape}, expected ({self._dimensions},). Check the pack.")
        wide = row.astype(np.float64)
        norm = float(np.linalg.norm(wide))
        if not np.isfinite(norm) or norm < _MIN_NORM:
            raise TemplateError("The recogniser gave a vector without a direction (NaN, infinite or zero); it is not stored.")
        return Template((wide / norm).astype(np.float32))
