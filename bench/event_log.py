"""The embedded log against a bare sqlite3 loop: the same records, durable, one fsync per batch."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assent.events.record import Record
from assent.events.topics import Topic, all_topics
from assent.stream.local import SqliteEventLog
from bench.pair import Case

VALUE = b"x" * 512
BATCH = 64


@contextmanager
def cases(folder: Path, *, quick: bool) -> Iterator[list[Case]]:
    """One case: appends in batches of 64 records of 512 bytes."""
    batches = 5 if quick else 60
    records = [Record(Topic.IMAGES_SCRAPED.value, f"key-{index}".encode(), VALUE) for index in range(BATCH)]
    loop = asyncio.new_event_loop()
    log = SqliteEventLog(folder / "log.sqlite3")
    loop.run_until_complete(log.start())
    loop.run_until_complete(log.ensure_topics(all_topics()))
    database = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)
    database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE records (key BLOB, value BLOB);")

    async def append() -> None:
        for _ in range(batches):
            await log.append(records)

    def insert() -> None:
        for _ in range(batches):
            database.execute("BEGIN")
            database.executemany("INSERT INTO records VALUES (?, ?)", [(record.key, record.value) for record in records])
            database.execute("COMMIT")

    try:
        yield [
            Case(
                name="log: durable appends",
                against="a bare sqlite3 loop, WAL, synchronous=FULL, one transaction per batch",
                units=batches * BATCH,
                unit="records",
                ours=lambda: loop.run_until_complete(append()),
                theirs=insert,
                quality="ours also keeps partitions, offsets, headers and times, and wakes followers",
            )
        ]
    finally:
        database.close()
        loop.run_until_complete(log.close())
        loop.close()
