"""Load a model pack so that it can be trusted; never downloads, and never opens a model that the manifest does not name.

A manifest names one detector and one recogniser. Age, sex, emotion and every other attribute have no place in it (QC-4): a
file that lies beside them, such as InsightFace's `genderage.onnx`, stays closed.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime
from insightface.model_zoo.arcface_onnx import ArcFaceONNX

from assent.faces.detect import CandidateSource, Detector
from assent.faces.embed import Embedder
from assent.faces.manifest import DetectorKind, DetectorPart, PackManifest, RecogniserPart, read_manifest
from assent.faces.onnx_guard import checked_graph, input_is_normalised, read_verified
from assent.faces.pack_errors import PackLicenceError, PackSelfTestError, PackTamperedError, PackUnsafeError
from assent.faces.scrfd import OUTPUT_COUNT, ScrfdRunner
from assent.faces.self_test import check_detector, check_embedder
from assent.faces.yunet import OUTPUTS, YunetRunner


@dataclass(frozen=True, slots=True, eq=False)
class FacePack:
    """A pack that passed its checks. All parts may be used by several threads."""

    manifest: PackManifest
    detector: Detector
    embedder: Embedder

    @property
    def digest(self) -> str:
        """Which model made a vector: part of every face id, and a new collection when it changes."""
        return self.manifest.digest


def load_pack(folder: Path, *, accept_licence: bool = False, intra_op_threads: int = 1, expected_digest: str | None = None) -> FacePack:
    """Load, check and self-test the pack in `folder`, on the CPU only. Raises a ModelPackError that says what to do.

    `expected_digest` pins the pack: files and manifest exchanged together are then refused too.
    """
    manifest = read_manifest(folder)
    if expected_digest is not None and manifest.digest != expected_digest:
        raise PackTamperedError(
            f"The pack at {folder} has digest {manifest.digest}, expected {expected_digest}. Restore the pack, or change the "
            "setting and re-embed: vectors of two models cannot be compared."
        )
    if manifest.research_only and not accept_licence:
        raise PackLicenceError(
            f"The pack {manifest.name} is for research use only ({manifest.licence}). Accept its licence in the settings, or "
            "use the embedded pack."
        )
    detector = Detector(
        _detector_source(folder, manifest.detector, intra_op_threads),
        sides_px=manifest.detector.input.sides_px,
        min_score=manifest.detector.input.min_score,
    )
    embedder = build_embedder(folder, manifest.recogniser, intra_op_threads=intra_op_threads)
    check_detector(detector)
    check_embedder(embedder, px=manifest.recogniser.input_px, reference=manifest.reference)
    return FacePack(manifest, detector, embedder)


def build_embedder(folder: Path, part: RecogniserPart, *, intra_op_threads: int) -> Embedder:
    """The recogniser, checked but not self-tested."""
    content = read_verified(folder / part.file, sha256=part.sha256)
    graph = checked_graph(content, name=part.file)
    session = _session(content, part.file, intra_op_threads)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    expected = [3, part.input_px, part.input_px]
    if len(inputs) != 1 or len(outputs) != 1 or inputs[0].shape[1:] != expected or outputs[0].shape[1:] != [part.dimensions]:
        raise PackUnsafeError(
            f"{part.file} is not the recogniser of the manifest: it must take [batch, 3, {part.input_px}, {part.input_px}] and "
            f"give [batch, {part.dimensions}]. Correct the manifest or prepare the pack again."
        )
    if input_is_normalised(graph) and (part.mean, part.std) != (0.0, 1.0):
        raise PackSelfTestError(
            f"{part.file} normalises its input itself, and the manifest does so again (mean {part.mean}, std {part.std}): "
            "the vectors would have the right length and no meaning. Set mean 0 and std 1."
        )
    network = ArcFaceONNX(model_file=io.BytesIO(content), session=session)
    # insightface guesses both from the names of the first nodes; the manifest knows.
    network.input_mean, network.input_std = part.mean, part.std
    return Embedder(network, input_px=part.input_px, dimensions=part.dimensions)


def _detector_source(folder: Path, part: DetectorPart, intra_op_threads: int) -> CandidateSource:
    content = read_verified(folder / part.file, sha256=part.sha256)
    checked_graph(content, name=part.file)
    session = _session(content, part.file, intra_op_threads)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    is_yunet = part.kind is DetectorKind.YUNET
    has_outputs = {item.name for item in outputs} == set(OUTPUTS) if is_yunet else len(outputs) == OUTPUT_COUNT
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[1] != 3 or not has_outputs:
        raise PackUnsafeError(
            f"{part.file} is no {part.kind} detector with five landmarks: {len(inputs)} inputs, {len(outputs)} outputs. Correct "
            "the manifest or prepare the pack again."
        )
    return YunetRunner(session) if is_yunet else ScrfdRunner(session)


def _session(content: bytes, name: str, intra_op_threads: int) -> Any:
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = intra_op_threads
    options.inter_op_num_threads = 1
    # Warnings of the engine name tensors of the graph and nothing an operator can act on.
    options.log_severity_level = 3
    try:
        # From bytes, so that there is no path to which a tensor could refer; on the CPU, so that numbers never change silently.
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise PackUnsafeError(f"onnxruntime cannot load {name} ({type(error).__name__}). Prepare the pack again.") from error
