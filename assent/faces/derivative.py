"""The one picture that is kept: the granted face with a margin, other faces painted flat; never metadata, never a bystander.

Painting comes before scaling and encoding, so that no pixel of a bystander is averaged or transformed into what remains.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assent.faces.box import Box, RegionBox

# A fixed grey: the mean of the covered face would still tell the colour of a skin.
_PAINT = 128
# Detectors box the face from brow to chin; hair and ears identify too.
_PAINT_GROWTH = 0.25
_MAX_SHARED = 0.2
_JPEG_QUALITY = 90
MARGIN = 0.4
"""How far the picture reaches beyond the face, as a part of its box on each side."""


class OverlappingFacesError(Exception):
    """Raised when another face covers so much of the granted one that painting it would leave neither."""


def derivative(rgb: NDArray[np.uint8], granted: Box, others: Sequence[Box], *, margin: float = MARGIN, max_px: int = 640) -> bytes:
    """A JPEG of the granted box grown by `margin` of itself on each side, its longer side at most `max_px`.

    `others` are all other faces of the upright image uint8[H, W, 3]. Each is painted over, with its surroundings where
    these do not lie in the granted box. Raises OverlappingFacesError, and ValueError when the granted box is outside the image.
    """
    height, width = rgb.shape[:2]
    inside = granted.intersection(Box(0, 0, width, height))
    if inside is None:
        raise ValueError("The granted box lies outside the image.")
    for other in others:
        common = granted.intersection(other)
        if common is not None and common.area > _MAX_SHARED * min(granted.area, other.area):
            raise OverlappingFacesError("Another face overlaps the granted one; no picture of one without the other can be made.")
    left, top, right, bottom = _pixels(granted.grown(margin), width, height)
    picture = _painted(rgb, granted, others)[top:bottom, left:right]
    return _encoded(picture, max_px)


def box_inside(granted: RegionBox, *, margin: float = MARGIN) -> RegionBox:
    """Where the granted box (relative to the image) lies in its derivative, relative to that; as exact as whole pixels allow."""
    left, top = max(0.0, granted.x - margin * granted.width), max(0.0, granted.y - margin * granted.height)
    right = min(1.0, granted.x + (1 + margin) * granted.width)
    bottom = min(1.0, granted.y + (1 + margin) * granted.height)
    width, height = right - left, bottom - top
    return RegionBox(
        (granted.x - left) / width, (granted.y - top) / height, min(1.0, granted.width / width), min(1.0, granted.height / height)
    )


def _painted(rgb: NDArray[np.uint8], granted: Box, others: Sequence[Box]) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    covered = np.zeros((height, width), dtype=bool)
    for other in others:
        left, top, right, bottom = _pixels(other.grown(_PAINT_GROWTH), width, height)
        covered[top:bottom, left:right] = True
    left, top, right, bottom = _pixels(granted, width, height)
    covered[top:bottom, left:right] = False
    # Last, and even inside the granted box: the bystander's own face is never shown.
    for other in others:
        left, top, right, bottom = _pixels(other, width, height)
        covered[top:bottom, left:right] = True
    return np.where(covered[:, :, None], np.uint8(_PAINT), rgb)


def _pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """The whole pixels the box touches: left, top, right, bottom, inside the image."""
    left, top = max(0, math.floor(box.x)), max(0, math.floor(box.y))
    right, bottom = math.ceil(box.x + box.width), math.ceil(box.y + box.height)
    return left, top, max(left, min(width, right)), max(top, min(height, bottom))


def _encoded(picture: NDArray[np.uint8], max_px: int) -> bytes:
    # From an array: there is no source file whose metadata could come along.
    image = Image.fromarray(np.ascontiguousarray(picture), mode=None)
    image.thumbnail((max_px, max_px), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()
