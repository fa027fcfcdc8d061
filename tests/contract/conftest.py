"""The three event logs as fixtures: the embedded file, Tansu, and Apache Kafka itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from assent.stream.event_log import EventLog
from assent.stream.local import SqliteEventLog
from assent.testing.kafka_broker import Broker
from tests.contract.event_log_ground import Opener
from tests.contract.kafka_broker import apache_kafka, tansu  # noqa: F401  fixtures

KINDS = ["sqlite", "tansu", pytest.param("kafka", marks=pytest.mark.kafka)]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return cast(str, request.param)


@pytest.fixture
async def opener(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opener]:
    """Opens the log; a second call opens the same data again, after the first was closed where only one may be open."""
    opened: list[EventLog] = []

    async def open_log() -> EventLog:
        log: EventLog
        if kind == "sqlite":
            log = SqliteEventLog(tmp_path / "log.db")
        else:
            broker: Broker = request.getfixturevalue("tansu" if kind == "tansu" else "apache_kafka")
            log = broker.event_log()
        await log.start()
        opened.append(log)
        return log

    yield open_log
    for log in opened:
        await log.close()


@pytest.fixture
async def log(opener: Opener) -> EventLog:
    return await opener()
