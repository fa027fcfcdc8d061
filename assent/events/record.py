"""One record of the log as bytes, before anybody has understood it; never decoded here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What is appended. `value` None is a Kafka null (a tombstone)."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None

    def header(self, name: str) -> bytes | None:
        """First header of that name, or None."""
        return first_header(self.headers, name)


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """What was read back: a record with its place. `timestamp_ms` is the log's append time, Unix milliseconds.

    `damage` says why the log cannot give what lies there; `is_marker` that nothing lies there but the end of a transaction.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes
    value: bytes | None
    headers: Headers = ()
    damage: str | None = None
    is_marker: bool = False

    def header(self, name: str) -> bytes | None:
        """First header of that name, or None."""
        return first_header(self.headers, name)


def first_header(headers: Sequence[tuple[str, bytes]], name: str) -> bytes | None:
    """First value of `name`, or None."""
    for key, value in headers:
        if key == name:
            return value
    return None
