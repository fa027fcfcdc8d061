"""The same suite where a log keeps and forgets: compaction, codecs, limits, a restart, and a storm of members."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from assent.events.record import Record
from assent.stream.clock import SystemClock
from assent.stream.event_log import (
    EventLog,
    LogUnavailableError,
    RecordTooLargeError,
    Subscription,
    TopicPartition,
)
from assent.stream.kafka import KafkaEventLog
from assent.stream.local import SqliteEventLog
from assent.stream.table import Table
from assent.testing.kafka_broker import Broker
from tests.contract.event_log_ground import (
    PATIENCE_S,
    STORM,
    Codec,
    Latest,
    Opener,
    join,
    next_offsets,
    records,
    take,
    topic_of,
    values,
)


async def test_compaction_keeps_the_last_word_and_nulls_delete(kind: str, opener: Opener, request: pytest.FixtureRequest) -> None:
    """The order of the topic's offsets decides, a key whose last value is null goes at last, and no offset moves."""
    log = await opener()
    if not log.capabilities.compaction:
        pytest.skip("nothing is compacted there")
    topic = await topic_of(log, partitions=1, cleanup="compact")
    at = TopicPartition(topic, 0)
    await clean_soon(kind, topic, request)
    for turn in range(3):
        await log.append([Record(topic, b"kept", str(turn).encode()), Record(topic, b"gone", b"x"), Record(topic, b"gone", None)])

    async def left() -> dict[bytes, list[tuple[int, bytes | None]]]:
        # A new segment begins with an append; only closed ones are cleaned.
        await log.append([Record(topic, b"tick", b"")])
        if isinstance(log, SqliteEventLog):
            await log.compact()
        found: dict[bytes, list[tuple[int, bytes | None]]] = {}
        for record in await log.read(at, 0, max_records=10_000):
            if record.key != b"tick":
                found.setdefault(record.key, []).append((record.offset, record.value))
        return found

    wanted: dict[bytes, list[tuple[int, bytes | None]]] = {b"kept": [(6, b"2")]}
    if kind == "sqlite":
        # It keeps a null for a day, which is tested with a clock that can be moved.
        wanted[b"gone"] = [(8, None)]
    deadline = time.monotonic() + PATIENCE_S
    while await left() != wanted:
        assert time.monotonic() < deadline, await left()
        await asyncio.sleep(0.2)
    # Nobody goes on from where another one was: a table of now is made of what is left, and equal to one that saw it all.
    fold = Latest()
    table = Table(log, [topic], fold, clock=SystemClock())
    await table.start()
    await table.ready(PATIENCE_S)
    assert (fold.held[b"kept"], fold.held.get(b"gone")) == (b"2", None)
    await table.stop()


async def clean_soon(kind: str, topic: str, request: pytest.FixtureRequest) -> None:
    """Where a broker cleans: at once, nulls too."""
    if kind == "kafka":
        broker: Broker = request.getfixturevalue("apache_kafka")
        await broker.set_topic(
            topic,
            {
                "cleanup.policy": "compact",
                "segment.ms": "200",
                "min.cleanable.dirty.ratio": "0.001",
                "min.compaction.lag.ms": "0",
                "delete.retention.ms": "0",
            },
        )


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_every_codec_is_written_and_read(kind: str, opener: Opener, request: pytest.FixtureRequest, codec: Codec) -> None:
    if kind == "sqlite":
        pytest.skip("nothing is compressed there")
    log = await opener()
    topic = await topic_of(log, partitions=1)
    broker: Broker = request.getfixturevalue("tansu" if kind == "tansu" else "apache_kafka")
    packed = KafkaEventLog(broker.bootstrap_servers, settings=replace(broker.settings, compression=codec), capabilities=broker.capabilities)
    await packed.start()
    try:
        sent = [Record(topic, f"k{number}".encode(), b"the same again " * 400, (("ce_id", b"1"),)) for number in range(20)]
        landed = await packed.append(sent)
        assert sorted(at.offset for at in landed) == list(range(20))
    finally:
        await packed.close()
    found = await log.read(TopicPartition(topic, 0), 0, max_records=100)
    assert [(record.key, record.value, record.headers) for record in found] == [(one.key, one.value, one.headers) for one in sent]


