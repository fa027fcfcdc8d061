"""Rows of producers, of policy versions that were published and of tokens that were minted; never a token itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from assent.identity.principal import Principal
from assent.ids import ProducerId
from assent.policies.approval import Approval
from services.registry.time_text import moment, stamp


def insert_producer(database: sqlite3.Connection, producer_id: ProducerId, public_key: bytes, *, now: datetime) -> None:
    """Remember a producer; a second registration replaces its key."""
    database.execute("INSERT OR REPLACE INTO producers VALUES (?, ?, ?)", (producer_id, public_key, stamp(now)))


def producers(database: sqlite3.Connection) -> list[tuple[ProducerId, bytes]]:
    """Every producer with its public key."""
    rows = database.execute("SELECT producer_id, public_key FROM producers ORDER BY producer_id")
    return [(ProducerId(row[0]), row[1]) for row in rows]


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A policy that was published. `document` is None where a release published it that did not keep it."""

    version: str
    sha256: str
    published_at: datetime
    document: str | None


def newest_policy(database: sqlite3.Connection) -> PolicyRow | None:
    """The policy published last, or None. By the order of writing: a clock that was set back does not change which is the last."""
    row = database.execute("SELECT version, sha256, published_at, document FROM policy_versions ORDER BY rowid DESC LIMIT 1").fetchone()
    return None if row is None else PolicyRow(row[0], row[1], moment(row[2]), row[3])


def latest_publication(database: sqlite3.Connection) -> datetime | None:
    """The latest time at which any policy was published, or None. A clock that was set back can make that another than the newest."""
    row = database.execute("SELECT MAX(published_at) FROM policy_versions").fetchone()
    return None if row[0] is None else moment(row[0])


def policy_digest(database: sqlite3.Connection, version: str) -> str | None:
    """The digest under which this version was published, or None."""
    row = database.execute("SELECT sha256 FROM policy_versions WHERE version = ?", (version,)).fetchone()
    return None if row is None else str(row[0])


def last_published(database: sqlite3.Connection, sha256: str) -> datetime | None:
    """The latest time at which this very document was published, or None."""
    row = database.execute("SELECT MAX(published_at) FROM policy_versions WHERE sha256 = ?", (sha256,)).fetchone()
    return None if row[0] is None else moment(row[0])


def insert_policy(database: sqlite3.Connection, policy: PolicyRow, approvals: Sequence[Approval] = ()) -> None:
    """This version is on the log, and what approved it is used up; one that was published before becomes the newest again."""
    row = (policy.version, policy.sha256, stamp(policy.published_at), policy.document)
    database.execute("INSERT OR REPLACE INTO policy_versions (version, sha256, published_at, document) VALUES (?, ?, ?, ?)", row)
    database.executemany(
        "INSERT INTO policy_signatures VALUES (?, ?, ?, ?, ?)",
        [
            (
                approval.signature.signature,
                policy.sha256,
                approval.signer,
                stamp(approval.signature.signed_at),
                stamp(policy.published_at),
            )
            for approval in approvals
        ],
    )


def used_signatures(database: sqlite3.Connection) -> frozenset[str]:
    """Every signature that let a wider policy through."""
    return frozenset(str(row[0]) for row in database.execute("SELECT signature FROM policy_signatures"))


def known_signers(database: sqlite3.Connection) -> frozenset[str]:
    """The public keys of everybody who ever counted as a signer here."""
    return frozenset(str(row[0]) for row in database.execute("SELECT public_key FROM policy_signers"))


def insert_signers(database: sqlite3.Connection, signers: Mapping[str, str], *, now: datetime) -> None:
    """These count from now on, by name with their public keys."""
    rows = [(key, name, stamp(now)) for name, key in signers.items()]
    database.executemany("INSERT OR IGNORE INTO policy_signers VALUES (?, ?, ?)", rows)


def keep_document(database: sqlite3.Connection, sha256: str, document: str) -> None:
    """The text of a policy that a release without this column published."""
    database.execute("UPDATE policy_versions SET document = ? WHERE sha256 = ? AND document IS NULL", (document, sha256))


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
