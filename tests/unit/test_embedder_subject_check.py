"""What agrees with a confirmed reference and what does not, on real faces over a real store; and what a reference that fails comes to."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.blobs.derivatives import Derivatives
from assent.blobs.object_blob_store import open_blob_store
from assent.blobs.store import BlobStoreUnavailableError
from assent.consent.ledger import ConsentLedger
from assent.events.face_box import FaceBox
from assent.events.grants import BindingMode, FaceBinding, GrantSnapshot
from assent.faces.chosen_threshold import chosen_threshold
from assent.faces.derivative import derivative
from assent.faces.image import ImageLimits, decode
from assent.faces.reference import reference_face
from assent.ids import FaceId, GrantId
from assent.keys.cipher import DataKey
from assent.keys.grant_keys import GrantKeyring, KeyDestroyedError
from assent.testing.face_pack import embedded_pack, encoded, one_face, six_faces
from services.embedder.granted_face import GrantedFace
from services.embedder.subject_check import NewFace, SubjectCheck
from tests.flow.switched_store import SwitchedStore
from tests.unit.grant_examples import grant

HER, OTHER = GrantId("her"), GrantId("other")
WHOLE = FaceBox(x=0, y=0, width=1, height=1)
THRESHOLD = chosen_threshold(embedded_pack().manifest, false_match_rate=1e-3, cosine=None).cosine


def a_face_id() -> FaceId:
    return FaceId(str(uuid.uuid4()))


@dataclass
class Desk:
    """Everything that the check stands on; `store` can be told to be away."""

    store: SwitchedStore
    keyring: GrantKeyring
    derivatives: Derivatives
    ledger: ConsentLedger
    check: SubjectCheck

    async def confirmed(self, picture: bytes, grant_id: GrantId = HER, **changes: Any) -> GrantSnapshot:
        """A grant that names this picture."""
        await self.keyring.create(grant_id)
        face_id = a_face_id()
        await self.derivatives.put(grant_id, face_id, picture)
        made = grant(grant_id, schema_version="assent.grant/2", reference=face_id, **changes)
        self.ledger.apply_grant(made)
        return made


@pytest.fixture
def desk() -> Desk:
    store, ledger = SwitchedStore(), ConsentLedger()
    store.store = open_blob_store("memory://")
    keyring = GrantKeyring(open_blob_store("memory://"), DataKey(os.urandom(32)))
    derivatives = Derivatives(store, keyring)
    check = SubjectCheck(ledger=ledger, derivatives=derivatives, grant_keys=keyring, pack=embedded_pack(), min_cosine=THRESHOLD)
    return Desk(store, keyring, derivatives, ledger, check)


def looked(rgb: NDArray[np.uint8], index: int = 0) -> tuple[NewFace, bytes]:
    """One face of a picture as it would be stored, and the picture that would be kept of it."""
    pack = embedded_pack()
    faces = pack.detector.detect(rgb)
    vector = np.asarray(pack.embedder.embed(rgb, faces[index]), dtype="<f4").tobytes()
    picture = derivative(rgb, faces[index].box, [face.box for face in faces if face is not faces[index]])
    return NewFace(a_face_id(), GrantedFace(0, WHOLE, 0.9, vector, picture)), picture


def again(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same person in another picture."""
    turned = cv2.warpAffine(rgb, cv2.getRotationMatrix2D((225, 120), 8, 0.9), rgb.shape[1::-1])
    return np.asarray(np.clip(turned * 0.8, 0, 255), dtype=np.uint8)


async def rule_of(desk: Desk, her: GrantSnapshot, item: NewFace) -> str | None:
    return (await desk.check.kept(her, [item], drops_image_with_strangers=False))[1]


async def test_the_same_person_agrees_and_nobody_of_six_others_does(desk: Desk) -> None:
    her = await desk.confirmed(looked(one_face())[1])
    assert await rule_of(desk, her, looked(again(one_face()))[0]) is None
    for index in range(6):
        other = looked(six_faces(), index)[0]
        assert await desk.check.kept(her, [other], drops_image_with_strangers=False) == ([], "not_the_subject"), index
    assert len(desk.check) == 1
    desk.check.forget()
    assert len(desk.check) == 0


@pytest.mark.parametrize(("more", "rule"), [(-0.01, "not_the_subject"), (0.01, None)])
async def test_it_agrees_from_the_threshold_of_the_model_on(desk: Desk, more: float, rule: str | None) -> None:
    """Vectors at a known cosine from the reference."""
    picture = looked(one_face())[1]
    her, face = await desk.confirmed(picture), reference_face(embedded_pack().detector, picture)
    assert face is not None
    reference = face.template(embedded_pack().embedder).astype(np.float64)
    aside = np.roll(reference, 1) - (np.roll(reference, 1) @ reference) * reference
    cosine = THRESHOLD + more
    vector = cosine * reference + np.sqrt(1 - cosine**2) * aside / np.linalg.norm(aside)
    item = NewFace(a_face_id(), GrantedFace(0, WHOLE, 0.9, vector.astype("<f4").tobytes(), picture))
    assert await rule_of(desk, her, item) == rule


async def test_who_confirmed_nothing_is_not_compared_with(desk: Desk) -> None:
    desk.store.is_away = True
    assert await rule_of(desk, grant(HER), looked(six_faces())[0]) is None
    assert len(desk.check) == 0


