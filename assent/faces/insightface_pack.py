"""Describe a folder of InsightFace models that the operator put there; never downloads one and never opens an attribute model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import onnx

from assent.faces.manifest import (
    MANIFEST_FILE,
    DetectorInput,
    DetectorKind,
    DetectorPart,
    PackManifest,
    RecogniserPart,
    Threshold,
    TrainingConsent,
    TrainingData,
)
from assent.faces.onnx_guard import checked_graph, input_is_normalised
from assent.faces.pack import build_embedder
from assent.faces.pack_errors import PackLicenceError, PackMissingError
from assent.faces.self_test import encoded_reference
from assent.faces.whole_file import write_whole

_LICENCE = "InsightFace model licence: non-commercial research only"
_TRAINING = TrainingData(
    description="InsightFace packs are trained on WebFace600K, Glint360K or MS1MV3: photographs collected from the web without "
    "asking the people shown.",
    consent=TrainingConsent.SCRAPED,
)


def describe_insightface_folder(
    folder: Path, *, name: str, version: str, thresholds: Sequence[Threshold], accept_licence: bool = False
) -> PackManifest:
    """Write the manifest of a folder with one SCRFD detector (`det_*`) and one recogniser (`w600k_*`, `glint*`, `*arcface*`).

    The thresholds are the operator's: none is invented for a model nobody measured here. Raises PackLicenceError unless the
    licence is accepted, PackMissingError when a model is missing or there is more than one, PackUnsafeError when it is not fit.
    """
    if not accept_licence:
        raise PackLicenceError(f"The models in {folder} are for research use only. Accept the licence to describe them: {_LICENCE}.")
    detector = _only(folder, ("det_*.onnx", "scrfd_*.onnx"), "detector")
    recogniser = _recogniser(_only(folder, ("w600k_*.onnx", "glint*.onnx", "*arcface*.onnx"), "recogniser"))
    embedder = build_embedder(folder, recogniser, intra_op_threads=1)
    manifest = PackManifest(
        name=name,
        version=version,
        detector=DetectorPart(
            file=detector.name,
            sha256=_sha256(detector),
            kind=DetectorKind.SCRFD,
            input=DetectorInput(sides_px=(320, 640, 1280), min_score=0.5),
        ),
        recogniser=recogniser,
        thresholds=tuple(thresholds),
        licence=_LICENCE,
        training_data=_TRAINING,
        research_only=True,
        reference=encoded_reference(embedder, px=recogniser.input_px),
    )
    write_whole(folder / MANIFEST_FILE, manifest.encoded())
    return manifest


def _only(folder: Path, patterns: Sequence[str], role: str) -> Path:
    found = sorted({path for pattern in patterns for path in folder.glob(pattern)})
    if len(found) != 1:
        raise PackMissingError(
            f"{folder} holds {len(found)} files that could be the {role} ({', '.join(patterns)}); exactly one is needed. Put the "
            "pack's models there; nothing is downloaded."
        )
    return found[0]


def _recogniser(path: Path) -> RecogniserPart:
    content = path.read_bytes()
    graph = checked_graph(content, name=path.name)
    mean, std = (0.0, 1.0) if input_is_normalised(graph) else (127.5, 127.5)
    return RecogniserPart(
        file=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        input_px=_last_dimension(graph.input[0]),
        dimensions=_last_dimension(graph.output[0]),
        mean=mean,
        std=std,
    )


def _last_dimension(value: onnx.ValueInfoProto) -> int:
    return int(value.type.tensor_type.shape.dim[-1].dim_value)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
