"""Pictures for the load, each with bytes of its own: variations of one portrait, made from a seed; nobody agreed to anything."""

from __future__ import annotations

import io
from random import Random

from PIL import Image

from demo import photos


def portrait(chance: Random) -> bytes:
    """One face that the detector finds, from Vancouver or without a place."""
    return photos.portrait(_look(chance), place=chance.choice((photos.VANCOUVER, None)))


def portrait_from_montreal(chance: Random) -> bytes:
    """One face, taken where the shipped policy opens nothing."""
    return photos.portrait(_look(chance), place=photos.MONTREAL)


def pair(chance: Random) -> bytes:
    """Two faces side by side."""
    one, other = (Image.open(io.BytesIO(portrait(chance))).convert("RGB") for _ in range(2))
    canvas = Image.new("RGB", (one.width + other.width, max(one.height, other.height)))
    canvas.paste(one, (0, 0))
    canvas.paste(other, (one.width, 0))
    out = io.BytesIO()
    canvas.save(out, format="JPEG", quality=90)
    return out.getvalue()


def _look(chance: Random) -> photos.Look:
    return photos.Look(
        margin=chance.randint(0, 60),
        angle=chance.uniform(-4, 4),
        light=chance.uniform(0.85, 1.15),
        quality=chance.randint(70, 92),
        side=chance.randint(300, 380),
    )
