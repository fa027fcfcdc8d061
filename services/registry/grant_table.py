"""Rows of subjects, grants and their revisions; the record itself is sealed, a row shows only what is needed to find it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from assent.events.grants import AgeBand, BindingMode, GrantSnapshot, GrantState
from assent.ids import GrantId, Jurisdiction, SubjectId
from services.registry.grant_record import LIVE_STATES, ended_snapshot
from services.registry.store import RevisionConflictError
from services.registry.time_text import moment, stamp


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A pseudonym with her age band and where she says she lives."""

    subject_id: SubjectId
    age_band: AgeBand
    residences: tuple[Jurisdiction, ...]


@dataclass(frozen=True, slots=True)
class GrantRow:
    """`ended_wire` is the emptied snapshot (JSON) of a grant that has ended, when the log had an earlier one."""

    grant_id: GrantId
    subject_id: SubjectId
    revision: int
    state: GrantState
    mode: BindingMode
    expires_at: datetime
    changed_at: datetime
    published_revision: int
    ended_wire: str | None

    @property
    def is_live(self) -> bool:
        """Given or renewed; its time may still have run out."""
        return self.state in LIVE_STATES

    def ended(self) -> GrantSnapshot | None:
        """What is told of a grant that has ended; None of one that has not, or that the log never had.

        A release before wrote it with times that it could not read again: it is put together anew then.
        """
        if self.ended_wire is None:
            return None
        try:
            return GrantSnapshot.model_validate_json(self.ended_wire)
        except ValidationError:
            return ended_snapshot(
                self.grant_id,
                revision=self.revision,
                subject_id=self.subject_id,
                state=self.state,
                ended_at=self.changed_at,
                expires_at=self.expires_at,
            )


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """One revision: `sealed` is None once the grant has ended."""

    grant_id: GrantId
    revision: int
    state: GrantState
    changed_at: datetime
    sha256: str
    prev_hash: str | None
    signature: bytes
    sealed: bytes | None


def insert_subject(database: sqlite3.Connection, subject: SubjectRow, *, now: datetime) -> None:
    """A new pseudonym."""
    values = (subject.subject_id, subject.age_band.value, json.dumps(subject.residences), stamp(now))
    database.execute("INSERT INTO subjects VALUES (?, ?, ?, ?)", values)


def subject_row(database: sqlite3.Connection, subject_id: SubjectId) -> SubjectRow | None:
    """The subject, or None."""
    row = database.execute("SELECT * FROM subjects WHERE subject_id = ?", (subject_id,)).fetchone()
    if row is None:
        return None
    return SubjectRow(SubjectId(row["subject_id"]), AgeBand(row["age_band"]), tuple(json.loads(row["residences"])))


def delete_idle_subject(database: sqlite3.Connection, subject_id: SubjectId) -> None:
    """Forget age and residences of a subject of whom no grant is open any more."""
    database.execute(
        "DELETE FROM subjects WHERE subject_id = ?1 AND NOT EXISTS "
        "(SELECT 1 FROM grants WHERE subject_id = ?1 AND state IN ('requested', 'given', 'renewed'))",
        (subject_id,),
    )


def insert_grant(database: sqlite3.Connection, grant: GrantRow, revision: RevisionRow, members: Iterable[GrantId]) -> None:
    """A new grant with its first revision."""
    database.execute(
        "INSERT INTO grants (grant_id, subject_id, revision, state, mode, expires_at, created_at, changed_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            grant.grant_id,
            grant.subject_id,
            grant.revision,
            grant.state.value,
            grant.mode.value,
            stamp(grant.expires_at),
            stamp(grant.changed_at),
            stamp(grant.changed_at),
        ),
    )
    _insert_revision(database, revision)
    database.executemany("INSERT INTO members VALUES (?, ?)", [(grant.grant_id, member) for member in members])


def add_revision(database: sqlite3.Connection, revision: RevisionRow, *, expires_at: datetime) -> None:
    """Move the grant to its next revision. Raises RevisionConflictError when it stands elsewhere by now."""
    moved = database.execute(
        "UPDATE grants SET revision = ?, state = ?, expires_at = ?, changed_at = ? WHERE grant_id = ? AND revision = ?",
        (
            revision.revision,
            revision.state.value,
            stamp(expires_at),
            stamp(revision.changed_at),
            revision.grant_id,
            revision.revision - 1,
        ),
    ).rowcount
    if moved != 1:
        raise RevisionConflictError(f"the grant does not stand at revision {revision.revision - 1} any more")
    _insert_revision(database, revision)


def reseal(database: sqlite3.Connection, grant_id: GrantId, revision: int, sealed: bytes) -> None:
    """Replace the sealed record of one revision by the same record under another key."""
    database.execute("UPDATE revisions SET sealed = ? WHERE grant_id = ? AND revision = ?", (sealed, grant_id, revision))


def end_grant(database: sqlite3.Connection, revision: RevisionRow, *, expires_at: datetime, ended_wire: str | None) -> None:
    """The last revision: its state, and what may still be published of it."""
    add_revision(database, revision, expires_at=expires_at)
    database.execute("UPDATE grants SET ended_wire = ? WHERE grant_id = ?", (ended_wire, revision.grant_id))


