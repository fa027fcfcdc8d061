"""A template is a unit vector of one face, or an error; the same person stays near through ordinary changes of a picture."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from assent.faces.embed import Embedder, Template, TemplateError
from assent.faces.self_test import reference_squares
from assent.testing.face_pack import embedded_pack, encoded, one_face, six_faces

# OpenCV Zoo's threshold for the same person.
SAME_PERSON = 0.363


@dataclass
class FakeNetwork:
    """Stands at insightface's edge and gives one prepared row per picture."""

    row: NDArray[np.float32]
    input_shape: tuple[object, ...] = ("batch", 3, 112, 112)

    def get_feat(self, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        return np.stack([self.row] * len(pictures))


def template(rgb: NDArray[np.uint8]) -> Template:
    pack = embedded_pack()
    faces = pack.detector.detect(rgb)
    assert len(faces) == 1
    return pack.embedder.embed(rgb, faces[0])


def test_a_template_has_length_one() -> None:
    found = template(one_face())
    assert found.dtype == np.float32
    assert found.shape == (128,)
    assert float(np.linalg.norm(found.astype(np.float64))) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, -np.inf, 1e-30])
def test_a_vector_without_a_direction_never_leaves(value: float) -> None:
    row = np.full(128, value, dtype=np.float32)
    embedder = Embedder(FakeNetwork(row), input_px=112, dimensions=128)
    with pytest.raises(TemplateError, match="not stored"):
        embedder.embed_aligned([np.zeros((112, 112, 3), dtype=np.uint8)])


def test_one_bad_number_is_enough() -> None:
    row = np.ones(128, dtype=np.float32)
    row[77] = np.nan
    with pytest.raises(TemplateError):
        Embedder(FakeNetwork(row), input_px=112, dimensions=128).embed_aligned([np.zeros((112, 112, 3), dtype=np.uint8)])


def test_a_vector_of_another_size_is_refused() -> None:
    embedder = Embedder(FakeNetwork(np.ones(127, dtype=np.float32)), input_px=112, dimensions=128)
    with pytest.raises(TemplateError, match="127"):
        embedder.embed_aligned([np.zeros((112, 112, 3), dtype=np.uint8)])


def test_a_large_number_is_no_overflow() -> None:
    row = np.full(128, 3e38, dtype=np.float32)
    found = Embedder(FakeNetwork(row), input_px=112, dimensions=128).embed_aligned([np.zeros((112, 112, 3), dtype=np.uint8)])
    assert np.allclose(found[0], 1 / np.sqrt(128))


def test_no_faces_are_no_templates() -> None:
    assert embedded_pack().embedder.embed_many(one_face(), []) == []


def changed(name: str) -> NDArray[np.uint8]:
    rgb = one_face()
    image = Image.fromarray(rgb)
    kind, _, amount = name.partition(" ")
    match kind:
        case "crop":
            return rgb[20:230, 120:330].copy()
        case "tight":
            return rgb[60:190, 170:280].copy()
        case "light":
            return np.clip(rgb.astype(float) * float(amount), 0, 255).astype(np.uint8)
        case "jpeg":
            return np.asarray(Image.open(io.BytesIO(encoded(rgb, quality=int(amount)))), dtype=np.uint8)
        case "turn":
            return np.asarray(image.rotate(float(amount), resample=Image.Resampling.BICUBIC), dtype=np.uint8)
        case "size":
            return np.asarray(cv2.resize(rgb, None, fx=float(amount), fy=float(amount)), dtype=np.uint8)
        case "mirror":
            return np.ascontiguousarray(rgb[:, ::-1])
        case _:
            return np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize(
    "name",
    [
        "crop", "tight", "mirror", "grey",
        "light 0.3", "light 0.6", "light 1.4",
        "jpeg 50", "jpeg 20", "jpeg 10",
        "turn -20", "turn -10", "turn 10", "turn 20",
        "size 0.5", "size 2", "size 4",
    ],
)  # fmt: skip
def test_the_same_person_through_ordinary_changes(name: str) -> None:
    # Measured 0.67 to 0.99; the distance to the threshold is what makes this a test of the pipeline and not of luck.
    assert float(template(one_face()) @ template(changed(name))) > SAME_PERSON + 0.2


def test_seven_strangers() -> None:
    pack = embedded_pack()
    picture = six_faces()
    everyone = [*pack.embedder.embed_many(picture, pack.detector.detect(picture)), template(one_face())]
    cosines = np.array(everyone) @ np.array(everyone).T
    assert cosines[~np.eye(7, dtype=bool)].max() < SAME_PERSON


def test_the_order_of_colours_matters_and_is_right() -> None:
    # A wrong order still gives unit vectors; it is a different function.
    # A portrait hides it (cosine 0.95), the self-test's pattern does not.
    right, swapped = (reference_squares(112)[0][:, :, ::step] for step in (1, -1))
    templates = embedded_pack().embedder.embed_aligned([right, np.ascontiguousarray(swapped)])
    assert float(templates[0] @ templates[1]) < 0.7
    expected = np.frombuffer(bytes.fromhex(embedded_pack().manifest.reference), dtype=np.int8).astype(np.float64)
    assert float(expected @ templates[0]) / np.linalg.norm(expected) > 0.9999
