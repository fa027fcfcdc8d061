"""One suite over every event log: the embedded file, Tansu, and Apache Kafka itself."""

from __future__ import annotations

import asyncio
import time

import pytest

from assent.events.record import Record, StoredRecord
from assent.events.topics import TopicSettings
from assent.stream.clock import SystemClock
from assent.stream.event_log import (
    EventLog,
    RecordTooLargeError,
    Subscription,
    TopicPartition,
    UnknownTopicError,
)
from assent.stream.table import Table, TableStaleError
from tests.contract.event_log_ground import (
    PATIENCE_S,
    Latest,
    Opener,
    join,
    next_offsets,
    records,
    settle,
    take,
    topic_of,
    values,
)


async def test_what_was_appended_is_read_back_whole(log: EventLog) -> None:
    topic = await topic_of(log)
    headers = (("ce_id", b"1"), ("ce_id", b"2"), ("binary", bytes(range(256))))
    (at,) = await log.append([Record(topic, b"key", b"value", headers)])
    (found,) = await log.read(TopicPartition(topic, at.partition), at.offset, max_records=10)
    assert (found.topic, found.partition, found.offset) == (topic, at.partition, at.offset)
    assert (found.key, found.value, found.headers) == (b"key", b"value", headers)
    assert abs(found.timestamp_ms / 1000 - time.time()) < 60


async def test_a_null_value_is_not_an_empty_one(log: EventLog) -> None:
    topic = await topic_of(log, partitions=1)
    await log.append([Record(topic, b"k", None), Record(topic, b"k", b"")])
    found = await log.read(TopicPartition(topic, 0), 0, max_records=10)
    assert [record.value for record in found] == [None, b""]


async def test_there_is_nothing_to_read_at_the_end(log: EventLog) -> None:
    topic = await topic_of(log, partitions=1)
    at = TopicPartition(topic, 0)
    assert await log.read(at, 0, max_records=10) == []
    await log.append(records(topic, 3))
    for offset, count in ((0, 3), (2, 1), (3, 0), (9, 0)):
        assert len(await log.read(at, offset, max_records=10)) == count


async def test_the_order_per_key_is_kept(log: EventLog) -> None:
    topic = await topic_of(log)
    for turn in range(5):
        await log.append([Record(topic, f"k{key}".encode(), str(turn).encode()) for key in range(8)])
    per_key: dict[bytes, list[bytes | None]] = {}
    for record in await take(await join(log, [topic], topic), 40):
        per_key.setdefault(record.key, []).append(record.value)
    assert all(seen == [b"0", b"1", b"2", b"3", b"4"] for seen in per_key.values())
    assert len(per_key) == 8


# Partitions as Java's murmur2 places them: its 32-bit hashes are -973932308, -790332482, -985981536, -1486304829, 479470107.
@pytest.mark.parametrize(
    ("key", "murmur2"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"abc", 479470107),
    ],
)
async def test_a_key_has_the_same_partition_in_every_log(log: EventLog, key: bytes, murmur2: int) -> None:
    topic = await topic_of(log)
    (at,) = await log.append([Record(topic, key, b"v")])
    assert at.partition == (murmur2 & 0x7FFFFFFF) % 6


async def test_a_named_partition_is_used(log: EventLog) -> None:
    topic = await topic_of(log)
    (at,) = await log.append([Record(topic, b"21", b"v", partition=3)])
    assert at.partition == 3


async def test_end_offsets_hold_everything_acknowledged(log: EventLog) -> None:
    topic = await topic_of(log, partitions=2)
    assert set((await log.end_offsets([topic])).values()) == {0}
    landed = await log.append(records(topic, 50))
    expected = {TopicPartition(topic, part): max((at.offset + 1 for at in landed if at.partition == part), default=0) for part in (0, 1)}
    assert await log.end_offsets([topic]) == expected
    assert await log.beginning_offsets([topic]) == {TopicPartition(topic, 0): 0, TopicPartition(topic, 1): 0}


async def test_an_unknown_topic_is_an_error(log: EventLog) -> None:
    with pytest.raises(UnknownTopicError):
        await log.append([Record("t.never.created", b"k", b"v")])
    with pytest.raises(UnknownTopicError):
        await log.partitions("t.never.created")
    with pytest.raises(UnknownTopicError):
        await log.tail(["t.never.created"])


