"""Boxes of faces, in pixels or relative to the image; a box never says who is in it."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A box in pixels of the upright image; x and y are its top left corner and may lie outside the image."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        return max(0.0, self.width) * max(0.0, self.height)

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    def intersection(self, other: Box) -> Box | None:
        """The common part, or None where the two do not overlap."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        common = self.intersection(other)
        return common.area / (self.area + other.area - common.area) if common else 0.0

    def grown(self, fraction: float) -> Box:
        """The same centre, each side longer by `fraction` of itself at both ends."""
        dx, dy = self.width * fraction, self.height * fraction
        return Box(self.x - dx, self.y - dy, self.width + 2 * dx, self.height + 2 * dy)

    def relative(self, *, width: int, height: int) -> RegionBox | None:
        """The part inside an image of that size, relative to it; None when nothing of it is inside."""
        inside = self.intersection(Box(0, 0, width, height))
        if inside is None:
            return None
        return RegionBox(inside.x / width, inside.y / height, inside.width / width, inside.height / height)


@dataclass(frozen=True, slots=True)
class RegionBox:
    """A box relative to the upright image: each value in 0..1, and the box inside the image."""

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        values = (self.x, self.y, self.width, self.height)
        # A rounding in the last digit of a right or bottom edge is not an error of the person who drew the box.
        inside = self.x >= 0 and self.y >= 0 and self.x + self.width <= 1 + 1e-6 and self.y + self.height <= 1 + 1e-6
        if not all(math.isfinite(value) for value in values) or not inside or self.width <= 0 or self.height <= 0:
            raise ValueError(f"A region must lie inside the image, relative to it (0 to 1), got {values}.")

    def in_pixels(self, *, width: int, height: int) -> Box:
        """The same box in an upright image of that size."""
        return Box(self.x * width, self.y * height, self.width * width, self.height * height)
