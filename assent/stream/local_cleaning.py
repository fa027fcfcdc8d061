"""Compaction and retention of the embedded log, with Kafka's meaning; it never moves an offset and never takes the last word on a key."""

from __future__ import annotations

import sqlite3

NULL_KEPT_S = 86_400
"""How long a null value stays behind as the last word on its key: Kafka's default for `delete.retention.ms`."""
_LANES = "SELECT lane, cleanup, retention_s, min_compaction_lag_s FROM lanes JOIN topics USING (topic)"
_KEEP_ENDS = "UPDATE lanes SET next = MAX(next, COALESCE((SELECT MAX(offset) + 1 FROM records WHERE lane=lanes.lane), 0))"


def clean(db: sqlite3.Connection, now_ms: int) -> int:
    """Inside the caller's transaction; how many records went."""
    db.execute(_KEEP_ENDS)
    before = db.total_changes
    for lane, cleanup, retention_s, lag_s in db.execute(_LANES).fetchall():
        if cleanup == "compact":
            _compact(db, lane, now_ms, lag_s)
        elif retention_s is not None:
            db.execute("DELETE FROM records WHERE lane=? AND at_ms < ?", (lane, now_ms - retention_s * 1000))
    return db.total_changes - before


def _compact(db: sqlite3.Connection, lane: int, now_ms: int, lag_s: int) -> None:
    """Per key the last offset stays, and everything younger than the lag."""
    db.execute(
        "DELETE FROM records WHERE lane=?1 AND at_ms < ?2 AND offset NOT IN (SELECT MAX(offset) FROM records WHERE lane=?1 GROUP BY key)",
        (lane, now_ms - lag_s * 1000),
    )
    db.execute(
        "DELETE FROM records WHERE lane=?1 AND at_ms < ?2 AND value IS NULL",
        (lane, now_ms - max(lag_s, NULL_KEPT_S) * 1000),
    )
