"""The proof that the proofs can fail: with a ledger that hears of no withdrawal and keys that are never forgotten, things come back."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from assent.blobs.derivatives import Derivatives
from assent.blobs.store import BlobStore
from assent.consent.ledger import ConsentLedger
from assent.deciding.gate import Gate
from assent.deciding.tables import DecisionTables
from assent.deployment.build import open_blobs
from assent.deployment.shared import Shared
from assent.events.grants import GrantSnapshot, GrantWithdrawn
from assent.ids import GrantId
from assent.keys.cipher import DataKey
from assent.keys.grant_keys import GrantKeyring
from demo.command import demo_layout
from demo.embedded_world import EmbeddedWorld
from demo.first_act import Stage, first_act
from demo.report import Report
from demo.second_act import second_act
from demo.site import DemoSite
from demo.state import DemoState
from embedded.layout import EmbeddedLayout
from embedded.system import EmbeddedSystem, Progress, running_system
from tests.flow.opened_parts import opened_parts

pytestmark = pytest.mark.timeout(300)


class DeafLedger(ConsentLedger):
    """Hears no withdrawal and no revision that ends a grant."""

    def apply_withdrawal(self, withdrawal: GrantWithdrawn) -> None:
        """Left out on purpose."""

    def apply_grant(self, grant: GrantSnapshot) -> None:
        if grant.state.value in ("given", "renewed"):
            super().apply_grant(grant)


class KeepingKeyring(GrantKeyring):
    """Never forgets a key."""

    def __init__(self, store: BlobStore, kek: DataKey) -> None:
        super().__init__(store, kek)
        self._kept: dict[GrantId, DataKey] = {}

    async def get(self, grant_id: GrantId) -> DataKey:
        if grant_id not in self._kept:
            self._kept[grant_id] = await super().get(grant_id)
        return self._kept[grant_id]


@asynccontextmanager
async def deaf_system(layout: EmbeddedLayout, *, host: str, port: int, progress: Progress) -> AsyncIterator[EmbeddedSystem]:
    async with (
        opened_parts(layout, host=host, port=port, progress=progress) as (shared, listener),
        deafened(shared, layout) as deaf,
        running_system(EmbeddedSystem(layout, deaf), listener, host=host) as system,
    ):
        yield system


@asynccontextmanager
async def deafened(shared: Shared, layout: EmbeddedLayout) -> AsyncIterator[Shared]:
    tables = DecisionTables(shared.log, public=shared.keys.public, clock=shared.clock, accepts_fixtures=True)
    tables.fold.ledger = DeafLedger(accepts_fixtures=True)
    await tables.start()
    keys = KeepingKeyring(open_blobs(layout.registry().keys_url), shared.keys.key_encryption_key)
    blobs = open_blobs(layout.registry().blobs_url)
    yield replace(
        shared,
        tables=tables,
        gate=Gate(tables.fold, shared.clock, shared.identifiers),
        grant_keys=keys,
        derivatives=Derivatives(blobs, keys),
    )
    await tables.stop()


async def test_without_the_ledger_check_the_story_sees_what_came_back(tmp_path: Path) -> None:
    site = DemoSite()
    await site.start()
    world = EmbeddedWorld(demo_layout(tmp_path, site), host="127.0.0.1", port=0, progress=lambda _: None, opener=deaf_system)
    report = Report()
    try:
        await world.start()
        stage = Stage(world, site, tmp_path, DemoState(), report, lambda _: None, time.monotonic())
        await second_act(stage, await first_act(stage))
    finally:
        await world.stop()
        await site.stop()
    assert report.resurrected is not None
    assert report.resurrected > 0
    assert report.vectors_without_live_grant is not None
    assert report.vectors_without_live_grant > 0
