"""What could not be read, by place, cause and digest; never the payload, nor a key that an outsider may have chosen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Annotated

from pydantic import Field, TypeAdapter

from assent.events.payload import UtcTime
from assent.events.record import Record, StoredRecord
from assent.stream.clock import Clock


class DeadLetterError(Exception):
    """Raised when a dead letter could not be written: the process ends rather than lose track of a record."""


class TooManyDeadLettersError(Exception):
    """Raised when nothing but unreadable records comes in a row: more likely a wrong release of ours than so much poison."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record that was given up. `cause` is a short code; `sha256` is of its value."""

    topic: str
    partition: Annotated[int, Field(ge=0)]
    offset: Annotated[int, Field(ge=0)]
    cause: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,100}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    seen_at: UtcTime

    @classmethod
    def of(cls, record: StoredRecord, cause: str, *, clock: Clock) -> DeadLetter:
        """The dead letter of a record."""
        return cls(record.topic, record.partition, record.offset, cause, _digest(record), clock.now())

    @classmethod
    def from_record(cls, record: StoredRecord) -> DeadLetter:
        """Read one back. Raises ValueError, also for one that nobody here wrote: it may be shown at a terminal."""
        try:
            return _LETTER.validate_json(record.value or b"")
        except RecursionError as error:
            raise ValueError("a dead letter is no such depth") from error

    def is_about(self, record: StoredRecord) -> bool:
        """The record lies at the place of this letter and has its digest."""
        return (record.topic, record.partition, record.offset, _digest(record)) == (self.topic, self.partition, self.offset, self.sha256)

    def to_record(self) -> Record:
        """For the dead-letter topic of its own topic, keyed by its place, so that a redelivery is recognised."""
        body = asdict(self) | {"seen_at": self.seen_at.isoformat()}
        key = f"{self.topic}/{self.partition}/{self.offset}".encode()
        return Record(topic=f"{self.topic}.dlq", key=key, value=json.dumps(body, sort_keys=True).encode())


_LETTER = TypeAdapter(DeadLetter)


def _digest(record: StoredRecord) -> str:
    return hashlib.sha256(record.value or b"").hexdigest()
