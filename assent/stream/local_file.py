"""The SQLite file behind the embedded log: records, topics and committed offsets; every write is durable before it returns."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assent.events.record import Headers, Record, StoredRecord
from assent.events.topics import TopicSettings
from assent.stream.event_log import LogLockedError, LogUnavailableError, Position, TopicPartition, UnknownTopicError
from assent.stream.local_cleaning import clean
from assent.stream.partitioner import partition_of

_SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (topic TEXT PRIMARY KEY, partitions INTEGER NOT NULL, cleanup TEXT NOT NULL,
    retention_s INTEGER, min_compaction_lag_s INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS ends (topic TEXT, part INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, part));
CREATE TABLE IF NOT EXISTS records (topic TEXT, part INTEGER, offset INTEGER, at_ms INTEGER NOT NULL, key BLOB NOT NULL,
    value BLOB, headers TEXT NOT NULL, PRIMARY KEY (topic, part, offset)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS committed (grp TEXT, topic TEXT, part INTEGER, next INTEGER NOT NULL,
    PRIMARY KEY (grp, topic, part)) WITHOUT ROWID;
"""
_READ = "SELECT offset, at_ms, key, value, headers FROM records WHERE topic=? AND part=? AND offset>=? ORDER BY offset LIMIT ?"


@dataclass(frozen=True, slots=True)
class GroupOffsets:
    """Next offsets that a group commits."""

    group: str
    offsets: Mapping[TopicPartition, int]


Write = Sequence[Record] | GroupOffsets


