"""Dead letters counted, listed and replayed over both logs: byte for byte, once, and nothing invented where a record is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition as KafkaPartition
from prometheus_client import CollectorRegistry

from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic, all_topics
from assent.identity.errors import ApiError
from assent.stream.clock import SystemClock
from assent.stream.dead_letter_reader import SourceState
from assent.stream.dead_letters import DeadLetter
from assent.stream.event_log import EventLog, TopicPartition
from assent.stream.local import SqliteEventLog
from assent.telemetry.meter import Metrics
from assent.testing.fake_clock import FakeClock
from assent.testing.kafka_broker import ApacheKafka
from services.registry import dead_letter_desk
from services.registry.dead_letter_desk import DeadLetterDesk, Replayed, Wanted
from services.registry.store import RegistryStore
from tools.outside_programs import find_kafka

pytestmark = pytest.mark.timeout(120)
TOPIC = Topic.IMAGES_SCRAPED
HEADERS = (("ce_id", b"e"), ("assent-signature", bytes(range(64))), ("ce_id", b"again"), ("empty", b""))
ALL = Wanted()


@pytest.fixture(scope="module")
def broker() -> Iterator[ApacheKafka]:
    jars = find_kafka()
    assert jars is not None
    with ApacheKafka(jars) as made:
        yield made


class Bench:
    """A log, a registry's file, and a desk over both."""

    def __init__(self, log: EventLog, folder: Path, broker: ApacheKafka | None, clock: FakeClock) -> None:
        self.log = log
        self.store = RegistryStore(folder)
        self.metrics = Metrics(CollectorRegistry())
        self.desk = DeadLetterDesk(log=log, store=self.store, clock=SystemClock(), metrics=self.metrics)
        self._broker = broker
        self._clock = clock

    async def poison(self, count: int, *, cause: str = "malformed", topic: Topic = TOPIC) -> list[DeadLetter]:
        """So many records with their dead letters."""
        records = [Record(topic.value, f"k{number}".encode(), f"poison {number}".encode(), HEADERS) for number in range(count)]
        landed = await self.log.append(records)
        stored = [StoredRecord(at.topic, at.partition, at.offset, 0, b"", one.value) for at, one in zip(landed, records, strict=True)]
        letters = [DeadLetter.of(record, cause, clock=SystemClock()) for record in stored]
        await self.log.append([letter.to_record() for letter in letters])
        return letters

    async def records(self, topic: Topic = TOPIC) -> list[StoredRecord]:
        found: list[StoredRecord] = []
        for at, end in (await self.log.end_offsets([topic.value])).items():
            found += await self.log.read(at, 0, max_records=end) if end else []
        return found

    async def replay(self, wanted: Wanted = ALL, *, most: int = 100, is_dry_run: bool = False) -> list[Replayed]:
        """Page after page, as the command does it."""
        found: list[Replayed] = []
        start, until = 0, None
        while until is None or start < until:
            came_to, page = await self.desk.replay(TOPIC, wanted, start=start, until=until, most=most, is_dry_run=is_dry_run)
            found += came_to.values()
            start, until = page.next, page.end
        return found

    async def forget(self) -> None:
        """Retention takes every record of the topic that is there now."""
        if self._broker is None:
            assert isinstance(self.log, SqliteEventLog)
            self._clock.advance(25 * 3600)
            await self.log.compact()
            return
        await forgotten(self._broker, self.log, TOPIC.value)

    def counted(self, outcome: Replayed) -> float:
        labels = {"topic": TOPIC.value, "outcome": outcome.value}
        return self.metrics.registry.get_sample_value("assent_dlq_replayed_total", labels) or 0.0


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    clock, broker = FakeClock(), None
    if request.param == "kafka":
        broker = request.getfixturevalue("broker")
        log: EventLog = broker.event_log()
    else:
        log = SqliteEventLog(tmp_path / "log.sqlite3", clock=clock)
    await log.start()
    await log.ensure_topics(all_topics())
    if broker is not None:
        # One broker for all tests here; each begins with empty topics.
        await forgotten(broker, log, TOPIC.value, TOPIC.dead_letters)
    made = Bench(log, tmp_path / "registry", broker, clock)
    yield made
    await made.store.close()
    await log.close()


