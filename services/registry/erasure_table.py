"""Rows of erasures, of what each store reported, and of the receipts made of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from assent.events.erasures import ErasureCause, ErasureLevel, ErasureProgressed
from assent.ids import ErasureId, GrantId
from services.registry.time_text import moment, stamp


@dataclass(frozen=True, slots=True)
class ErasureRow:
    """One erasure. `offsets` is None until the log has acknowledged the end of the grant; the commitments are empty until the
    record was opened for the last time, which waits for the key store as the end itself never does.
    """

    erasure_id: ErasureId
    grant_id: GrantId
    cause: ErasureCause
    requested_at: datetime
    grant_commitment: str
    points_commitment: str
    key_fingerprint: str | None
    offsets: dict[str, int] | None
    is_announced: bool


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """What one store reported of one level."""

    store: str
    level: ErasureLevel
    count_before: int
    count_after: int
    method: str
    remains: tuple[str, ...]
    reached_at: datetime


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A signed receipt, as a file."""

    receipt_id: str
    erasure_id: ErasureId
    kind: str
    document: bytes


def insert_erasure(database: sqlite3.Connection, erasure: ErasureRow) -> None:
    """Remember that this must go, before anything is sent anywhere."""
    database.execute(
        "INSERT INTO erasures VALUES (?, ?, ?, ?, ?, ?, ?, NULL, 0)",
        (
            erasure.erasure_id,
            erasure.grant_id,
            erasure.cause.value,
            stamp(erasure.requested_at),
            erasure.grant_commitment,
            erasure.points_commitment,
            erasure.key_fingerprint,
        ),
    )


def mark_all_acknowledged(database: sqlite3.Connection, erasure_ids: Iterable[ErasureId], offsets: dict[str, int]) -> None:
    """The log holds the ends of these grants, at these offsets; the first ones stand."""
    rows = [(json.dumps(offsets), erasure_id) for erasure_id in erasure_ids]
    database.executemany("UPDATE erasures SET offsets = ? WHERE erasure_id = ? AND offsets IS NULL", rows)


def set_proof(database: sqlite3.Connection, erasure_id: ErasureId, *, grant: str, points: str, key_fingerprint: str | None) -> None:
    """What the receipts will name. The first commitments stand: a second reading, after a crash, finds less."""
    database.execute(
        "UPDATE erasures SET grant_commitment = ?, points_commitment = ?, key_fingerprint = ? "
        "WHERE erasure_id = ? AND grant_commitment = ''",
        (grant, points, key_fingerprint, erasure_id),
    )


def mark_announced(database: sqlite3.Connection, erasure_id: ErasureId) -> None:
    """Key destroyed, request and own progress on the log: nothing is left to resume."""
    database.execute("UPDATE erasures SET is_announced = 1 WHERE erasure_id = ?", (erasure_id,))


def erasure_row(database: sqlite3.Connection, erasure_id: ErasureId) -> ErasureRow | None:
    """The erasure, or None."""
    row = database.execute("SELECT * FROM erasures WHERE erasure_id = ?", (erasure_id,)).fetchone()
    return None if row is None else _erasure(row)


def erasure_of(database: sqlite3.Connection, grant_id: GrantId) -> ErasureRow | None:
    """The erasure of this grant, or None while it has not ended."""
    row = database.execute("SELECT * FROM erasures WHERE grant_id = ?", (grant_id,)).fetchone()
    return None if row is None else _erasure(row)


def unannounced(database: sqlite3.Connection) -> list[ErasureRow]:
    """Erasures that a crash or an outage left half way, oldest first."""
    rows = database.execute("SELECT * FROM erasures WHERE is_announced = 0 ORDER BY requested_at")
    return [_erasure(row) for row in rows]


def unproven(database: sqlite3.Connection) -> list[ErasureRow]:
    """Erasures that lack one of their two receipts, oldest first."""
    rows = database.execute(
        "SELECT * FROM erasures WHERE (SELECT count(*) FROM receipts AS r WHERE r.erasure_id = erasures.erasure_id) < 2 "
        "ORDER BY requested_at"
    )
    return [_erasure(row) for row in rows]


