"""What could not be read, by place, cause and digest; never the payload, nor a key that an outsider may have chosen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime

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
    partition: int
    offset: int
    cause: str
    sha256: str
    seen_at: datetime

    @classmethod
    def of(cls, record: StoredRecord, cause: str, *, clock: Clock) -> DeadLetter:
        """The dead letter of a record."""
        digest = hashlib.sha256(record.value or b"").hexdigest()
        return cls(record.topic, record.partition, record.offset, cause, digest, clock.now())

    @classmethod
    def from_record(cls, record: StoredRecord) -> DeadLetter:
        """Read one back. Raises ValueError."""
        fields = json.loads(record.value or b"")
        return cls(**(fields | {"seen_at": datetime.fromisoformat(fields["seen_at"])}))

    def to_record(self) -> Record:
        """For the dead-letter topic of its own topic, keyed by its place, so that a redelivery is recognised."""
        body = asdict(self) | {"seen_at": self.seen_at.isoformat()}
        key = f"{self.topic}/{self.partition}/{self.offset}".encode()
        return Record(topic=f"{self.topic}.dlq", key=key, value=json.dumps(body, sort_keys=True).encode())
