"""The tables of the embedded log's file, and how a file of an older release becomes one of this; nothing is lost on the way.

`records` lie in the order they were written and are found by lane (a topic's partition) and offset: a batch that goes to many
partitions touches few pages. `lanes.next` is the next offset as of the last cleaning: what cleaning takes must not be given
out again; beyond it the records themselves say where a lane ends.
"""

from __future__ import annotations

import json
import sqlite3

from assent.events.record import Headers
from assent.stream.local_headers import packed_headers

VERSION = 1
_TABLES = (
    "CREATE TABLE topics (topic TEXT PRIMARY KEY, partitions INTEGER NOT NULL, cleanup TEXT NOT NULL, retention_s INTEGER, "
    "min_compaction_lag_s INTEGER NOT NULL)",
    "CREATE TABLE committed (grp TEXT, topic TEXT, part INTEGER, next INTEGER NOT NULL, PRIMARY KEY (grp, topic, part)) WITHOUT ROWID",
)
_RECORDS = (
    "CREATE TABLE lanes (lane INTEGER PRIMARY KEY, topic TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL, "
    "UNIQUE (topic, part))",
    "CREATE TABLE records (lane INTEGER NOT NULL, offset INTEGER NOT NULL, at_ms INTEGER NOT NULL, key BLOB NOT NULL, value BLOB, "
    "headers BLOB NOT NULL)",
    "CREATE UNIQUE INDEX places ON records (lane, offset)",
)
_FROM_0 = (
    "ALTER TABLE records RENAME TO records_0",
    *_RECORDS,
    "INSERT INTO lanes (topic, part, next) SELECT topic, part, next FROM ends ORDER BY topic, part",
    "INSERT INTO records SELECT lane, offset, at_ms, key, value, headers_of_0(headers) FROM records_0 JOIN lanes USING (topic, part) "
    "ORDER BY at_ms, lane, offset",
    "DROP TABLE records_0",
    "DROP TABLE ends",
)


class NewerFileError(Exception):
    """Raised when the file was written by a release that came after this one."""


def prepare(db: sqlite3.Connection) -> None:
    """Create the tables, or bring those of an older release to this form, all or nothing. Raises NewerFileError."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerFileError(f"it has form {version} and this release reads up to {VERSION}; start the release that wrote it")
    if version == VERSION:
        return
    is_old = db.execute("SELECT 1 FROM sqlite_master WHERE name='records'").fetchone() is not None
    db.create_function("headers_of_0", 1, _headers_of_0, deterministic=True)
    db.execute("BEGIN IMMEDIATE")
    try:
        for statement in _FROM_0 if is_old else (*_TABLES, *_RECORDS):
            db.execute(statement)
        db.execute(f"PRAGMA user_version={VERSION}")
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
    # What the old tables held must not stay readable in the write-ahead log.
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _headers_of_0(text: str) -> bytes:
    headers: Headers = tuple((name, bytes.fromhex(value)) for name, value in json.loads(text))
    return packed_headers(headers)