async def test_a_record_over_the_limit_writes_nothing(log: EventLog) -> None:
    topic = await topic_of(log, partitions=1)
    with pytest.raises(RecordTooLargeError):
        await log.append([Record(topic, b"k", b"small"), Record(topic, b"k", bytes(1_000_001))])
    assert await log.end_offsets([topic]) == {TopicPartition(topic, 0): 0}
    await log.append([Record(topic, b"k", bytes(900_000))])


async def test_the_partition_count_never_changes(log: EventLog) -> None:
    topic = await topic_of(log, partitions=3)
    with pytest.raises(ValueError, match="3 partitions"):
        await log.ensure_topics({topic: TopicSettings("key", "delete", None, 4, ())})
    assert await log.partitions(topic) == 3


async def test_a_group_goes_on_where_it_committed(log: EventLog) -> None:
    topic = await topic_of(log)
    await log.append(records(topic, 30))
    first = await join(log, [topic], topic, "a")
    found = await take(first, 30)
    done = found[:10]
    assert await first.commit(next_offsets(done)) == frozenset()
    await first.close()
    committed = await log.committed(topic, [topic])
    assert committed == {at: next_offsets(done).get(at, 0) for at in committed}
    second = await join(log, [topic], topic, "b")
    again = await take(second, 30 - len(done))
    left = [record for record in found if record.offset >= committed[TopicPartition(topic, record.partition)]]
    assert values(again) == values(left)
    await second.close()


async def test_two_groups_read_the_same(log: EventLog) -> None:
    topic = await topic_of(log)
    await log.append(records(topic, 10))
    one, two = await join(log, [topic], f"{topic}-1"), await join(log, [topic], f"{topic}-2")
    assert values(await take(one, 10)) == values(await take(two, 10)) == list(range(10))


async def test_max_records_is_kept_and_nothing_is_lost(log: EventLog) -> None:
    topic = await topic_of(log)
    await log.append(records(topic, 60))
    member = await join(log, [topic], topic)
    await take(member, 0)
    found: list[StoredRecord] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(found) < 60 and time.monotonic() < deadline:
        part = await member.poll(max_records=7, timeout_s=0.5)
        assert len(part) <= 7
        found += part
    assert values(found) == list(range(60))


async def test_commits_of_partitions_that_are_not_ours_are_dropped(log: EventLog) -> None:
    topic, other = await topic_of(log, partitions=1), await topic_of(log, partitions=1)
    await log.append([Record(topic, b"k", b"0")])
    member = await join(log, [topic], topic)
    await take(member, 1)
    mine, foreign = TopicPartition(topic, 0), TopicPartition(other, 0)
    assert await member.commit({mine: 1, foreign: 7}) == {foreign}
    assert await log.committed(topic, [topic, other]) == {mine: 1, foreign: 0}


async def test_a_seek_gives_the_records_again(log: EventLog) -> None:
    topic = await topic_of(log, partitions=1)
    await log.append(records(topic, 10))
    member = await join(log, [topic], topic)
    await take(member, 10)
    member.seek(TopicPartition(topic, 0), 4)
    assert values(await take(member, 6)) == [4, 5, 6, 7, 8, 9]


async def test_a_paused_partition_is_silent_and_loses_nothing(log: EventLog) -> None:
    topic = await topic_of(log, partitions=2)
    quiet, loud = TopicPartition(topic, 0), TopicPartition(topic, 1)
    member = await join(log, [topic], topic)
    await settle([member], 2)
    member.pause([quiet])
    await log.append([Record(topic, b"k", str(part).encode(), partition=part) for part in (0, 1) for _ in range(5)])
    assert values(await take(member, 5)) == [1] * 5
    assert await member.poll(max_records=10, timeout_s=0.3) == []
    member.pause([loud])
    member.resume([quiet])
    assert values(await take(member, 5)) == [0] * 5


