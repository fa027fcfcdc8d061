"""A real blob store that can be told to be away, also at a start; an opener that gives the product such a key store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from assent.blobs.derivatives import Derivatives
from assent.blobs.store import BlobEntry, BlobStore, BlobStoreUnavailableError
from assent.deployment.build import open_blobs
from assent.keys.grant_keys import GrantKeyring
from embedded.layout import EmbeddedLayout
from embedded.system import EmbeddedSystem, Progress, running_system
from tests.flow.opened_parts import opened_parts


class SwitchedStore:
    """BlobStore over `store`. While `is_away` every call fails; while `is_silent` none is answered."""

    def __init__(self) -> None:
        self.store: BlobStore | None = None
        self.is_away = False
        self.is_silent = False

    async def _there(self) -> BlobStore:
        while self.is_silent:  # noqa: ASYNC110  the test says nothing
            await asyncio.sleep(0.05)
        if self.is_away or self.store is None:
            raise BlobStoreUnavailableError("the store is away")
        return self.store

    async def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        await (await self._there()).put(key, data, if_absent=if_absent)

    async def get(self, key: str) -> bytes:
        return await (await self._there()).get(key)

    async def exists(self, key: str) -> bool:
        return await (await self._there()).exists(key)

    async def delete(self, key: str) -> None:
        await (await self._there()).delete(key)

    async def delete_all(self, keys: Sequence[str]) -> None:
        await (await self._there()).delete_all(keys)

    async def list(self, prefix: str) -> AsyncIterator[BlobEntry]:
        async for entry in (await self._there()).list(prefix):
            yield entry

    async def delete_prefix(self, prefix: str) -> int:
        return await (await self._there()).delete_prefix(prefix)


class KeyStoreSwitch(SwitchedStore):
    """The key store of a product that may be started again and again."""

    @asynccontextmanager
    async def opener(self, layout: EmbeddedLayout, *, host: str, port: int, progress: Progress) -> AsyncIterator[EmbeddedSystem]:
        """The usual system over this key store. Every start begins with no key in memory, as after a death."""
        async with opened_parts(layout, host=host, port=port, progress=progress) as (shared, listener):
            self.store = open_blobs(layout.registry().keys_url, durable=True)
            keyring = GrantKeyring(self, shared.keys.key_encryption_key)
            derivatives = Derivatives(open_blobs(layout.registry().blobs_url), keyring)
            shared = replace(shared, grant_keys=keyring, derivatives=derivatives)
            async with running_system(EmbeddedSystem(layout, shared), listener, host=host) as system:
                yield system