def pending_by_level(database: sqlite3.Connection) -> dict[ErasureLevel, int]:
    """How many erasures lack the receipt of each level."""
    return {
        level: int(
            database.execute(
                "SELECT count(*) FROM erasures WHERE NOT EXISTS "
                "(SELECT 1 FROM receipts AS r WHERE r.erasure_id = erasures.erasure_id AND r.kind = ?)",
                (f"deletion_{level.value}",),
            ).fetchone()[0]
        )
        for level in (ErasureLevel.LOGICAL, ErasureLevel.PHYSICAL)
    }


def oldest_pending(database: sqlite3.Connection, level: ErasureLevel) -> datetime | None:
    """When the oldest erasure was asked for that lacks the receipt of this level."""
    row = database.execute(
        "SELECT min(requested_at) FROM erasures WHERE NOT EXISTS "
        "(SELECT 1 FROM receipts AS r WHERE r.erasure_id = erasures.erasure_id AND r.kind = ?)",
        (f"deletion_{level.value}",),
    ).fetchone()
    return None if row[0] is None else moment(row[0])


def without(database: sqlite3.Connection, store: str, level: ErasureLevel) -> list[ErasureRow]:
    """Announced erasures for which this store has not reported this level, oldest first."""
    rows = database.execute(
        "SELECT * FROM erasures WHERE is_announced = 1 AND NOT EXISTS (SELECT 1 FROM erasure_progress AS p "
        "WHERE p.erasure_id = erasures.erasure_id AND p.store = ? AND p.level = ?) ORDER BY requested_at",
        (store, level.value),
    )
    return [_erasure(row) for row in rows]


def record_progress(database: sqlite3.Connection, progress: ErasureProgressed) -> None:
    """Take a report; the first one of a store and level stands."""
    database.execute(
        "INSERT OR IGNORE INTO erasure_progress VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            progress.erasure_id,
            progress.store,
            progress.level.value,
            progress.count_before,
            progress.count_after,
            progress.method,
            json.dumps(progress.remains),
            stamp(progress.reached_at),
        ),
    )


def progress_rows(database: sqlite3.Connection, erasure_id: ErasureId) -> list[ProgressRow]:
    """Everything reported for this erasure, by store and time."""
    rows = database.execute("SELECT * FROM erasure_progress WHERE erasure_id = ? ORDER BY store, reached_at, level", (erasure_id,))
    return [
        ProgressRow(
            store=row["store"],
            level=ErasureLevel(row["level"]),
            count_before=row["count_before"],
            count_after=row["count_after"],
            method=row["method"],
            remains=tuple(json.loads(row["remains"])),
            reached_at=moment(row["reached_at"]),
        )
        for row in rows
    ]


def insert_receipt(database: sqlite3.Connection, receipt: ReceiptRow) -> None:
    """Keep the receipt; a second one of the same kind changes nothing."""
    values = (receipt.receipt_id, receipt.erasure_id, receipt.kind, receipt.document)
    database.execute("INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?)", values)


def receipt_row(database: sqlite3.Connection, receipt_id: str) -> ReceiptRow | None:
    """The receipt, or None."""
    row = database.execute("SELECT * FROM receipts WHERE receipt_id = ?", (receipt_id,)).fetchone()
    return None if row is None else ReceiptRow(*row)


def receipts_of(database: sqlite3.Connection, erasure_id: ErasureId) -> list[ReceiptRow]:
    """The receipts of one erasure, logical first."""
    rows = database.execute("SELECT * FROM receipts WHERE erasure_id = ? ORDER BY kind", (erasure_id,))
    return [ReceiptRow(*row) for row in rows]


def _erasure(row: sqlite3.Row) -> ErasureRow:
    return ErasureRow(
        erasure_id=ErasureId(row["erasure_id"]),
        grant_id=GrantId(row["grant_id"]),
        cause=ErasureCause(row["cause"]),
        requested_at=moment(row["requested_at"]),
        grant_commitment=row["grant_commitment"],
        points_commitment=row["points_commitment"],
        key_fingerprint=row["key_fingerprint"],
        offsets=None if row["offsets"] is None else json.loads(row["offsets"]),
        is_announced=bool(row["is_announced"]),
    )
