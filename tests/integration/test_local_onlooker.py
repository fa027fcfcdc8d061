"""The embedded log read beside its owner: everything that lies there, nothing in its owner's way, and old policies among it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.deciding.policy_shelf import PolicyShelf
from assent.events.envelope import Event, encode
from assent.events.grants import PolicyPublished
from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic, all_topics
from assent.stream.event_log import LogUnavailableError, UnknownTopicError
from assent.stream.local import SqliteEventLog
from assent.stream.local_onlooker import BATCH, LocalOnlooker
from assent.stream.present_records import present_records
from assent.testing.fake_clock import FakeClock
from tests.integration.test_stream_local import writer
from tests.unit.policy_examples import shipped

REFUSED, DISCLOSED = Topic.IMAGES_REFUSED.value, Topic.DISCLOSURES.value


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def log(tmp_path: Path, clock: FakeClock) -> AsyncIterator[SqliteEventLog]:
    log = SqliteEventLog(tmp_path / "log.db", clock=clock)
    await log.start()
    await log.ensure_topics(all_topics())
    yield log
    await log.close()


@pytest.fixture
async def onlooker(tmp_path: Path, log: SqliteEventLog) -> AsyncIterator[LocalOnlooker]:
    onlooker = LocalOnlooker(tmp_path / "log.db")
    yield onlooker
    onlooker.close()


def numbered(topic: str, count: int, *, first: int = 0) -> list[Record]:
    return [Record(topic, b"k%d" % (number % 50), b"%d" % number, (("h", b"%d" % number),)) for number in range(first, first + count)]


async def seen(onlooker: LocalOnlooker, *topics: str) -> list[StoredRecord]:
    return [record async for record in onlooker.present_records(topics)]


def by_place(records: list[StoredRecord]) -> list[StoredRecord]:
    return sorted(records, key=lambda record: (record.topic, record.partition, record.offset))


async def test_it_reads_what_its_owner_reads(log: SqliteEventLog, onlooker: LocalOnlooker) -> None:
    """More than one batch of one partition, several partitions, two of many topics; as the owner goes on it is found too."""
    await log.append([*numbered(REFUSED, 3 * BATCH), *numbered(DISCLOSED, 9), *numbered(Topic.GRANTS.value, 5)])
    for _ in range(2):
        own = [record async for record in present_records(log, (REFUSED, DISCLOSED))]
        found = await seen(onlooker, REFUSED, DISCLOSED)
        assert by_place(found) == by_place(own)
        assert {record.topic for record in found} == {REFUSED, DISCLOSED}
        await log.append(numbered(REFUSED, 4, first=100_000))
    assert len(own) == 3 * BATCH + 9 + 4


async def test_what_comes_after_the_call_is_not_waited_for(log: SqliteEventLog, onlooker: LocalOnlooker) -> None:
    await log.append(numbered(REFUSED, 20))
    for read in (onlooker.present_records((REFUSED,)), present_records(log, (REFUSED,))):
        found = [await anext(read)]
        await log.append(numbered(REFUSED, 20, first=1_000))
        found += [record async for record in read]
        assert len(found) == await _count(log) - 20
    nothing = [record async for record in present_records(log, (DISCLOSED,))]
    assert nothing == await seen(onlooker, DISCLOSED) == []


async def _count(log: SqliteEventLog) -> int:
    return sum((await log.end_offsets([REFUSED])).values())


async def test_it_does_not_keep_erased_bytes_in_the_owners_file(
    log: SqliteEventLog, onlooker: LocalOnlooker, clock: FakeClock, tmp_path: Path
) -> None:
    """Retention takes the records while somebody is in the middle of reading; then no file holds them."""
    secret = b"a sealed vector that must go"
    await log.append([Record(Topic.FACES_EMBEDDED.value, b"g", secret), *numbered(REFUSED, 2 * BATCH)])
    reading = onlooker.present_records((REFUSED,))
    await anext(reading)
    clock.advance(timedelta(days=2).total_seconds())
    assert await log.compact() == 1
    assert holding(tmp_path, secret) == []
    assert len([record async for record in reading]) == 2 * BATCH - 1


def holding(folder: Path, secret: bytes) -> list[str]:
    return [path.name for path in folder.iterdir() if secret in path.read_bytes()]


async def test_a_file_whose_owner_was_killed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    process = writer(path)
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(20)]
    process.kill()
    process.communicate()
    onlooker = LocalOnlooker(path)
    values = [int(record.value or b"") for record in await seen(onlooker, "plain")]
    onlooker.close()
    assert values[: len(told)] == told


async def test_trouble_is_named(tmp_path: Path, onlooker: LocalOnlooker) -> None:
    with pytest.raises(UnknownTopicError, match=r"topic images\.lost was never created"):
        await seen(onlooker, REFUSED, "images.lost")
    with pytest.raises(LogUnavailableError, match="there is no log at"):
        await seen(LocalOnlooker(tmp_path / "gone.db"), REFUSED)
    (tmp_path / "torn.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 5_000)
    with pytest.raises(LogUnavailableError, match=r"torn\.db cannot be read"):
        await seen(LocalOnlooker(tmp_path / "torn.db"), REFUSED)


async def test_every_published_policy_stays_readable_by_its_version(log: SqliteEventLog, onlooker: LocalOnlooker, clock: FakeClock) -> None:
    """Years and cleanings later; also one that was put in force a second time."""
    key = Ed25519PrivateKey.generate()
    for version in ("1", "2", "3", "1"):
        document = shipped().model_copy(update={"version": version}).canonical_json()
        sha256 = hashlib.sha256(document.encode()).hexdigest()
        data = PolicyPublished(
            version=version, document=document, sha256=sha256, signature=key.sign(sha256.encode()), key_id="k", published_at=clock.now()
        )
        await log.append([encode(Event(f"policy {version}", "/assent/registry", clock.now(), data))])
        clock.advance(timedelta(days=500).total_seconds())
        await log.compact()
    shelf = PolicyShelf(key.public_key())
    for record in await seen(onlooker, Topic.POLICIES.value):
        shelf.apply(record)
    assert len(shelf) == 3
    held = [shelf.of(version) for version in ("1", "2", "3", "4")]
    assert [policy and policy.version for policy in held] == ["1", "2", "3", None]


async def test_two_read_at_once(log: SqliteEventLog, onlooker: LocalOnlooker, tmp_path: Path) -> None:
    await log.append(numbered(REFUSED, 300))
    other = LocalOnlooker(tmp_path / "log.db")
    first, second = await asyncio.gather(seen(onlooker, REFUSED), seen(other, REFUSED))
    other.close()
    assert first == second
    assert len(first) == 300
