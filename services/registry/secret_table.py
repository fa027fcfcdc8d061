"""Hashes of the secrets of grants and of login codes; the plain ones are nowhere."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from enum import StrEnum

from assent.identity.principal import Principal
from assent.ids import GrantId, SubjectId
from services.registry.time_text import moment, stamp


class SecretKind(StrEnum):
    """`one_time` lets the subject answer a request, `grant` lets her use and end her grant."""

    ONE_TIME = "one_time"
    GRANT = "grant"


def insert_secret(database: sqlite3.Connection, digest: bytes, grant_id: GrantId, kind: SecretKind) -> None:
    """Remember a new secret by its hash."""
    database.execute("INSERT INTO secrets VALUES (?, ?, ?, NULL)", (digest, grant_id, kind.value))


def secret_hash(database: sqlite3.Connection, grant_id: GrantId, kind: SecretKind) -> tuple[bytes | None, bool]:
    """The hash stored for this grant, or None, and whether it was used up."""
    row = database.execute("SELECT hash, used_at FROM secrets WHERE grant_id = ? AND kind = ?", (grant_id, kind.value)).fetchone()
    return (None, False) if row is None else (row["hash"], row["used_at"] is not None)


def grant_secrets_of(database: sqlite3.Connection, subject_id: SubjectId) -> list[tuple[GrantId, bytes]]:
    """The hashes of the secrets of all her grants, also of those that have ended, each with its grant."""
    rows = database.execute(
        "SELECT secrets.grant_id, hash FROM secrets JOIN grants ON grants.grant_id = secrets.grant_id WHERE subject_id = ? AND kind = ?",
        (subject_id, SecretKind.GRANT.value),
    )
    return [(GrantId(row["grant_id"]), row["hash"]) for row in rows]


def use_up(database: sqlite3.Connection, grant_id: GrantId, kind: SecretKind, *, now: datetime) -> None:
    """The secret has done its work."""
    database.execute("UPDATE secrets SET used_at = ? WHERE grant_id = ? AND kind = ?", (stamp(now), grant_id, kind.value))


def insert_login_code(database: sqlite3.Connection, digest: bytes, principal: Principal, *, now: datetime, expires_at: datetime) -> None:
    """Remember a login code and whom it signs in; codes that ended are deleted on the way."""
    database.execute("DELETE FROM login_codes WHERE expires_at <= ?", (stamp(now),))
    values = (digest, principal.model_dump_json(), stamp(expires_at))
    database.execute("INSERT INTO login_codes VALUES (?, ?, ?, NULL)", values)


def principal_of_code(database: sqlite3.Connection, digest: bytes, *, now: datetime) -> Principal | None:
    """Whom the code would sign in, as long as it may; it stays unused."""
    row = database.execute("SELECT * FROM login_codes WHERE hash = ?", (digest,)).fetchone()
    if row is None or row["used_at"] is not None or moment(row["expires_at"]) <= now:
        return None
    return Principal.model_validate_json(row["principal"])


def take_login_code(database: sqlite3.Connection, digest: bytes, *, now: datetime) -> Principal | None:
    """Whom the code signs in, once and before it ends; else None."""
    principal = principal_of_code(database, digest, now=now)
    if principal is not None:
        database.execute("UPDATE login_codes SET used_at = ? WHERE hash = ?", (stamp(now), digest))
    return principal
