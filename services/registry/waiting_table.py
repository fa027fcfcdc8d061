"""Rows of images that wait for their subject's approval: the sealed address as long as it waits, then only that she answered."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from assent.ids import GrantId, SightingId
from services.registry.time_text import moment, stamp

MOST_WAITING = 500


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One image that waits. `sighting_id` is a keyed hash of its address."""

    sighting_id: SightingId
    sealed: bytes
    seen_at: datetime


def insert_waiting(database: sqlite3.Connection, grant_id: GrantId, row: WaitingRow) -> bool:
    """It waits, unless she answered before, the grant has ended, or 500 wait already: those that are left come back with later rounds.
    Whether it does so newly.
    """
    taken = database.execute(
        "INSERT OR IGNORE INTO waiting SELECT ?1, ?2, ?3, ?4 WHERE EXISTS "
        "(SELECT 1 FROM grants WHERE grant_id = ?1 AND state IN ('given', 'renewed')) "
        "AND (SELECT count(*) FROM waiting WHERE grant_id = ?1 AND sealed IS NOT NULL) < ?5",
        (grant_id, row.sighting_id, row.sealed, stamp(row.seen_at), MOST_WAITING),
    )
    return taken.rowcount == 1


def waiting_rows(database: sqlite3.Connection, grant_id: GrantId) -> list[WaitingRow]:
    """What waits under this grant, oldest first."""
    rows = database.execute("SELECT * FROM waiting WHERE grant_id = ? AND sealed IS NOT NULL ORDER BY seen_at, sighting_id", (grant_id,))
    return [WaitingRow(SightingId(row["sighting_id"]), row["sealed"], moment(row["seen_at"])) for row in rows]


def waiting_row(database: sqlite3.Connection, grant_id: GrantId, sighting_id: SightingId) -> WaitingRow | None:
    """The one, if it waits."""
    return next((row for row in waiting_rows(database, grant_id) if row.sighting_id == sighting_id), None)


def answer_waiting(database: sqlite3.Connection, grant_id: GrantId, sighting_id: SightingId) -> bool:
    """She answered: the address goes, and it is not asked again. Whether it was waiting."""
    changed = database.execute(
        "UPDATE waiting SET sealed = NULL WHERE grant_id = ? AND sighting_id = ? AND sealed IS NOT NULL", (grant_id, sighting_id)
    )
    return changed.rowcount == 1


def forget_waiting(database: sqlite3.Connection, grant_id: GrantId, sighting_id: SightingId) -> None:
    """It does not wait any more, for another reason than her answer; should it wait again, she is asked again."""
    database.execute("DELETE FROM waiting WHERE grant_id = ? AND sighting_id = ?", (grant_id, sighting_id))