async def test_a_member_shares_what_it_has_and_takes_over_what_is_left(log: EventLog) -> None:
    one, two = await topic_of(log), await topic_of(log)
    members: list[Subscription] = []
    for count in (1, 2, 4, 5):
        while len(members) < count:
            members.append(await join(log, [one, two], one, f"m{len(members)}"))
        shares = await settle(members, 12)
        # Range assignment: nobody has more than one partition number above anybody else.
        assert sorted({len(share) // 2 for share in shares}) == sorted({6 // count, -(-6 // count)})
        for share in shares:
            # Co-partitioned topics have one owner per partition number, whatever the count of members.
            assert {at.partition for at in share if at.topic == one} == {at.partition for at in share if at.topic == two}
    for member in members[1:]:
        await member.close()
    await settle(members[:1], 12)
    await members[0].close()


async def test_the_owner_is_asked_before_its_partitions_move(log: EventLog) -> None:
    topic = await topic_of(log)
    asked: list[frozenset[TopicPartition]] = []
    hands: list[Subscription] = []

    async def on_revoked(partitions: frozenset[TopicPartition]) -> None:
        asked.append(partitions)
        found = {at: 1 for at in partitions}
        await hands[0].commit(found)

    await log.append([Record(topic, b"k", str(part).encode(), partition=part) for part in range(6)])
    hands.append(await log.subscribe([topic], group=topic, member="a", on_revoked=on_revoked))
    await take(hands[0], 6)
    other = await join(log, [topic], topic, "b")
    shares = await settle([hands[0], other], 6)
    assert asked
    assert shares[1] <= frozenset().union(*asked)
    # What the old owner committed while it was asked is where the new one begins.
    assert await other.poll(max_records=10, timeout_s=0.3) == []
    committed = await log.committed(topic, [topic])
    assert {committed[at] for at in shares[1]} == {1}
    for member in (hands[0], other):
        await member.close()


async def test_a_poll_is_woken_by_an_append(log: EventLog) -> None:
    topic = await topic_of(log, partitions=1)
    member = await join(log, [topic], topic)
    await settle([member], 1)
    waiting = asyncio.create_task(member.poll(max_records=1, timeout_s=20.0))
    await asyncio.sleep(0)
    started = time.monotonic()
    await log.append([Record(topic, b"k", b"1")])
    assert values(await waiting) == [1]
    assert time.monotonic() - started < 5


async def test_a_tail_follows_from_the_first_record(log: EventLog) -> None:
    topic = await topic_of(log)
    await log.append(records(topic, 20))
    tail = await log.tail([topic])
    found: list[StoredRecord] = []
    for target in (20, 40):
        deadline = time.monotonic() + PATIENCE_S
        while len(found) < target and time.monotonic() < deadline:
            found += await tail.poll(timeout_s=0.5)
        if target == 20:
            await log.append(records(topic, 20, start=20))
    assert values(found) == list(range(40))
    assert tail.positions() == await log.end_offsets([topic])
    await tail.close()


async def test_a_table_is_ready_at_the_end_and_reads_its_own_writes(log: EventLog) -> None:
    topic = await topic_of(log, cleanup="compact")
    for turn in range(3):
        await log.append([Record(topic, f"k{key}".encode(), str(turn).encode()) for key in range(100)])
    fold = Latest()
    table = Table(log, [topic], fold, clock=SystemClock())
    await table.start()
    await table.ready(PATIENCE_S)
    assert table.is_ready
    assert set(fold.held.values()) == {b"2"}
    assert len(fold.held) == 100
    for turn in range(20):
        (at,) = await log.append([Record(topic, b"own", str(turn).encode())])
        if turn % 2:
            await table.catch_up(PATIENCE_S)
        else:
            await table.wait_for({TopicPartition(topic, at.partition): at.offset + 1}, PATIENCE_S)
        assert fold.held[b"own"] == str(turn).encode()
    assert table.age_s() < PATIENCE_S
    with pytest.raises(TableStaleError):
        await table.wait_for({TopicPartition(topic, at.partition): at.offset + 2}, 0.05)
    await table.stop()


async def test_what_was_acknowledged_outlives_the_client(kind: str, opener: Opener) -> None:
    log = await opener()
    topic = await topic_of(log)
    await log.append(records(topic, 25))
    member = await join(log, [topic], topic)
    found = await take(member, 25)
    await member.commit(next_offsets(found[:5]))
    await log.close()
    again = await opener()
    assert await again.partitions(topic) == 6
    assert sum((await again.end_offsets([topic])).values()) == 25
    assert sum((await again.committed(topic, [topic])).values()) == sum(next_offsets(found[:5]).values())
    fresh = await join(again, [topic], f"{topic}-fresh")
    assert values(await take(fresh, 25)) == list(range(25))


async def test_two_clients_share_a_group(kind: str, opener: Opener) -> None:
    log = await opener()
    if not log.capabilities.multi_process:
        pytest.skip("one process at a time by design")
    other = await opener()
    topic = await topic_of(log)
    one, two = await join(log, [topic], topic, "a"), await join(other, [topic], topic, "b")
    shares = await settle([one, two], 6)
    assert not shares[0] & shares[1]
    await two.close()
    await settle([one], 6)
    await one.close()
