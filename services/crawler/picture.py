"""What the bytes of a fetched picture say before anything is kept of them; it decodes no pixel and asks no gate, so a thread can do it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from assent.events.optouts import SeenOptOut
from assent.faces.image_header import read_header
from assent.faces.image_refusal import ImageRefusedError
from assent.ids import RuleId
from assent.optouts.combination import combine
from assent.optouts.image import image_optouts

UNREADABLE, TOO_LARGE = RuleId("image_unreadable"), RuleId("image_too_large")


@dataclass(frozen=True, slots=True)
class Picture:
    """The digest of its bytes, and the opt-outs that stand in them."""

    sha256: str
    optouts: tuple[SeenOptOut, ...]


def read_picture(data: bytes, *, max_pixels: int) -> Picture | RuleId:
    """The picture, or the rule that refuses it: no picture that is read here, or one with too many pixels."""
    try:
        header = read_header(data)
    except ImageRefusedError:
        return UNREADABLE
    if header.width * header.height > max_pixels:
        return TOO_LARGE
    return Picture(digest_of(data), combine(image_optouts(data)).seen())


def digest_of(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()
