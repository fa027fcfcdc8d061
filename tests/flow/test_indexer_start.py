"""An indexer that starts: it consumes nothing before a sweep of the vectors has ended, erases meanwhile, and stops while it waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assent.deployment.build import open_shared
from assent.deployment.shared import Shared
from assent.events.envelope import Event, encode
from assent.events.erasures import ErasureCause, ErasureRequested
from assent.events.record import Record
from assent.events.topics import Topic
from assent.ids import ErasureId, FaceId, GrantId
from assent.intake.registry_signature import signed_by_registry
from assent.keys.signing_keys import SigningKeys
from assent.testing.face_pack import lend_pack
from assent.vectors.edge import EdgeVectorStore
from assent.vectors.store import PointFacts, VectorStoreUnavailableError
from embedded.layout import EmbeddedLayout
from embedded.system import NEEDS
from services.indexer.app import IndexerApp
from services.registry.app import RegistryApp
from tests.integration.stream_workbench import until

pytestmark = pytest.mark.timeout(120)
DRAIN_S = 25.0


class SlowWalk:
    """The store, whose walk does not end before it may; it can be away."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.may_end = asyncio.Event()
        self.is_away = False
        self.walks = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def scroll(self, after: FaceId | None, limit: int) -> list[PointFacts]:
        self.walks += 1
        if self.is_away:
            raise VectorStoreUnavailableError("the store is away")
        await self.may_end.wait()
        found: list[PointFacts] = await self._store.scroll(after, limit)
        return found


@asynccontextmanager
async def built(folder: Path) -> AsyncIterator[tuple[IndexerApp, SlowWalk, Shared]]:
    layout = EmbeddedLayout(folder, changes={"indexer": {"sweep_every_s": 0.2, "drain_deadline_s": DRAIN_S}})
    lend_pack(layout.model)
    async with open_shared(layout.registry(), service="test", needs=NEEDS, is_single_process=True) as shared:
        assert isinstance(shared.vectors, EdgeVectorStore)
        store = SlowWalk(shared.vectors)
        registry = RegistryApp(layout.registry(), shared)
        await registry.registry.publish_policy()
        await registry.registry.close()
        # One that nobody can read is written off as soon as somebody consumes.
        await shared.log.append([Record(Topic.FACES_EMBEDDED.value, b"k", b"{")])
        yield IndexerApp(layout.indexer(), replace(shared, vector_store=store)), store, shared


async def has_any(shared: Shared, topic: str) -> bool:
    return sum((await shared.log.end_offsets([topic])).values()) > 0


async def has_consumed(shared: Shared) -> bool:
    return await has_any(shared, Topic.FACES_EMBEDDED.dead_letters)


async def asked_to_erase(shared: Shared, folder: Path) -> None:
    """As the registry asks."""
    now = shared.clock.now()
    asked = ErasureRequested(erasure_id=ErasureId("x"), grant_id=GrantId("g"), cause=ErasureCause.WITHDRAWAL, requested_at=now)
    record = encode(Event("e", "/assent/registry", now, asked))
    await shared.log.append([signed_by_registry(record, SigningKeys.load(folder / "keys").grant)])


async def test_nothing_is_consumed_before_the_first_sweep_has_ended(tmp_path: Path) -> None:
    async with built(tmp_path) as (indexer, store, shared):
        await indexer.start()
        await until(lambda: store.walks > 0)
        await asked_to_erase(shared, tmp_path)
        await until(lambda: has_any(shared, Topic.ERASURES_PROGRESSED.value))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3.0):
                await until(lambda: has_consumed(shared))
        assert indexer.is_alive
        assert store.walks == 1
        store.may_end.set()
        await until(lambda: has_consumed(shared))
        assert indexer.is_alive
        await indexer.stop()


async def test_a_first_sweep_that_meets_trouble_is_tried_again(tmp_path: Path) -> None:
    async with built(tmp_path) as (indexer, store, shared):
        store.is_away = True
        await indexer.start()
        await until(lambda: store.walks >= 3)
        assert not await has_consumed(shared)
        assert indexer.background.failure is None
        store.is_away = False
        store.may_end.set()
        await until(lambda: has_consumed(shared))
        await indexer.stop()


async def test_it_stops_while_it_waits(tmp_path: Path) -> None:
    async with built(tmp_path) as (indexer, store, _):
        store.is_away = True
        await indexer.start()
        await until(lambda: store.walks > 0)
        began = time.monotonic()
        await indexer.stop()
        assert time.monotonic() - began < DRAIN_S / 2
        assert indexer.background.failure is None
