"""The log of the tests of the runner."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.stream_workbench import FaultyLog, started


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[FaultyLog]:
    """The real embedded log with its topics; it fails where it is told to."""
    log = FaultyLog(tmp_path / "log.db")
    await started(log)
    yield log
    await log.close()
