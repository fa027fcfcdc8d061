"""A grant's key is made once, read by many, and gone for good after its destruction, whatever the order of events."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from assent.blobs.object_blob_store import ObjectBlobStore, open_blob_store
from assent.blobs.store import BlobStoreUnavailableError
from assent.ids import GrantId
from assent.keys.cipher import DataKey, UnsealError
from assent.keys.grant_keys import GrantKeyring, KeyDestroyedError, KeyNotFoundError

KEK = DataKey(bytes(range(32)))
GRANT = GrantId("g-1")


@pytest.fixture
def store() -> ObjectBlobStore:
    return open_blob_store("memory://")


@pytest.fixture
def keyring(store: ObjectBlobStore) -> GrantKeyring:
    return GrantKeyring(store, KEK)


async def test_every_holder_reads_the_same_key(store: ObjectBlobStore, keyring: GrantKeyring) -> None:
    made = await keyring.create(GRANT)
    read = await GrantKeyring(store, KEK).get(GRANT)
    assert read.open(made.seal(b"vector", aad=b"a"), aad=b"a") == b"vector"
    assert (await keyring.create(GRANT)).fingerprint == made.fingerprint
    assert (await keyring.create(GrantId("g-2"))).fingerprint != made.fingerprint


async def test_many_creators_agree(store: ObjectBlobStore) -> None:
    made = await asyncio.gather(*(GrantKeyring(store, KEK).create(GRANT) for _ in range(8)))
    assert len({key.fingerprint for key in made}) == 1


async def test_a_grant_without_a_key_has_none(keyring: GrantKeyring) -> None:
    with pytest.raises(KeyNotFoundError):
        await keyring.get(GRANT)
    assert await keyring.fingerprint(GRANT) is None
    assert not await keyring.is_destroyed(GRANT)


async def test_after_destruction_nothing_opens_and_nothing_is_made_again(store: ObjectBlobStore, keyring: GrantKeyring) -> None:
    made = await keyring.create(GRANT)
    assert await keyring.destroy(GRANT) == made.fingerprint
    assert await keyring.destroy(GRANT) == made.fingerprint
    assert await keyring.is_destroyed(GRANT)
    for ring in (keyring, GrantKeyring(store, KEK)):
        with pytest.raises(KeyDestroyedError):
            await ring.get(GRANT)
        with pytest.raises(KeyDestroyedError):
            await ring.create(GRANT)
        assert await ring.fingerprint(GRANT) == made.fingerprint
    assert [entry.key async for entry in store.list("wrapped")] == []


async def test_destroying_before_creating_keeps_the_grant_without_a_key(keyring: GrantKeyring) -> None:
    assert await keyring.destroy(GRANT) is None
    with pytest.raises(KeyDestroyedError):
        await keyring.create(GRANT)


async def test_a_creation_that_crashed_after_a_destruction_does_not_count(store: ObjectBlobStore, keyring: GrantKeyring) -> None:
    await keyring.create(GRANT)
    wrapped = await store.get("wrapped/g-1")
    await keyring.destroy(GRANT)
    await store.put("wrapped/g-1", wrapped)  # also what an old backup of the store would bring back
    with pytest.raises(KeyDestroyedError):
        await GrantKeyring(store, KEK).get(GRANT)
    assert not await keyring.is_destroyed(GRANT)
    await keyring.destroy(GRANT)
    assert await keyring.is_destroyed(GRANT)


async def test_creation_and_destruction_at_once_end_destroyed(store: ObjectBlobStore) -> None:
    for number in range(40):
        grant = GrantId(f"g-{number}")
        await asyncio.gather(GrantKeyring(store, KEK).create(grant), GrantKeyring(store, KEK).destroy(grant), return_exceptions=True)
        with pytest.raises(KeyDestroyedError):
            await GrantKeyring(store, KEK).get(grant)
        assert not await store.exists(f"wrapped/{grant}")


async def test_another_holder_forgets_when_told(store: ObjectBlobStore, keyring: GrantKeyring) -> None:
    await keyring.create(GRANT)
    holder = GrantKeyring(store, KEK)
    await holder.get(GRANT)
    await keyring.destroy(GRANT)
    assert await holder.get(GRANT)  # from memory: this is why every holder drops the key on the withdrawal
    holder.drop(GRANT)
    with pytest.raises(KeyDestroyedError):
        await holder.get(GRANT)


class PausedStore(ObjectBlobStore):
    """The real store, which stands still after a read or before a write of the keys named, until told to go on."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self.stop_reading = self.stop_writing = ""
        self.has_stopped, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def get(self, key: str) -> bytes:
        data = await super().get(key)
        if key == self.stop_reading:
            await self._stand_still()
        return data

    async def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        if key == self.stop_writing:
            await self._stand_still()
        await super().put(key, data, if_absent=if_absent)

    async def _stand_still(self) -> None:
        self.has_stopped.set()
        await self.may_go_on.wait()


