"""Quarantine and derivatives: sealed at rest, bound to their place, each producer in its own area, swept in time."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from assent.blobs.blob_key import BlobKeyError
from assent.blobs.derivatives import Derivatives
from assent.blobs.object_blob_store import ObjectBlobStore, open_blob_store
from assent.blobs.quarantine import DigestMismatchError, ForeignBlobError, Quarantine
from assent.blobs.store import BlobNotFoundError
from assent.ids import FaceId, GrantId, ProducerId, SightingId
from assent.keys.cipher import DataKey, UnsealError
from assent.keys.grant_keys import GrantKeyring, KeyDestroyedError, KeyNotFoundError

CRAWLER, AGENCY, RIVAL = ProducerId("crawler"), ProducerId("agency"), ProducerId("rival")
S1, S2 = SightingId("ab" * 32), SightingId("cd" * 32)
PHOTO = b"a photograph that must not lie about in clear"
SHA256 = hashlib.sha256(PHOTO).hexdigest()


@pytest.fixture
def store() -> ObjectBlobStore:
    return open_blob_store("memory://")


@pytest.fixture
def quarantine(store: ObjectBlobStore) -> Quarantine:
    return Quarantine(store, DataKey(bytes(32)))


async def test_an_original_comes_back_and_lies_sealed(store: ObjectBlobStore, quarantine: Quarantine) -> None:
    key = await quarantine.put(S1, PHOTO)
    assert key == f"quarantine/{S1}"
    assert await quarantine.get(S1) == PHOTO
    assert PHOTO[:8] not in await store.get(key)
    await quarantine.delete(S1)
    await quarantine.delete(S1)
    with pytest.raises(BlobNotFoundError):
        await quarantine.get(S1)


async def test_an_original_moved_to_another_sighting_does_not_open(store: ObjectBlobStore, quarantine: Quarantine) -> None:
    await quarantine.put(S1, PHOTO)
    await store.put(f"quarantine/{S2}", await store.get(f"quarantine/{S1}"))
    with pytest.raises(UnsealError):
        await quarantine.get(S2)
    with pytest.raises(UnsealError):
        await Quarantine(store, DataKey(bytes(range(32)))).get(S1)


async def test_putting_again_does_not_lengthen_the_stay(store: ObjectBlobStore, quarantine: Quarantine) -> None:
    await quarantine.put(S1, PHOTO)
    first = [entry async for entry in store.list("quarantine")]
    await quarantine.put(S1, PHOTO)
    assert [entry async for entry in store.list("quarantine")] == first


async def test_the_sweep_takes_what_is_too_old_and_names_it(quarantine: Quarantine) -> None:
    await quarantine.put(S1, PHOTO)
    await quarantine.put_intake(AGENCY, SHA256, PHOTO)
    now = datetime.now(UTC)
    assert await quarantine.sweep(60, now) == []
    assert await quarantine.sweep(60, now + timedelta(seconds=62)) == [S1]
    assert await quarantine.sweep(60, now + timedelta(seconds=62)) == []
    assert await quarantine.sweep_intake(60, now) == []
    assert await quarantine.sweep_intake(60, now + timedelta(seconds=62)) == [(AGENCY, SHA256)]
    with pytest.raises(BlobNotFoundError):
        await quarantine.get(S1)
    with pytest.raises(ValueError, match="time zone"):
        await quarantine.sweep(60, datetime(2026, 1, 1))  # noqa: DTZ001 - the naive time is the point


async def test_an_outside_producer_reaches_its_own_area_only(quarantine: Quarantine) -> None:
    await quarantine.put(S1, PHOTO)
    key = await quarantine.put_intake(AGENCY, SHA256, PHOTO)
    assert key == f"intake/agency/{SHA256}"
    assert await quarantine.has_intake(AGENCY, SHA256)
    assert not await quarantine.has_intake(RIVAL, SHA256)
    assert await quarantine.fetch(key, producer=AGENCY, sighting_id=S1) == PHOTO
    foreign = [
        (key, RIVAL),
        (key, CRAWLER),
        (f"quarantine/{S1}", AGENCY),
        (f"intake/agency/../rival/{SHA256}", AGENCY),
        (f"intake/agency/{SHA256}/", AGENCY),
        (f"grants/agency/{SHA256}", AGENCY),
        (SHA256, AGENCY),
        (f"quarantine/{S2}", CRAWLER),
        ("", CRAWLER),
    ]
    for blob, producer in foreign:
        with pytest.raises(ForeignBlobError):
            await quarantine.fetch(blob, producer=producer, sighting_id=S1)
        with pytest.raises(ForeignBlobError):
            await quarantine.discard(blob, producer=producer, sighting_id=S1)
    assert await quarantine.fetch(f"quarantine/{S1}", producer=CRAWLER, sighting_id=S1) == PHOTO
    await quarantine.discard(key, producer=AGENCY, sighting_id=S1)
    assert not await quarantine.has_intake(AGENCY, SHA256)


async def test_many_are_ended_at_once_and_trouble_with_one_is_told(quarantine: Quarantine) -> None:
    sightings = [SightingId(f"{number:064x}") for number in range(40)]
    blobs = [await quarantine.put(sighting, PHOTO) for sighting in sightings]
    ended = [(blob, CRAWLER, sighting) for blob, sighting in zip(blobs, sightings, strict=True)]
    with pytest.raises(ForeignBlobError):
        await quarantine.discard_all([*ended[:20], (blobs[20], AGENCY, sightings[20])])
    await quarantine.discard_all(ended[:39])
    assert await quarantine.fetch(blobs[39], producer=CRAWLER, sighting_id=sightings[39]) == PHOTO
    for blob, producer, sighting in ended[:39]:
        with pytest.raises(BlobNotFoundError):
            await quarantine.fetch(blob, producer=producer, sighting_id=sighting)


async def test_intake_takes_only_the_bytes_that_were_announced(store: ObjectBlobStore, quarantine: Quarantine) -> None:
    for digest in ("00" * 32, SHA256.upper(), "../" + SHA256, ""):
        with pytest.raises(DigestMismatchError):
            await quarantine.put_intake(AGENCY, digest, PHOTO)
    with pytest.raises(BlobKeyError):
        await quarantine.put_intake(ProducerId("agency/../rival"), SHA256, PHOTO)
    assert [entry async for entry in store.list("")] == []


async def test_a_derivative_opens_only_with_its_grant(store: ObjectBlobStore) -> None:
    keyring = GrantKeyring(open_blob_store("memory://"), DataKey(bytes(32)))
    derivatives = Derivatives(store, keyring)
    g1, g2, f1, f2 = GrantId("g-1"), GrantId("g-2"), FaceId("f-1"), FaceId("f-2")
    with pytest.raises(KeyNotFoundError):
        await derivatives.put(g1, f1, PHOTO)
    for grant in (g1, g2):
        await keyring.create(grant)
    assert await derivatives.put(g1, f1, PHOTO) == "grants/g-1/f-1"
    await derivatives.put(g1, f2, PHOTO)
    await derivatives.put(g2, f1, PHOTO)
    assert await derivatives.get(g1, f1) == PHOTO
    assert PHOTO[:8] not in await store.get("grants/g-1/f-1")
    assert sorted(await derivatives.list_grant(g1)) == [f1, f2]
    assert {grant async for page in derivatives.grant_pages(1) for grant in page} == {g1, g2}
    await store.put("grants/g-1/f-2", await store.get("grants/g-1/f-1"))
    with pytest.raises(UnsealError):
        await derivatives.get(g1, f2)

    await keyring.destroy(g1)
    with pytest.raises(KeyDestroyedError):
        await derivatives.get(g1, f1)
    with pytest.raises(KeyDestroyedError):
        await derivatives.put(g1, f1, PHOTO)
    await derivatives.delete(g1, f1)
    assert await derivatives.delete_grant(g1) == 1
    assert await derivatives.list_grant(g1) == []
    assert await derivatives.get(g2, f1) == PHOTO
