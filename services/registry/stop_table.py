"""Rows of stops: what an order stopped, who wrote it down, when it was on the log first, and when two people ended it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from assent.ids import Jurisdiction
from assent.policies.stopping import Stop
from services.registry.time_text import moment, stamp

EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class StopRow:
    """A stop holds from when it is written down. `published_at` is None until a policy with it is on the log."""

    number: int
    stop: Stop
    by: str
    stopped_at: datetime
    published_at: datetime | None = None
    ended_at: datetime | None = None


def insert_stop(database: sqlite3.Connection, stop: Stop, *, by: str, now: datetime) -> None:
    """It holds from now on. One that holds already in the same words is the same, and whoever signed before saw it another time."""
    values = (stop.place or EVERYWHERE, " ".join(sorted(stop.operations)), stop.because)
    held = database.execute(
        "UPDATE policy_stops SET published_at = NULL WHERE place = ? AND operations = ? AND because = ? AND ended_at IS NULL", values
    ).rowcount
    if not held:
        statement = "INSERT INTO policy_stops (place, operations, because, stopped_by, stopped_at) VALUES (?, ?, ?, ?, ?)"
        database.execute(statement, (*values, by, stamp(now)))


def live_stops(database: sqlite3.Connection) -> list[StopRow]:
    """Those that nobody ended, oldest first."""
    return [_row(row) for row in database.execute("SELECT * FROM policy_stops WHERE ended_at IS NULL ORDER BY number")]


def set_published(database: sqlite3.Connection, numbers: Iterable[int], *, now: datetime) -> None:
    """A policy with these is on the log."""
    database.executemany(
        "UPDATE policy_stops SET published_at = coalesce(published_at, ?) WHERE number = ?", [(stamp(now), number) for number in numbers]
    )


def end_stops(database: sqlite3.Connection, numbers: Iterable[int], *, now: datetime) -> None:
    """Two people signed a policy that opens what these stopped."""
    database.executemany("UPDATE policy_stops SET ended_at = ? WHERE number = ?", [(stamp(now), number) for number in numbers])


def _row(row: sqlite3.Row) -> StopRow:
    place = None if row["place"] == EVERYWHERE else Jurisdiction(row["place"])
    return StopRow(
        number=row["number"],
        stop=Stop(place, tuple(row["operations"].split()), row["because"]),
        by=row["stopped_by"],
        stopped_at=moment(row["stopped_at"]),
        published_at=None if row["published_at"] is None else moment(row["published_at"]),
        ended_at=None if row["ended_at"] is None else moment(row["ended_at"]),
    )
