"""Handles the records of one batch, several at a time but never two of one key; nothing is written or committed here.

Read, handle, encode: a slice of records goes through one step before it comes to the next, so that the code of a step stays in the
processor's cache. Record by record the same work takes a sixth longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from assent.events.catalogue import EVENT_TYPES
from assent.events.envelope import Event, UnreadableEventError, decode, decode_signed, encode
from assent.events.payload import EventPayload
from assent.events.record import Record, StoredRecord
from assent.events.topics import HANDED_ON
from assent.stream.clock import Clock
from assent.stream.dead_letters import DeadLetter
from assent.stream.event_log import TopicPartition
from assent.stream.outcomes import Emit, Ignore, Outcome, PoisonMessageError, Refuse, RetryLaterError
from assent.stream.processor import JudgesUnreadable, Processor, ReadsSigned
from assent.telemetry.spans import OpenSpan
from assent.telemetry.tracing import is_unrecorded

_SIGNED = frozenset(topic.value for topic in HANDED_ON)
SLICE = 64
"""Records that go through a step together, where they are handled one by one."""


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


class _Read(NamedTuple):
    """A record as it was read: its event, or why there is none."""

    place: int
    record: StoredRecord
    event: Event[EventPayload] | UnreadableEventError
    is_genuine: bool
    span: OpenSpan | None


class _CameTo(NamedTuple):
    """What a record that was read came to, not yet encoded."""

    read: _Read
    outcome: Outcome | PoisonMessageError
    seconds: float


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
        signed: Callable[[Record], Record] = lambda record: record,
    ) -> None:
        self.records = tuple(records)
        self.put_back: dict[TopicPartition, Put] = {}
        self._clock = clock
        self._on_progress = on_progress
        self._is_genuine = is_genuine
        self._signed = signed
        self._handled: dict[int, Handled] = {}
        self._failure: Exception | None = None
        self._models: Mapping[str, type[EventPayload]] = EVENT_TYPES

    async def handle(self, processor: Processor, *, concurrency: int) -> None:
        """Handle what can be handled. Raises what the processor raised, unless it concerns one record or one partition."""
        gate = asyncio.Semaphore(concurrency)
        self._models = processor.models if isinstance(processor, ReadsSigned) else EVENT_TYPES

        async def work(chain: list[Sequence[int]]) -> None:
            async with gate:
                for indexes in chain:
                    await self._some(processor, indexes)

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

    def _chains(self, concurrency: int) -> list[list[Sequence[int]]]:
        """Records of one key in one chain, in order; with no concurrency the order of the poll, in slices."""
        if concurrency == 1:
            return [[range(at, min(at + SLICE, len(self.records))) for at in range(0, len(self.records), SLICE)]]
        chains: dict[bytes, list[Sequence[int]]] = {}
        for index, record in enumerate(self.records):
            chains.setdefault(record.key, []).append((index,))
        return list(chains.values())

    def _is_put_back(self, record: StoredRecord) -> bool:
        if not self.put_back:
            return False
        put = self.put_back.get(partition_of_record(record))
        return put is not None and record.offset >= put.offset

    async def _some(self, processor: Processor, indexes: Sequence[int]) -> None:
        """Take these records through every step, all through one before the next."""
        if self._failure is not None:
            return
        started = self._clock.monotonic()
        read = [self._read(index) for index in indexes]
        # A record's own time is that of its handling; of the other steps it has its share.
        share_s = (self._clock.monotonic() - started) / len(indexes)
        came_to = [one for each in read if each is not None and (one := await self._handle(processor, each)) is not None]
        started = self._clock.monotonic()
        outputs = [self._outputs(one.outcome) for one in came_to]
        share_s += (self._clock.monotonic() - started) / len(indexes)
        for one, records in zip(came_to, outputs, strict=True):
            self._handled[one.read.place] = _as_handled(one, records, share_s, clock=self._clock)

    def _read(self, index: int) -> _Read | None:
        """What a record says, of the record alone; None where there is nothing to be handled."""
        record = self.records[index]
        if self._is_put_back(record):
            return None
        if record.is_marker:
            self._handled[index] = Handled(record, None, (), None, "ignore", "marker", 0.0, None)
            return None
        is_genuine = self._is_genuine(record)
        try:
            event = decode_signed(record, self._models) if is_genuine and record.topic in _SIGNED else decode(record)
        except UnreadableEventError as error:
            return _Read(index, record, error, is_genuine, None)
        span: OpenSpan | None = None
        if not is_unrecorded(event.traceparent):
            span = OpenSpan.under(event.traceparent, now=self._clock.now())
            # What comes of it names this step as its cause; what came with it is not carried on as it was written.
            event = Event(event.id, event.source, event.time, event.data, span.context.header())
        return _Read(index, record, event, is_genuine, span)

    async def _handle(self, processor: Processor, read: _Read) -> _CameTo | None:
        """What the processor makes of it; None where the record was put back, or another one has failed."""
        if self._failure is not None or self._is_put_back(read.record):
            return None
        record, started = read.record, self._clock.monotonic()
        came_to: Outcome | PoisonMessageError | None = None
        try:
            event = read.event
            if isinstance(event, UnreadableEventError) or not read.is_genuine:
                raise await _poison(processor, read)
            came_to = await processor.handle(event, record)
        except PoisonMessageError as error:
            came_to = error
        except RetryLaterError as error:
            at = partition_of_record(record)
            if at not in self.put_back or record.offset < self.put_back[at].offset:
                self.put_back[at] = Put(record.offset, error)
        except Exception as error:  # noqa: BLE001  told to the runner once the other chains have come to a halt
            self._failure = self._failure or error
        self._on_progress()
        return None if came_to is None else _CameTo(read, came_to, self._clock.monotonic() - started)

    def _outputs(self, outcome: Outcome | PoisonMessageError) -> tuple[Record, ...]:
        if isinstance(outcome, Ignore | PoisonMessageError):
            return ()
        return tuple([self._signed(encode(event)) for event in outcome.events])


async def _poison(processor: Processor, read: _Read) -> PoisonMessageError:
    """Why a record cannot be handled: it holds no event, or somebody else made it. Raises what the processor raises of the former."""
    if not isinstance(read.event, UnreadableEventError):
        return PoisonMessageError("bad_signature")
    if isinstance(processor, JudgesUnreadable):
        await processor.unreadable(read.record)
    return PoisonMessageError(read.event.cause)


def _as_handled(one: _CameTo, outputs: tuple[Record, ...], share_s: float, *, clock: Clock) -> Handled:
    read, seconds = one.read, one.seconds + share_s
    if isinstance(one.outcome, PoisonMessageError):
        cause = one.outcome.cause
        return Handled(read.record, None, (), DeadLetter.of(read.record, cause, clock=clock), "dead", cause, seconds, read.span)
    name, reason = _told(one.outcome)
    event = None if isinstance(read.event, UnreadableEventError) else read.event
    return Handled(read.record, event, outputs, None, name, reason, seconds, read.span)


def _told(outcome: Outcome) -> tuple[str, str]:
    match outcome:
        case Emit():
            return "emit", "emitted"
        case Refuse():
            return "refuse", "refused"
        case Ignore(why=why):
            return "ignore", why
