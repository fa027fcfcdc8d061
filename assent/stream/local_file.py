"""The SQLite file behind the embedded log: records, topics and committed offsets; every write is durable before it returns."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assent.events.record import Record, StoredRecord
from assent.events.topics import TopicSettings
from assent.stream.event_log import LogLockedError, LogUnavailableError, Position, TopicPartition, UnknownTopicError
from assent.stream.local_cleaning import clean
from assent.stream.local_headers import packed_headers, unpacked_headers
from assent.stream.local_schema import NewerFileError, prepare
from assent.stream.partitioner import positive_hashes

_LANES = "SELECT lane, topic, part, next, (SELECT MAX(offset) + 1 FROM records WHERE lane=lanes.lane) FROM lanes"
_READ = "SELECT offset, at_ms, key, value, headers FROM records WHERE lane=? AND offset>=? ORDER BY offset LIMIT ?"


@dataclass(frozen=True, slots=True)
class Append:
    """Records with the lane that each belongs in."""

    records: Sequence[Record]
    lanes: Sequence[int]


@dataclass(frozen=True, slots=True)
class GroupOffsets:
    """Next offsets that a group commits."""

    group: str
    offsets: Mapping[TopicPartition, int]


Write = Append | GroupOffsets


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
        self._lanes: dict[TopicPartition, int] = {}
        self._places: dict[int, TopicPartition] = {}
        self._lanes_of: dict[str, list[int]] = {}

    def open(self) -> None:
        """Take the lock, then open. Raises LogLockedError or LogUnavailableError."""
        self._lock()
        try:
            self._writer = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
            self._path.chmod(0o600)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
                self._writer.execute(f"PRAGMA {pragma}")
            prepare(self._writer)
            self._reader = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
            self._reader.execute("PRAGMA query_only=ON")
            self.counts = dict(self._writer.execute("SELECT topic, partitions FROM topics"))
            self._learn_lanes(self._writer)
        except (sqlite3.Error, OSError, NewerFileError) as error:
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
            db.executemany("INSERT OR IGNORE INTO lanes (topic, part, next) VALUES (?,?,0)", [(at.topic, at.partition) for at in ends])
        self.counts.update({name: settings.partitions for name, settings in topics.items()})
        self._learn_lanes(self._open(self._writer))

    def placed(self, records: Sequence[Record]) -> Append:
        """The records with the lane of each. Raises UnknownTopicError."""
        lanes: list[int] = []
        for record, hashed in zip(records, positive_hashes([record.key for record in records]), strict=True):
            count = self.partitions(record.topic)
            part = hashed % count if record.partition is None else record.partition
            if not 0 <= part < count:
                raise UnknownTopicError(f"topic {record.topic} has no partition {part}; it has {count}")
            lanes.append(self._lanes_of[record.topic][part])
        return Append(records, lanes)

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises UnknownTopicError."""
        if topic not in self.counts:
            raise UnknownTopicError(f"topic {topic} was never created")
        return self.counts[topic]

    def write(self, writes: Sequence[Write], now_ms: int) -> list[list[Position]]:
        """All of them in one transaction; per write the positions of its records."""
        ends: dict[int, int] = {}
        rows: list[tuple[int, int, int, bytes, bytes | None, bytes]] = []
        commits: list[tuple[str, str, int, int]] = []
        positions: list[list[Position]] = []
        for write in writes:
            landed: list[Position] = []
            if isinstance(write, GroupOffsets):
                commits += [(write.group, at.topic, at.partition, following) for at, following in write.offsets.items()]
            else:
                for record, lane in zip(write.records, write.lanes, strict=True):
                    at = self._places[lane]
                    offset = ends[lane] if lane in ends else self.ends[at]
                    ends[lane] = offset + 1
                    rows.append((lane, offset, now_ms, record.key, record.value, packed_headers(record.headers)))
                    landed.append(Position(at.topic, at.partition, offset))
            positions.append(landed)
        with self._transaction() as db:
            if rows:
                db.executemany("INSERT INTO records VALUES (?,?,?,?,?,?)", rows)
            if commits:
                db.executemany("INSERT OR REPLACE INTO committed VALUES (?,?,?,?)", commits)
        self.ends.update({self._places[lane]: following for lane, following in ends.items()})
        return positions

    def read(self, at: TopicPartition, offset: int, max_records: int) -> list[StoredRecord]:
        """Records from an offset on. Raises UnknownTopicError."""
        if at not in self.ends:
            raise UnknownTopicError(f"topic {at.topic} has no partition {at.partition}")
        rows = self._rows(_READ, self._lanes[at], offset, max_records)
        return [
            StoredRecord(at.topic, at.partition, place, at_ms, key, value, unpacked_headers(headers))
            for place, at_ms, key, value, headers in rows
        ]

    def beginnings(self, topic: str) -> dict[TopicPartition, int]:
        """Per partition the first offset that is left, or the end."""
        parts = [TopicPartition(topic, part) for part in range(self.partitions(topic))]
        first = {at: self._rows("SELECT MIN(offset) FROM records WHERE lane=?", self._lanes[at])[0][0] for at in parts}
        return {at: self.ends[at] if offset is None else offset for at, offset in first.items()}

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

    def _learn_lanes(self, db: sqlite3.Connection) -> None:
        """What the file holds, into memory."""
        found = db.execute(
            "SELECT lane, topic, part, next, (SELECT MAX(offset) + 1 FROM records WHERE lane=l.lane) FROM lanes l"
        ).fetchall()
        self._places = {lane: TopicPartition(topic, part) for lane, topic, part, _, _ in found}
        self._lanes = {at: lane for lane, at in self._places.items()}
        self._lanes_of = {topic: [self._lanes[TopicPartition(topic, part)] for part in range(n)] for topic, n in self.counts.items()}
        self.ends = {self._places[lane]: max(kept, written or 0) for lane, _, _, kept, written in found}

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