@pytest.mark.parametrize("drops", [False, True])
async def test_of_several_marked_faces_hers_stays_unless_a_place_drops_the_picture(desk: Desk, drops: bool) -> None:
    her = await desk.confirmed(looked(one_face())[1])
    hers, other = looked(again(one_face()))[0], looked(six_faces())[0]
    kept, rule = await desk.check.kept(her, [other, hers], drops_image_with_strangers=drops)
    assert (kept, rule) == ([] if drops else [hers], "not_the_subject")


async def test_what_is_held_and_what_was_confirmed_is_not_compared(desk: Desk) -> None:
    her = await desk.confirmed(looked(one_face())[1])
    held, new = looked(six_faces(), 1)[0], looked(six_faces(), 2)[0]
    await desk.derivatives.put(HER, held.face_id, held.face.picture)
    kept, rule = await desk.check.kept(her, [held, new], drops_image_with_strangers=False)
    assert (kept, rule) == ([held], "not_the_subject")
    assert her.reference is not None
    await desk.derivatives.delete(HER, her.reference)
    desk.check.forget()
    itself = NewFace(her.reference, new.face)
    assert await rule_of(desk, her, itself) is None
    assert await rule_of(desk, her, looked(again(one_face()))[0]) == "reference_missing"


def two_people() -> bytes:
    return encoded(np.hstack([one_face()[:400, :400], one_face()[:400, :400]]))


def small() -> bytes:
    picture = decode(looked(one_face())[1], limits=ImageLimits()).rgb
    return encoded(np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), dtype=np.uint8))


BROKEN = {
    "two faces": two_people(),
    "too small": small(),
    "no face": encoded(np.full((200, 200, 3), 90, np.uint8)),
    "no image": b"\xff\xd8\xff",
}


@pytest.mark.parametrize("name", sorted(BROKEN))
async def test_a_picture_that_shows_no_one_clear_face_is_doubt(desk: Desk, name: str) -> None:
    assert reference_face(embedded_pack().detector, BROKEN[name]) is None, "so she could not have confirmed it either"
    her = await desk.confirmed(BROKEN[name])
    assert await rule_of(desk, her, looked(again(one_face()))[0]) == "reference_missing"


async def test_a_picture_that_was_exchanged_is_doubt_and_a_store_that_is_away_is_none(desk: Desk) -> None:
    her, other = await desk.confirmed(looked(one_face())[1]), await desk.confirmed(looked(six_faces())[1], OTHER)
    new = looked(six_faces())[0]
    desk.store.is_away = True
    with pytest.raises(BlobStoreUnavailableError):
        await rule_of(desk, her, new)
    assert len(desk.check) == 0, "it is not taken for gone either"
    desk.store.is_away = False
    # Somebody who may write to the store puts another person's sealed picture in its place.
    await desk.store.put(f"grants/{HER}/{her.reference}", await desk.store.get(f"grants/{OTHER}/{other.reference}"))
    assert await rule_of(desk, her, new) == "reference_missing"


async def test_a_key_that_was_destroyed_is_a_withdrawal(desk: Desk) -> None:
    her = await desk.confirmed(looked(one_face())[1])
    await desk.keyring.destroy(HER)
    with pytest.raises(KeyDestroyedError):
        await rule_of(desk, her, looked(again(one_face()))[0])


async def test_of_a_joint_picture_all_is_kept_or_nothing(desk: Desk) -> None:
    members = [await desk.confirmed(looked(one_face())[1]), await desk.confirmed(looked(six_faces(), 0)[1], OTHER)]
    both = grant("both", binding=FaceBinding(mode=BindingMode.JOINT, member_grants=tuple(member.grant_id for member in members)))
    await desk.keyring.create(both.grant_id)
    one, two, three = looked(again(one_face()))[0], looked(six_faces(), 0)[0], looked(six_faces(), 3)[0]
    for found, rule in (
        ([one, two], None),
        ([two, one], None),
        ([two], None),
        ([one, three], "not_the_subject"),
        ([one, one], "not_the_subject"),
    ):
        kept = found if rule is None else []
        assert await desk.check.kept(both, found, drops_image_with_strangers=False) == (kept, rule)
    for item in (one, three):
        await desk.derivatives.put(both.grant_id, item.face_id, item.face.picture)
    assert await desk.check.kept(both, [one, three], drops_image_with_strangers=False) == ([one, three], None), "it is held already"


def test_it_tells_24_people_apart_as_the_decision_says(faces_folder: Path) -> None:
    """Each photo once as reference, through the picture that is kept of it, against every original of another photo."""
    photos = sorted((faces_folder / "london").glob("*_*.jpg"))
    if len(photos) != 48:
        pytest.skip(f"the folder of photographs holds {len(photos)} of the 48 photos this was measured on")
    pack, references, originals = embedded_pack(), list[NDArray[np.float32]](), list[NDArray[np.float32]]()
    for photo in photos:
        new, picture = looked(decode(photo.read_bytes(), limits=ImageLimits()).rgb)
        face = reference_face(pack.detector, picture)
        assert face is not None
        references.append(face.template(pack.embedder))
        originals.append(np.frombuffer(new.face.vector, dtype="<f4"))
    cosines = np.array(references) @ np.array(originals).T
    people = np.array([photo.name[:3] for photo in photos])
    same = (people[:, None] == people[None, :]) & ~np.eye(48, dtype=bool)
    different = people[:, None] != people[None, :]
    assert (same.sum(), different.sum()) == (48, 2208)
    assert [int((cosines[same] < cut).sum()) for cut in (THRESHOLD, 0.8)] == [0, 0]
    assert {cut: int((cosines[different] >= cut).sum()) for cut in (0.353, 0.363, THRESHOLD, 0.5)} == {
        0.353: 26,
        0.363: 17,
        0.445: 2,
        0.5: 0,
    }
