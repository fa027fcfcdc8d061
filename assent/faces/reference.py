"""The one face of a kept picture that others are compared with; it is found anew each time, and nothing of it is kept here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assent.faces.detected_face import DetectedFace
from assent.faces.embed import Embedder, Template
from assent.faces.image import ImageLimits, decode
from assent.faces.image_refusal import ImageRefusedError
from assent.faces.quality import QualityLimits, quality_reasons

REFERENCE_QUALITY = QualityLimits(min_face_px=60.0)
"""More than what is embedded must have: every later picture is compared with this one."""
_PICTURE = ImageLimits(max_bytes=2_000_000, max_pixels=1_000_000)
"""A kept picture has 640 px on its longer side."""


class FaceFinder(Protocol):
    """Finds faces; knows nobody."""

    def detect(self, rgb: NDArray[np.uint8]) -> list[DetectedFace]:
        """The faces of an upright image."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceFace:
    """The pixels of the picture, uint8[H, W, 3] RGB, and the face in it."""

    rgb: NDArray[np.uint8]
    face: DetectedFace

    def template(self, embedder: Embedder) -> Template:
        """What other faces are compared with. Raises TemplateError."""
        return embedder.embed(self.rgb, self.face)


def reference_face(finder: FaceFinder, picture: bytes) -> ReferenceFace | None:
    """The face of a kept picture, or None where there is none, more than one, or a poor one. CPU-bound: call it off the event loop.

    Whoever confirms it and whoever compares with it ask this same question, so that what was taken is not doubted later.
    """
    try:
        image = decode(picture, limits=_PICTURE)
    except ImageRefusedError:
        return None
    faces = finder.detect(image.rgb)
    if len(faces) != 1 or quality_reasons(image.rgb, faces[0], limits=REFERENCE_QUALITY):
        return None
    return ReferenceFace(image.rgb, faces[0])
