"""Local disk, memory or S3 behind the blob port, through obstore alone; never keeps plain bytes of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, MemoryStore, S3Store

from assent.blobs.blob_key import BlobKeyError, check_key
from assent.blobs.local_folder import LocalFolder
from assent.blobs.store import BlobEntry, BlobExistsError, BlobNotFoundError, BlobStoreUnavailableError
from assent.blobs.store_mark import MARK

DELETED_AT_ONCE = 16
"""Blobs that are deleted at the same time: in an object store each takes tens of milliseconds, and a batch ends hundreds."""


class ObjectBlobStore:
    """BlobStore over obstore; each call ends within `timeout_s`.

    With `folder`, puts and deletes reach the disk before they return (file and folders are synced): a wrapped key
    must not vanish, and a destroyed one must not come back, when the power fails. `root` is the folder of a local store: when
    it is gone, or its mark is, the store is away; to the library it would be empty, and everything in it erased.
    """

    def __init__(
        self,
        store: LocalStore | MemoryStore | S3Store,
        *,
        timeout_s: float = 30.0,
        folder: LocalFolder | None = None,
        root: Path | None = None,
    ) -> None:
        self._store = store
        self._timeout_s = timeout_s
        self._folder = folder
        # A store without a mark is one that a test or a bench made for itself.
        self._witness = root / MARK if root is not None and (root / MARK).exists() else root

    async def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        check_key(key)
        with _translated("put", self._witness):
            async with asyncio.timeout(self._timeout_s):
                # One request, not a multipart upload: an abandoned upload would leave parts that no listing shows.
                await obstore.put_async(self._store, key, data, mode="create" if if_absent else "overwrite", use_multipart=False)
                if self._folder is not None:
                    await asyncio.to_thread(self._folder.sync, key)

    async def get(self, key: str) -> bytes:
        check_key(key)
        with _translated("get", self._witness):
            async with asyncio.timeout(self._timeout_s):
                result = await obstore.get_async(self._store, key)
                return bytes(await result.bytes_async())

    async def exists(self, key: str) -> bool:
        check_key(key)
        try:
            with _translated("exists", self._witness):
                async with asyncio.timeout(self._timeout_s):
                    await obstore.head_async(self._store, key)
        except BlobNotFoundError:
            return False
        return True

    async def delete(self, key: str) -> None:
        check_key(key)
        try:
            with _translated("delete", self._witness):
                async with asyncio.timeout(self._timeout_s):
                    await obstore.delete_async(self._store, key)
        except BlobNotFoundError:
            pass  # The file system reports a missing file, S3 does not; the port promises no error.
        if self._folder is not None:
            await asyncio.to_thread(self._folder.sync, key)

    async def delete_all(self, keys: Sequence[str]) -> None:
        if isinstance(self._store, LocalStore) and self._folder is None:
            await self._delete_files([check_key(key) for key in keys])
            return
        waiting = iter(keys)

        async def delete_some() -> None:
            for key in waiting:
                await self.delete(key)

        # Each ends at its own first trouble: with a store that is away all of them wait for one time-out, not for many.
        for came_to in await asyncio.gather(*(delete_some() for _ in range(DELETED_AT_ONCE)), return_exceptions=True):
            if came_to is not None:
                raise came_to

    async def _delete_files(self, keys: Sequence[str]) -> None:
        """In one thread: a file is gone in less time than a task takes to ask for it. One that cannot be deleted keeps no other."""
        store, given_up = self._store, threading.Event()

        def delete() -> None:
            trouble: BaseError | OSError | None = None
            for key in keys:
                if given_up.is_set():
                    return
                try:
                    obstore.delete(store, key)
                except FileNotFoundError:
                    pass
                except (BaseError, OSError) as error:
                    trouble = trouble or error
            if trouble is not None:
                raise trouble

        with _translated("delete", self._witness):
            try:
                async with asyncio.timeout(self._timeout_s):
                    await asyncio.to_thread(delete)
            finally:
                given_up.set()

    async def list(self, prefix: str) -> AsyncIterator[BlobEntry]:
        stream = obstore.list(self._store, prefix=check_key(prefix) if prefix else None, chunk_size=500)
        while True:
            with _translated("list", self._witness):
                try:
                    async with asyncio.timeout(self._timeout_s):
                        chunk = await anext(stream)
                except StopAsyncIteration:
                    return
            for meta in chunk:
                if meta["path"] == MARK:
                    continue
                yield BlobEntry(key=meta["path"], size=meta["size"], modified_at=meta["last_modified"])

    async def delete_prefix(self, prefix: str) -> int:
        if not prefix:
            raise BlobKeyError("delete_prefix needs a folder; an empty prefix would delete the whole store")
        # Listed in full before the first delete: a listing that goes on while its pages shrink may skip some.
        keys = [entry.key async for entry in self.list(prefix)]
        for key in keys:
            await self.delete(key)
        return len(keys)


def open_blob_store(
    url: str, *, durable: bool = False, timeout_s: float = 30.0, s3_options: dict[str, Any] | None = None
) -> ObjectBlobStore:
    """A store for `file:///folder`, `memory://` or `s3://bucket/prefix`.

    `durable` syncs local writes to disk and changes nothing elsewhere. `s3_options` go to obstore's S3Store (endpoint,
    region, client_options); credentials come from the environment or the instance, never from the URL.
    """
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return ObjectBlobStore(MemoryStore(), timeout_s=timeout_s)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        folder = LocalFolder.prepare(Path(unquote(parts.path)))
        store = LocalStore(folder.root, automatic_cleanup=True)
        return ObjectBlobStore(store, timeout_s=timeout_s, folder=folder if durable else None, root=folder.root)
    if parts.scheme == "s3" and parts.netloc and "@" not in parts.netloc:
        prefix = parts.path.strip("/") or None
        return ObjectBlobStore(S3Store(parts.netloc, prefix=prefix, **(s3_options or {})), timeout_s=timeout_s)
    raise ValueError("the blob store URL must be file:///absolute/folder, memory:// or s3://bucket/prefix, without credentials")


@contextmanager
def _translated(verb: str, witness: Path | None) -> Iterator[None]:
    if witness is not None and not witness.exists():
        raise BlobStoreUnavailableError(f"{verb}: the folder of the blob store is gone, or another is in its place; mount or restore it")
    try:
        yield
    except AlreadyExistsError as error:
        raise BlobExistsError(f"{verb}: the key is taken") from error
    except FileNotFoundError as error:
        raise BlobNotFoundError(f"{verb}: nothing is stored under this key") from error
    except (BaseError, OSError, TimeoutError) as error:
        raise BlobStoreUnavailableError(
            f"{verb}: the blob store failed ({type(error).__name__}); check that it runs and that this process may use it"
        ) from error
