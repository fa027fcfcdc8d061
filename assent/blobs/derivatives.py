"""The one picture kept per image and grant, sealed under that grant's key; never readable once the key is destroyed."""

from __future__ import annotations

from collections.abc import AsyncIterator

from assent.blobs.blob_key import join_key
from assent.blobs.store import BlobStore
from assent.ids import FaceId, GrantId
from assent.keys.grant_keys import GrantKeyring


class Derivatives:
    """`grants/<grant_id>/<face_id>`: the granted face with everyone else painted over."""

    def __init__(self, store: BlobStore, keyring: GrantKeyring) -> None:
        self._store = store
        self._keyring = keyring

    async def put(self, grant_id: GrantId, face_id: FaceId, data: bytes) -> str:
        """Seal and keep it; returns its key. Raises KeyDestroyedError or KeyNotFoundError when the grant has no key."""
        key = join_key("grants", grant_id, face_id)
        data_key = await self._keyring.get(grant_id)
        await self._store.put(key, data_key.seal(data, aad=key.encode()))
        return key

    async def get(self, grant_id: GrantId, face_id: FaceId) -> bytes:
        """The picture. Raises BlobNotFoundError, KeyDestroyedError, KeyNotFoundError or UnsealError."""
        key = join_key("grants", grant_id, face_id)
        data_key = await self._keyring.get(grant_id)
        return data_key.open(await self._store.get(key), aad=key.encode())

    async def holds(self, grant_id: GrantId, face_id: FaceId) -> bool:
        """Whether it is there now; needs no key."""
        return await self._store.exists(join_key("grants", grant_id, face_id))

    async def delete(self, grant_id: GrantId, face_id: FaceId) -> None:
        """Remove one; no error when it is gone."""
        await self._store.delete(join_key("grants", grant_id, face_id))

    async def delete_grant(self, grant_id: GrantId) -> int:
        """Remove all of one grant and say how many; needs no key, so it works after shredding."""
        return await self._store.delete_prefix(join_key("grants", grant_id))

    async def list_grant(self, grant_id: GrantId) -> list[FaceId]:
        """What is held for one grant; needs no key."""
        return [FaceId(entry.key.split("/")[2]) async for entry in self._store.list(join_key("grants", grant_id))]

    async def grant_pages(self, size: int) -> AsyncIterator[frozenset[GrantId]]:
        """Every grant something is held for, `size` at most in a page; one whose pictures are many may come in several."""
        page: set[GrantId] = set()
        async for entry in self._store.list("grants"):
            page.add(GrantId(entry.key.split("/")[1]))
            if len(page) >= size:
                yield frozenset(page)
                page.clear()
        if page:
            yield frozenset(page)
