"""What a model pack says of itself: files, numbers, licence, where its training data came from; never a claim nobody measured.

A threshold names the set it was measured on. A false-match rate holds for that set alone: another camera, another crowd, another
share of look-alikes moves it, and a gallery of n people multiplies it by n.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assent.faces.pack_errors import PackMissingError, PackTamperedError

MANIFEST_FILE = "manifest.json"
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# A plain file name: a manifest must not reach out of its folder.
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\.onnx$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DetectorKind(StrEnum):
    YUNET = "yunet"
    SCRFD = "scrfd"


class TrainingConsent(StrEnum):
    """How the people in the training data came to be there."""

    CONSENTED = "consented"
    LICENSED = "licensed"
    SYNTHETIC = "synthetic"
    SCRAPED = "scraped"
    UNKNOWN = "unknown"


class DetectorInput(_Part):
    """Longest sides, in pixels, at which each image is searched, and the lowest score that counts as a face."""

    sides_px: tuple[Annotated[int, Field(ge=64, le=4096)], ...] = Field(min_length=1)
    min_score: float = Field(gt=0, lt=1)


class DetectorPart(_Part):
    file: FileName
    sha256: Sha256
    kind: DetectorKind
    input: DetectorInput


class RecogniserPart(_Part):
    """The network takes (RGB - mean) / std of an aligned square of `input_px` and gives `dimensions` floats."""

    file: FileName
    sha256: Sha256
    # The template of five landmarks is defined for 112 px and its multiples.
    input_px: int = Field(ge=112, le=448, multiple_of=112)
    dimensions: int = Field(ge=64, le=4096)
    mean: float
    std: float = Field(gt=0)


class Threshold(_Part):
    """A cosine from which two templates count as a candidate; `false_match_rate` is None when its source states none."""

    false_match_rate: float | None = Field(gt=0, lt=1)
    cosine: float = Field(gt=-1, lt=1)
    measured_on: str = Field(min_length=10)
    impostor_comparisons: int | None = Field(default=None, ge=1)


class TrainingData(_Part):
    description: str = Field(min_length=10)
    consent: TrainingConsent


class PackManifest(_Part):
    """A model pack. `reference` is the template of the self-test pattern as signed bytes, in hexadecimal."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    version: str = Field(min_length=1, max_length=64)
    detector: DetectorPart
    recogniser: RecogniserPart
    thresholds: tuple[Threshold, ...] = Field(min_length=1)
    licence: str = Field(min_length=3)
    training_data: TrainingData
    research_only: bool
    reference: str = Field(pattern=r"^([0-9a-f]{2})+$")

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON (RFC 8785) of what makes a vector: name, version, detector and recogniser.

        Prose and thresholds stay out, so that a corrected sentence does not turn every stored vector into a foreign one.
        """
        parts = self.model_dump(mode="json", include={"name", "version", "detector", "recogniser"})
        return hashlib.sha256(rfc8785.dumps(parts)).hexdigest()

    def threshold_at(self, false_match_rate: float) -> Threshold | None:
        """The least strict threshold measured at this rate or a lower one; None when nothing so strict was measured."""
        known = [item for item in self.thresholds if item.false_match_rate and item.false_match_rate <= false_match_rate]
        return min(known, key=lambda item: item.cosine, default=None)

    def encoded(self) -> bytes:
        return (self.model_dump_json(indent=2) + "\n").encode()


def read_manifest(folder: Path) -> PackManifest:
    """The manifest of a pack; raises PackMissingError or PackTamperedError."""
    path = folder / MANIFEST_FILE
    try:
        return PackManifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise PackMissingError(
            f"No model pack at {folder}: {MANIFEST_FILE} is missing. Run `assent models prepare` or point the setting at a pack."
        ) from None
    except ValidationError as error:
        fields = ", ".join(".".join(str(part) for part in item["loc"]) or "the JSON" for item in error.errors()[:5])
        raise PackTamperedError(
            f"The manifest {path} cannot be used; wrong: {fields}. Prepare the pack again or restore the file."
        ) from None
