"""The embedded log as a file: killed, locked, compacted, refused by its disk."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assent.events.record import Record, StoredRecord
from assent.events.topics import TopicSettings
from assent.stream.event_log import LogLockedError, LogUnavailableError, TopicPartition
from assent.stream.local import SqliteEventLog
from assent.stream.table import LogWentBackError, Table, TableBrokenError
from assent.testing.fake_clock import FakeClock

ROOT = Path(__file__).resolve().parents[2]
DAY_S = 86_400
PART = TopicPartition("plain", 0)
TOPICS = {
    "plain": TopicSettings("k", "delete", DAY_S, 1, ()),
    "facts": TopicSettings("k", "compact", None, 1, (), min_compaction_lag_s=3_600),
}

# Appends numbers one by one and tells each that was acknowledged; then it is killed.
WRITER = """
    import asyncio, sys
    from pathlib import Path
    from assent.events.record import Record
    from assent.events.topics import TopicSettings
    from assent.stream.event_log import TopicPartition
    from assent.stream.local import SqliteEventLog

    async def main():
        log = SqliteEventLog(Path(sys.argv[1]))
        await log.start()
        await log.ensure_topics({"plain": TopicSettings("k", "delete", 86400, 1, ())})
        number = 0
        while True:
            (at,) = await log.append([Record("plain", b"k", b"%d" % number)])
            await log.commit("g", {TopicPartition("plain", 0): at.offset + 1})
            print(number, flush=True)
            number += 1

    asyncio.run(main())
"""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def log(tmp_path: Path, clock: FakeClock) -> AsyncIterator[SqliteEventLog]:
    log = SqliteEventLog(tmp_path / "log.db", clock=clock)
    await log.start()
    await log.ensure_topics(TOPICS)
    yield log
    await log.close()


def writer(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("lines", [1, 7, 60])
async def test_what_was_acknowledged_outlives_kill_9(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "log.db"
    process = writer(path)
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    told += [int(line) for line in rest.split()]
    log = SqliteEventLog(path)
    await log.start()
    found = await log.read(PART, 0, max_records=10_000)
    values = [int(record.value or b"") for record in found]
    assert values[: len(told)] == told
    assert values == list(range(len(values)))
    assert [record.offset for record in found] == values
    committed = (await log.committed("g", ["plain"]))[PART]
    assert len(told) <= committed <= len(values)
    (at,) = await log.append([Record("plain", b"k", b"after")])
    assert at.offset == len(values)
    await log.close()


async def test_a_second_process_is_told_what_to_do(tmp_path: Path) -> None:
    process = writer(tmp_path / "log.db")
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(LogLockedError, match="in use by another process; stop it, or choose another data folder"):
        await SqliteEventLog(tmp_path / "log.db").start()
    process.kill()
    process.communicate()
    log = SqliteEventLog(tmp_path / "log.db")
    await log.start()
    await log.close()


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LogUnavailableError, match="choose another data folder"):
        await SqliteEventLog(tmp_path / "file" / "log.db").start()


async def test_compaction_keeps_the_last_offset_per_key_and_what_is_young(log: SqliteEventLog, clock: FakeClock) -> None:
    await log.append([Record("facts", key, b"old") for key in (b"a", b"b", b"a")])
    clock.advance(1_800)
    await log.append([Record("facts", b"a", b"young"), Record("facts", b"c", b"young")])
    assert await log.compact() == 0
    clock.advance(1_801)
    assert await log.compact() == 2
    left = await log.read(TopicPartition("facts", 0), 0, max_records=10)
    assert [(record.offset, record.key) for record in left] == [(1, b"b"), (3, b"a"), (4, b"c")]
    clock.advance(100 * DAY_S)
    assert await log.compact() == 0
    assert (await log.end_offsets(["facts"]))[TopicPartition("facts", 0)] == 5


async def test_a_null_goes_a_day_after_what_it_deleted(log: SqliteEventLog, clock: FakeClock) -> None:
    await log.append([Record("facts", b"a", b"1"), Record("facts", b"a", None), Record("facts", b"b", b"1")])
    clock.advance(3_601)
    assert await log.compact() == 1
    clock.advance(DAY_S)
    assert await log.compact() == 1
    assert [record.key for record in await log.read(TopicPartition("facts", 0), 0, max_records=9)] == [b"b"]


class Count:
    """How many records came."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []

    def apply(self, record: object) -> None:
        self.keys.append(getattr(record, "key"))  # noqa: B009  any record


