"""The runtime's values: where a key lies, what a dead letter says, how a batch counts, how long a partition waits."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.events.envelope import Event, encode
from assent.events.grants import GrantWithdrawn
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.events.topics import TOPICS, Topic
from assent.ids import GrantId
from assent.stream.batch import SLICE, Batch
from assent.stream.dead_letters import DeadLetter
from assent.stream.event_log import TopicPartition
from assent.stream.held_partitions import HeldPartitions
from assent.stream.kafka_settings import KafkaSecurity, KafkaSettings, topic_configuration
from assent.stream.local_headers import packed_headers, unpacked_headers
from assent.stream.outcomes import Emit, Ignore, Outcome, RetryLaterError
from assent.stream.partitioner import murmur2, partition_of, positive_hashes
from assent.testing.fake_clock import FakeClock

NOW = datetime(2026, 6, 1, tzinfo=UTC)


# Hashes of Java's murmur2 for known keys, as Kafka's own clients compute them.
@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_javas(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected & 0xFFFFFFFF


@given(st.binary(max_size=80), st.integers(1, 64))
def test_a_partition_exists_and_never_moves(key: bytes, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions
    assert partition_of(key, partitions) == partition_of(key, partitions)


@given(st.integers(0, 40).flatmap(lambda size: st.lists(st.binary(min_size=size, max_size=size), max_size=20)))
def test_many_keys_are_hashed_as_one_is(keys: list[bytes]) -> None:
    assert positive_hashes(keys) == [murmur2(key) & 0x7FFFFFFF for key in keys]


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_keys_of_many_lengths_are_hashed_as_one_is(keys: list[bytes]) -> None:
    assert positive_hashes(keys) == [murmur2(key) & 0x7FFFFFFF for key in keys]


@given(st.lists(st.tuples(st.text(max_size=12), st.binary(max_size=40)), max_size=9))
def test_packed_headers_come_back_as_they_were(headers: list[tuple[str, bytes]]) -> None:
    assert unpacked_headers(packed_headers(tuple(headers))) == tuple(headers)


def stored(name: str, partition: int, offset: int) -> StoredRecord:
    event: Event[EventPayload] = Event(name, "/test", NOW, GrantWithdrawn(grant_id=GrantId(name), withdrawn_at=NOW))
    record = encode(event)
    return StoredRecord(record.topic, partition, offset, 0, record.key, record.value, record.headers)


def test_a_dead_letter_reads_back_and_names_no_payload() -> None:
    clock = FakeClock()
    record = StoredRecord("images.scraped", 2, 7, 0, b"ada@private.example", b"ada@private.example", (("name", b"ada"),))
    letter = DeadLetter.of(record, "malformed", clock=clock)
    written = letter.to_record()
    assert written.topic == "images.scraped.dlq"
    assert written.key == b"images.scraped/2/7"
    assert written.headers == ()
    assert b"ada" not in (written.value or b"")
    assert letter.sha256 == hashlib.sha256(b"ada@private.example").hexdigest()
    assert DeadLetter.from_record(StoredRecord(written.topic, 0, 0, 0, written.key, written.value)) == letter


class Stubborn:
    """Asks for another time for named records; handles the rest."""

    name = "stubborn"
    topics = (Topic.WITHDRAWALS,)

    def __init__(self, *later: str) -> None:
        self.later = later
        self.handled: list[str] = []

    async def handle(self, event: Event[EventPayload], record: StoredRecord) -> Outcome:
        await asyncio.sleep(0)
        if event.id in self.later:
            raise RetryLaterError("later")
        self.handled.append(event.id)
        return Ignore("done")


@given(
    places=st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abcd")), min_size=1, max_size=30),
    later=st.sets(st.sampled_from("abcd"), max_size=2),
    concurrency=st.integers(1, 4),
)
def test_a_batch_commits_only_what_is_done_with_all_before_it(places: list[tuple[int, str]], later: set[str], concurrency: int) -> None:
    offsets = dict.fromkeys(range(3), 0)
    records = []
    for partition, key in places:
        records.append(stored(key, partition, offsets[partition]))
        offsets[partition] += 1
    batch = Batch(records, clock=FakeClock(), on_progress=lambda: None)
    asyncio.run(batch.handle(Stubborn(*later), concurrency=concurrency))
    for partition in range(3):
        mine = [record for record in records if record.partition == partition]
        first = next((record.offset for record in mine if record.key.decode() in later), None)
        end = len(mine) if first is None else first
        at = TopicPartition(Topic.WITHDRAWALS.value, partition)
        assert batch.next_offsets().get(at, 0) == end
        assert [handled.record.offset for handled in batch.done() if handled.record.partition == partition] == list(range(end))
        assert (batch.put_back[at].offset if at in batch.put_back else None) == first


class Accountant(Stubborn):
    """Counts what could not be read against whoever wrote it, and tells of the rest."""

    def __init__(self, *later: str) -> None:
        super().__init__(*later)
        self.unread: list[int] = []

    async def unreadable(self, record: StoredRecord) -> None:
        self.unread.append(record.offset)

    async def handle(self, event: Event[EventPayload], record: StoredRecord) -> Outcome:
        await super().handle(event, record)
        return Emit((replace(event, id=f"{event.id} at {record.offset}"),))


@pytest.mark.parametrize("put_back_at", [0, SLICE // 2, SLICE - 1, SLICE + 1, 3 * SLICE - 3, None])
def test_records_are_read_before_their_turn_and_count_at_their_turn(put_back_at: int | None) -> None:
    """What lies behind a record that was put back is read again later, and must not count for its writer now."""
    places = range(3 * SLICE)
    records = [stored("a" if at == put_back_at else "b", 0, at) for at in places]
    records = [replace(record, value=b"no event") if record.offset % 3 == 1 else record for record in records]
    accountant = Accountant("a")
    batch = Batch(records, clock=FakeClock(), on_progress=lambda: None, signed=lambda record: replace(record, key=b"signed"))
    asyncio.run(batch.handle(accountant, concurrency=1))
    done = [at for at in places if put_back_at is None or at < put_back_at]
    assert accountant.unread == [at for at in done if at % 3 == 1]
    assert [handled.record.offset for handled in batch.done()] == done
    written = [record for handled in batch.done() for record in handled.outputs]
    assert [record.header("ce_id") for record in written] == [f"b at {at}".encode() for at in done if at % 3 != 1]
    assert {record.key for record in written} <= {b"signed"}


class Hands:
    """A subscription as far as holds go: what was paused, resumed, sought."""

    def __init__(self) -> None:
        self.paused: set[TopicPartition] = set()
        self.sought: dict[TopicPartition, int] = {}

    async def poll(self, *, max_records: int, timeout_s: float) -> list[StoredRecord]:
        return []

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> frozenset[TopicPartition]:
        return frozenset()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought[partition] = offset

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        self.paused.update(partitions)

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        self.paused.difference_update(partitions)

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset()

    async def close(self) -> None:
        """Nothing is open."""


def test_a_held_partition_waits_twice_as_long_each_time_up_to_the_most() -> None:
    clock, hands, at = FakeClock(), Hands(), TopicPartition("t", 0)
    held = HeldPartitions(clock, first_s=1.0, most_s=4.0)
    waits = []
    for _ in range(4):
        held.hold(hands, at, 7)
        waits.append(held.next_in_s(100.0))
        clock.advance(waits[-1] - 0.1)
        held.let_through(hands)
        assert hands.paused == {at}
        clock.advance(0.2)
        held.let_through(hands)
        assert hands.paused == set()
    assert waits == pytest.approx([1.0, 2.0, 4.0, 4.0])
    assert hands.sought == {at: 7}
    held.forget([at])
    held.hold(hands, at, 8, after_s=3.0)
    assert held.next_in_s(100.0) == pytest.approx(3.0)
    assert held.current() == {at}


def test_kafka_keeps_topics_as_they_are_declared() -> None:
    images = topic_configuration(TOPICS[Topic.IMAGES_SCRAPED], replicas=3)
    assert images["retention.ms"] == "86400000"
    assert int(images["segment.ms"]) <= 3_600_000
    assert images["retention.bytes"] == "-1"
    assert images["min.insync.replicas"] == "2"
    assert images["unclean.leader.election.enable"] == "false"
    assert int(images["max.message.bytes"]) > KafkaSettings().max_record_bytes + 10_000
    withdrawals = topic_configuration(TOPICS[Topic.WITHDRAWALS], replicas=1)
    assert withdrawals["cleanup.policy"] == "compact"
    assert withdrawals["min.compaction.lag.ms"] == "3600000"
    assert withdrawals["min.insync.replicas"] == "1"
    assert withdrawals["delete.retention.ms"] == "86400000"
    assert "retention.ms" not in withdrawals


def test_topics_of_one_key_share_one_partition_count() -> None:
    """One indexer owns a grant: its faces, its withdrawals and its erasures lie on partitions of one number."""
    together = (Topic.FACES_EMBEDDED, Topic.WITHDRAWALS, Topic.ERASURES_REQUESTED, Topic.GRANTS)
    assert {TOPICS[topic].key for topic in together} == {"grant_id"}
    assert len({TOPICS[topic].partitions for topic in together}) == 1


def test_images_are_kept_a_day_at_most() -> None:
    for topic in (Topic.IMAGES_SCRAPED, Topic.IMAGES_LOCATED, Topic.IMAGES_CLEARED, Topic.FACES_EMBEDDED):
        assert 0 < int(topic_configuration(TOPICS[topic], replicas=3)["retention.ms"]) <= 86_400_000


def test_a_password_is_never_shown() -> None:
    security = KafkaSecurity(protocol="SASL_PLAINTEXT", username="assent", password="s3cret")
    assert "s3cret" not in repr(security)
    assert security.options()["sasl_plain_password"] == "s3cret"
