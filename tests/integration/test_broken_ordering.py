"""Promises of order broken on purpose: the checker sees each of them, and says nothing of the same steps with the promise kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from assent.events.record import Record, StoredRecord
from assent.events.topics import TOPICS, Topic
from assent.stream.event_log import TopicPartition
from assent.stream.partitioner import partition_of
from assent.testing.kafka_broker import ApacheKafka
from faults.broken import AFTER_WRITE, BATCH_ENDED, BEFORE_WRITE
from faults.people import Held
from tests.integration.broken_house import BrokenHouse, broken_house
from tests.integration.stream_workbench import until
from tools.outside_programs import find_kafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]
STAGES = ("registry", "geofence", "consent", "embedder")
FIRST, SECOND = "indexer", "indexer+1"
PATIENCE_S = 60.0
SETTLE_S = "21"
"""Session and store time-outs of ten seconds each, and some."""
QUICK_CLEANING = {"cleanup.policy": "compact", "segment.ms": "300", "min.cleanable.dirty.ratio": "0.001", "min.compaction.lag.ms": "0"}


@pytest.fixture
async def broker() -> AsyncIterator[ApacheKafka]:
    jars = find_kafka()
    assert jars is not None
    async with ApacheKafka(jars) as made:
        yield made


def kinds(findings: Iterable[str]) -> list[str]:
    return [finding.partition(":")[0] for finding in findings]


def names(finding: str, held: Held) -> bool:
    return held.grant_id in finding


async def written_by_a_paused_one(house: BrokenHouse, name: str, *breaks: str) -> Held:
    """The first indexer stops between its check and its write for longer than its session; the end comes, is erased by a second
    one and reported, and then the first goes on where it stood.
    """
    holds = house.holds(name)
    holds.lay(BEFORE_WRITE)
    await house.begin(FIRST, *breaks, holds=holds)
    held = await house.uploaded()
    await until(lambda: holds.was_reached(BEFORE_WRITE), patience_s=PATIENCE_S)
    house.world.pause(FIRST)
    await house.begin(SECOND, *breaks)
    await house.withdraw(held)
    await house.reported(held)
    # The second one commits what the first had in hand: by then its session is over and its partitions have moved.
    await house.settled()
    house.world.resume(FIRST)
    holds.lift(BEFORE_WRITE)
    await until(lambda: holds.was_reached(BATCH_ENDED), patience_s=PATIENCE_S)
    return held


async def written_by_one_that_dies(house: BrokenHouse, name: str, *, settle_s: str) -> Held:
    """An indexer is held between check and write until the end came, and killed between its write and its second look."""
    holds = house.holds(name)
    holds.lay(BEFORE_WRITE)
    holds.lay(AFTER_WRITE)
    await house.begin(FIRST, holds=holds, settle_s=settle_s)
    held = await house.uploaded()
    await until(lambda: holds.was_reached(BEFORE_WRITE), patience_s=PATIENCE_S)
    await house.withdraw(held)
    if float(settle_s) == 0:
        await house.reported(held)
    holds.lift(BEFORE_WRITE)
    await until(lambda: holds.was_reached(AFTER_WRITE), patience_s=PATIENCE_S)
    house.world.kill(FIRST)
    await house.begin(SECOND, settle_s=settle_s)
    await house.settled()
    await house.reported(held)
    return held


async def test_what_is_written_before_the_ledger_is_caught_up(broker: ApacheKafka, tmp_path: Path) -> None:
    async with broken_house(broker, tmp_path, services=STAGES) as house:
        await house.begin(FIRST)
        stays = await house.uploaded()
        await house.settled()
        await house.stop(FIRST)

        await written_by_a_paused_one(house, "kept")
        assert await house.findings() == []
        assert await house.assignor() == "range"
        await house.stop(FIRST, SECOND)

        # Who owns a partition protects nothing here: one topic is shared out, and erasures are worked on by everybody.
        await written_by_a_paused_one(house, "round robin", "round_robin")
        assert await house.findings() == []
        assert await house.assignor() == "roundrobin"
        await house.stop(FIRST, SECOND)

        back = await written_by_a_paused_one(house, "broken", "unchecked_writes")
        findings = await house.findings()
        assert kinds(findings) == ["extra", "reported erased and there"]
        assert all(names(finding, back) for finding in findings)
        assert len(await house.stored(stays)) == len(await house.stored(back)) == 1


async def test_what_is_reported_before_a_dying_writer_can_be_ruled_out(broker: ApacheKafka, tmp_path: Path) -> None:
    async with broken_house(broker, tmp_path, services=STAGES) as house:
        await house.begin(FIRST)
        await house.uploaded()
        await house.settled()
        await house.stop(FIRST)

        await written_by_one_that_dies(house, "kept", settle_s=SETTLE_S)
        assert await house.findings() == []
        await house.stop(SECOND)

        back = await written_by_one_that_dies(house, "broken", settle_s="0")
        findings = await house.findings()
        assert kinds(findings) == ["extra", "reported erased and there"]
        assert all(names(finding, back) for finding in findings)
        await house.stop(SECOND)

        # The sweep is the last that finds it: past the grace time it goes.
        await house.begin(FIRST, erase_grace_s="0", sweep_every_s="1")

        async def is_gone() -> bool:
            return await house.stored(back) == []

        await until(is_gone, patience_s=PATIENCE_S)
        assert await house.findings() == []


async def last_of(house: BrokenHouse, held: Held) -> StoredRecord:
    """The newest record under her key on the topic of the grants."""
    return (await under_her_key(house, held))[-1]


async def under_her_key(house: BrokenHouse, held: Held) -> list[StoredRecord]:
    records = await house.world.log.read(place(held), 0, max_records=10_000)
    return [record for record in records if record.key == held.grant_id.encode()]


def place(held: Held) -> TopicPartition:
    return TopicPartition(Topic.GRANTS.value, partition_of(held.grant_id.encode(), TOPICS[Topic.GRANTS].partitions))


def again(record: StoredRecord) -> Record:
    return Record(record.topic, record.key, record.value, record.headers, record.partition)


async def rolled(house: BrokenHouse, ended: Held, older: StoredRecord, tick: StoredRecord) -> None:
    """The older record lands once more, and the broker's cleaner leaves it as the last word under its key."""
    await house.world.log.append([again(older)])

    async def is_last() -> bool:
        # A new segment begins with an append, and only closed ones are cleaned.
        await house.world.log.append([replace(again(tick), partition=older.partition)])
        return [record.value for record in await under_her_key(house, ended)] == [older.value]

    await until(is_last, patience_s=PATIENCE_S)


