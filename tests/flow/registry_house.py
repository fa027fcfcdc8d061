"""The product in one process for tests of grants: a small site, an operator, and people who answer for themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assent.ids import GrantId
from assent.testing.face_pack import lend_pack
from demo.api import Answer, DemoApi, JsonObject
from demo.command import demo_layout
from demo.control import show_control
from demo.embedded_world import EmbeddedWorld, Opener
from demo.requests import fixture_grant
from demo.settled import settled
from demo.site import DemoSite, Photo
from demo.state import DemoState
from demo.subject import Subject
from embedded.system import open_system


@dataclass(slots=True)
class GrantHouse:
    """What a test of grants stands on."""

    world: EmbeddedWorld
    site: DemoSite

    @property
    def api(self) -> DemoApi:
        return self.world.api

    @property
    def registry(self) -> str:
        return self.api.addresses.registry

    @property
    def token(self) -> str:
        return self.world.operator_token

    async def person(self) -> Subject:
        """Somebody new."""
        subject = Subject(self.api, DemoState())
        await subject.create(self.token)
        return subject

    def request(self, subject: Subject, sources: list[JsonObject], **binding: Any) -> JsonObject:
        """A request for a grant of this person."""
        return fixture_grant(subject.subject_id, sources, binding=binding or {"mode": "single_face"}, now=datetime.now(UTC))

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        """One call of the registry."""
        return await self.api.ask(method, f"{self.registry}{path}", **options)

    async def erased(self, grant_id: GrantId, *, patience_s: float = 20.0) -> None:
        """Wait until the store holds nothing of a grant that has ended."""
        async with asyncio.timeout(patience_s):
            while await self.world.store.ids_of_grant(grant_id):  # noqa: ASYNC110  the store tells nobody
                await asyncio.sleep(0.1)

    async def crawl(self) -> None:
        """A round, and everything it began is at its end."""
        await self.api.need("POST", f"{self.registry}/v1/crawls", token=self.token)
        await settled(self.world.log)


@asynccontextmanager
async def grant_house(
    folder: Path,
    photos: dict[str, bytes],
    *,
    opener: Opener = open_system,
    indexer: dict[str, Any] | None = None,
    geofence: dict[str, Any] | None = None,
    crawler: dict[str, Any] | None = None,
    registry: dict[str, Any] | None = None,
    common: dict[str, Any] | None = None,
) -> AsyncIterator[GrantHouse]:
    """The product with a site of these pictures; `indexer` to `registry` are settings of those services, `common` of all."""
    site = DemoSite()
    site.photos = {path: Photo(path, data) for path, data in photos.items()}
    await site.start()
    layout = demo_layout(folder, site)
    layout.changes["indexer"] |= indexer or {}
    layout.changes["geofence"] = geofence or {}
    layout.changes["crawler"] |= crawler or {}
    layout.changes["registry"] |= registry or {}
    layout.common.update(common or {})
    lend_pack(layout.model)
    world = EmbeddedWorld(layout, host="127.0.0.1", port=0, progress=lambda _: None, opener=opener)
    try:
        await world.start()
        await show_control(world.api, site, world.operator_token)
        yield GrantHouse(world, site)
    finally:
        await world.stop()
        await site.stop()
