"""Decode one untrusted image to upright RGB at bounded cost; never keeps its metadata, its name or its original bytes.

The decode happens in the process of the caller. What a killable child would protect from is bounded here first: four formats by
magic number, size and aspect from the header before a pixel exists, the number of progressive scans, bytes. Of a HEIC the decoder
sees a file that we wrote. What stays is a crash inside libjpeg, libpng, libwebp or the decoder of HEVC; it ends the process, the
message is redelivered, and a service that wants more isolation runs its decoder under a memory limit of its own. A child per image
would cost a process and a copy of the pixels.
Colour profiles are not applied: they move colours, not faces, and no parser of metadata runs here at all.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assent.faces.heif_pixels import heif_pixels
from assent.faces.image_header import ImageHeader, MediaType, heif_refusals, read_header
from assent.faces.image_metadata import without_metadata
from assent.faces.image_refusal import ImageRefusal, ImageRefusedError
from assent.heif.picture import read_picture

__all__ = [
    "DecodedImage",
    "ImageHeader",
    "ImageLimits",
    "ImageRefusal",
    "ImageRefusedError",
    "MediaType",
    "decode",
    "read_header",
]

_PILLOW_FORMAT = MappingProxyType({MediaType.JPEG: "JPEG", MediaType.PNG: "PNG", MediaType.WEBP: "WEBP"})
# What Pillow's parsers raise on bytes that somebody bent.
_DECODER_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    struct.error,
    LookupError,
    TypeError,
    OverflowError,
    Image.DecompressionBombError,
)
# Pillow warns of a decompression bomb above this; our own limit stays below, so that the warning can stay an error.
_PILLOW_BOMB_PIXELS = 89_478_485


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What is decoded at all. Measured at the limits: 40 megapixels with an alpha channel or 16 bits take 0.6 s and 530 MB, 40
    progressive scans of them 1.2 s. An ordinary progressive JPEG has about ten scans; each is a pass over the whole picture."""

    max_bytes: int = 20_000_000
    max_pixels: int = 40_000_000
    max_aspect: float = 12.0
    min_side_px: int = 32
    max_scans: int = 40

    def __post_init__(self) -> None:
        if not 0 < self.max_pixels <= _PILLOW_BOMB_PIXELS:
            raise ValueError(f"max_pixels must be between 1 and {_PILLOW_BOMB_PIXELS}, got {self.max_pixels}.")


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """Pixels only: `rgb` is uint8[height, width, 3], upright."""

    rgb: NDArray[np.uint8]
    width: int
    height: int


def decode(data: bytes, *, limits: ImageLimits) -> DecodedImage:
    """The upright pixels of a JPEG, PNG, WebP or HEIC file; raises ImageRefusedError with the reason to count."""
    if len(data) > limits.max_bytes:
        raise ImageRefusedError(ImageRefusal.TOO_MANY_BYTES)
    header = read_header(data)
    _check(header, limits)
    if header.media_type is MediaType.HEIC:
        return _heic(data, header, limits)
    try:
        bare, orientation = without_metadata(data, header.media_type)
        with Image.open(io.BytesIO(bare), formats=[_PILLOW_FORMAT[header.media_type]]) as image:
            if image.size != (header.width, header.height):
                # Two readings of one file: what was checked is not what would be decoded.
                raise ImageRefusedError(ImageRefusal.BROKEN)
            image.load()
            pixels = _oriented(_as_rgb(image), orientation)
    except _DECODER_ERRORS as error:
        is_short = isinstance(error, EOFError) or "truncated" in str(error).lower()
        raise ImageRefusedError(ImageRefusal.TRUNCATED if is_short else ImageRefusal.BROKEN) from None
    return DecodedImage(pixels, width=pixels.shape[1], height=pixels.shape[0])


def _heic(data: bytes, header: ImageHeader, limits: ImageLimits) -> DecodedImage:
    """HEIF's own properties say how the picture is turned; EXIF's orientation is a copy of that, and is not asked."""
    with heif_refusals():
        picture = read_picture(data)
        width, height = picture.shown_size()
        _check(replace(header, width=width, height=height), limits)
        pixels = heif_pixels(picture)
    return DecodedImage(pixels, width=width, height=height)


def _check(header: ImageHeader, limits: ImageLimits) -> None:
    shorter, longer = sorted((header.width, header.height))
    if header.width * header.height > limits.max_pixels:
        raise ImageRefusedError(ImageRefusal.TOO_MANY_PIXELS)
    if shorter < 1 or longer > limits.max_aspect * shorter:
        raise ImageRefusedError(ImageRefusal.ASPECT)
    if shorter < limits.min_side_px:
        raise ImageRefusedError(ImageRefusal.TOO_SMALL)
    if header.scans > limits.max_scans:
        raise ImageRefusedError(ImageRefusal.TOO_MANY_SCANS)


def _as_rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):
        # 16-bit grey: Pillow's own conversion clips at 255 instead of scaling.
        grey = (np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        # What is transparent is not shown, so it must not be seen here either: a face can hide under it.
        layer = image if image.mode == "RGBA" else image.convert("RGBA")
        image = Image.new("RGB", layer.size, (255, 255, 255))
        image.paste(layer, mask=layer)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"), dtype=np.uint8)


def _oriented(rgb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    if orientation >= 5:
        rgb = rgb.transpose(1, 0, 2)
    flip_rows = orientation in (3, 4, 7, 8)
    flip_columns = orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(rgb[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1])
