"""The rules about faces in a picture, by name, on real faces: which one is meant, how good it is, whether the others can be hidden."""

from __future__ import annotations

import dataclasses
import io

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from assent.consent.binding import JointFaces, MarkedFaces, SingleFace, Unbound
from assent.events.faces import FaceBox
from assent.faces.box import Box
from assent.faces.detected_face import DetectedFace
from assent.faces.image import DecodedImage, ImageLimits, decode
from assent.ids import RuleId
from assent.testing.face_pack import embedded_pack, one_face, six_faces
from services.embedder.face_choice import ChosenFace, choose
from services.embedder.granted_face import granted_faces


def picture(rgb: NDArray[np.uint8]) -> tuple[DecodedImage, list[DetectedFace]]:
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "PNG")
    image = decode(stream.getvalue(), limits=ImageLimits())
    return image, list(embedded_pack().detector.detect(image.rgb))


def marked(face: DetectedFace, image: DecodedImage) -> FaceBox:
    region = face.box.relative(width=image.width, height=image.height)
    assert region is not None
    return FaceBox(x=region.x, y=region.y, width=region.width, height=region.height)


def test_no_face_and_several_faces_under_a_grant_for_one() -> None:
    nothing = np.full((480, 360, 3), 90, dtype=np.uint8)
    for rgb, rule in ((nothing, "no_face"), (six_faces(), "several_faces"), (one_face(), None)):
        image, faces = picture(rgb)
        chosen, found = choose(SingleFace(), faces, image, drops_image_with_bystanders=False)
        assert found == rule
        assert len(chosen) == (1 if rule is None else 0)


def test_region_not_found_where_she_marked_no_face_or_another_s_twice() -> None:
    image, faces = picture(six_faces())
    first, second = marked(faces[0], image), marked(faces[1], image)
    nowhere = FaceBox(x=0.0, y=0.0, width=0.01, height=0.01)
    outside = FaceBox(x=0.95, y=0.1, width=0.2, height=0.2)
    for boxes, rule in (((first,), None), ((first, second), None), ((nowhere,), "region_not_found"), ((outside,), "region_not_found")):
        assert choose(MarkedFaces(boxes), faces, image, drops_image_with_bystanders=False)[1] == rule, boxes
    assert choose(MarkedFaces((first, first)), faces, image, drops_image_with_bystanders=False)[1] == "region_not_found"


def test_bystander_present_where_others_are_not_covered() -> None:
    image, faces = picture(six_faces())
    one = marked(faces[0], image)
    assert choose(JointFaces(5), faces, image, drops_image_with_bystanders=False)[1] == "bystander_present"
    assert choose(JointFaces(6), faces, image, drops_image_with_bystanders=True)[1] is None
    assert choose(MarkedFaces((one,)), faces, image, drops_image_with_bystanders=True)[1] == "bystander_present"
    assert choose(Unbound(RuleId("bystander_possible")), faces, image, drops_image_with_bystanders=False)[1] == "bystander_possible"


def test_low_quality_makes_no_template() -> None:
    blurred = np.asarray(cv2.GaussianBlur(one_face(), (0, 0), 4), dtype=np.uint8)
    for rgb, rule in ((one_face(), None), (blurred, "low_quality")):
        image, faces = picture(rgb)
        made, found = granted_faces(embedded_pack(), image, [ChosenFace(faces[0], 0)], faces)
        assert (found, len(made)) == (rule, 1 if rule is None else 0)


@pytest.mark.parametrize(("shift", "rule"), [(0.05, "faces_overlap"), (3.0, None)])
def test_faces_overlap_where_nobody_can_be_painted_out(shift: float, rule: str | None) -> None:
    image, faces = picture(one_face())
    own = faces[0]
    box = Box(own.box.x + shift * own.box.width, own.box.y, own.box.width, own.box.height)
    other = dataclasses.replace(own, box=box)
    made, found = granted_faces(embedded_pack(), image, [ChosenFace(own, 0)], [own, other])
    assert (found, len(made)) == (rule, 1 if rule is None else 0)
