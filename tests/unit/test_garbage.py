"""Tables are left out of the search for cycles once they are ready, and not before."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from assent.deciding.tables import DecisionTables
from assent.deployment.garbage import YOUNG_OBJECTS, spare_the_tables
from assent.events.topics import all_topics
from assent.keys.deployment_keys import DeploymentKeys
from assent.stream.clock import SystemClock
from assent.stream.local import SqliteEventLog


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


async def test_what_is_in_memory_when_the_tables_are_ready_is_spared(tmp_path: Path) -> None:
    log = SqliteEventLog(tmp_path / "log.db")
    await log.start()
    await log.ensure_topics(all_topics())
    keys = DeploymentKeys.load_or_create(tmp_path / "keys")
    tables = DecisionTables(log, public=keys.public, clock=SystemClock())
    await tables.start()
    later = gc.get_threshold()[1:]
    await spare_the_tables(tables)
    assert tables.table.is_ready
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold() == (YOUNG_OBJECTS, *later)
    await tables.stop()
    await log.close()


async def test_nothing_is_spared_while_the_tables_are_not_ready(tmp_path: Path) -> None:
    keys = DeploymentKeys.load_or_create(tmp_path / "keys")
    tables = DecisionTables(SqliteEventLog(tmp_path / "log.db"), public=keys.public, clock=SystemClock())
    before = gc.get_freeze_count()
    # Never started, so never ready.
    await asyncio.wait_for(spare_the_tables(tables), 5.0)
    assert gc.get_freeze_count() == before