def forget_records(database: sqlite3.Connection, grant_id: GrantId) -> int:
    """Delete the sealed records; how many there were. Digests and states stay."""
    return database.execute("UPDATE revisions SET sealed = NULL WHERE grant_id = ? AND sealed IS NOT NULL", (grant_id,)).rowcount


def grant_row(database: sqlite3.Connection, grant_id: GrantId) -> GrantRow | None:
    """The grant, or None."""
    row = database.execute("SELECT * FROM grants WHERE grant_id = ?", (grant_id,)).fetchone()
    return None if row is None else _grant(row)


def grants_of(database: sqlite3.Connection, subject_id: SubjectId) -> list[GrantRow]:
    """Every grant of one subject, newest first."""
    rows = database.execute("SELECT * FROM grants WHERE subject_id = ? ORDER BY grant_id DESC", (subject_id,))
    return [_grant(row) for row in rows]


def first_given(database: sqlite3.Connection, subject_id: SubjectId) -> GrantId | None:
    """The grant of this subject that was given first, whatever became of it; None where she never said yes."""
    row = database.execute(
        "SELECT revisions.grant_id FROM revisions JOIN grants ON grants.grant_id = revisions.grant_id "
        "WHERE subject_id = ? AND revisions.state = 'given' ORDER BY revisions.changed_at, revisions.grant_id LIMIT 1",
        (subject_id,),
    ).fetchone()
    return None if row is None else GrantId(row["grant_id"])


def revision_rows(database: sqlite3.Connection, grant_id: GrantId) -> list[RevisionRow]:
    """Every revision, first to last."""
    rows = database.execute("SELECT * FROM revisions WHERE grant_id = ? ORDER BY revision", (grant_id,))
    return [_revision(row) for row in rows]


def last_revision(database: sqlite3.Connection, grant_id: GrantId) -> RevisionRow | None:
    """The highest revision, or None."""
    row = database.execute("SELECT * FROM revisions WHERE grant_id = ? ORDER BY revision DESC LIMIT 1", (grant_id,)).fetchone()
    return None if row is None else _revision(row)


def open_joints_of(database: sqlite3.Connection, member: GrantId) -> list[GrantRow]:
    """Live joint grants that list this grant as a member."""
    rows = database.execute(
        "SELECT grants.* FROM grants JOIN members ON joint_grant_id = grant_id WHERE member_grant_id = ? AND state IN ('given', 'renewed')",
        (member,),
    )
    return [_grant(row) for row in rows]


def joints_of(database: sqlite3.Connection, member: GrantId) -> list[GrantRow]:
    """Every joint grant that lists this grant as a member, whatever its state, newest first."""
    rows = database.execute(
        "SELECT grants.* FROM grants JOIN members ON joint_grant_id = grant_id WHERE member_grant_id = ? ORDER BY grant_id DESC",
        (member,),
    )
    return [_grant(row) for row in rows]


def run_out(database: sqlite3.Connection, now: datetime) -> list[GrantRow]:
    """Open grants whose time has run out."""
    rows = database.execute(
        "SELECT * FROM grants WHERE state IN ('requested', 'given', 'renewed') AND expires_at <= ? ORDER BY expires_at",
        (stamp(now),),
    )
    return [_grant(row) for row in rows]


def mark_published(database: sqlite3.Connection, grant_id: GrantId, revision: int) -> None:
    """The log has acknowledged this revision."""
    database.execute("UPDATE grants SET published_revision = max(published_revision, ?) WHERE grant_id = ?", (revision, grant_id))


def unpublished(database: sqlite3.Connection) -> list[GrantRow]:
    """Grants whose highest revision the log has not acknowledged. Requested ones never go there."""
    rows = database.execute(
        "SELECT * FROM grants WHERE published_revision < revision AND (state IN ('given', 'renewed') OR ended_wire IS NOT NULL)"
    )
    return [_grant(row) for row in rows]


def count_by_state(database: sqlite3.Connection) -> dict[str, int]:
    """How many grants stand in each state."""
    return {row[0]: int(row[1]) for row in database.execute("SELECT state, count(*) FROM grants GROUP BY state")}


def _insert_revision(database: sqlite3.Connection, revision: RevisionRow) -> None:
    database.execute(
        "INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            revision.grant_id,
            revision.revision,
            revision.state.value,
            stamp(revision.changed_at),
            revision.sha256,
            revision.prev_hash,
            revision.signature,
            revision.sealed,
        ),
    )


def _grant(row: sqlite3.Row) -> GrantRow:
    return GrantRow(
        grant_id=GrantId(row["grant_id"]),
        subject_id=SubjectId(row["subject_id"]),
        revision=row["revision"],
        state=GrantState(row["state"]),
        mode=BindingMode(row["mode"]),
        expires_at=moment(row["expires_at"]),
        changed_at=moment(row["changed_at"]),
        published_revision=row["published_revision"],
        ended_wire=row["ended_wire"],
    )


def _revision(row: sqlite3.Row) -> RevisionRow:
    return RevisionRow(
        grant_id=GrantId(row["grant_id"]),
        revision=row["revision"],
        state=GrantState(row["state"]),
        changed_at=moment(row["changed_at"]),
        sha256=row["sha256"],
        prev_hash=row["prev_hash"],
        signature=row["signature"],
        sealed=row["sealed"],
    )
