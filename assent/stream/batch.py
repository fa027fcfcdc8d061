"""Handles the records of one batch, several at a time but never two of one key; nothing is written or committed here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from assent.events.envelope import Event, UnreadableEventError, decode, decode_signed, encode
from assent.events.payload import EventPayload
from assent.events.record import Record, StoredRecord
from assent.events.topics import HANDED_ON
from assent.stream.clock import Clock
from assent.stream.dead_letters import DeadLetter
from assent.stream.event_log import TopicPartition
from assent.stream.outcomes import Emit, Ignore, Outcome, PoisonMessageError, Refuse, RetryLaterError
from assent.stream.processor import JudgesUnreadable, Processor
from assent.telemetry.spans import OpenSpan
from assent.telemetry.tracing import is_unrecorded

_SIGNED = frozenset(topic.value for topic in HANDED_ON)


# A tuple, not a data class: one is made for every record.
class Handled(NamedTuple):
    """What one record came to: an event with its outputs, or a dead letter.

    `span` is None where no event could be read, and where nobody records the trace.
    """

    record: StoredRecord
    event: Event[EventPayload] | None
    outputs: tuple[Record, ...]
    dead: DeadLetter | None
    outcome: str
    reason: str
    seconds: float
    span: OpenSpan | None


@dataclass(frozen=True, slots=True)
class Put:
    """From here on the partition is put back, and why."""

    offset: int
    error: RetryLaterError


def partition_of_record(record: StoredRecord) -> TopicPartition:
    """Where a record lies."""
    return TopicPartition(record.topic, record.partition)


class Batch:
    """One run over polled records. `put_back` says from which offset a partition must be read again."""

    def __init__(
        self,
        records: Sequence[StoredRecord],
        *,
        clock: Clock,
        on_progress: Callable[[], None],
        is_genuine: Callable[[StoredRecord], bool] = lambda record: True,
    ) -> None:
        self.records = tuple(records)
        self.put_back: dict[TopicPartition, Put] = {}
        self._clock = clock
        self._on_progress = on_progress
        self._is_genuine = is_genuine
        self._handled: dict[int, Handled] = {}
        self._failure: Exception | None = None

    async def handle(self, processor: Processor, *, concurrency: int) -> None:
        """Handle what can be handled. Raises what the processor raised, unless it concerns one record or one partition."""
        gate = asyncio.Semaphore(concurrency)

        async def work(chain: list[int]) -> None:
            async with gate:
                for index in chain:
                    if self._failure is None and not self._is_put_back(self.records[index]):
                        await self._one(processor, index)

        await asyncio.gather(*(work(chain) for chain in self._chains(concurrency)))
        if self._failure is not None:
            raise self._failure

    def done(self) -> list[Handled]:
        """In the order of the poll; what was put back is not among them, handled or not."""
        if not self.put_back:
            return [self._handled[index] for index in range(len(self.records))]
        return [self._handled[index] for index, record in enumerate(self.records) if not self._is_put_back(record)]

    def next_offsets(self) -> dict[TopicPartition, int]:
        """Per partition the offset after the last record that is done with all before it."""
        found: dict[tuple[str, int], int] = {}
        for record in self.records:
            at = (record.topic, record.partition)
            if record.offset >= found.get(at, 0) and not self._is_put_back(record):
                found[at] = record.offset + 1
        return {TopicPartition(*at): offset for at, offset in found.items()}

    def first_offsets(self) -> dict[TopicPartition, int]:
        """Per partition where the batch began."""
        found: dict[TopicPartition, int] = {}
        for record in self.records:
            at = partition_of_record(record)
            found[at] = min(found.get(at, record.offset), record.offset)
        return found

    def _chains(self, concurrency: int) -> list[list[int]]:
        """Records of one key in one chain, in order; with no concurrency the order of the poll."""
        if concurrency == 1:
            return [list(range(len(self.records)))]
        chains: dict[bytes, list[int]] = {}
        for index, record in enumerate(self.records):
            chains.setdefault(record.key, []).append(index)
        return list(chains.values())

    def _is_put_back(self, record: StoredRecord) -> bool:
        if not self.put_back:
            return False
        put = self.put_back.get(partition_of_record(record))
        return put is not None and record.offset >= put.offset

    async def _one(self, processor: Processor, index: int) -> None:
        record, started = self.records[index], self._clock.monotonic()
        if record.is_marker:
            self._handled[index] = Handled(record, None, (), None, "ignore", "marker", 0.0, None)
            return
        span: OpenSpan | None = None
        try:
            is_genuine = self._is_genuine(record)
            event = await _read(processor, record, is_signed=is_genuine and record.topic in _SIGNED)
            if not is_unrecorded(event.traceparent):
                span = OpenSpan.under(event.traceparent, now=self._clock.now())
                # What comes of it names this step as its cause; what came with it is not carried on as it was written.
                event = Event(event.id, event.source, event.time, event.data, span.context.header())
            if not is_genuine:
                raise PoisonMessageError("bad_signature")
            outcome = await processor.handle(event, record)
        except PoisonMessageError as error:
            dead = DeadLetter.of(record, error.cause, clock=self._clock)
            self._handled[index] = Handled(record, None, (), dead, "dead", error.cause, self._clock.monotonic() - started, span)
        except RetryLaterError as error:
            at = partition_of_record(record)
            if at not in self.put_back or record.offset < self.put_back[at].offset:
                self.put_back[at] = Put(record.offset, error)
        except Exception as error:  # noqa: BLE001  told to the runner once the other chains have come to a halt
            self._failure = self._failure or error
        else:
            name, reason = _told(outcome)
            seconds = self._clock.monotonic() - started
            self._handled[index] = Handled(record, event, _records(outcome), None, name, reason, seconds, span)
        self._on_progress()


async def _read(processor: Processor, record: StoredRecord, *, is_signed: bool) -> Event[EventPayload]:
    """The event of a record. Raises PoisonMessageError where there is none, and RetryLaterError."""
    try:
        return decode_signed(record) if is_signed else decode(record)
    except UnreadableEventError as error:
        if isinstance(processor, JudgesUnreadable):
            await processor.unreadable(record)
        raise PoisonMessageError(error.cause) from error


def _records(outcome: Outcome) -> tuple[Record, ...]:
    return () if isinstance(outcome, Ignore) else tuple([encode(event) for event in outcome.events])


def _told(outcome: Outcome) -> tuple[str, str]:
    match outcome:
        case Emit():
            return "emit", "emitted"
        case Refuse():
            return "refuse", "refused"
        case Ignore(why=why):
            return "ignore", why
