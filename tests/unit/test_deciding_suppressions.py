"""What must not come back: found again by any of its names, whatever order they came in; another picture is left alone."""

from __future__ import annotations

import hashlib
import hmac
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from assent.deciding.refusals import Outcome, outcome_of
from assent.deciding.suppressions import MAX_DISTANCE, SUPPRESSED, Suppressions
from assent.events.grants import SuppressionAdded
from assent.faces.perceptual_hash import perceptual_hash
from assent.ids import ImageId
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.identifiers import ImageIds
from demo import photos

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HASHES = st.binary(min_size=32, max_size=32)


def pixels(picture: Image.Image) -> NDArray[np.uint8]:
    return np.array(picture.convert("RGB"))


def portrait(**look: object) -> Image.Image:
    return Image.open(io.BytesIO(photos.portrait(photos.Look(**look)))).convert("RGB")  # type: ignore[arg-type]


def recompressed(picture: Image.Image, quality: int) -> Image.Image:
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=quality)
    return Image.open(held)


def added(name: str, *, image: str | None = None, alike: bytes | None = None) -> SuppressionAdded:
    return SuppressionAdded(
        suppression_key=name,
        added_at=NOW,
        image_id=None if image is None else ImageId(image),
        perceptual_hash=None if alike is None else alike.hex(),
    )


def differing(left: bytes, right: bytes) -> int:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).bit_count()


def test_each_name_is_found_and_no_other() -> None:
    held = Suppressions()
    assert not held.has_alike("00" * 32)
    held.add(added("bytes", image="image", alike=bytes(32)))
    held.add(added("address"))
    held.deny("unreadable")
    assert [held.has_key(key) for key in ("bytes", "address", "unreadable", "image", "other")] == [True, True, True, False, False]
    assert [held.has_image(ImageId(name)) for name in ("image", "bytes")] == [True, False]
    assert len(held) == 3
    assert outcome_of([SUPPRESSED]) is Outcome.SUPPRESSED


def test_what_is_added_after_a_question_is_found_by_the_next_one() -> None:
    held, first, later = Suppressions(), bytes(32), b"\xff" * 32
    held.add(added("first", alike=first))
    assert (held.has_alike(first.hex()), held.has_alike(later.hex())) == (True, False)
    held.add(added("later", alike=later))
    held.add(added("no look"))
    assert (held.has_alike(first.hex()), held.has_alike(later.hex())) == (True, True)


@given(st.lists(HASHES, min_size=1, max_size=6), HASHES)
def test_what_looks_alike_is_what_differs_in_few_bits_whatever_the_order(known: list[bytes], asked: bytes) -> None:
    expected = any(differing(one, asked) <= MAX_DISTANCE for one in known)
    for order in (known, known[::-1], [*known, *known]):
        held = Suppressions()
        for number, one in enumerate(order):
            held.add(added(str(number), alike=one))
        assert held.has_alike(asked.hex()) is expected


@pytest.mark.parametrize(("bits", "is_alike"), [(0, True), (1, True), (MAX_DISTANCE, True), (MAX_DISTANCE + 1, False), (256, False)])
def test_the_last_bit_that_counts(bits: int, is_alike: bool) -> None:
    held = Suppressions()
    held.add(added("one", alike=((1 << bits) - 1).to_bytes(32, "big")))
    assert held.has_alike("00" * 32) is is_alike


@given(HASHES, HASHES)
def test_a_mask_hides_a_hash_and_leaves_distances(left: bytes, right: bytes) -> None:
    ids = ImageIds(KEYS)
    masked = [bytes.fromhex(ids.masked_hash(one)) for one in (left, right)]
    assert differing(*masked) == differing(left, right)
    assert masked[0] != left


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "at half the size": lambda picture: picture.resize((picture.width // 2, picture.height // 2)),
    "as a thumbnail": lambda picture: picture.resize((96, 96 * picture.height // picture.width)),
    "compressed harder": lambda picture: recompressed(picture, 35),
    "in grey": lambda picture: ImageOps.grayscale(picture),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_looks_alike(name: str) -> None:
    picture = portrait()
    assert differing(perceptual_hash(pixels(picture)), perceptual_hash(pixels(COPIES[name](picture)))) <= MAX_DISTANCE


@pytest.mark.parametrize("other", [portrait(margin=60), portrait(angle=8.0), ImageOps.mirror(portrait())], ids=["crop", "turned", "mirror"])
def test_another_picture_of_the_same_person_does_not(other: Image.Image) -> None:
    """Nobody is refused for looking like somebody: it is the picture that is known again, and not the face."""
    assert differing(perceptual_hash(pixels(portrait())), perceptual_hash(pixels(other))) > 2 * MAX_DISTANCE


def test_a_plain_picture_has_a_hash_too() -> None:
    assert len(perceptual_hash(np.zeros((1, 1, 3), np.uint8))) == 32


def test_an_address_and_bytes_never_share_a_key(tmp_path: Path) -> None:
    ids, foreign = ImageIds(KEYS), ImageIds(DeploymentKeys.load_or_create(tmp_path))
    digest = "61" * 32
    names = {ids.suppression_key(digest), ids.url_suppression_key("a" * 32), foreign.url_suppression_key("a" * 32)}
    assert len(names) == 3


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_address_is_one_place_under_either_scheme(scheme: str) -> None:
    ids, place = ImageIds(KEYS), "site.example/her/1.jpg"
    asked = ids.url_suppression_keys(f"{scheme}://{place}")
    assert asked == ids.url_suppression_keys(f"{'https' if scheme == 'http' else 'http'}://{place}")
    assert ids.url_suppression_key(f"{scheme}://{place}") in asked
    assert not {ids.url_suppression_key(f"https://{other}") for other in (f"{place}2", "site.example:8443/her/1.jpg")} & {*asked}


@pytest.mark.parametrize("recorded", ["http", "https"])
def test_an_address_that_was_suppressed_with_its_scheme_still_is(recorded: str) -> None:
    """As a release wrote it that counted the scheme."""
    ids, place = ImageIds(KEYS), "site.example/her/1.jpg"
    old = hmac.new(KEYS.suppression_key, f"url {recorded}://{place}".encode(), hashlib.sha256).hexdigest()
    assert all(old in ids.url_suppression_keys(f"{scheme}://{place}") for scheme in ("http", "https"))


class _Keys:
    image_id_key = b"i" * 32
    sighting_id_key = b"s" * 32
    suppression_key = b"k" * 32


KEYS = _Keys()
