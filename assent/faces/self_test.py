"""Prove at start that a pack gives the vectors it should; never uses the picture of a person.

A recogniser with the wrong normalisation raises no error: its vectors have the right length and mean nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assent.faces.embed import Embedder, Template, TemplateError
from assent.faces.pack_errors import PackSelfTestError

if TYPE_CHECKING:
    from assent.faces.detect import Detector

# One byte per number of the stored reference costs less than 1e-4; a normalisation done twice ends at 0.46, the wrong order of
# colours at 0.64.
_MIN_COSINE = 0.999
_BATCH_TOLERANCE = 1e-5


def reference_squares(px: int) -> list[NDArray[np.uint8]]:
    """Two patterns uint8[px, px, 3] made of whole numbers only, so that every machine makes the same ones."""
    rows, columns = np.mgrid[0:px, 0:px].astype(np.int64)
    rings = ((rows - px // 2) ** 2 + (columns - px // 2) ** 2) // 37
    first = np.stack([rings % 256, (rows * 2 + columns) % 256, (columns * 3) % 256], axis=2)
    second = np.stack([(rows * columns // 11) % 256, rings * 2 % 256, (rows + 40) % 256], axis=2)
    return [first.astype(np.uint8), second.astype(np.uint8)]


def encoded_reference(embedder: Embedder, *, px: int) -> str:
    """The template of the first pattern, one signed byte per number, in hexadecimal."""
    template = embedder.embed_aligned(reference_squares(px)[:1])[0]
    signed = np.round(template / np.abs(template).max() * 127).astype(np.int8)
    return bytes(signed.tobytes()).hex()


def check_embedder(embedder: Embedder, *, px: int, reference: str) -> None:
    """Raises PackSelfTestError unless the network gives the reference, alone and inside a batch."""
    squares = reference_squares(px)
    try:
        alone = [embedder.embed_aligned([square])[0] for square in squares]
        together = embedder.embed_aligned([squares[1], squares[0], squares[1]])
    except TemplateError as error:
        raise PackSelfTestError(f"The recogniser failed its self-test: {error}") from error
    _check_reference(alone[0], reference)
    drift = max(float(np.abs(one - other).max()) for one, other in zip([*alone, alone[1]], _reordered(together), strict=True))
    if drift > _BATCH_TOLERANCE:
        raise PackSelfTestError(
            f"The recogniser gives a face another vector inside a batch (difference {drift:.2g}, allowed {_BATCH_TOLERANCE}): "
            "one person's image would leak into another's. Export the model again, with a free batch axis or with batch 1."
        )


def _reordered(together: list[Template]) -> list[Template]:
    return [together[1], together[0], together[2]]


def _check_reference(template: Template, reference: str) -> None:
    expected = np.frombuffer(bytes.fromhex(reference), dtype=np.int8).astype(np.float64)
    if expected.shape != template.shape or not expected.any():
        raise PackSelfTestError(
            f"The manifest's reference has {expected.size} numbers, the recogniser gives {template.size}. Prepare the pack again."
        )
    cosine = float(expected @ template.astype(np.float64) / np.linalg.norm(expected))
    if not cosine >= _MIN_COSINE:
        raise PackSelfTestError(
            f"The recogniser does not give its reference vector (cosine {cosine:.3f}, needed {_MIN_COSINE}): mean, std or the "
            "order of colours is wrong. Correct the manifest or prepare the pack again."
        )


def check_detector(detector: Detector) -> None:
    """Raises PackSelfTestError when the detector sees faces in an even grey picture."""
    if detector.detect(np.full((256, 320, 3), 127, dtype=np.uint8)):
        raise PackSelfTestError("The detector finds faces in an empty picture. Prepare the pack again.")
