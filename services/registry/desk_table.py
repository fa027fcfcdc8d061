"""Rows of producers, of policy versions that were published and of tokens that were minted; never a token itself."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from assent.identity.principal import Principal
from assent.ids import ProducerId
from services.registry.time_text import stamp


def insert_producer(database: sqlite3.Connection, producer_id: ProducerId, public_key: bytes, *, now: datetime) -> None:
    """Remember a producer; a second registration replaces its key."""
    database.execute("INSERT OR REPLACE INTO producers VALUES (?, ?, ?)", (producer_id, public_key, stamp(now)))


def producers(database: sqlite3.Connection) -> list[tuple[ProducerId, bytes]]:
    """Every producer with its public key."""
    rows = database.execute("SELECT producer_id, public_key FROM producers ORDER BY producer_id")
    return [(ProducerId(row[0]), row[1]) for row in rows]


def newest_policy(database: sqlite3.Connection) -> tuple[str, str] | None:
    """Version and digest of the policy published last, or None."""
    row = database.execute("SELECT version, sha256 FROM policy_versions ORDER BY published_at DESC LIMIT 1").fetchone()
    return None if row is None else (row[0], row[1])


def policy_digest(database: sqlite3.Connection, version: str) -> str | None:
    """The digest under which this version was published, or None."""
    row = database.execute("SELECT sha256 FROM policy_versions WHERE version = ?", (version,)).fetchone()
    return None if row is None else str(row[0])


def insert_policy(database: sqlite3.Connection, version: str, sha256: str, *, now: datetime) -> None:
    """This version is on the log."""
    database.execute("INSERT OR REPLACE INTO policy_versions VALUES (?, ?, ?)", (version, sha256, stamp(now)))


def record_minted(database: sqlite3.Connection, principal: Principal, *, ends_at: datetime, now: datetime) -> None:
    """A token was minted for this caller."""
    roles = ",".join(sorted(principal.roles))
    database.execute(
        "INSERT INTO minted_tokens (name, roles, org, ends_at, minted_at) VALUES (?, ?, ?, ?, ?)",
        (principal.name, roles, principal.org, stamp(ends_at), stamp(now)),
    )


def was_any_minted(database: sqlite3.Connection) -> bool:
    """Whether this deployment ever gave out a token to staff."""
    return database.execute("SELECT 1 FROM minted_tokens LIMIT 1").fetchone() is not None
