"""A start while the log takes nothing: it goes on by itself, ends with one line in time, and at once when told to stop."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from assent.deployment.build import open_shared
from assent.deployment.shared import Shared
from assent.deployment.start_errors import START_ERRORS, StartError, start_error_line
from assent.keys.deployment_keys import DeploymentKeys
from assent.testing.face_pack import lend_pack
from embedded.layout import EmbeddedLayout
from embedded.system import NEEDS
from services.registry.app import RegistryApp

pytestmark = pytest.mark.timeout(120)
WAITING = """
import asyncio
from services.consent.app import ConsentApp
from services.consent.settings import ConsentSettings
from assent.deployment.process import run_service

class Waiting(ConsentApp):
    async def start(self) -> None:
        print("waiting", flush=True)
        await asyncio.Event().wait()

raise SystemExit(run_service("consent", ConsentSettings, Waiting))
"""


@asynccontextmanager
async def opened(layout: EmbeddedLayout) -> AsyncIterator[tuple[RegistryApp, Shared]]:
    lend_pack(layout.model)
    async with open_shared(layout.registry(), service="test", needs=NEEDS, is_single_process=True) as shared:
        yield RegistryApp(layout.registry(), shared), shared


@contextmanager
def held(layout: EmbeddedLayout) -> Iterator[None]:
    """Somebody else writes to the file and does not end: the log takes nothing."""
    database = sqlite3.connect(layout.data / "log.sqlite3", isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        yield
    finally:
        database.close()


async def test_a_policy_that_the_log_does_not_take_is_put_there_when_it_does(tmp_path: Path) -> None:
    async with opened(EmbeddedLayout(tmp_path)) as (registry, shared):
        with held(EmbeddedLayout(tmp_path)):
            starting = asyncio.create_task(registry.start())
            # Longer than one attempt lasts.
            done, _ = await asyncio.wait({starting}, timeout=8)
            assert not done
        await asyncio.wait_for(starting, 30)
        await shared.tables.catch_up(30)
        assert shared.tables.is_ready
        await registry.stop()


async def test_after_its_time_it_ends_with_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    layout = EmbeddedLayout(tmp_path, changes={"registry": {"stall_after_s": 1.0}})
    async with opened(layout) as (registry, shared):
        with held(layout), pytest.raises(StartError) as refused:
            await registry.start()
        assert isinstance(refused.value, START_ERRORS)
        line = start_error_line(refused.value)
        assert line.startswith("the event log did not take the policy for 1 s; see that what log_url names runs")
        assert not shared.tables.is_ready
        await registry.registry.close()


async def test_a_start_that_waits_ends_when_it_is_told_to_stop(tmp_path: Path) -> None:
    DeploymentKeys.load_or_create(tmp_path / "keys")
    told = {"LOG_URL": f"sqlite:{tmp_path / 'log'}", "KEYS_FOLDER": str(tmp_path / "keys"), "BLOBS_URL": "memory:", "KEYS_URL": "memory:"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WAITING),
        env={f"ASSENT_CONSENT_{name}": value for name, value in told.items()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"waiting\n"
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0
        assert b"Traceback" not in await process.stderr.read()
    finally:
        if process.returncode is None:
            process.kill()
