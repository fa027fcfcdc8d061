"""The embedded model pack and a few pictures for tests; never a photograph that does not come with an installed package."""

from __future__ import annotations

import functools
import importlib.util
import io
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assent.faces.pack import FacePack, load_pack
from assent.faces.prepare import prepare_embedded_pack


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    # Held by the cache, and removed when the process ends.
    folder = tempfile.TemporaryDirectory(prefix="assent-test-pack-", ignore_cleanup_errors=True)
    prepare_embedded_pack(Path(folder.name), progress=lambda _: None)
    return folder


def embedded_pack_folder() -> Path:
    """The prepared pack, made once per process; copy it before changing it."""
    return Path(_folder().name)


def lend_pack(folder: Path) -> None:
    """The prepared pack in a folder of a deployment, so that its start need not make it; what stands there already stays.

    The files are shared with every other borrower: replace one, never write into it.
    """
    if not folder.exists():
        shutil.copytree(embedded_pack_folder(), folder, copy_function=_linked)


@functools.cache
def embedded_pack() -> FacePack:
    """The embedded pack, loaded once per process."""
    return load_pack(embedded_pack_folder())


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Another file system.
        shutil.copyfile(source, target)


def one_face() -> NDArray[np.uint8]:
    """NASA's portrait of one astronaut (public domain): uint8[512, 512, 3], one face."""
    from skimage.data import astronaut

    return np.asarray(astronaut(), dtype=np.uint8)  # type: ignore[no-untyped-call]


def six_faces() -> NDArray[np.uint8]:
    """The group photo that insightface ships: uint8[886, 1280, 3], six faces."""
    # Found, not imported: insightface brings onnxruntime, and that must not come before assent.faces.
    spec = importlib.util.find_spec("insightface")
    assert spec is not None
    assert spec.origin is not None
    with Image.open(Path(spec.origin).parent / "data" / "images" / "t1.jpg") as image:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)


def encoded(rgb: NDArray[np.uint8], *, kind: str = "JPEG", quality: int = 95) -> bytes:
    """The picture as a JPEG, PNG or WEBP file."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, format=kind, quality=quality)
    return buffer.getvalue()