async def test_a_key_dropped_while_it_is_read_is_not_kept() -> None:
    paused = PausedStore()
    keyring, holder = GrantKeyring(paused, KEK), GrantKeyring(paused, KEK)
    await keyring.create(GRANT)
    paused.stop_reading = "wrapped/g-1"
    reading = asyncio.create_task(holder.get(GRANT))
    await paused.has_stopped.wait()
    holder.drop(GRANT)
    paused.may_go_on.set()
    await reading
    await keyring.destroy(GRANT)
    with pytest.raises(KeyDestroyedError):
        await holder.get(GRANT)


async def test_a_creation_overtaken_by_the_destruction_leaves_no_key_behind() -> None:
    paused = PausedStore()
    paused.stop_writing = "wrapped/g-1"
    creating = asyncio.create_task(GrantKeyring(paused, KEK).create(GRANT))
    await paused.has_stopped.wait()
    await GrantKeyring(paused, KEK).destroy(GRANT)
    paused.may_go_on.set()
    with pytest.raises(KeyDestroyedError):
        await creating
    assert not await paused.exists("wrapped/g-1")


async def test_a_destruction_cut_short_has_already_ended_the_key() -> None:
    class StoreThatCannotDelete(ObjectBlobStore):
        async def delete(self, key: str) -> None:
            raise BlobStoreUnavailableError("the store is away")

    backing = MemoryStore()
    made = await GrantKeyring(ObjectBlobStore(backing), KEK).create(GRANT)
    with pytest.raises(BlobStoreUnavailableError):
        await GrantKeyring(StoreThatCannotDelete(backing), KEK).destroy(GRANT)
    keyring = GrantKeyring(ObjectBlobStore(backing), KEK)
    with pytest.raises(KeyDestroyedError):
        await keyring.get(GRANT)
    assert not await keyring.is_destroyed(GRANT)
    assert await keyring.destroy(GRANT) == made.fingerprint
    assert await keyring.is_destroyed(GRANT)


async def test_the_memory_is_bounded(store: ObjectBlobStore) -> None:
    keyring = GrantKeyring(store, KEK, max_cached_keys=2)
    for number in range(4):
        await keyring.create(GrantId(f"g-{number}"))
    for number in range(4):
        await store.delete(f"wrapped/g-{number}")
    known = [number for number in range(4) if await _is_known(keyring, number)]
    assert known == [2, 3]


async def _is_known(keyring: GrantKeyring, number: int) -> bool:
    try:
        await keyring.get(GrantId(f"g-{number}"))
    except KeyNotFoundError:
        return False
    return True


async def test_a_wrapped_key_moved_to_another_grant_does_not_open(store: ObjectBlobStore, keyring: GrantKeyring) -> None:
    await keyring.create(GRANT)
    await store.put("wrapped/g-2", await store.get("wrapped/g-1"))
    with pytest.raises(UnsealError):
        await keyring.get(GrantId("g-2"))


async def test_another_deployment_cannot_read_but_can_destroy(store: ObjectBlobStore, keyring: GrantKeyring) -> None:
    made = await keyring.create(GRANT)
    stranger = GrantKeyring(store, DataKey(bytes(32)))
    with pytest.raises(UnsealError, match=r"root\.secret"):
        await stranger.get(GRANT)
    assert await stranger.destroy(GRANT) == made.fingerprint


async def test_the_key_never_lies_in_clear_on_the_disk(tmp_path: Path) -> None:
    disk = open_blob_store(tmp_path.as_uri(), durable=True)
    made = await GrantKeyring(disk, KEK).create(GRANT)
    wrapped = (tmp_path / "wrapped" / "g-1").read_bytes()
    secret = KEK.open(wrapped[32:], aad=f"keyring|g-1|0|{made.fingerprint}".encode())
    assert DataKey(secret).fingerprint == made.fingerprint
    assert secret not in wrapped
