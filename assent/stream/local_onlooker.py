"""The embedded log's file beside the process that owns it: read only, without its lock, one short question at a time.

A question that stayed open would keep the owner from emptying its write-ahead log, and what was erased readable there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

from assent.events.record import StoredRecord
from assent.stream.event_log import LogUnavailableError, UnknownTopicError
from assent.stream.local_headers import unpacked_headers
from assent.stream.local_schema import VERSION

BATCH = 2_000
_LANES = "SELECT lane, topic, part, MAX(next, COALESCE((SELECT MAX(offset) + 1 FROM records WHERE lane=l.lane), 0)) FROM lanes l"
_READ = "SELECT offset, at_ms, key, value, headers FROM records WHERE lane=? AND offset>=? AND offset<? ORDER BY offset LIMIT ?"


class LocalOnlooker:
    """Opened by the first question, closed by `close`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    async def present_records(self, topics: Sequence[str]) -> AsyncGenerator[StoredRecord, None]:
        """In offset order per partition, up to where each ended at the call. Raises LogUnavailableError, UnknownTopicError."""
        wanted = set(topics)
        lanes = [row for row in self._rows(_LANES) if row[1] in wanted]
        missing = wanted - {topic for _, topic, _, _ in lanes}
        if missing:
            raise UnknownTopicError(f"topic {min(missing)} was never created")
        for lane, topic, part, end in lanes:
            start = 0
            while rows := self._rows(_READ, lane, start, end, BATCH):
                start = rows[-1][0] + 1
                for offset, at_ms, key, value, headers in rows:
                    yield StoredRecord(topic, part, offset, at_ms, key, value, unpacked_headers(headers))

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rows(self, question: str, *values: int) -> list[Any]:
        try:
            return self._open().execute(question, values).fetchall()
        except sqlite3.Error as error:
            raise LogUnavailableError(f"{self._path} cannot be read: {error}; check the file and the disk") from error

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            if not self._path.is_file():
                raise LogUnavailableError(f"there is no log at {self._path}; name the data folder, or the log itself")
            self._connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
            self._connection.execute("PRAGMA query_only=ON")
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version != VERSION:
                raise LogUnavailableError(f"{self._path} has form {version} and this release reads {VERSION}; use the release that runs it")
        return self._connection
