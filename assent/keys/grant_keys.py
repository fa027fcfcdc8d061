"""One data key per grant, wrapped in a store of its own; never made again for a grant whose key was destroyed."""

from __future__ import annotations

import os
from collections import OrderedDict

from assent.blobs.blob_key import join_key
from assent.blobs.store import BlobExistsError, BlobNotFoundError, BlobStore
from assent.ids import GrantId
from assent.keys.cipher import KEY_BYTES, DataKey, KeyFingerprint, UnsealError, aad

_FINGERPRINT_BYTES = 32


class KeyNotFoundError(Exception):
    """Raised when a grant never had a data key."""


class KeyDestroyedError(Exception):
    """Raised when a grant's data key was destroyed: what it sealed can no longer be read, and it gets no new one."""


class GrantKeyring:
    """`wrapped/<grant_id>`: fingerprint (32 bytes) and the data key sealed under the KEK. `destroyed/<grant_id>`: the mark.

    The store must keep no versions and no replicas that outlive a delete: physical erasure rests on it. Created and destroyed
    by the registry, read by crawler, embedder, indexer and query. `destroy` writes the mark before it deletes, and `create` looks
    for the mark again after it wrote: whichever comes last, a destroyed key stays destroyed.
    """

    def __init__(self, store: BlobStore, kek: DataKey, *, max_cached_keys: int = 1024) -> None:
        self._store = store
        self._kek = kek
        self._max_cached_keys = max_cached_keys
        self._cache: OrderedDict[GrantId, DataKey] = OrderedDict()
        self._drops = 0

    async def create(self, grant_id: GrantId) -> DataKey:
        """Make the key, or return the one that is there. Raises KeyDestroyedError."""
        await self._refuse_destroyed(grant_id)
        secret = os.urandom(KEY_BYTES)
        fingerprint = bytes.fromhex(DataKey(secret).fingerprint)
        wrapped = fingerprint + self._kek.seal(secret, aad=_wrap_aad(grant_id, fingerprint))
        try:
            await self._store.put(_wrapped(grant_id), wrapped, if_absent=True)
        except BlobExistsError:
            return await self.get(grant_id)
        if await self._store.exists(_mark(grant_id)):
            await self._store.delete(_wrapped(grant_id))
        return await self.get(grant_id)

    async def get(self, grant_id: GrantId) -> DataKey:
        """The data key. Raises KeyDestroyedError, KeyNotFoundError, or UnsealError (another deployment's KEK)."""
        cached = self._cache.get(grant_id)
        if cached is not None:
            self._cache.move_to_end(grant_id)
            return cached
        drops_before = self._drops
        try:
            wrapped = await self._store.get(_wrapped(grant_id))
        except BlobNotFoundError as error:
            await self._refuse_destroyed(grant_id)
            raise KeyNotFoundError("this grant has no data key; the registry creates it when the subject says yes") from error
        await self._refuse_destroyed(grant_id)
        key = self._unwrap(grant_id, wrapped)
        # A drop that came while the store was read wins: the key is used once and not kept.
        if self._drops == drops_before:
            self._keep(grant_id, key)
        return key

    def drop(self, grant_id: GrantId) -> None:
        """Forget the key in memory; every holder calls it on the withdrawal."""
        self._drops += 1
        self._cache.pop(grant_id, None)

    async def destroy(self, grant_id: GrantId) -> KeyFingerprint | None:
        """Shred: after it nothing sealed for this grant opens. Idempotent; None when the grant never had a key.

        Needs no KEK, so a lost root secret does not stand in the way of an erasure.
        """
        self.drop(grant_id)
        fingerprint = await self.fingerprint(grant_id)
        await self._store.put(_mark(grant_id), (fingerprint or "").encode())
        await self._store.delete(_wrapped(grant_id))
        self.drop(grant_id)
        return fingerprint

    async def is_destroyed(self, grant_id: GrantId) -> bool:
        """Read-back for the receipt: the mark is there and the wrapped key is not."""
        return await self._store.exists(_mark(grant_id)) and not await self._store.exists(_wrapped(grant_id))

    async def fingerprint(self, grant_id: GrantId) -> KeyFingerprint | None:
        """Names the key that is there or was destroyed; None when there never was one."""
        try:
            wrapped = await self._store.get(_wrapped(grant_id))
            return KeyFingerprint(wrapped[:_FINGERPRINT_BYTES].hex())
        except BlobNotFoundError:
            pass  # The mark is read second, because `destroy` writes it before it deletes the wrapped key.
        try:
            return KeyFingerprint((await self._store.get(_mark(grant_id))).decode()) or None
        except BlobNotFoundError:
            return None

    async def _refuse_destroyed(self, grant_id: GrantId) -> None:
        if await self._store.exists(_mark(grant_id)):
            raise KeyDestroyedError("the data key of this grant was destroyed; saying yes again is a new grant")

    def _unwrap(self, grant_id: GrantId, wrapped: bytes) -> DataKey:
        fingerprint, sealed = wrapped[:_FINGERPRINT_BYTES], wrapped[_FINGERPRINT_BYTES:]
        try:
            return DataKey(self._kek.open(sealed, aad=_wrap_aad(grant_id, fingerprint)))
        except UnsealError as error:
            raise UnsealError(
                "the wrapped key of this grant does not open under this deployment's key encryption key; "
                "check that root.secret is the one the grant was made with"
            ) from error

    def _keep(self, grant_id: GrantId, key: DataKey) -> None:
        self._cache[grant_id] = key
        while len(self._cache) > self._max_cached_keys:
            self._cache.popitem(last=False)


def _wrapped(grant_id: GrantId) -> str:
    return join_key("wrapped", grant_id)


def _mark(grant_id: GrantId) -> str:
    return join_key("destroyed", grant_id)


def _wrap_aad(grant_id: GrantId, fingerprint: bytes) -> bytes:
    return aad("keyring", grant_id, 0, fingerprint.hex())
