"""Compaction and retention of the embedded log, with Kafka's meaning; it never moves an offset and never takes the last word on a key."""

from __future__ import annotations

import sqlite3

NULL_KEPT_S = 86_400
"""How long a null value stays behind as the last word on its key: Kafka's default for `delete.retention.ms`."""


def clean(db: sqlite3.Connection, now_ms: int) -> int:
    """Inside the caller's transaction; how many records went."""
    before = db.total_changes
    for topic, cleanup, retention_s, lag_s in db.execute("SELECT topic, cleanup, retention_s, min_compaction_lag_s FROM topics").fetchall():
        if cleanup == "compact":
            _compact(db, topic, now_ms, lag_s)
        elif retention_s is not None:
            db.execute("DELETE FROM records WHERE topic=? AND at_ms < ?", (topic, now_ms - retention_s * 1000))
    return db.total_changes - before


def _compact(db: sqlite3.Connection, topic: str, now_ms: int, lag_s: int) -> None:
    """Per partition and key the last offset stays, and everything younger than the lag."""
    for (part,) in db.execute("SELECT part FROM ends WHERE topic=?", (topic,)).fetchall():
        db.execute(
            "DELETE FROM records WHERE topic=?1 AND part=?2 AND at_ms < ?3 AND offset NOT IN "
            "(SELECT MAX(offset) FROM records WHERE topic=?1 AND part=?2 GROUP BY key)",
            (topic, part, now_ms - lag_s * 1000),
        )
        db.execute(
            "DELETE FROM records WHERE topic=?1 AND part=?2 AND at_ms < ?3 AND value IS NULL",
            (topic, part, now_ms - max(lag_s, NULL_KEPT_S) * 1000),
        )