async def test_a_record_over_the_limit_of_the_broker_is_told(kind: str, opener: Opener, request: pytest.FixtureRequest) -> None:
    """Our own limit is the lower one; where an operator set the topic's lower still, the broker says so."""
    log = await opener()
    if kind == "sqlite" or not log.capabilities.record_limit:
        pytest.skip("no limit of a broker there")
    topic = await topic_of(log, partitions=1)
    broker: Broker = request.getfixturevalue("apache_kafka")
    await broker.set_topic(topic, {"max.message.bytes": "5000"})
    deadline = time.monotonic() + PATIENCE_S
    told = ""
    while not told:
        # The broker takes the setting up a moment after it acknowledged it.
        assert time.monotonic() < deadline
        before = await log.end_offsets([topic])
        try:
            await log.append([Record(topic, b"k", bytes(6_000))])
        except RecordTooLargeError as error:
            told = str(error)
    assert "send a reference" in told
    assert await log.end_offsets([topic]) == before
    await log.append([Record(topic, b"k", bytes(4_000))])
    assert sum((await log.end_offsets([topic])).values()) == sum(before.values()) + 1


async def test_a_storm_of_members_loses_nothing(log: EventLog) -> None:
    """Members come and go while records flow: every record is read, and the committed offsets never pass one that was not."""
    topic = await topic_of(log)
    done: set[int] = set()
    stopping = asyncio.Event()

    async def work(member: Subscription, leaving: asyncio.Event) -> None:
        while not (leaving.is_set() or stopping.is_set()):
            found = await member.poll(max_records=20, timeout_s=0.05)
            done.update(values(found))
            await member.commit(next_offsets(found))
        await member.close()

    async def storm() -> None:
        present: list[tuple[asyncio.Task[None], asyncio.Event]] = []
        for number in range(STORM):
            leaving = asyncio.Event()
            present.append((asyncio.create_task(work(await join(log, [topic], topic, f"m{number}"), leaving)), leaving))
            await log.append(records(topic, 20, start=number * 20))
            await asyncio.sleep(0.15)
            if len(present) > 3:
                task, gone = present.pop(0)
                gone.set()
                await task
        for _ in range(600):
            if sum((await log.committed(topic, [topic])).values()) >= STORM * 20:
                break
            await asyncio.sleep(0.05)
        stopping.set()
        await asyncio.gather(*(task for task, _ in present))

    await storm()
    assert done == set(range(STORM * 20))
    assert await log.committed(topic, [topic]) == await log.end_offsets([topic])


async def test_the_broker_restarts_with_its_data(kind: str, opener: Opener, request: pytest.FixtureRequest) -> None:
    """Records, topics, committed offsets and the member that was there before."""
    log = await opener()
    if kind == "sqlite" or not log.capabilities.persistence:
        pytest.skip("no broker there, or one that keeps nothing")
    broker: Broker = request.getfixturevalue("apache_kafka")
    topic = await topic_of(log)
    await log.append(records(topic, 30))
    member = await join(log, [topic], topic)
    assert await member.commit(next_offsets(await take(member, 30))) == frozenset()
    await asyncio.to_thread(broker.stop)
    await asyncio.to_thread(broker.start)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            await log.append(records(topic, 10, start=30))
            break
        except LogUnavailableError:
            assert time.monotonic() < deadline
    assert set(range(30, 40)) <= set(values(await take(member, 10)))
    assert sum((await log.committed(topic, [topic])).values()) == 30
    fresh = await join(log, [topic], f"{topic}-fresh")
    assert set(values(await take(fresh, 40))) == set(range(40))
