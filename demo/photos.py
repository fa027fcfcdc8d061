"""Photos of the demonstration, made at run time from what installed packages ship; nobody in them agreed to anything."""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps
from PIL.ExifTags import IFD, Base

VANCOUVER = (49.2606, -123.1140)
MONTREAL = (45.5075, -73.5900)
_STRANGER_BOX = (420, 190, 630, 470)
_PORTRAIT_BOX = (110, 0, 340, 260)


@dataclass(frozen=True, slots=True)
class Look:
    """One variation of the portrait: crop margin in pixels, angle in degrees, light as a factor, JPEG quality, side in pixels."""

    margin: int = 0
    angle: float = 0.0
    light: float = 1.0
    quality: int = 90
    side: int = 480
    is_grey: bool = False


PORTRAIT_LOOKS = (
    Look(),
    Look(margin=60, quality=75),
    Look(angle=8.0, side=420),
    Look(light=0.65),
    Look(light=1.35, quality=60),
    Look(angle=-10.0, margin=30, light=0.85),
    Look(is_grey=True, quality=70),
    Look(margin=90, side=360, quality=50),
)


@functools.cache
def portrait(look: Look = Look(), *, place: tuple[float, float] | None = None) -> bytes:
    """The NASA portrait (public domain, shipped by scikit-image) in one variation, as JPEG, with GPS where a place is given."""
    picture = Image.fromarray(_astronaut())
    if look.angle:
        picture = picture.rotate(look.angle, resample=Image.Resampling.BICUBIC, center=(225, 120))
    left, top, right, bottom = _PORTRAIT_BOX
    margin = look.margin
    picture = picture.crop((max(0, left - margin), max(0, top - margin), min(512, right + margin), min(512, bottom + margin)))
    picture = ImageEnhance.Brightness(picture).enhance(look.light)
    if look.is_grey:
        picture = ImageOps.grayscale(picture).convert("RGB")
    scale = look.side / max(picture.size)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    return _jpeg(picture, quality=look.quality, place=place)


@functools.cache
def group() -> bytes:
    """The group photo that insightface ships, as JPEG: six people who are bystanders here."""
    return _jpeg(_group(), quality=85, place=VANCOUVER)


@functools.cache
def stranger() -> bytes:
    """One person cut out of the group photo: somebody else's portrait."""
    return _jpeg(_group().crop(_STRANGER_BOX), quality=88, place=VANCOUVER)


def stranger_without_place() -> bytes:
    """Another person of the group, without any metadata."""
    return _jpeg(_group().crop((220, 90, 420, 340)), quality=88, place=None)


@dataclass(frozen=True, slots=True)
class Composite:
    """The portrait beside the group. `region` is (x, y, width, height) of the portrait's face, relative to the image."""

    data: bytes
    region: tuple[float, float, float, float]


@functools.cache
def composite() -> Composite:
    """One image with seven faces, of which one will be granted by its region."""
    people = _group()
    portrait_side = people.height
    canvas = Image.new("RGB", (people.width + portrait_side, people.height))
    canvas.paste(people, (0, 0))
    canvas.paste(Image.fromarray(_astronaut()).resize((portrait_side, portrait_side)), (people.width, 0))
    scale = portrait_side / 512
    x, y, width, height = (people.width + 168 * scale, 50 * scale, 112 * scale, 135 * scale)
    region = (x / canvas.width, y / canvas.height, width / canvas.width, height / canvas.height)
    return Composite(_jpeg(canvas, quality=88, place=VANCOUVER), region)


def _astronaut() -> NDArray[np.uint8]:
    from skimage import data  # heavy, and needed by the demonstration alone

    picture: NDArray[np.uint8] = data.astronaut()  # type: ignore[no-untyped-call]
    return picture


def _group() -> Image.Image:
    path = files("insightface").joinpath("data", "images", "t1.jpg")
    return Image.open(io.BytesIO(path.read_bytes()), formats=["JPEG"]).convert("RGB")


def _jpeg(picture: Image.Image, *, quality: int, place: tuple[float, float] | None) -> bytes:
    out = io.BytesIO()
    picture.save(out, format="JPEG", quality=quality, exif=_exif(place) if place else b"")
    return out.getvalue()


def _exif(place: tuple[float, float]) -> bytes:
    """EXIF as a phone writes it: latitude and longitude as degrees, minutes and seconds with their references."""
    latitude, longitude = place
    exif = Image.Exif()
    exif[Base.Make.value] = "Assent demonstration"
    exif.get_ifd(IFD.GPSInfo).update(
        {
            1: "N" if latitude >= 0 else "S",
            2: _degrees(abs(latitude)),
            3: "E" if longitude >= 0 else "W",
            4: _degrees(abs(longitude)),
        }
    )
    return exif.tobytes()


def _degrees(value: float) -> tuple[float, float, float]:
    minutes = (value - int(value)) * 60
    return float(int(value)), float(int(minutes)), round((minutes - int(minutes)) * 60, 4)
