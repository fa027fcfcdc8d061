"""The port to stored bytes: put, get, list, delete by key; never knows what the bytes are, nor logs a key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from assent.stream.outcomes import RetryLaterError


class BlobNotFoundError(Exception):
    """Raised when nothing is stored under the key."""


class BlobExistsError(Exception):
    """Raised by `put(..., if_absent=True)` when the key is taken; what is stored stays as it was."""


class BlobStoreUnavailableError(RetryLaterError):
    """Raised when the store failed or did not answer in time; the outcome of a write is unknown. A processor holds by it."""


@dataclass(frozen=True, slots=True)
class BlobEntry:
    """One stored blob: `size` in bytes, `modified_at` in UTC by the store's clock."""

    key: str
    size: int
    modified_at: datetime


class BlobStore(Protocol):
    """Bytes by key. Keys follow `blob_key.check_key`; a prefix names a folder: `a` covers `a/b`, never `ab`.

    Every method raises BlobKeyError for a malformed key and BlobStoreUnavailableError for trouble of the store.
    """

    async def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        """Store all of `data` or nothing of it. Raises BlobExistsError if `if_absent` and the key is taken."""

    async def get(self, key: str) -> bytes:
        """The stored bytes. Raises BlobNotFoundError."""

    async def exists(self, key: str) -> bool:
        """Whether the key is taken now."""

    async def delete(self, key: str) -> None:
        """Remove the blob; no error when it is not there."""

    async def delete_all(self, keys: Sequence[str]) -> None:
        """The same for each, several at a time. Trouble with one is raised when no other is on its way; what is left then stays."""

    def list(self, prefix: str) -> AsyncIterator[BlobEntry]:
        """Every blob under the folder, in no promised order; the empty prefix lists all."""

    async def delete_prefix(self, prefix: str) -> int:
        """Delete every blob under the folder and say how many; the empty prefix is refused with BlobKeyError."""
