"""Keyed names of images, sightings and suppressions; never a bare hash, which anyone could match against a photo."""

from __future__ import annotations

import hashlib
import hmac
from typing import Protocol

from assent.ids import GrantId, ImageId, ProducerId, SightingId

_NONE = b"\x00"
_SOME = b"\x01"


class IdentifierKeys(Protocol):
    """The three HMAC keys; `DeploymentKeys` has them."""

    @property
    def image_id_key(self) -> bytes:
        """HMAC key of image ids."""

    @property
    def sighting_id_key(self) -> bytes:
        """HMAC key of sighting ids."""

    @property
    def suppression_key(self) -> bytes:
        """HMAC key of suppressions."""


class ImageIds:
    """HMAC-SHA256 in hex. The same input gives the same id in every process of one deployment, another in any other."""

    def __init__(self, keys: IdentifierKeys) -> None:
        self._image_key = keys.image_id_key
        self._sighting_key = keys.sighting_id_key
        self._suppression_key = keys.suppression_key

    def image_id(self, data: bytes) -> ImageId:
        """Names the exact bytes."""
        return ImageId(hmac.new(self._image_key, data, hashlib.sha256).hexdigest())

    def sighting_id(self, *, final_url: str | None, image_id: ImageId | None, producer: ProducerId) -> SightingId:
        """Names one image at one place. `final_url` in its one normal spelling; either may be None, not both."""
        if final_url is None and image_id is None:
            raise ValueError("a sighting needs a final URL or an image id; without both, all sightings would be one")
        message = b"".join(_framed(part) for part in (final_url, image_id, producer))
        return SightingId(hmac.new(self._sighting_key, message, hashlib.sha256).hexdigest())

    def suppression_key(self, sha256: str) -> str:
        """Names image bytes, by their SHA-256 in hex, that must not come back. No template of anyone is needed (X-8)."""
        return hmac.new(self._suppression_key, bytes.fromhex(sha256), hashlib.sha256).hexdigest()

    def url_suppression_key(self, final_url: str) -> str:
        """Names an address, in its one normal spelling, that must not be fetched. No SHA-256 is ever taken for one.

        The scheme does not count, as in a source rule: http and https are one place.
        """
        return self._named_address(_without_scheme(final_url))

    def url_suppression_keys(self, final_url: str) -> tuple[str, ...]:
        """What such an address may be suppressed under: its key, and those of releases that counted the scheme."""
        place = _without_scheme(final_url)
        return tuple(self._named_address(text) for text in (place, f"https://{place}", f"http://{place}"))

    def _named_address(self, text: str) -> str:
        return hmac.new(self._suppression_key, b"url " + text.encode(), hashlib.sha256).hexdigest()

    def source_name(self, kind: str, value: str) -> str:
        """Names one source rule of a grant, so that a stored face says which rule let it in and not which place that names."""
        return hmac.new(self._sighting_key, b"source " + kind.encode() + b" " + value.encode(), hashlib.sha256).hexdigest()

    def address(self, url: str) -> str:
        """Names an address, in its one normal spelling, so that what was fetched there can be found when it is opted out."""
        return hmac.new(self._sighting_key, b"address " + url.encode(), hashlib.sha256).hexdigest()

    def address_under(self, address: str, grant_id: GrantId) -> str:
        """Names such an address under one grant: neither of the two can be read from it."""
        return hmac.new(self._sighting_key, b"address under " + address.encode() + b" " + grant_id.encode(), hashlib.sha256).hexdigest()

    def placed_under(self, address: str, grant_id: GrantId) -> str:
        """Names what is told of the place of such an address under one grant, apart from what is said against its use."""
        return hmac.new(self._sighting_key, b"placed under " + address.encode() + b" " + grant_id.encode(), hashlib.sha256).hexdigest()

    def masked_hash(self, perceptual_hash: bytes) -> str:
        """What a picture looks like (32 bytes), in hex, under a mask that leaves distances as they are and tells an outsider nothing."""
        mask = hmac.new(self._suppression_key, b"perceptual hash", hashlib.sha256).digest()
        return bytes(left ^ right for left, right in zip(perceptual_hash, mask, strict=True)).hex()


def _without_scheme(url: str) -> str:
    return url.partition("://")[2] or url


def _framed(part: str | None) -> bytes:
    """A part with its length before it, so that no two tuples of parts give the same message."""
    if part is None:
        return _NONE
    encoded = part.encode()
    return _SOME + len(encoded).to_bytes(4, "big") + encoded
