"""What only a broker can do to us: stop answering, die, come back, come back empty, move partitions between processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assent.deployment.build import open_log
from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic, TopicSettings, all_topics
from assent.stream.clock import SystemClock
from assent.stream.event_log import LogUnavailableError, TopicPartition
from assent.stream.kafka import KafkaEventLog
from assent.stream.runner import Runner
from assent.stream.table import LogWentBackError, Table, TableStaleError
from assent.testing.kafka_broker import ApacheKafka, Broker, Tansu
from tests.integration.stream_workbench import GROUP, IN, OUT, QUICK, Seen, Worker, committed, inputs, until, written
from tools.outside_programs import find_kafka

ROOT = Path(__file__).resolve().parents[2]
ONE = {"one": TopicSettings("k", "delete", None, 1, ())}
Client = Callable[[Broker], Awaitable[KafkaEventLog]]


@pytest.fixture
def kafka(tmp_path: Path) -> ApacheKafka:
    jars = find_kafka()
    assert jars is not None
    return ApacheKafka(jars)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client that gives up soon."""
    async with clients(request_timeout_s=2.0, append_timeout_s=2.0, close_timeout_s=1.0) as connect:
        yield connect


@pytest.fixture
async def patient_client() -> AsyncIterator[Client]:
    """One with the times of a service, where a busy machine is not what the test is about."""
    async with clients() as connect:
        yield connect


@asynccontextmanager
async def clients(**times: Any) -> AsyncIterator[Client]:
    """Connects as often as it is asked to, and closes what it opened."""
    opened: list[KafkaEventLog] = []

    async def connect(broker: Broker) -> KafkaEventLog:
        settings = replace(broker.settings, **times, session_timeout_s=6.0, heartbeat_s=0.3)
        log = KafkaEventLog(broker.bootstrap_servers, settings=settings, capabilities=broker.capabilities)
        await log.start()
        opened.append(log)
        return log

    try:
        yield connect
    finally:
        for log in opened:
            await log.close()


def answered(ask: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
    """The same, and no while there is no answer: a broker that is on its way back may take longer than a client waits."""

    async def is_so() -> bool:
        try:
            return await ask()
        except LogUnavailableError:
            return False

    return is_so


async def test_a_broker_that_does_not_answer_is_an_error_in_time(client: Client) -> None:
    async with Tansu() as broker:
        log = await client(broker)
        await log.ensure_topics(ONE)
        await log.append([Record("one", b"k", b"1")])
        broker.pause()
        for ask in (log.append([Record("one", b"k", b"2")]), log.end_offsets(["one"]), log.committed("g", ["one"])):
            began = time.monotonic()
            with pytest.raises(LogUnavailableError):
                await ask
            assert time.monotonic() - began < 3.5
        began = time.monotonic()
        await log.close()
        assert time.monotonic() - began < 5
        broker.resume()


async def test_no_broker_at_all_is_told_at_start() -> None:
    log = KafkaEventLog("127.0.0.1:1")
    with pytest.raises(LogUnavailableError, match="connecting to Kafka"):
        await log.start()


class Count:
    """How many records came."""

    def __init__(self) -> None:
        self.held: dict[bytes, bytes | None] = {}

    def apply(self, record: StoredRecord) -> None:
        self.held[record.key] = record.value


async def test_a_table_cannot_be_proved_fresh_without_its_broker(client: Client) -> None:
    async with Tansu() as broker:
        log = await client(broker)
        await log.ensure_topics(ONE)
        await log.append([Record("one", b"k", b"1")])
        table = Table(log, ["one"], Count(), clock=SystemClock())
        await table.start()
        await table.ready(10)
        broker.pause()
        with pytest.raises(TableStaleError, match="does not say"):
            await table.catch_up(0.5)
        await until(lambda: table.age_s() > 1.5)
        broker.resume()
        await table.catch_up(10)
        assert table.age_s() < 1.5
        await table.stop()


async def test_a_broker_that_comes_back_empty_breaks_the_table(client: Client) -> None:
    # Four partitions: a client that asks for a topic by name makes Tansu create it, with so many.
    four = {"one": TopicSettings("k", "delete", None, 4, ())}
    async with Tansu() as broker:
        log = await client(broker)
        await log.ensure_topics(four)
        for number in range(5):
            await log.append([Record("one", b"%d" % number, b"withdrawn")])
        table = Table(log, ["one"], Count(), clock=SystemClock())
        await table.start()
        await table.ready(10)
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)
        again = await client(broker)
        await again.ensure_topics(four)
        await until(lambda: table.broken is not None)
        assert isinstance(table.broken, LogWentBackError)
        assert not table.is_ready
        await table.stop()