async def rebuilt_from_an_older_grant(house: BrokenHouse, *breaks: str) -> tuple[Held, Held]:
    """Two ends, of which the second leaves its key; an older grant lands after each, the log is compacted, every process starts
    anew and the site is crawled again.
    """
    stays, shredded, kept = [await house.shown() for _ in range(3)]
    await house.crawl()
    tick, *olders = [await last_of(house, held) for held in (stays, shredded, kept)]
    await house.withdraw(shredded)
    await house.stop("registry")
    await house.begin("registry", *breaks, "keys_kept")
    await house.withdraw(kept)
    for held in (shredded, kept):
        await house.reported(held)
    for topic in (Topic.GRANTS, Topic.WITHDRAWALS):
        await house.broker.set_topic(topic.value, QUICK_CLEANING)
    for held, older in zip((shredded, kept), olders, strict=True):
        await rolled(house, held, older, tick)
    await house.world.restart()
    await house.crawl()
    return shredded, kept


async def test_one_topic_for_grants_and_withdrawals(broker: ApacheKafka, tmp_path: Path) -> None:
    breaks = ("one_topic", "no_guard")
    async with broken_house(broker, tmp_path, services=(*STAGES, "crawler", FIRST), breaks=breaks) as house:
        shredded, kept = await rebuilt_from_an_older_grant(house, *breaks)
        findings = await house.findings()
        assert sorted(kinds(finding for finding in findings if names(finding, kept))) == [
            "an end that was acknowledged is not on the log",
            "cleared after the end",
            "embedded after the end",
            "extra",
            "reported erased and there",
        ]
        # Whose key was destroyed is cleared by the wrong ledger as well, and not embedded.
        assert sorted(kinds(finding for finding in findings if names(finding, shredded))) == [
            "an end that was acknowledged is not on the log",
            "cleared after the end",
        ]
        assert len(findings) == 7


async def test_withdrawals_on_their_own_topic_under_the_same_steps(broker: ApacheKafka, tmp_path: Path) -> None:
    """The guard of revisions is away here too, and one key is kept: what protects is the topic alone."""
    breaks = ("no_guard",)
    async with broken_house(broker, tmp_path, services=(*STAGES, "crawler", FIRST), breaks=breaks) as house:
        await rebuilt_from_an_older_grant(house, *breaks)
        assert await house.findings() == []
