"""What handling an event came to, as values; exceptions are for trouble only, and trouble is never a refusal or a pass."""

from __future__ import annotations

from dataclasses import dataclass

from assent.events.envelope import Event
from assent.events.payload import EventPayload
from assent.events.written import WrittenEvent

ToldEvent = Event[EventPayload] | WrittenEvent
"""What a processor has written."""


@dataclass(frozen=True, slots=True)
class Emit:
    """Write these events, then commit."""

    events: tuple[ToldEvent, ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    """The gate said no: write the refusals, then commit. A refused record advances the offset like any other."""

    events: tuple[ToldEvent, ...]


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing to write. `why` is a short code for the metric."""

    why: str


Outcome = Emit | Refuse | Ignore


class RetryLaterError(Exception):
    """Raised when trouble of ours stands in the way: the record stays where it is and is tried again after `after_s`."""

    def __init__(self, why: str, after_s: float = 1.0) -> None:
        super().__init__(why)
        self.why = why
        self.after_s = after_s


class PoisonMessageError(Exception):
    """Raised when a record can never be handled: it becomes a dead letter with this cause."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause
