"""What a picture looks like as a whole, in 256 bits that a smaller or recompressed copy shares; it says nothing of any face."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 64
_KEPT = 16


def perceptual_hash(rgb: NDArray[np.uint8]) -> bytes:
    """32 bytes: the 256 lowest frequencies of the upright image uint8[H, W, 3], each as the sign of its distance from their median.

    The usual hash over the discrete cosine transform: scaling, recompression and a change of brightness hardly move it. A crop,
    a mirror image or a rotation gives another one.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    lowest = cv2.dct(small)[:_KEPT, :_KEPT].ravel()
    # The mean brightness outweighs everything else, and is no part of what it looks like.
    bits = lowest > np.median(lowest[1:])
    return np.packbits(bits).tobytes()