async def test_a_table_is_ready_although_the_end_was_compacted_away(log: SqliteEventLog, clock: FakeClock) -> None:
    await log.append([Record("facts", b"a", b"1"), Record("facts", b"b", b"1"), Record("facts", b"b", None)])
    clock.advance(2 * DAY_S)
    await log.compact()
    fold = Count()
    table = Table(log, ["facts"], fold, clock=clock)
    await table.start()
    await table.ready(5.0)
    assert fold.keys == [b"a"]
    assert table.offsets() == {TopicPartition("facts", 0): 3}
    await table.stop()


async def test_retention_takes_records_and_no_offset(log: SqliteEventLog, clock: FakeClock) -> None:
    await log.append([Record("plain", b"k", b"old")] * 3)
    clock.advance(DAY_S + 1)
    await log.append([Record("plain", b"k", b"new")])
    await log.compact()
    assert await log.beginning_offsets(["plain"]) == {PART: 3}
    tail = await log.tail(["plain"])
    assert [record.value for record in await tail.poll(timeout_s=1)] == [b"new"]
    clock.advance(DAY_S + 1)
    await log.compact()
    assert await log.beginning_offsets(["plain"]) == await log.end_offsets(["plain"]) == {PART: 4}
    (at,) = await log.append([Record("plain", b"k", b"next")])
    assert at.offset == 4


def files_with(needle: bytes, folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if needle in path.read_bytes()]


async def test_what_is_past_its_time_goes_when_the_file_is_opened(tmp_path: Path, clock: FakeClock) -> None:
    needle = b"needle-" + os.urandom(16).hex().encode()
    log = SqliteEventLog(tmp_path / "log.db", clock=clock)
    await log.start()
    await log.ensure_topics(TOPICS)
    await log.append([Record("plain", b"k", needle)])
    assert files_with(needle, tmp_path)
    await log.close()
    clock.advance(DAY_S + 1)
    again = SqliteEventLog(tmp_path / "log.db", clock=clock)
    await again.start()
    await again.compact()
    assert await again.beginning_offsets(["plain"]) == {PART: 1}
    # Not in the file, not in its write-ahead log: freed pages are overwritten and the write-ahead log is emptied.
    assert files_with(needle, tmp_path) == []
    await again.close()


async def test_appends_that_meet_share_one_transaction(log: SqliteEventLog) -> None:
    landed = await asyncio.gather(*(log.append([Record("plain", b"k", b"%d" % number)] * 2) for number in range(50)))
    assert sorted(at.offset for places in landed for at in places) == list(range(100))
    for number, places in enumerate(landed):
        found = await log.read(PART, places[0].offset, max_records=2)
        assert [record.value for record in found] == [b"%d" % number] * 2