async def test_tansu_is_spoken_to_so_that_its_ends_are_true() -> None:
    """Six records of one key in one append, as the registry reports an ending. In one batch Tansu would tell an end that is five
    short, and go on telling it: a table that read them would take it for a log that went back, and one that did not for fresh."""
    async with Tansu() as broker:
        log = open_log(broker.log_url)
        await log.start()
        await log.ensure_topics(all_topics())
        topic = Topic.ERASURES_PROGRESSED.value
        table = Table(log, [topic], Count(), clock=SystemClock())
        await table.start()
        for number in range(5):
            last = (await log.append([Record(topic, b"%d" % number, b"v") for _ in range(6)]))[-1]
            at = TopicPartition(topic, last.partition)
            assert (await log.end_offsets([topic]))[at] == last.offset + 1
            await table.catch_up(10)
            assert table.offsets()[at] == last.offset + 1
        await table.stop()
        await log.close()


@pytest.mark.kafka
async def test_kill_9_of_the_broker_loses_nothing_and_the_runner_goes_on(
    kafka: ApacheKafka, client: Client, patient_client: Client
) -> None:
    async with kafka as broker:
        log = await patient_client(broker)
        await log.ensure_topics(all_topics())
        seen, acknowledged = Seen(), [f"g-{number}" for number in range(30)]
        await log.append(inputs(*acknowledged))
        runner = Runner(log, Worker(), member="m", clock=SystemClock(), observer=seen, settings=QUICK)
        running = asyncio.create_task(runner.run())
        await until(lambda: len(seen.outcomes) >= 5)
        soon_tired = await client(broker)
        await asyncio.to_thread(broker.kill)
        with pytest.raises(LogUnavailableError):
            await soon_tired.append(inputs("unknown"))
        await asyncio.to_thread(broker.start)

        async def is_back() -> bool:
            return bool(await log.append(inputs("after")))

        async def is_done() -> bool:
            ends = await log.end_offsets([IN.value])
            return await committed(log) == sum(ends.values()) > 30

        await until(answered(is_back), patience_s=60)
        await until(answered(is_done), patience_s=60)
        runner.stop()
        await running
        keys = {record.key.decode() for record in await written(log, OUT.value)}
        assert {*acknowledged, "after"} <= keys


@pytest.mark.kafka
async def test_a_table_passes_the_gaps_that_compaction_left(kafka: ApacheKafka, patient_client: Client) -> None:
    async with kafka as broker:
        log = await patient_client(broker)
        topic = {"facts": TopicSettings("k", "compact", None, 1, ())}
        await log.ensure_topics(topic)
        await _roll_soon(broker, "facts")
        for turn in range(6):
            await log.append([Record("facts", b"%d" % key, b"%d" % turn) for key in range(50)])
            await asyncio.sleep(0.25)
        at = TopicPartition("facts", 0)

        async def is_compacted() -> bool:
            # A new segment begins with an append; only closed ones are compacted.
            await log.append([Record("facts", b"tick", b"")])
            return len(await log.read(at, 0, max_records=1_000)) < 200

        await until(is_compacted)
        fold = Count()
        table = Table(log, ["facts"], fold, clock=SystemClock())
        await table.start()
        await table.ready(10)
        assert {fold.held[b"%d" % key] for key in range(50)} == {b"5"}
        await table.catch_up(5)
        assert table.offsets() == await log.end_offsets(["facts"])
        await table.stop()


async def _roll_soon(broker: Broker, topic: str) -> None:
    wanted = {"cleanup.policy": "compact", "segment.ms": "200", "min.cleanable.dirty.ratio": "0.01", "min.compaction.lag.ms": "0"}
    await broker.set_topic(topic, wanted)


MEMBER = """
import asyncio, sys
from assent.stream.clock import SystemClock
from assent.stream.kafka import KafkaEventLog
from assent.stream.kafka_settings import KafkaSettings
from assent.stream.runner import Runner
from tests.integration.stream_workbench import QUICK, Seen, Worker

async def main():
    log = KafkaEventLog(sys.argv[1], settings=KafkaSettings(session_timeout_s=6.0, heartbeat_s=0.3))
    await log.start()
    async def slowly(event):
        await asyncio.sleep(0.005)
    print("ready", flush=True)
    await Runner(log, Worker(slowly), member=sys.argv[2], clock=SystemClock(), observer=Seen(), settings=QUICK).run()

asyncio.run(main())
"""


def member(broker: Broker, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", MEMBER, broker.bootstrap_servers, name], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )


@pytest.mark.kafka
async def test_killed_members_lose_nothing_and_every_output_has_one_id(kafka: ApacheKafka, patient_client: Client) -> None:
    async with kafka as broker:
        log = await patient_client(broker)
        await log.ensure_topics(all_topics())
        members = [member(broker, f"m{number}") for number in range(2)]
        names = [f"g-{number}" for number in range(600)]
        try:
            await log.append(inputs(*names[:400]))

            async def some() -> bool:
                return await committed(log) > 50

            await until(some)
            members[0].kill()
            members.append(member(broker, "m2"))
            await log.append(inputs(*names[400:]))

            async def all_of_them() -> bool:
                return await committed(log) >= len(names)

            await until(all_of_them, patience_s=60)
        finally:
            for process in members:
                process.kill()
                process.wait()
        out = await written(log, OUT.value)
        assert {record.key.decode() for record in out} == set(names)
        assert len({record.header("ce_id") for record in out}) == len(names)
        assert (await log.committed(GROUP, [IN.value])) == await log.end_offsets([IN.value])
