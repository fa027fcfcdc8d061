"""Polls, handles, writes, then commits: outputs are acknowledged before offsets move, and trouble moves nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import structlog

from assent.events.record import Record, StoredRecord
from assent.stream.batch import Batch, Handled, partition_of_record
from assent.stream.clock import Clock
from assent.stream.dead_letters import DeadLetterError, TooManyDeadLettersError
from assent.stream.event_log import EventLog, LogUnavailableError, Subscription, TopicPartition
from assent.stream.held_partitions import HeldPartitions
from assent.stream.outcomes import RetryLaterError
from assent.stream.processor import AfterBatch, AfterCommit, BeforeBatch, Processor
from assent.stream.progress import ProgressWatch, StalledError
from assent.stream.record_span import record_span
from assent.stream.runner_observer import ProgressObserver, RunnerObserver
from assent.stream.table import TableStaleError
from assent.telemetry.spans import SpanExporter

__all__ = ["Readiness", "Runner", "RunnerObserver", "RunnerSettings", "StalledError"]
TURNS_TO_SEND = 2
"""Turns of the loop until a client has written a request that was asked for in a task of its own."""
_LOG = structlog.get_logger()


class Readiness(Protocol):
    """A table, as far as the runner cares."""

    @property
    def is_ready(self) -> bool:
        """It may be decided with."""
        ...


@dataclass(frozen=True, slots=True)
class RunnerSettings:
    """Batching: records per batch, how long a poll waits, records handled at once.

    Trouble: first and longest pause, seconds without the log or without progress before giving up, unreadable records in a
    row before giving up. Ending: seconds for the batch in hand at a stop or a rebalance. `watch_every_s`: how often lag and
    progress are looked at. `silent_after_s`: seconds without a turn of the loop before it counts as dead.
    """

    max_batch: int = 64
    poll_s: float = 0.5
    concurrency: int = 1
    retry_s: float = 0.2
    max_retry_s: float = 5.0
    stall_after_s: float = 120.0
    max_dead_in_a_row: int = 1_000
    drain_deadline_s: float = 10.0
    watch_every_s: float = 5.0
    silent_after_s: float = 60.0


class _Ending(NamedTuple):
    """A batch that is written and not known to be committed, and the task that commits it."""

    batch: Batch
    task: asyncio.Task[None]


class Runner:
    """One member of one group. A record that is not `is_genuine` is a dead letter; what is written leaves `signed`.

    `spans` takes the step of every record that was committed. `is_ours`: one of our own services wrote the record, so that being
    unable to read it is a fault of a release.
    """

    def __init__(
        self,
        log: EventLog,
        processor: Processor,
        *,
        member: str,
        clock: Clock,
        observer: RunnerObserver,
        settings: RunnerSettings = RunnerSettings(),
        tables: Sequence[Readiness] = (),
        group: str | None = None,
        is_genuine: Callable[[StoredRecord], bool] = lambda record: True,
        is_ours: Callable[[StoredRecord], bool] = lambda record: True,
        signed: Callable[[Record], Record] = lambda record: record,
        spans: SpanExporter | None = None,
    ) -> None:
        self._log = log
        self._processor = processor
        self._member = member
        self._clock = clock
        self._observer = observer
        self._settings = settings
        self._tables = tuple(tables)
        self._is_genuine = is_genuine
        self._is_ours = is_ours
        self._signed = signed
        self._spans = spans
        self._topics = [topic.value for topic in processor.topics]
        self._group = group or processor.name
        self._stopping = asyncio.Event()
        self._in_hand = asyncio.Lock()
        self._ending: _Ending | None = None
        self._lost: set[TopicPartition] = set()
        self._held = HeldPartitions(clock, first_s=settings.retry_s, most_s=settings.max_retry_s)
        self._watch = ProgressWatch(log, group=self._group, topics=self._topics, clock=clock, stall_after_s=settings.stall_after_s)
        self._subscription: Subscription | None = None
        self._last_turn = clock.monotonic()
        self._next_look = clock.monotonic()
        self._away_since: float | None = None
        self._waits_for_tables = False
        self._dead_in_a_row = 0
        self._age_s: dict[str, float] = {}

    async def run(self) -> None:
        """Work until `stop`. Raises whatever the processor raised that is not trouble, StalledError, DeadLetterError,
        TooManyDeadLettersError, TableBrokenError.
        """
        self._last_turn = self._clock.monotonic()  # it may have been built long before
        self._subscription = subscription = await self._log.subscribe(
            self._topics, group=self._group, member=self._member, on_revoked=self._on_revoked
        )
        working = asyncio.create_task(self._work(subscription))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await self._until_one_is_done(working, stopping)
            await asyncio.wait({working}, timeout=self._settings.drain_deadline_s)
        finally:
            # What is still in hand now is abandoned: not committed, so it is done again.
            for task in (working, stopping):
                task.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)
            self._subscription = None
            await subscription.close()
        if not working.cancelled():
            working.result()

    async def _until_one_is_done(self, *tasks: asyncio.Task[object]) -> None:
        """Raises StalledError when the loop stands still: what hangs cannot look at itself."""
        while not (await asyncio.wait(tasks, timeout=self._settings.watch_every_s, return_when=asyncio.FIRST_COMPLETED))[0]:
            if self.silent_for_s() > self._settings.stall_after_s:
                raise StalledError(
                    f"{self._processor.name} has finished no record and gone round no loop for {self.silent_for_s():.0f} s; "
                    "ending so that the process is started anew"
                )

    def stop(self) -> None:
        """Finish the batch in hand and leave."""
        self._stopping.set()

    def silent_for_s(self) -> float:
        """Seconds since the loop last went round or finished a record."""
        return self._clock.monotonic() - self._last_turn

    @property
    def is_alive(self) -> bool:
        """The loop goes round; whether the log answers does not matter here."""
        return self.silent_for_s() < self._settings.silent_after_s

    @property
    def is_ready(self) -> bool:
        """Joined, and every table may be decided with."""
        return self._subscription is not None and self._tables_are_ready()

    @property
    def lag_records(self) -> dict[TopicPartition, int]:
        """Per partition the records between the committed and the end offset, as last looked at."""
        return dict(self._watch.lag)

    async def _work(self, subscription: Subscription) -> None:
        try:
            while not self._stopping.is_set():
                self._alive()
                try:
                    await self._look(subscription)
                    await self._turn(subscription)
                except LogUnavailableError as error:
                    await self._away(error)
            try:
                await self._settle(subscription)
            except LogUnavailableError as error:
                await self._away(error)
        finally:
            if self._ending is not None:
                self._ending.task.cancel()
                await asyncio.gather(self._ending.task, return_exceptions=True)

    async def _turn(self, subscription: Subscription) -> None:
        """One batch. The one before it is committed while this one is fetched; of this one nothing is decided before that has ended."""
        fetched = await self._poll(subscription)
        await self._settle(subscription, fetched)
        if not fetched:
            return
        await self._in_hand.acquire()
        # What moved while the batch before was committed is its new owner's.
        records = [record for record in fetched if partition_of_record(record) not in self._lost] if self._lost else fetched
        batch = Batch(records, clock=self._clock, on_progress=self._alive, is_genuine=self._is_genuine, signed=self._signed)
        try:
            done = await self._do(batch)
        except (RetryLaterError, TableStaleError, LogUnavailableError) as error:
            self._in_hand.release()
            self._put_all_back(subscription, batch, error)
            if isinstance(error, LogUnavailableError):
                raise
            return
        except BaseException:
            self._in_hand.release()
            raise
        self._ending = _Ending(batch, asyncio.create_task(self._commit(subscription, batch, done)))
        self._ending.task.add_done_callback(lambda _: self._in_hand.release())
        if batch.put_back:
            # What lies behind a record that was put back must not be fetched now.
            await self._settle(subscription)
        else:
            # It goes out before the client is asked for what it has fetched, which holds up the loop.
            for _ in range(TURNS_TO_SEND):
                await asyncio.sleep(0)

    async def _settle(self, subscription: Subscription, fetched: Sequence[StoredRecord] = ()) -> None:
        """Wait until the batch before is committed. Raises what that raised; without the log, that and what was fetched are read again."""
        if self._ending is None:
            return
        (batch, task), self._ending = self._ending, None
        try:
            await task
        except LogUnavailableError as error:
            self._seek_back(subscription, fetched)
            self._put_all_back(subscription, batch, error)
            raise

    async def _poll(self, subscription: Subscription) -> list[StoredRecord]:
        """The next batch; none while a table is not ready: then everything is paused, and the loop goes on turning.

        A poll gives records of the assignment it ends under: what was taken away while it waited does not count against them.
        """
        self._held.let_through(subscription)
        is_waiting = not self._tables_are_ready()
        if is_waiting:
            subscription.pause(subscription.assignment())
        if is_waiting != self._waits_for_tables:
            self._waits_for_tables = is_waiting
            if is_waiting:
                self._observer.held(self._processor.name, "table_not_ready")
            else:
                subscription.resume(subscription.assignment() - self._held.current())
        timeout_s = self._held.next_in_s(self._settings.poll_s)
        records = await subscription.poll(max_records=self._settings.max_batch, timeout_s=timeout_s)
        self._lost.clear()
        if is_waiting:
            # A partition that was assigned while the poll waited was not yet paused.
            self._seek_back(subscription, records)
            return []
        return records

    async def _do(self, batch: Batch) -> list[Handled]:
        """Handle and write; nothing is committed here."""
        if isinstance(self._processor, BeforeBatch):
            await self._processor.before_batch()
        await batch.handle(self._processor, concurrency=self._settings.concurrency)
        done = batch.done()
        self._brake(done)
        await self._write(done)
        if isinstance(self._processor, AfterBatch):
            await self._processor.after_batch([handled.event for handled in done if handled.event is not None])
        return done

    async def _commit(self, subscription: Subscription, batch: Batch, done: Sequence[Handled]) -> None:
        """Commit what is written, and only then tell of it and tidy up after it."""
        done_to = batch.next_offsets()
        offsets = {at: offset for at, offset in done_to.items() if at not in self._lost}
        moved = await subscription.commit(offsets) | (done_to.keys() - offsets.keys())
        self._away_since = None
        # Not sooner: a batch that is not committed is handled again, and must not count twice.
        self._dead_in_a_row = self._brake(done)
        if moved:
            self._observer.commit_failed(self._processor.name)
        self._held.forget(offsets)
        for at, put in batch.put_back.items():
            self._observer.held(self._processor.name, type(put.error).__name__)
            if at not in self._lost:
                self._held.hold(subscription, at, put.offset, after_s=put.error.after_s)
        committed = [handled for handled in done if not moved or partition_of_record(handled.record) not in moved]
        self._report(committed)
        if isinstance(self._processor, AfterCommit):
            try:
                await self._processor.after_commit([handled.event for handled in committed if handled.event is not None])
            except RetryLaterError:
                # The records are done; what was to be tidied up after them is found by the sweep.
                self._observer.held(self._processor.name, "after_commit")

    async def _write(self, done: Sequence[Handled]) -> None:
        dead = [handled.dead.to_record() for handled in done if handled.dead is not None]
        if dead:
            try:
                await self._log.append(dead)
            except Exception as error:
                raise DeadLetterError(
                    f"{len(dead)} dead letters of {self._processor.name} could not be written ({type(error).__name__}); "
                    "check the log and the dead-letter topics, then start again"
                ) from error
        outputs = [record for handled in done for record in handled.outputs]
        if outputs:
            await self._log.append(outputs)

    def _brake(self, done: Sequence[Handled]) -> int:
        """Before the batch in hand is written off: a release that can read nothing must not empty the topic into dead letters.

        The batches before it were, so a process that is started anew moves on, by less than the limit at each start. What strangers
        wrote does not count, or whoever writes a thousand bad records would stop the service.
        """
        in_a_row = self._dead_in_a_row
        for handled in done:
            if handled.dead is None:
                in_a_row = 0
            elif self._is_ours(handled.record):
                in_a_row += 1
            if in_a_row >= self._settings.max_dead_in_a_row:
                at = handled.record
                raise TooManyDeadLettersError(
                    f"{in_a_row} records of {at.topic} in a row could not be read ({handled.reason}), the last at partition "
                    f"{at.partition}, offset {at.offset}; the batch in hand was not written off. If this release cannot read them, stop it "
                    "and start one that can. If the records are bad, start it again: each start writes off the next "
                    f"{self._settings.max_dead_in_a_row} at most and goes on behind them"
                )
        return in_a_row

    async def _on_revoked(self, partitions: frozenset[TopicPartition]) -> None:
        """Let the batch in hand end before its partitions move; one that ends later is not committed and is done again."""
        if isinstance(self._observer, ProgressObserver):
            self._observer.rebalanced(self._processor.name, len(partitions))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.drain_deadline_s), self._in_hand:
                pass
        self._lost.update(partitions)
        self._held.forget(partitions)

    async def _look(self, subscription: Subscription) -> None:
        """Now and then: lag, whether the log answers, and whether the group moves."""
        now = self._clock.monotonic()
        if now < self._next_look:
            return
        # What is on its way to be committed is no lag.
        await self._settle(subscription)
        self._next_look = now + self._settings.watch_every_s
        # Waiting for a table is no stall: nothing of the group is to move then.
        held = self._watch.lag.keys() if self._waits_for_tables else self._held.current()
        before = self._watch.lag.keys()
        await self._watch.look(assigned=subscription.assignment(), held=held)
        self._away_since = None
        if isinstance(self._observer, ProgressObserver):
            for at in before - self._watch.lag.keys():
                self._observer.moved_away(at.topic, at.partition)
            for at, records in self._watch.lag.items():
                self._observer.lag(self._processor.name, at.topic, at.partition, records)
            for topic in self._topics:
                self._tell_time_lag(self._observer, topic)

    def _tell_time_lag(self, observer: ProgressObserver, topic: str) -> None:
        """0 when nothing waits; while nothing moves it grows from the age of the record finished last."""
        waits_s = self._watch.waits_s(topic)
        if waits_s is None:
            self._age_s.pop(topic, None)
            observer.time_lag(topic, 0.0)
        elif waits_s > 0:
            observer.time_lag(topic, self._age_s.get(topic, 0.0) + waits_s)

    async def _away(self, error: LogUnavailableError) -> None:
        """Wait a little; without the log for too long, end."""
        now = self._clock.monotonic()
        self._away_since = now if self._away_since is None else self._away_since
        away_s = now - self._away_since
        _LOG.warning("log_unavailable", stage=self._processor.name)
        if away_s > self._settings.stall_after_s:
            raise StalledError(f"the log was away for {away_s:.0f} s; ending so that the process is started anew") from error
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.retry_s):
                await self._stopping.wait()

    def _put_all_back(self, subscription: Subscription, batch: Batch, error: Exception) -> None:
        self._observer.held(self._processor.name, type(error).__name__)
        after_s = error.after_s if isinstance(error, RetryLaterError) else 0.0
        held = subscription.assignment() - self._lost
        for at, offset in batch.first_offsets().items():
            if at in held:
                self._held.hold(subscription, at, offset, after_s=after_s)

    def _seek_back(self, subscription: Subscription, records: Collection[StoredRecord]) -> None:
        for at, offset in Batch(tuple(records), clock=self._clock, on_progress=self._alive).first_offsets().items():
            if at not in self._lost:
                subscription.seek(at, offset)

    def _report(self, done: Sequence[Handled]) -> None:
        if self._spans is not None:
            self._trace(self._spans, done)
        for handled in done:
            if handled.dead is not None:
                self._observer.dead(handled.record.topic, handled.reason)
            self._observer.finished(self._processor.name, handled.outcome, handled.reason, handled.seconds)
        if done and isinstance(self._observer, ProgressObserver):
            for topic, count in Counter(handled.record.topic for handled in done).items():
                self._observer.consumed(topic, count)
            last = done[-1].record
            self._age_s[last.topic] = max(0.0, self._clock.now().timestamp() - last.timestamp_ms / 1000)
            self._observer.time_lag(last.topic, self._age_s[last.topic])

    def _trace(self, spans: SpanExporter, done: Sequence[Handled]) -> None:
        spans.export(
            [
                record_span(one.span, one.record, stage=self._processor.name, outcome=one.outcome, reason=one.reason, seconds=one.seconds)
                for one in done
                if one.span is not None and one.span.context.is_sampled
            ]
        )

    def _tables_are_ready(self) -> bool:
        return all(table.is_ready for table in self._tables)

    def _alive(self) -> None:
        self._last_turn = self._clock.monotonic()
