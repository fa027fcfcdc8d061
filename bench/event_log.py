"""The embedded log against a bare sqlite3 loop: the same records, durable, one fsync per batch."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assent.events.record import Headers, Record
from assent.events.topics import Topic, all_topics
from assent.stream.local import SqliteEventLog
from assent.stream.local_headers import packed_headers
from assent.stream.partitioner import partition_of
from bench.pair import Case

VALUE = b"x" * 512
BATCH = 64
PARTITIONS = 6
HEADERS: Headers = (
    ("ce_specversion", b"1.0"),
    ("ce_id", b"0123456789abcdef0123456789abcdef"),
    ("ce_source", b"/assent/geofence"),
    ("ce_type", b"images.located.v1"),
    ("ce_time", b"2026-06-01T12:00:00.123456+00:00"),
    ("content-type", b"application/json"),
    ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"),
    ("assent-stage-signature", b"v2:" + b"s" * 32),
)
_BARE = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
PRAGMA secure_delete=ON;
CREATE TABLE records (topic TEXT, part INTEGER, at_ms INTEGER, key BLOB, value BLOB, headers BLOB);
"""


@contextmanager
def cases(folder: Path, *, quick: bool) -> Iterator[list[Case]]:
    """One case: appends in batches of 64 records of 512 bytes with the headers that an event of the product has."""
    batches = 5 if quick else 60
    records = [Record(Topic.IMAGES_LOCATED.value, f"{index * 7919:032x}".encode(), VALUE, HEADERS) for index in range(BATCH)]
    parts = [partition_of(record.key, PARTITIONS) for record in records]
    packed, at_ms = packed_headers(HEADERS), 1_780_000_000_000
    loop = asyncio.new_event_loop()
    log = SqliteEventLog(folder / "log.sqlite3")
    loop.run_until_complete(log.start())
    loop.run_until_complete(log.ensure_topics(all_topics()))
    database = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)
    database.executescript(_BARE)

    async def append() -> None:
        for _ in range(batches):
            await log.append(records)

    def insert() -> None:
        for _ in range(batches):
            database.execute("BEGIN")
            database.executemany(
                "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)",
                [(one.topic, part, at_ms, one.key, one.value, packed) for one, part in zip(records, parts, strict=True)],
            )
            database.execute("COMMIT")

    try:
        yield [
            Case(
                name="log: durable appends",
                against="a bare sqlite3 loop with the same columns, WAL, synchronous=FULL, one transaction per batch of 64",
                units=batches * BATCH,
                unit="records",
                ours=lambda: loop.run_until_complete(append()),
                theirs=insert,
                quality="ours also hashes keys to partitions, packs 8 headers a record, keeps offsets and wakes followers",
            )
        ]
    finally:
        database.close()
        loop.run_until_complete(log.close())
        loop.close()
