"""Pixels of a HEIC photo: its tiles decoded as frames of a film that we wrote, put together, cut and turned; no metadata comes near it.

FFmpeg's HEVC decoder, which OpenCV carries, sees nothing of the file but slices of intra pictures under one set of parameters, whose
size was read before. One thread, no acceleration by devices.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.faces.image_refusal import ImageRefusal, ImageRefusedError
from assent.heif.movie import movie_of
from assent.heif.picture import Cut, HeifPicture, Mirror, Turn

_SETTINGS = (cv2.CAP_PROP_HW_ACCELERATION, cv2.VIDEO_ACCELERATION_NONE, cv2.CAP_PROP_N_THREADS, 1)


class HeicUnavailableError(RuntimeError):
    """Raised when the installed OpenCV has no decoder of HEVC: trouble of ours, never a refusal."""


def heif_pixels(picture: HeifPicture) -> NDArray[np.uint8]:
    """Upright RGB, uint8[height, width, 3]. Raises ImageRefusedError, HeifError, HeifUnsupportedError, HeicUnavailableError."""
    tiles = picture.coded_tiles()
    if not cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG):
        raise HeicUnavailableError("The installed OpenCV cannot decode HEIC. Install requirements/runtime.txt.")
    # OpenCV keeps no reference of its own, and reads from it to the last: it must live longer than the film.
    source = io.BytesIO(movie_of(tiles, picture.parameters))
    film = cv2.VideoCapture(source, cv2.CAP_FFMPEG, list(_SETTINGS))  # type: ignore[call-overload]  # the stub knows no Python stream
    try:
        return _stepped(_whole(film, picture), picture)
    finally:
        film.release()


def _whole(film: cv2.VideoCapture, picture: HeifPicture) -> NDArray[np.uint8]:
    rgb = np.empty((picture.height, picture.width, 3), dtype=np.uint8)
    wide, high = picture.parameters.width, picture.parameters.height
    for place in range(len(picture.tiles)):
        is_there, frame = film.read()
        if not is_there or frame.shape != (high, wide, 3) or frame.dtype != np.uint8:
            raise ImageRefusedError(ImageRefusal.BROKEN)
        top, left = place // picture.columns * high, place % picture.columns * wide
        part = rgb[top : top + high, left : left + wide]
        # OpenCV gives BGR; what reaches beyond the picture is padding.
        part[:] = frame[: part.shape[0], : part.shape[1], ::-1]
    return rgb


def _stepped(rgb: NDArray[np.uint8], picture: HeifPicture) -> NDArray[np.uint8]:
    for step in picture.steps:
        match step:
            case Cut(left, top, width, height):
                rgb = rgb[top : top + height, left : left + width]
            case Turn(quarters):
                rgb = np.rot90(rgb, quarters)
            case Mirror(is_sideways):
                rgb = rgb[:, ::-1] if is_sideways else rgb[::-1]
    return np.ascontiguousarray(rgb)
