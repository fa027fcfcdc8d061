"""What a service gives to the runner: one handler and, where its sink needs them, hooks round a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from assent.events.envelope import Event
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.stream.outcomes import Outcome


class Processor(Protocol):
    """Handles events one by one; the same event twice must come to the same."""

    @property
    def name(self) -> str:
        """The consumer group and the stage in metrics."""
        ...

    @property
    def topics(self) -> tuple[Topic, ...]:
        """What it reads."""
        ...

    async def handle(self, event: Event[EventPayload], record: StoredRecord) -> Outcome:
        """What the event comes to. Raises RetryLaterError, PoisonMessageError; anything else stops the process."""
        ...


@runtime_checkable
class JudgesUnreadable(Protocol):
    """A processor of a topic that outsiders write: it wants to know whose a record is that cannot be read."""

    async def unreadable(self, record: StoredRecord) -> None:
        """Called before the record becomes a dead letter. Raises RetryLaterError."""
        ...


@runtime_checkable
class ReadsSigned(Protocol):
    """A processor that needs less of what a stage of ours signed than stands in it."""

    @property
    def models(self) -> Mapping[str, type[EventPayload]]:
        """By type, by what it is read. Every type of its topics is named."""
        ...


@runtime_checkable
class BeforeBatch(Protocol):
    """A processor that prepares for a batch, for example by catching its tables up."""

    async def before_batch(self) -> None:
        """Called before the first record of a batch is handled."""
        ...


@runtime_checkable
class AfterBatch(Protocol):
    """A processor whose sink writes whole batches."""

    async def after_batch(self, events: Sequence[Event[EventPayload]]) -> None:
        """Called when all were handled and outputs acknowledged, before the commit."""
        ...


@runtime_checkable
class AfterCommit(Protocol):
    """A processor that lets go of something once the offsets are committed."""

    async def after_commit(self, events: Sequence[Event[EventPayload]]) -> None:
        """Called after the commit; a crash in between leaves it to the sweepers."""
        ...