async def test_an_append_that_the_disk_refuses_leaves_nothing(log: SqliteEventLog, tmp_path: Path) -> None:
    await log.append([Record("plain", b"k", b"before")])
    other = sqlite3.connect(tmp_path / "log.db")
    other.execute("CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    other.commit()
    with pytest.raises(LogUnavailableError, match="cannot be written"):
        await log.append([Record("plain", b"k", b"lost")] * 2)
    assert await log.end_offsets(["plain"]) == {PART: 1}
    other.execute("DROP TRIGGER full")
    other.commit()
    other.close()
    (at,) = await log.append([Record("plain", b"k", b"after")])
    assert at.offset == 1


async def test_a_caller_who_gives_up_disturbs_nobody(log: SqliteEventLog) -> None:
    mine = asyncio.create_task(log.append([Record("plain", b"k", b"1")]))
    await asyncio.sleep(0)
    mine.cancel()
    (at,) = await log.append([Record("plain", b"k", b"2")])
    assert [record.value for record in await log.read(PART, 0, max_records=9)][at.offset] == b"2"


async def test_a_closed_log_says_so(log: SqliteEventLog) -> None:
    member = await log.subscribe(["plain"], group="g", member="m", on_revoked=lambda _: asyncio.sleep(0))
    waiting = asyncio.create_task(member.poll(max_records=1, timeout_s=30))
    await asyncio.sleep(0.01)
    await log.close()
    with pytest.raises(LogUnavailableError):
        await waiting
    with pytest.raises(LogUnavailableError):
        await log.append([Record("plain", b"k", b"1")])


# The tables of the first form, as a file on somebody's disk has them.
FORM_0 = """
CREATE TABLE topics (topic TEXT PRIMARY KEY, partitions INTEGER NOT NULL, cleanup TEXT NOT NULL,
    retention_s INTEGER, min_compaction_lag_s INTEGER NOT NULL);
CREATE TABLE ends (topic TEXT, part INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, part));
CREATE TABLE records (topic TEXT, part INTEGER, offset INTEGER, at_ms INTEGER NOT NULL, key BLOB NOT NULL,
    value BLOB, headers TEXT NOT NULL, PRIMARY KEY (topic, part, offset)) WITHOUT ROWID;
CREATE TABLE committed (grp TEXT, topic TEXT, part INTEGER, next INTEGER NOT NULL,
    PRIMARY KEY (grp, topic, part)) WITHOUT ROWID;
INSERT INTO topics VALUES ('plain', 1, 'delete', 86400, 0), ('facts', 1, 'compact', NULL, 3600);
INSERT INTO ends VALUES ('plain', 0, 4), ('facts', 0, 9);
INSERT INTO records VALUES ('plain', 0, 2, 1000, x'6b', x'76', '[["ce_id","00ff"],["ce_id","41"]]'),
    ('plain', 0, 3, 2000, x'', NULL, '[]');
INSERT INTO committed VALUES ('g', 'plain', 0, 3);
"""


def of_form_0(path: Path, more: str = "") -> None:
    database = sqlite3.connect(path)
    database.executescript("PRAGMA journal_mode=WAL;" + FORM_0 + more)
    database.close()


async def test_a_file_of_an_older_release_is_read_and_goes_on(tmp_path: Path) -> None:
    of_form_0(tmp_path / "log.db")
    # Half a minute after the records: retention leaves them.
    clock = FakeClock(datetime.fromtimestamp(30, UTC))
    for _ in range(2):
        log = SqliteEventLog(tmp_path / "log.db", clock=clock)
        await log.start()
        await log.ensure_topics(TOPICS)
        assert await log.read(PART, 0, max_records=2) == [
            StoredRecord("plain", 0, 2, 1000, b"k", b"v", (("ce_id", b"\x00\xff"), ("ce_id", b"A"))),
            StoredRecord("plain", 0, 3, 2000, b"", None, ()),
        ]
        assert (await log.committed("g", ["plain"]))[PART] == 3
        assert (await log.beginning_offsets(["plain"]))[PART] == 2
        # What compaction had taken before is not given out again.
        assert (await log.end_offsets(["facts"]))[TopicPartition("facts", 0)] == 9
        await log.close()
    log = SqliteEventLog(tmp_path / "log.db", clock=clock)
    await log.start()
    (at,) = await log.append([Record("plain", b"k", b"after")])
    assert at.offset == 4
    await log.close()


async def test_a_file_that_cannot_be_brought_over_stays_as_it_was(tmp_path: Path) -> None:
    of_form_0(tmp_path / "log.db", "UPDATE records SET headers='no json' WHERE offset=3;")
    with pytest.raises(LogUnavailableError, match="cannot be opened"):
        await SqliteEventLog(tmp_path / "log.db").start()
    database = sqlite3.connect(tmp_path / "log.db")
    assert database.execute("SELECT COUNT(*) FROM records WHERE topic='plain'").fetchone() == (2,)
    assert database.execute("PRAGMA user_version").fetchone() == (0,)
    database.close()


async def test_a_file_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "log.db")
    database.execute("PRAGMA user_version=2")
    database.close()
    with pytest.raises(LogUnavailableError, match="has form 2 and this release reads up to 1; start the release that wrote it"):
        await SqliteEventLog(tmp_path / "log.db").start()


async def test_an_end_outlives_its_records_and_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    """Retention took every record of the lane: the next offset is known from what cleaning wrote down."""
    log = SqliteEventLog(tmp_path / "log.db", clock=clock)
    await log.start()
    await log.ensure_topics(TOPICS)
    await log.append([Record("plain", b"k", b"1")] * 3)
    clock.advance(DAY_S + 1)
    await log.compact()
    await log.close()
    again = SqliteEventLog(tmp_path / "log.db", clock=clock)
    await again.start()
    assert await again.end_offsets(["plain"]) == await again.beginning_offsets(["plain"]) == {PART: 3}
    (at,) = await again.append([Record("plain", b"k", b"2")])
    assert at.offset == 3
    await again.close()


async def test_a_log_that_went_back_breaks_the_table(log: SqliteEventLog, tmp_path: Path, clock: FakeClock) -> None:
    """A broker that comes back empty, or a file that was put back from a copy, has lost withdrawals."""
    await log.append([Record("facts", b"a", b"1")] * 5)
    table = Table(log, ["facts"], Count(), clock=clock)
    await table.start()
    await table.ready(5.0)
    log._file.ends[TopicPartition("facts", 0)] = 2
    with pytest.raises(TableBrokenError):
        await table.catch_up(5.0)
    assert isinstance(table.broken, LogWentBackError)
    assert table.age_s() == float("inf")
    await table.stop()
