"""Which dead letters were replayed: place and digest of the record, so that asking again appends nothing; never a payload."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta

from assent.stream.dead_letters import DeadLetter
from services.registry.time_text import moment, stamp

KEPT = timedelta(days=60)
"""Twice as long as the dead letters themselves."""


def replayed_at(database: sqlite3.Connection, letters: Iterable[DeadLetter]) -> dict[DeadLetter, datetime]:
    """When each of these was replayed; those that never were are missing."""
    found: dict[DeadLetter, datetime] = {}
    for letter in letters:
        row = database.execute(
            "SELECT replayed_at FROM replays WHERE topic = ? AND part = ? AND position = ? AND sha256 = ?", _key(letter)
        ).fetchone()
        if row is not None:
            found[letter] = moment(row[0])
    return found


def insert_replays(database: sqlite3.Connection, letters: Iterable[DeadLetter], *, now: datetime) -> None:
    """These were appended again; what is too old to have a letter left is forgotten."""
    database.executemany("INSERT OR REPLACE INTO replays VALUES (?, ?, ?, ?, ?)", [(*_key(letter), stamp(now)) for letter in letters])
    database.execute("DELETE FROM replays WHERE replayed_at < ?", (stamp(now - KEPT),))


def _key(letter: DeadLetter) -> tuple[str, int, int, str]:
    return letter.topic, letter.partition, letter.offset, letter.sha256
