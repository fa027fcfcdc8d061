"""The producers that may hand images in, with their public keys; an unknown producer is nobody."""

from __future__ import annotations

import re

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from assent.blobs.store import BlobNotFoundError, BlobStore
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.ids import ProducerId
from assent.intake.signature import is_signed_by

CRAWLER = ProducerId("crawler")
UPLOAD = ProducerId("upload")
INNER_PRODUCERS = frozenset({CRAWLER, UPLOAD})
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")


class ProducerNameError(ValueError):
    """Raised when a producer's name cannot be used. The message says which names can."""


class ProducerDirectory:
    """One object per producer: `producers/<producer_id>` holds its raw Ed25519 public key (32 bytes)."""

    def __init__(self, store: BlobStore, inner_keys: dict[ProducerId, Ed25519PublicKey]) -> None:
        self._store = store
        self._inner_keys = inner_keys

    async def register(self, producer_id: ProducerId, public_key: bytes) -> None:
        """Record an outside producer's key. Raises ProducerNameError for a taken inner name or odd characters."""
        if producer_id in INNER_PRODUCERS or not _NAME.fullmatch(producer_id):
            raise ProducerNameError("a producer is named by 2 to 63 lower-case letters, digits and hyphens, not by an inner name")
        Ed25519PublicKey.from_public_bytes(public_key)
        await self._store.put(_object(producer_id), public_key)

    async def public_key(self, producer_id: ProducerId) -> Ed25519PublicKey | None:
        """The key of a producer, or None for an unknown one."""
        if producer_id in self._inner_keys:
            return self._inner_keys[producer_id]
        if not _NAME.fullmatch(producer_id):
            return None
        try:
            return Ed25519PublicKey.from_public_bytes(await self._store.get(_object(producer_id)))
        except BlobNotFoundError:
            return None

    def is_inner(self, record: StoredRecord) -> bool:
        """One of our own services wrote it: on images.scraped its signature says so, and elsewhere nobody else writes."""
        if record.topic != Topic.IMAGES_SCRAPED.value:
            return True
        return any(is_signed_by(record, key) for key in self._inner_keys.values())

    async def remove(self, producer_id: ProducerId) -> None:
        """Forget a producer; what it sends from now on is unknown."""
        await self._store.delete(_object(producer_id))


def _object(producer_id: ProducerId) -> str:
    return f"producers/{producer_id}"
