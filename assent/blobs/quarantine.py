"""Originals on their way through the gates, sealed under one deployment key; never keeps one past its limit in clear."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from assent.blobs.blob_key import join_key
from assent.blobs.store import BlobExistsError, BlobStore
from assent.ids import ProducerId, SightingId
from assent.keys.cipher import DataKey

INNER_PRODUCERS = frozenset({ProducerId("crawler"), ProducerId("upload")})
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ForeignBlobError(Exception):
    """Raised when a producer names a blob outside its own area."""


class DigestMismatchError(Exception):
    """Raised when the bytes handed in do not have the SHA-256 they were announced with."""


class Quarantine:
    """`quarantine/<sighting_id>` for our own fetches, `intake/<producer_id>/<sha256>` for outside producers.

    Every blob is sealed with its own key path as associated data: a blob moved to another place does not open.
    """

    def __init__(self, store: BlobStore, cipher: DataKey) -> None:
        self._store = store
        self._cipher = cipher

    async def put(self, sighting_id: SightingId, data: bytes) -> str:
        """Keep the original and return its key. A second put changes nothing, so redelivery cannot lengthen its stay."""
        return await self._put(join_key("quarantine", sighting_id), data)

    async def get(self, sighting_id: SightingId) -> bytes:
        """The original. Raises BlobNotFoundError (swept or ended) or UnsealError."""
        return await self._get(join_key("quarantine", sighting_id))

    async def delete(self, sighting_id: SightingId) -> None:
        """End it; no error when it is gone already."""
        await self._store.delete(join_key("quarantine", sighting_id))

    async def put_intake(self, producer: ProducerId, sha256: str, data: bytes) -> str:
        """Keep what an outside producer handed in and return its key. Raises DigestMismatchError."""
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DigestMismatchError("the body does not have the SHA-256 in the path; send the bytes that were hashed")
        return await self._put(_intake_key(producer, sha256), data)

    async def has_intake(self, producer: ProducerId, sha256: str) -> bool:
        """Whether this producer handed in these bytes and they are still there."""
        return await self._store.exists(_intake_key(producer, sha256))

    async def fetch(self, blob: str, *, producer: ProducerId, sighting_id: SightingId) -> bytes:
        """The original that a sighting names. Raises ForeignBlobError, BlobNotFoundError or UnsealError."""
        return await self._get(owned_key(blob, producer=producer, sighting_id=sighting_id))

    async def discard(self, blob: str, *, producer: ProducerId, sighting_id: SightingId) -> None:
        """End the original that a sighting names; called after the commit by whoever ended the sighting."""
        await self._store.delete(owned_key(blob, producer=producer, sighting_id=sighting_id))

    async def discard_all(self, originals: Iterable[tuple[str, ProducerId, SightingId]]) -> None:
        """The same for blob, producer and sighting of each. Raises the first trouble, after which what is left is left to the sweep."""
        await self._store.delete_all(
            [owned_key(blob, producer=producer, sighting_id=sighting_id) for blob, producer, sighting_id in originals]
        )

    async def sweep(self, older_than_s: float, now: datetime) -> list[SightingId]:
        """Delete our own originals older than this and name them, for the record."""
        return [SightingId(key.split("/")[1]) for key in await self._sweep("quarantine", older_than_s, now)]

    async def sweep_intake(self, older_than_s: float, now: datetime) -> list[tuple[ProducerId, str]]:
        """Delete handed-in originals older than this; (producer, SHA-256 hex) of each."""
        swept = await self._sweep("intake", older_than_s, now)
        return [(ProducerId(key.split("/")[1]), key.split("/")[2]) for key in swept]

    async def oldest(self) -> datetime | None:
        """When the oldest original was put here, by the store's clock; None when there is none."""
        moments = [entry.modified_at for area in ("quarantine", "intake") async for entry in self._store.list(area)]
        return min(moments, default=None)

    async def _put(self, key: str, data: bytes) -> str:
        try:
            await self._store.put(key, self._cipher.seal(data, aad=key.encode()), if_absent=True)
        except BlobExistsError:
            pass  # The id names these very bytes, and the clock of the first copy goes on.
        return key

    async def _get(self, key: str) -> bytes:
        return self._cipher.open(await self._store.get(key), aad=key.encode())

    async def _sweep(self, prefix: str, older_than_s: float, now: datetime) -> list[str]:
        if now.tzinfo is None:
            raise ValueError("`now` has no time zone; pass an aware time in UTC")
        limit = now - timedelta(seconds=older_than_s)
        old = [entry.key async for entry in self._store.list(prefix) if entry.modified_at < limit]
        await self._store.delete_all(old)
        return old


def owned_key(blob: str, *, producer: ProducerId, sighting_id: SightingId) -> str:
    """The key if it lies in the producer's own area, else ForeignBlobError (`foreign_blob`)."""
    sha256 = blob.rpartition("/")[2]
    if producer in INNER_PRODUCERS:
        allowed = blob == join_key("quarantine", sighting_id)
    else:
        allowed = bool(_SHA256.fullmatch(sha256)) and blob == _intake_key(producer, sha256)
    if not allowed:
        raise ForeignBlobError("the event names a blob outside its producer's own area; it is not resolved")
    return blob


def _intake_key(producer: ProducerId, sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise DigestMismatchError("the digest in the path is not 64 lower-case hexadecimal characters of SHA-256")
    return join_key("intake", producer, sha256)
