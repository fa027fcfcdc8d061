"""Rows of control proofs: who says that it controls which place, what must stand there, until when it was shown, and the last look."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from assent.ids import GrantId
from services.registry.control_place import ControlWay, Showing
from services.registry.time_text import moment, stamp


@dataclass(frozen=True, slots=True)
class ControlRow:
    """One challenge and what came of it. `proven_at` and `ends_at` are None until it was shown; a revoked one is never shown again.

    `shown_by` is the way by which it was shown last, `is_validated` whether the name server said then that it had checked DNSSEC.
    `looked_at` and `look_found` are the last look that way, or any way before it was shown, and what it came to.
    """

    proof_id: str
    controller: str
    place: str
    file_url: str
    token: str
    salt: bytes
    created_at: datetime
    proven_at: datetime | None = None
    ends_at: datetime | None = None
    revoked_at: datetime | None = None
    shown_by: ControlWay | None = None
    is_validated: bool | None = None
    looked_at: datetime | None = None
    look_found: Showing | None = None

    def counts(self, now: datetime) -> bool:
        """Shown, not revoked, not yet too old."""
        return self.revoked_at is None and self.ends_at is not None and now < self.ends_at


def insert_challenge(database: sqlite3.Connection, row: ControlRow) -> ControlRow:
    """A new challenge, or the one that this controller has for this place already."""
    held = database.execute(
        "SELECT * FROM control_proofs WHERE controller = ? AND place = ? AND revoked_at IS NULL", (row.controller, row.place)
    ).fetchone()
    if held is not None:
        return _row(held)
    values = (row.proof_id, row.controller, row.place, row.file_url, row.token, row.salt, stamp(row.created_at))
    database.execute(
        "INSERT INTO control_proofs (proof_id, controller, place, file_url, token, salt, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)", values
    )
    return row


def control_row(database: sqlite3.Connection, proof_id: str) -> ControlRow | None:
    """The proof, or None."""
    row = database.execute("SELECT * FROM control_proofs WHERE proof_id = ?", (proof_id,)).fetchone()
    return None if row is None else _row(row)


def proof_to_look_at(database: sqlite3.Connection, *, now: datetime, before: datetime) -> ControlRow | None:
    """Of the proofs that count, the one that was looked at longest ago, if nobody did since `before`."""
    row = database.execute(
        "SELECT * FROM control_proofs WHERE revoked_at IS NULL AND ends_at > ? AND coalesce(looked_at, proven_at) <= ? "
        "ORDER BY coalesce(looked_at, proven_at), proof_id LIMIT 1",
        (stamp(now), stamp(before)),
    ).fetchone()
    return None if row is None else _row(row)


def control_rows(database: sqlite3.Connection, controller: str | None = None) -> list[ControlRow]:
    """Every proof, or those of one controller, oldest first."""
    rows = database.execute("SELECT * FROM control_proofs WHERE ?1 IS NULL OR controller = ?1 ORDER BY created_at, proof_id", (controller,))
    return [_row(row) for row in rows]


def set_looked(database: sqlite3.Connection, proof_id: str, found: Showing, *, now: datetime) -> None:
    """Somebody looked, and this is what it came to. No grant changes by it."""
    database.execute(
        "UPDATE control_proofs SET looked_at = ?, look_found = ? WHERE proof_id = ? AND revoked_at IS NULL",
        (stamp(now), found.value, proof_id),
    )


def set_shown(
    database: sqlite3.Connection, proof_id: str, *, now: datetime, ends_at: datetime, way: ControlWay, is_validated: bool | None
) -> bool:
    """It was shown this way, unless it was revoked meanwhile. Every live grant is looked at anew."""
    changed = database.execute(
        "UPDATE control_proofs SET proven_at = ?, ends_at = ?, shown_by = ?, is_validated = ?, looked_at = ?, look_found = ? "
        "WHERE proof_id = ? AND revoked_at IS NULL",
        (stamp(now), stamp(ends_at), way.value, is_validated, stamp(now), Showing.SHOWN.value, proof_id),
    ).rowcount
    if changed:
        _look_anew(database)
    return changed == 1


def set_revoked(database: sqlite3.Connection, proof_id: str, *, now: datetime) -> bool:
    """It counts no more; whether it was not revoked before. Every live grant is looked at anew."""
    changed = database.execute(
        "UPDATE control_proofs SET revoked_at = ? WHERE proof_id = ? AND revoked_at IS NULL", (stamp(now), proof_id)
    ).rowcount
    if changed:
        _look_anew(database)
    return changed == 1


def unlooked_grants(database: sqlite3.Connection, *, limit: int, after: GrantId | None = None) -> list[GrantId]:
    """Live grants that were not looked at since a proof changed last, in the order of their ids, from behind `after`."""
    rows = database.execute(
        "SELECT grant_id FROM grants WHERE state IN ('given', 'renewed') "
        "AND control_seen < (SELECT coalesce(max(changes), 0) FROM control_changes) AND grant_id > ? ORDER BY grant_id LIMIT ?",
        (after or "", limit),
    )
    return [GrantId(row[0]) for row in rows]


def changes_so_far(database: sqlite3.Connection) -> int:
    """How often a proof changed."""
    return int(database.execute("SELECT coalesce(max(changes), 0) FROM control_changes").fetchone()[0])


def mark_looked(database: sqlite3.Connection, grant_id: GrantId, changes: int) -> None:
    """The grant says what the proofs said after so many changes."""
    database.execute("UPDATE grants SET control_seen = max(control_seen, ?) WHERE grant_id = ?", (changes, grant_id))


def _look_anew(database: sqlite3.Connection) -> None:
    database.execute("INSERT INTO control_changes VALUES (1, 1) ON CONFLICT (one) DO UPDATE SET changes = changes + 1")


def _row(row: sqlite3.Row) -> ControlRow:
    times = ("proven_at", "ends_at", "revoked_at", "looked_at")
    proven, ends, revoked, looked = (None if row[name] is None else moment(row[name]) for name in times)
    return ControlRow(
        proof_id=row["proof_id"],
        controller=row["controller"],
        place=row["place"],
        file_url=row["file_url"],
        token=row["token"],
        salt=row["salt"],
        created_at=moment(row["created_at"]),
        proven_at=proven,
        ends_at=ends,
        revoked_at=revoked,
        # What was shown before there were two ways was shown by the file.
        shown_by=_way(row["shown_by"], proven),
        is_validated=None if row["is_validated"] is None else bool(row["is_validated"]),
        looked_at=looked,
        look_found=None if row["look_found"] is None else Showing(row["look_found"]),
    )


def _way(written: str | None, proven: datetime | None) -> ControlWay | None:
    if written is None:
        return None if proven is None else ControlWay.FILE
    return ControlWay(written)
