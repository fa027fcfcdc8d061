"""A broker at the end of a slow line that is cut without a word: slow is no trouble, and what was cut goes on when it is mended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from assent.events.topics import all_topics
from assent.stream.clock import SystemClock
from assent.stream.event_log import LogUnavailableError
from assent.stream.kafka import KafkaEventLog
from assent.stream.kafka_settings import KafkaSettings
from assent.stream.runner import Runner
from assent.testing.kafka_broker import ApacheKafka, free_port
from tests.integration.slow_line import SlowLine
from tests.integration.stream_workbench import IN, OUT, QUICK, Seen, Worker, committed, inputs, until, written
from tools.outside_programs import find_kafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]
DELAY_S = 0.1
IMPATIENT = KafkaSettings(request_timeout_s=3.0, append_timeout_s=3.0, close_timeout_s=1.0, session_timeout_s=6.0, heartbeat_s=0.5)


class FarKafka(ApacheKafka):
    """A broker that tells its clients to come by another port."""

    def __init__(self, jars: Path) -> None:
        super().__init__(jars)
        self.line_port = free_port()
        plain = self._properties.read_text()
        told = f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}"
        assert told in plain
        self._properties.write_text(plain.replace(told, f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.line_port}"))


@pytest.fixture
async def line() -> AsyncIterator[tuple[SlowLine, KafkaEventLog]]:
    jars = find_kafka()
    assert jars is not None
    async with FarKafka(jars) as broker, SlowLine(port=broker.line_port, to_port=broker.port, delay_s=DELAY_S) as slow:
        log = KafkaEventLog(f"127.0.0.1:{broker.line_port}", settings=IMPATIENT)
        await log.start()
        yield slow, log
        await log.close()


async def test_a_slow_line_is_no_trouble_and_a_cut_one_is_over_when_it_is_mended(line: tuple[SlowLine, KafkaEventLog]) -> None:
    slow, log = line
    await log.ensure_topics(all_topics())
    worker, seen, names = Worker(), Seen(), [f"g-{number}" for number in range(40)]
    runner = Runner(log, worker, member="m", clock=SystemClock(), observer=seen, settings=QUICK)
    running = asyncio.create_task(runner.run())
    await log.append(inputs(*names[:20]))

    async def is_done() -> bool:
        return await committed(log) >= 20

    await until(is_done, patience_s=40)
    assert seen.holds == []
    slow.cut()
    began = time.monotonic()
    with pytest.raises(LogUnavailableError):
        await log.append(inputs("unknown"))
    assert time.monotonic() - began < 4.5
    assert runner.is_alive
    assert not running.done()
    slow.mend()

    async def is_back() -> bool:
        return bool(await log.append(inputs(*names[20:])))

    async def is_whole() -> bool:
        return {record.key.decode() for record in await written(log, OUT.value)} >= set(names)

    async def is_level() -> bool:
        return await log.committed("worker", [IN.value]) == await log.end_offsets([IN.value])

    for claim in (is_back, is_whole, is_level):
        await until(claim, patience_s=40)
    runner.stop()
    await asyncio.wait_for(running, 20)
    out = await written(log, OUT.value)
    assert len({record.header("ce_id") for record in out}) == len({record.key for record in out})
