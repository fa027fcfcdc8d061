"""Why an image is not looked at; never says anything about what it shows."""

from __future__ import annotations

from enum import StrEnum


class ImageRefusal(StrEnum):
    """Outcome names: stable, counted, and free of anything from the file."""

    EMPTY = "empty"
    NOT_AN_IMAGE = "not_an_image"
    FORMAT = "format"
    ANIMATED = "animated"
    TRUNCATED = "truncated"
    BROKEN = "broken"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_SCANS = "too_many_scans"
    TOO_SMALL = "too_small"
    ASPECT = "aspect"


_MEANING = {
    ImageRefusal.EMPTY: "The file is empty",
    ImageRefusal.NOT_AN_IMAGE: "The bytes are no image, whatever their name says",
    ImageRefusal.FORMAT: "The image is in a format that is not taken; send JPEG, PNG, WebP or HEIC",
    ImageRefusal.ANIMATED: "The image moves; send one still picture",
    ImageRefusal.TRUNCATED: "The image ends too early; send it again",
    ImageRefusal.BROKEN: "The image cannot be decoded; send it again or convert it",
    ImageRefusal.TOO_MANY_BYTES: "The file is larger than allowed; send a smaller one",
    ImageRefusal.TOO_MANY_PIXELS: "The image has more pixels than allowed; send a smaller one",
    ImageRefusal.TOO_MANY_SCANS: "The JPEG has more progressive scans than allowed; save it again",
    ImageRefusal.TOO_SMALL: "The image is too small to show a face; send a larger one",
    ImageRefusal.ASPECT: "The image is too long and narrow; crop it",
}


class ImageRefusedError(Exception):
    """Raised when an image is not decoded; `reason` is the outcome to count. The message holds nothing from the file."""

    def __init__(self, reason: ImageRefusal) -> None:
        super().__init__(f"{_MEANING[reason]} ({reason}).")
        self.reason = reason
