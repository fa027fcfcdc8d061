"""Which pictures must not come back, by keyed names and by what they look like; it only ever closes, and knows nobody's face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assent.events.grants import SuppressionAdded
from assent.ids import ImageId, RuleId

SUPPRESSED = RuleId("suppressed")
MAX_DISTANCE = 16
"""Differing bits of 256. Over 54 portraits on one background, copies (JPEG at 30, scaled to 64 pixels) differed by at most 6, pictures
of different people by at least 46 and of one person by at least 48; cropping 2 % off each side differs by 38 and is not found."""
_WORDS = 256 // 64


class Suppressions:
    """Absorbing: nothing is taken off it. One of the three names is enough."""

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._images: set[ImageId] = set()
        self._hashes: set[bytes] = set()
        self._table: NDArray[np.uint64] | None = None

    def add(self, added: SuppressionAdded) -> None:
        """Take one; again changes nothing."""
        self._keys.add(added.suppression_key)
        if added.image_id is not None:
            self._images.add(added.image_id)
        if added.perceptual_hash is not None:
            self._hashes.add(bytes.fromhex(added.perceptual_hash))
            self._table = None

    def deny(self, suppression_key: str) -> None:
        """A record that cannot be read still names its key."""
        self._keys.add(suppression_key)

    def __len__(self) -> int:
        return len(self._keys)

    def has_key(self, suppression_key: str) -> bool:
        """These bytes, or this address, were asked never to come back."""
        return suppression_key in self._keys

    def has_image(self, image_id: ImageId) -> bool:
        """The same by the name of the image, for those who hold no bytes any more."""
        return image_id in self._images

    def has_alike(self, perceptual_hash: str) -> bool:
        """A picture that looks like this one was asked never to come back. Both hashes are masked with the same key."""
        if not self._hashes:
            return False
        if self._table is None:
            self._table = np.frombuffer(b"".join(sorted(self._hashes)), dtype=np.uint64).reshape(-1, _WORDS)
        asked = np.frombuffer(bytes.fromhex(perceptual_hash), dtype=np.uint64)
        distances = np.bitwise_count(self._table ^ asked).sum(axis=1, dtype=np.int64)
        return bool(distances.min() <= MAX_DISTANCE)