async def forgotten(broker: ApacheKafka, log: EventLog, *topics: str) -> None:
    """Retention took every record that is there now."""
    ends = await log.end_offsets(topics)
    spent = {KafkaPartition(at.topic, at.partition): RecordsToDelete(before_offset=end) for at, end in ends.items() if end}
    if not spent:
        return
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    await admin.delete_records(spent)
    await admin.close()


async def test_a_replayed_record_is_the_record_byte_for_byte_on_its_own_partition(bench: Bench) -> None:
    letters = await bench.poison(7)
    before = await bench.records()
    assert await bench.replay() == [Replayed.REPLAYED] * 7
    after = await bench.records()
    assert len(after) == 14
    for letter in letters:
        same = [one for one in after if (one.partition, one.key) == (letter.partition, source(before, letter).key)]
        assert [(one.value, one.headers) for one in same] == [(source(before, letter).value, HEADERS)] * 2
    assert bench.counted(Replayed.REPLAYED) == 7


def source(records: list[StoredRecord], letter: DeadLetter) -> StoredRecord:
    return next(one for one in records if (one.partition, one.offset) == (letter.partition, letter.offset))


async def test_asking_again_appends_nothing_also_after_a_restart_of_the_registry(bench: Bench, tmp_path: Path) -> None:
    await bench.poison(5)
    await bench.replay()
    await bench.store.close()
    bench.store = RegistryStore(tmp_path / "registry")
    bench.desk = DeadLetterDesk(log=bench.log, store=bench.store, clock=SystemClock(), metrics=bench.metrics)
    assert await bench.replay() == [Replayed.ALREADY] * 5
    assert len(await bench.records()) == 10
    shown, _ = await bench.desk.show(TOPIC, ALL, start=0, most=100)
    assert all(one.replayed_at is not None for one in shown)


async def test_what_retention_took_is_told_and_nothing_is_appended(bench: Bench) -> None:
    await bench.poison(3)
    await bench.forget()
    await bench.poison(2, cause="unknown_type")
    ends = await bench.log.end_offsets([TOPIC.value])
    counted = {one.cause: (one.count, one.kept) for one in (await bench.desk.counts([TOPIC])).causes}
    assert counted == {"malformed": (3, 0), "unknown_type": (2, 2)}
    assert await bench.replay(Wanted(cause="malformed")) == [Replayed.GONE] * 3
    assert await bench.log.end_offsets([TOPIC.value]) == ends
    shown, _ = await bench.desk.show(TOPIC, ALL, start=0, most=100)
    assert sorted((one.letter.cause, one.source) for one in shown) == [
        *[("malformed", SourceState.GONE)] * 3,
        *[("unknown_type", SourceState.LIVES)] * 2,
    ]


async def test_another_record_at_the_place_is_not_replayed(bench: Bench) -> None:
    (letter,) = await bench.poison(1)
    forged = replace(letter, sha256="0" * 64, cause="forged")
    beyond = replace(letter, offset=letter.offset + 1_000, cause="forged")
    nowhere = replace(letter, partition=99, cause="forged")
    await bench.log.append([one.to_record() for one in (forged, beyond, nowhere)])
    ends = await bench.log.end_offsets([TOPIC.value])
    assert sorted(await bench.replay(Wanted(cause="forged"))) == [Replayed.DIFFERS, Replayed.GONE, Replayed.GONE]
    assert await bench.log.end_offsets([TOPIC.value]) == ends


class DamagedLog(SqliteEventLog):
    """The real log, which cannot give one record, as after a batch that does not fit its check sum."""

    async def read(self, partition: TopicPartition, offset: int, *, max_records: int) -> list[StoredRecord]:
        found = await super().read(partition, offset, max_records=max_records)
        return [replace(one, value=None, damage="damaged_batch") if one.topic == TOPIC.value else one for one in found]


async def test_a_place_that_the_log_cannot_give_is_not_replayed(tmp_path: Path) -> None:
    log = DamagedLog(tmp_path / "log.sqlite3")
    await log.start()
    await log.ensure_topics(all_topics())
    bench = Bench(log, tmp_path / "registry", None, FakeClock())
    (at,) = await log.append([Record(TOPIC.value, b"k", b"value")])
    lost = StoredRecord(at.topic, at.partition, at.offset, 0, b"", None)
    await log.append([DeadLetter.of(lost, "damaged_batch", clock=SystemClock()).to_record()])
    assert await bench.replay() == [Replayed.DAMAGED]
    assert sum((await log.end_offsets([TOPIC.value])).values()) == 1
    await bench.store.close()
    await log.close()


