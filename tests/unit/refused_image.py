"""Why an image is refused, as tests ask it."""

from __future__ import annotations

import pytest

from assent.faces.image import ImageLimits, ImageRefusal, ImageRefusedError, decode

LIMITS = ImageLimits()


def refusal(data: bytes, limits: ImageLimits = LIMITS) -> ImageRefusal:
    with pytest.raises(ImageRefusedError) as caught:
        decode(data, limits=limits)
    return caught.value.reason