class LocalFile:
    """Synchronous: one thread writes, one other reads. Holds an exclusive lock beside the file as long as it is open.

    `counts` (partitions per topic) and `ends` (next offset per partition) are copies of what is durable.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock_fd: int | None = None
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self.counts: dict[str, int] = {}
        self.ends: dict[TopicPartition, int] = {}

    def open(self) -> None:
        """Take the lock, then open. Raises LogLockedError or LogUnavailableError."""
        self._lock()
        try:
            self._writer = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
            self._path.chmod(0o600)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
                self._writer.execute(f"PRAGMA {pragma}")
            self._writer.executescript(_SCHEMA)
            self._reader = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
            self._reader.execute("PRAGMA query_only=ON")
            self.counts = dict(self._writer.execute("SELECT topic, partitions FROM topics"))
            ends = self._writer.execute("SELECT topic, part, next FROM ends")
            self.ends = {TopicPartition(topic, part): following for topic, part, following in ends}
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise LogUnavailableError(f"{self._path} cannot be opened: {error}; check the file and the disk") from error

    def close(self) -> None:
        """Close and give the lock back."""
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        self._reader = self._writer = None
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def ensure_topics(self, topics: Mapping[str, TopicSettings]) -> None:
        """Create what is missing; an existing topic keeps its partition count, which must be the same."""
        for name, settings in topics.items():
            held = self.counts.get(name, settings.partitions)
            if held != settings.partitions:
                raise ValueError(f"topic {name} has {held} partitions, {settings.partitions} are asked for; they never change")
        rows = [(name, s.partitions, s.cleanup, s.retention_s, s.min_compaction_lag_s) for name, s in topics.items()]
        ends = [TopicPartition(name, part) for name, settings in topics.items() for part in range(settings.partitions)]
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO topics VALUES (?,?,?,?,?)", rows)
            db.executemany("INSERT OR IGNORE INTO ends VALUES (?,?,0)", [(at.topic, at.partition) for at in ends])
        self.counts.update({name: settings.partitions for name, settings in topics.items()})
        self.ends.update({at: self.ends.get(at, 0) for at in ends})

    def place(self, record: Record) -> TopicPartition:
        """Where a record belongs. Raises UnknownTopicError."""
        count = self.partitions(record.topic)
        part = partition_of(record.key, count) if record.partition is None else record.partition
        if not 0 <= part < count:
            raise UnknownTopicError(f"topic {record.topic} has no partition {part}; it has {count}")
        return TopicPartition(record.topic, part)

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises UnknownTopicError."""
        if topic not in self.counts:
            raise UnknownTopicError(f"topic {topic} was never created")
        return self.counts[topic]

    def write(self, writes: Sequence[Write], now_ms: int) -> list[list[Position]]:
        """All of them in one transaction; per write the positions of its records."""
        ends: dict[TopicPartition, int] = {}
        rows: list[tuple[str, int, int, int, bytes, bytes | None, str]] = []
        commits: list[tuple[str, str, int, int]] = []
        positions: list[list[Position]] = []
        for write in writes:
            landed: list[Position] = []
            if isinstance(write, GroupOffsets):
                commits += [(write.group, at.topic, at.partition, following) for at, following in write.offsets.items()]
            else:
                for record in write:
                    at = self.place(record)
                    offset = ends.get(at, self.ends[at])
                    ends[at] = offset + 1
                    headers = _headers_text(record.headers)
                    rows.append((at.topic, at.partition, offset, now_ms, record.key, record.value, headers))
                    landed.append(Position(at.topic, at.partition, offset))
            positions.append(landed)
        with self._transaction() as db:
            db.executemany("INSERT INTO records VALUES (?,?,?,?,?,?,?)", rows)
            db.executemany("UPDATE ends SET next=? WHERE topic=? AND part=?", [(n, at.topic, at.partition) for at, n in ends.items()])
            db.executemany("INSERT OR REPLACE INTO committed VALUES (?,?,?,?)", commits)
        self.ends.update(ends)
        return positions

    def read(self, at: TopicPartition, offset: int, max_records: int) -> list[StoredRecord]:
        """Records from an offset on. Raises UnknownTopicError."""
        if at not in self.ends:
            raise UnknownTopicError(f"topic {at.topic} has no partition {at.partition}")
        rows = self._rows(_READ, at.topic, at.partition, offset, max_records)
        return [StoredRecord(at.topic, at.partition, place, at_ms, key, value, _headers(text)) for place, at_ms, key, value, text in rows]

    def beginnings(self, topic: str) -> dict[TopicPartition, int]:
        """Per partition the first offset that is left, or the end."""
        rows = self._rows("SELECT part, MIN(offset) FROM records WHERE topic=? GROUP BY part", topic)
        first = {TopicPartition(topic, part): offset for part, offset in rows}
        parts = [TopicPartition(topic, part) for part in range(self.partitions(topic))]
        return {at: first.get(at, self.ends[at]) for at in parts}

    def committed(self, group: str, topic: str) -> dict[TopicPartition, int]:
        """Committed next offsets; 0 where nothing was committed."""
        rows = self._rows("SELECT part, next FROM committed WHERE grp=? AND topic=?", group, topic)
        found = {TopicPartition(topic, part): following for part, following in rows}
        return {at: found.get(at, 0) for at in (TopicPartition(topic, part) for part in range(self.partitions(topic)))}

    def clean(self, now_ms: int) -> int:
        """Compaction and retention, then an empty write-ahead log, so that what went is not still readable there."""
        with self._transaction() as db:
            gone = clean(db, now_ms)
        if gone:
            self._open(self._writer).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return gone

    def _lock(self) -> None:
        lock = self._path.with_name(self._path.name + ".lock")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise LogUnavailableError(f"{lock} cannot be written: {error.strerror}; choose another data folder") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise LogLockedError(f"{self._path} is in use by another process; stop it, or choose another data folder") from error
        self._lock_fd = descriptor

    def _rows(self, question: str, *values: str | int) -> list[Any]:
        try:
            return self._open(self._reader).execute(question, values).fetchall()
        except sqlite3.Error as error:
            raise LogUnavailableError(f"the log cannot be read: {error}; check the disk") from error

    def _open(self, connection: sqlite3.Connection | None) -> sqlite3.Connection:
        if connection is None:
            raise LogUnavailableError(f"{self._path} is not open")
        return connection

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """BEGIN to COMMIT, or ROLLBACK on any error; SQLite's trouble becomes LogUnavailableError."""
        db = self._open(self._writer)
        try:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        except sqlite3.Error as error:
            raise LogUnavailableError(f"the log cannot be written: {error}; check the disk") from error
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")


def _headers_text(headers: Headers) -> str:
    return json.dumps([[name, value.hex()] for name, value in headers]) if headers else "[]"


def _headers(text: str) -> Headers:
    return tuple((name, bytes.fromhex(value)) for name, value in json.loads(text))