async def test_a_dry_run_appends_nothing_and_marks_nothing(bench: Bench) -> None:
    await bench.poison(3)
    assert await bench.replay(is_dry_run=True) == [Replayed.WOULD_REPLAY] * 3
    assert len(await bench.records()) == 3
    assert await bench.replay() == [Replayed.REPLAYED] * 3


async def test_one_place_and_one_cause_mean_no_other(bench: Bench) -> None:
    letters = await bench.poison(4)
    await bench.poison(2, cause="unknown_type")
    place = Wanted(partition=letters[2].partition, offset=letters[2].offset)
    assert await bench.replay(place) == [Replayed.REPLAYED]
    assert await bench.replay(Wanted(cause="unknown_type")) == [Replayed.REPLAYED] * 2
    assert sorted(await bench.replay()) == [Replayed.ALREADY] * 3 + [Replayed.REPLAYED] * 3


async def test_a_record_that_died_twice_counts_and_is_replayed_once(bench: Bench) -> None:
    (letter,) = await bench.poison(1)
    await bench.log.append([letter.to_record()])
    (counted,) = (await bench.desk.counts([TOPIC])).causes
    assert counted.count == 1
    assert await bench.replay(most=1) == [Replayed.REPLAYED, Replayed.ALREADY]
    assert len(await bench.records()) == 2


async def test_a_long_list_is_given_page_by_page_and_ends(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = await bench.poison(25)
    monkeypatch.setattr(dead_letter_desk, "SCANNED", 6)
    monkeypatch.setattr(dead_letter_desk, "MAX_SCANNED", 12)
    found, start, pages = [], 0, 0
    while True:
        shown, page = await bench.desk.show(TOPIC, ALL, start=start, most=10)
        found += [one.letter for one in shown]
        start, pages = page.next, pages + 1
        if start >= page.end:
            break
    assert (found, pages) == (letters, 3)
    assert await bench.replay(Wanted(cause="nothing_of_the_kind")) == []
    assert await bench.replay(most=10) == [Replayed.REPLAYED] * 25


async def test_letters_that_the_replay_brings_about_are_left_alone(bench: Bench) -> None:
    await bench.poison(3)
    _, page = await bench.desk.replay(TOPIC, ALL, start=0, until=None, most=2, is_dry_run=False)
    await bench.poison(4)
    came_to, page = await bench.desk.replay(TOPIC, ALL, start=page.next, until=page.end, most=100, is_dry_run=False)
    assert list(came_to.values()) == [Replayed.REPLAYED]
    assert page.next == page.end


async def test_what_is_no_dead_letter_is_counted_and_shown_to_nobody(bench: Bench) -> None:
    (letter,) = await bench.poison(1)
    odd = [b"", b"{", b"[" * 50_000, b'{"topic": 1}', (replace(letter, cause="\x1b[2J").to_record().value or b"")]
    foreign = replace(letter, topic=Topic.GRANTS.value).to_record().value or b""
    await bench.log.append([Record(TOPIC.dead_letters, b"k", value) for value in (*odd, foreign)])
    counted = await bench.desk.counts([TOPIC])
    assert (counted.unreadable, [one.count for one in counted.causes]) == (6, [1])
    shown, _ = await bench.desk.show(TOPIC, ALL, start=0, most=100)
    assert [one.letter for one in shown] == [letter]


@pytest.mark.parametrize("topic", [Topic.GRANTS, Topic.WITHDRAWALS, Topic.POLICIES, Topic.SUPPRESSIONS])
async def test_the_tables_of_the_deciders_are_not_replayed(bench: Bench, topic: Topic) -> None:
    await bench.log.append(
        [letter.to_record() for letter in [DeadLetter.of(StoredRecord(topic.value, 0, 0, 0, b"", b"x"), "malformed", clock=SystemClock())]]
    )
    with pytest.raises(ApiError, match="not replayed") as refused:
        await bench.desk.replay(topic, ALL, start=0, until=None, most=10, is_dry_run=False)
    assert refused.value.status == 409
    assert sum((await bench.log.end_offsets([topic.value])).values()) == 0
    assert (await bench.log.end_offsets([topic.dead_letters]))[TopicPartition(topic.dead_letters, 0)] > 0
