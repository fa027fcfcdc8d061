"""A product whose embedder is held before a picture and learns of grants late; everything else runs as usual."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

from assent.blobs.quarantine import Quarantine
from assent.deciding.gate import Gate
from assent.deciding.tables import DecisionTables
from assent.deployment.shared import Shared
from assent.events.record import StoredRecord
from assent.ids import ProducerId, SightingId
from assent.stream.event_log import EventLog, Tail, TopicPartition
from embedded.layout import EmbeddedLayout
from embedded.system import EmbeddedSystem, Progress, running_system
from services.embedder.app import EmbedderApp
from tests.flow.opened_parts import opened_parts

LATE_S = 1.5


@dataclass(slots=True)
class LateTail:
    """A follower whose broker takes its time."""

    tail: Tail
    held: Held

    async def poll(self, *, timeout_s: float) -> list[StoredRecord]:
        found = await self.tail.poll(timeout_s=timeout_s)
        if found and self.held.is_late:
            await asyncio.sleep(LATE_S)
        return found

    def positions(self) -> dict[TopicPartition, int]:
        return self.tail.positions()

    async def close(self) -> None:
        await self.tail.close()


class Held:
    """What the embedder is kept from. While `is_late`, its tables are given what they follow late; `waits` is set before a picture."""

    def __init__(self) -> None:
        self.is_late = False
        self.waits = asyncio.Event()
        self.may_go = asyncio.Event()
        self.may_go.set()
        self._log: EventLog | None = None
        self._quarantine: Quarantine | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def tail(self, topics: Collection[str]) -> LateTail:
        assert self._log is not None
        return LateTail(await self._log.tail(topics), self)

    @asynccontextmanager
    async def opener(self, layout: EmbeddedLayout, *, host: str, port: int, progress: Progress) -> AsyncIterator[EmbeddedSystem]:
        """The usual system with such an embedder."""
        async with opened_parts(layout, host=host, port=port, progress=progress) as (shared, listener):
            self._log = shared.log
            tables = DecisionTables(cast(EventLog, self), public=shared.keys.public, clock=shared.clock, accepts_fixtures=True)
            held = replace(
                shared,
                tables=tables,
                gate=Gate(tables.fold, shared.clock, shared.identifiers),
                quarantine=cast(Quarantine, HeldQuarantine(shared.quarantine, self)),
            )
            await tables.start()
            try:
                async with running_system(_System(layout, shared, held), listener, host=host) as system:
                    yield system
            finally:
                await tables.stop()


class HeldQuarantine:
    """The real one; whoever fetches an original waits for the word to go on."""

    def __init__(self, quarantine: Quarantine, held: Held) -> None:
        self._quarantine = quarantine
        self._held = held

    def __getattr__(self, name: str) -> Any:
        return getattr(self._quarantine, name)

    async def fetch(self, blob: str, *, producer: ProducerId, sighting_id: SightingId) -> bytes:
        self._held.waits.set()
        await self._held.may_go.wait()
        return await self._quarantine.fetch(blob, producer=producer, sighting_id=sighting_id)


class _System(EmbeddedSystem):
    def __init__(self, layout: EmbeddedLayout, shared: Shared, held: Shared) -> None:
        super().__init__(layout, shared)
        embedder = EmbedderApp(layout.embedder(), held)
        self._apps = tuple((name, embedder if name == "embedder" else app) for name, app in self._apps)
