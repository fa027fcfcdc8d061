"""Tells a producer in its own feed which of its records were given up; only what its signature proves to be its own, and no payload."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass

from assent.deciding.outcome_remedies import DeadOutcome, dead_outcome_of
from assent.events.envelope import event_id
from assent.events.images import Stage
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.ids import ProducerId
from assent.intake.attribution import is_readable_as_signed
from assent.intake.producer_window import record_digest
from assent.intake.producers import ProducerDirectory
from assent.intake.proven_sender import proven_sender
from assent.stream.dead_letter_reader import DeadLetterReader
from assent.stream.dead_letters import DeadLetter
from assent.stream.event_log import EventLog
from services.registry.outcome_table import insert_dead
from services.registry.store import RegistryStore

TOPIC = Topic.IMAGES_SCRAPED
"""The one topic that outside producers write to."""
READ_AT_ONCE = 500
UNPROVEN = frozenset({"unknown_producer", "bad_signature"})
"""Causes that say that nobody is proven: their records are not even read."""


@dataclass(frozen=True, slots=True)
class _Found:
    letter: DeadLetter
    producer: ProducerId
    outcome: DeadOutcome
    digest: str


class DeadLetterWatch:
    """A page of letters a round. After a restart it begins at the first letter that is kept; what is there already changes nothing.

    The same record counts once, however often it is redelivered, copied or replayed.
    """

    def __init__(self, *, log: EventLog, store: RegistryStore, producers: ProducerDirectory) -> None:
        self._reader = DeadLetterReader(log)
        self._store = store
        self._producers = producers
        self._next = 0

    async def look(self) -> None:
        """Read on. Raises LogUnavailableError or BlobStoreUnavailableError; then the page is read again."""
        page = await self._reader.page(TOPIC, start=self._next, until=None, most=READ_AT_ONCE)
        letters = [letter for letter in page.letters.values() if letter.cause not in UNPROVEN]
        found: list[_Found] = []
        async for letter, source in self._reader.sources(TOPIC, letters):
            producer = None if source.record is None else await self._producer(source.record, letter)
            if producer is not None and source.record is not None:
                found.append(_Found(letter, producer, dead_outcome_of(letter.cause), record_digest(source.record)))
            await asyncio.sleep(0)
        if found:
            await self._store.write(lambda database: _write(database, found))
        self._next = page.next

    async def _producer(self, record: StoredRecord, letter: DeadLetter) -> ProducerId | None:
        """Whoever copies a signed record can spoil its other headers: that is not its producer's doing, and is not told it."""
        if dead_outcome_of(letter.cause) is DeadOutcome.UNREADABLE_EVENT and is_readable_as_signed(record):
            return None
        return await proven_sender(record, self._producers)


def _write(database: sqlite3.Connection, found: list[_Found]) -> None:
    for one in found:
        insert_dead(
            database,
            event_id("dead", one.producer, one.digest, one.outcome.value),
            producer=one.producer,
            place=f"{one.letter.topic}/{one.letter.partition}/{one.letter.offset}",
            stage=Stage.GEOFENCE.value,
            outcome=one.outcome.value,
            at=one.letter.seen_at,
        )
