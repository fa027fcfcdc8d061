"""What is kept of a picture shows the granted face and nobody else, and carries nothing but pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from assent.faces.box import Box
from assent.faces.derivative import OverlappingFacesError, derivative
from assent.testing.face_pack import embedded_pack, six_faces

GREY = 128


def opened(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)


def striped(width: int, height: int, bystanders: list[Box]) -> NDArray[np.uint8]:
    """A green picture in which bystanders are pure red: any red left is a disclosure."""
    rgb = np.zeros((height, width, 3), dtype=np.uint8)
    rgb[:, :] = (20, 160, 20)
    for box in bystanders:
        left, top = max(0, int(np.floor(box.x))), max(0, int(np.floor(box.y)))
        rgb[top : max(0, int(np.ceil(box.y + box.height))), left : max(0, int(np.ceil(box.x + box.width)))] = (255, 0, 0)
    return rgb


def red_left(rgb: NDArray[np.uint8]) -> int:
    return int(((rgb[:, :, 0] > 170) & (rgb[:, :, 1] < 90)).sum())


def test_the_crop_is_the_box_with_its_margin() -> None:
    rgb = striped(400, 300, [])
    assert opened(derivative(rgb, Box(100, 100, 50, 60), [], margin=0.5)).shape == (120, 100, 3)


def test_the_margin_ends_at_the_edge() -> None:
    assert opened(derivative(striped(400, 300, []), Box(-10, 280, 50, 60), [], margin=0.5)).shape == (50, 65, 3)


def test_a_large_face_is_made_smaller() -> None:
    picture = opened(derivative(striped(2000, 3000, []), Box(200, 300, 900, 1200), [], margin=0.4, max_px=512))
    assert max(picture.shape) == 512


def test_the_neighbour_is_flat_grey() -> None:
    other = Box(160, 100, 50, 60)
    picture = opened(derivative(striped(400, 300, [other]), Box(100, 100, 50, 60), [other], margin=1.0))
    assert red_left(picture) == 0
    # In the crop the neighbour starts at 160 - 50.
    assert np.abs(picture[70:110, 115:145].astype(int) - GREY).max() < 4


def test_what_surrounds_the_neighbour_is_painted_but_not_over_the_granted_face() -> None:
    other = Box(152, 100, 50, 60)
    picture = opened(derivative(striped(400, 300, [other]), Box(100, 100, 50, 60), [other], margin=1.0))
    assert np.abs(picture[50:55, 112:].astype(int).mean() - GREY) < 8
    # The last columns of the granted box lie within the neighbour's surroundings and stay.
    assert picture[90, 95, 1] > 140


def test_a_slight_overlap_hides_the_neighbour_inside_the_granted_box_too() -> None:
    other = Box(145, 100, 50, 60)
    picture = opened(derivative(striped(400, 300, [other]), Box(100, 100, 50, 60), [other], margin=0.0))
    assert red_left(picture) == 0
    assert np.abs(picture[20:40, 47:].astype(int) - GREY).max() < 6


@pytest.mark.parametrize("other", [Box(120, 110, 50, 60), Box(100, 100, 50, 60), Box(110, 110, 15, 15), Box(0, 0, 400, 300)])
def test_faces_that_cannot_be_told_apart_give_no_picture(other: Box) -> None:
    with pytest.raises(OverlappingFacesError):
        derivative(striped(400, 300, [other]), Box(100, 100, 50, 60), [other])


def test_a_box_outside_the_picture_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="outside"):
        derivative(striped(100, 100, []), Box(200, 10, 20, 20), [])


def test_the_picture_given_is_not_changed() -> None:
    other = Box(160, 100, 50, 60)
    rgb = striped(400, 300, [other])
    before = rgb.copy()
    derivative(rgb, Box(100, 100, 50, 60), [other])
    assert np.array_equal(rgb, before)


def test_nothing_but_pixels() -> None:
    data = derivative(striped(400, 300, []), Box(100, 100, 50, 60), [])
    with Image.open(io.BytesIO(data)) as image:
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert not image.getexif()
    assert b"Exif" not in data
    assert b"ICC_PROFILE" not in data


PLACES = st.floats(-40, 400)
SIDES = st.floats(8, 120)
GRANTED = st.builds(Box, st.floats(0, 300), st.floats(0, 200), SIDES, SIDES)


@settings(max_examples=150, deadline=None)
@given(granted=GRANTED, others=st.lists(st.builds(Box, PLACES, PLACES, SIDES, SIDES), max_size=6))
def test_no_bystander_is_ever_left(granted: Box, others: list[Box]) -> None:
    try:
        data = derivative(striped(420, 320, others), granted, others, margin=1.0)
    except OverlappingFacesError:
        return
    assert red_left(opened(data)) == 0


def test_in_a_group_only_the_granted_person_is_found_again() -> None:
    pack = embedded_pack()
    picture = six_faces()
    faces = pack.detector.detect(picture)
    templates = pack.embedder.embed_many(picture, faces)
    for index, face in enumerate(faces):
        others = [other.box for other in faces if other is not face]
        kept = opened(derivative(picture, face.box, others, margin=1.5, max_px=800))
        found = pack.detector.detect(kept)
        assert len(found) == 1
        cosines = np.array(templates) @ pack.embedder.embed(kept, found[0])
        assert int(cosines.argmax()) == index
        assert cosines[index] > 0.8
