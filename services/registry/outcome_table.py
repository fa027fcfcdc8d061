"""What became of sightings, which faces are held and who was told of them: identifiers, coarse outcomes and times, nothing else."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from assent.ids import FaceId, GrantId, ImageId, ProducerId, SightingId
from services.registry.time_text import moment, stamp


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """The coarse outcome of one sighting at one stage; `sequence` orders the feed.

    Of a record that was given up there is no sighting, and `place` says where it lies: topic/partition/offset.
    """

    sequence: int
    sighting_id: SightingId | None
    image_id: ImageId | None
    grant_id: GrantId | None
    producer: ProducerId
    stage: str
    outcome: str
    at: datetime
    place: str | None


@dataclass(frozen=True, slots=True)
class HeldFace:
    """A face that is held under a grant."""

    face_id: FaceId
    embedded_at: datetime


@dataclass(frozen=True, slots=True)
class DisclosureRow:
    """Who was told of one of her faces, for what, when."""

    query_id: str
    face_id: FaceId
    caller: str
    purpose: str
    answered_at: datetime


def insert_sighting(
    database: sqlite3.Connection, sighting_id: SightingId, producer: ProducerId, grant_id: GrantId | None, *, now: datetime
) -> None:
    """An image was handed in by this producer; the first report stands."""
    database.execute("INSERT OR IGNORE INTO sightings VALUES (?, ?, ?, ?)", (sighting_id, producer, grant_id, stamp(now)))


def sightings_of(database: sqlite3.Connection, grant_id: GrantId) -> list[SightingId]:
    """The images she handed in under this grant."""
    rows = database.execute("SELECT sighting_id FROM sightings WHERE grant_id = ?", (grant_id,))
    return [SightingId(row[0]) for row in rows]


def producer_of(database: sqlite3.Connection, sighting_id: SightingId) -> ProducerId | None:
    """Who handed the image in, if it came through the registry."""
    row = database.execute("SELECT producer FROM sightings WHERE sighting_id = ?", (sighting_id,)).fetchone()
    return None if row is None else ProducerId(row[0])


def insert_outcome(
    database: sqlite3.Connection,
    event_id: str,
    *,
    sighting_id: SightingId,
    image_id: ImageId | None,
    grant_id: GrantId | None,
    producer: ProducerId,
    stage: str,
    outcome: str,
    at: datetime,
) -> bool:
    """Take one outcome, and say whether it was new; a redelivered event changes nothing. What comes after the end of its grant is kept
    without it.
    """
    taken = database.execute(
        "INSERT OR IGNORE INTO outcomes (event_id, sighting_id, image_id, grant_id, producer, stage, outcome, at) "
        "VALUES (?1, ?2, ?3, CASE WHEN EXISTS (SELECT 1 FROM erasures WHERE grant_id = ?4) THEN NULL ELSE ?4 END, ?5, ?6, ?7, ?8)",
        (event_id, sighting_id, image_id, grant_id, producer, stage, outcome, stamp(at)),
    )
    return taken.rowcount == 1


def insert_dead(
    database: sqlite3.Connection, event_id: str, *, producer: ProducerId, place: str, stage: str, outcome: str, at: datetime
) -> None:
    """Take one record that was given up; the first place that it was found at stands. It is no sighting, and under no grant."""
    database.execute(
        "INSERT OR IGNORE INTO outcomes (event_id, sighting_id, producer, stage, outcome, at, place) VALUES (?, '', ?, ?, ?, ?, ?)",
        (event_id, producer, stage, outcome, stamp(at), place),
    )


def outcomes_after(
    database: sqlite3.Connection, *, producer: ProducerId | None, grant_id: GrantId | None, after: int, limit: int
) -> list[OutcomeRow]:
    """The feed of one producer or one grant, in order, from behind `after`."""
    rows = database.execute(
        "SELECT * FROM outcomes WHERE sequence > ?1 AND (?2 IS NULL OR producer = ?2) AND (?3 IS NULL OR grant_id = ?3) "
        "ORDER BY sequence LIMIT ?4",
        (after, producer, grant_id, limit),
    )
    return [
        OutcomeRow(
            sequence=row["sequence"],
            sighting_id=SightingId(row["sighting_id"]) if row["place"] is None else None,
            image_id=None if row["image_id"] is None else ImageId(row["image_id"]),
            grant_id=None if row["grant_id"] is None else GrantId(row["grant_id"]),
            producer=ProducerId(row["producer"]),
            stage=row["stage"],
            outcome=row["outcome"],
            at=moment(row["at"]),
            place=row["place"],
        )
        for row in rows
    ]


def insert_face(database: sqlite3.Connection, face_id: FaceId, grant_id: GrantId, *, at: datetime) -> None:
    """A face is held, unless its grant has an erasure already."""
    database.execute(
        "INSERT OR IGNORE INTO held_faces SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE grant_id = ?2)",
        (face_id, grant_id, stamp(at)),
    )


def faces_of(database: sqlite3.Connection, grant_id: GrantId) -> list[HeldFace]:
    """Her faces under this grant, oldest first."""
    rows = database.execute("SELECT * FROM held_faces WHERE grant_id = ? ORDER BY embedded_at, face_id", (grant_id,))
    return [HeldFace(FaceId(row["face_id"]), moment(row["embedded_at"])) for row in rows]


def insert_disclosure(database: sqlite3.Connection, disclosure: DisclosureRow, grant_id: GrantId) -> None:
    """Somebody was told; a redelivered record changes nothing. It stays until the grant is erased."""
    database.execute(
        "INSERT OR IGNORE INTO disclosures SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE grant_id = ?3)",
        (
            disclosure.query_id,
            disclosure.face_id,
            grant_id,
            disclosure.caller,
            disclosure.purpose,
            stamp(disclosure.answered_at),
        ),
    )


def disclosures_of(database: sqlite3.Connection, grant_id: GrantId) -> list[DisclosureRow]:
    """Who was told of faces under this grant, newest first."""
    rows = database.execute("SELECT * FROM disclosures WHERE grant_id = ? ORDER BY answered_at DESC", (grant_id,))
    return [
        DisclosureRow(
            query_id=row["query_id"],
            face_id=FaceId(row["face_id"]),
            caller=row["caller"],
            purpose=row["purpose"],
            answered_at=moment(row["answered_at"]),
        )
        for row in rows
    ]


def forget_grant(database: sqlite3.Connection, grant_id: GrantId) -> int:
    """Delete every row about the faces, outcomes and disclosures of a grant that has ended; how many there were."""
    return sum(
        database.execute(f"DELETE FROM {table} WHERE grant_id = ?", (grant_id,)).rowcount
        for table in ("held_faces", "disclosures", "outcomes", "waiting")
    )


def forget_sightings(database: sqlite3.Connection, grant_id: GrantId) -> None:
    """Delete which images she handed in, once their originals are gone."""
    database.execute("DELETE FROM sightings WHERE grant_id = ?", (grant_id,))
