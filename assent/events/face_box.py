"""Where a face is in its image, in parts of the upright image; never a pixel of it."""

from __future__ import annotations

from pydantic import Field

from assent.events.payload import WireModel


class FaceBox(WireModel):
    """A box relative to the upright image, each value in 0..1."""

    x: float = Field(ge=0, le=1)
    y: float = Field(ge=0, le=1)
    width: float = Field(gt=0, le=1)
    height: float = Field(gt=0, le=1)

    @property
    def is_inside_image(self) -> bool:
        """Each edge lies in the image; a rounding in the last digit is nobody's fault."""
        return self.x + self.width <= 1 + 1e-6 and self.y + self.height <= 1 + 1e-6
