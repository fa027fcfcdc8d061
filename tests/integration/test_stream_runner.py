"""The runner on the real embedded log: what is committed was written, and trouble moves nothing."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from prometheus_client import CollectorRegistry

from assent.deployment.observer import MetricsObserver
from assent.events.envelope import Event, encode
from assent.events.payload import EventPayload
from assent.events.record import Record, StoredRecord
from assent.events.topics import TOPICS
from assent.stream.clock import SystemClock
from assent.stream.dead_letters import DeadLetter, DeadLetterError, TooManyDeadLettersError
from assent.stream.event_log import OnRevoked, TopicPartition
from assent.stream.local import SqliteEventLog
from assent.stream.local_group import LocalSubscription
from assent.stream.outcomes import Emit, Ignore, Outcome, PoisonMessageError, Refuse, RetryLaterError
from assent.stream.runner import Readiness, Runner, RunnerSettings, StalledError
from assent.stream.table import Table, TableBrokenError, TableStaleError
from assent.telemetry.meter import Metrics
from assent.telemetry.spans import Span, SpanExporter
from assent.telemetry.tracing import TraceContext
from tests.integration.stream_workbench import (
    GROUP,
    IN,
    OUT,
    QUICK,
    Crash,
    FaultyLog,
    Seen,
    Worker,
    answer,
    answered,
    committed,
    inputs,
    started,
    until,
    withdrawn,
    written,
)

NAMES = tuple(f"g-{number}" for number in range(20))


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[FaultyLog]:
    log = FaultyLog(tmp_path / "log.db")
    await started(log)
    yield log
    await log.close()


def runner_of(
    log: SqliteEventLog,
    worker: Worker,
    *,
    seen: Seen | None = None,
    member: str = "m",
    settings: RunnerSettings = QUICK,
    tables: Sequence[Readiness] = (),
    spans: SpanExporter | None = None,
) -> Runner:
    observer = seen or Seen()
    return Runner(log, worker, member=member, clock=SystemClock(), observer=observer, settings=settings, tables=tables, spans=spans)


@asynccontextmanager
async def running(runner: Runner) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(runner.run())
    try:
        yield task
    finally:
        runner.stop()
        await asyncio.gather(task, return_exceptions=True)


async def is_done(log: FaultyLog, count: int) -> None:
    async def enough() -> bool:
        return await committed(log) >= count

    await until(enough)


async def test_outputs_are_written_before_offsets_are_committed(log: FaultyLog) -> None:
    worker, seen = Worker(), Seen()
    await log.append(inputs(*NAMES))
    log.calls.clear()
    async with running(runner_of(log, worker, seen=seen, settings=replace(QUICK, max_batch=1))):
        await is_done(log, len(NAMES))
        await until(lambda: len(worker.committed) == len(NAMES))
    assert log.calls == [f"append {OUT.value}", "commit"] * len(NAMES)
    assert sorted(await answered(log)) == sorted(NAMES)
    assert seen.outcomes == [("emit", "emitted")] * len(NAMES)


async def test_the_same_event_twice_gives_the_same_output_event(log: FaultyLog) -> None:
    await log.append(inputs("g-1", "g-1"))
    async with running(runner_of(log, Worker())):
        await is_done(log, 2)
    assert len({record.header("ce_id") for record in await written(log, OUT.value)}) == 1


async def test_a_crash_between_writing_and_committing_loses_nothing(log: FaultyLog) -> None:
    await log.append(inputs(*NAMES))
    log.commit_crashes = True
    with pytest.raises(Crash):
        await runner_of(log, Worker()).run()
    assert await committed(log) == 0
    log.commit_crashes = False
    async with running(runner_of(log, Worker())):
        await is_done(log, len(NAMES))
    out = await written(log, OUT.value)
    assert {record.key.decode() for record in out} == set(NAMES)
    assert len(out) > len(NAMES)
    assert len({record.header("ce_id") for record in out}) == len(NAMES)


async def test_a_refusal_is_written_and_advances_the_offset(log: FaultyLog) -> None:
    async def refuse(event: Event[EventPayload]) -> Outcome | None:
        return Refuse((answer(event),)) if event.data.key() == "g-1" else Ignore("nothing_to_do")

    seen = Seen()
    await log.append(inputs("g-1", "g-2"))
    async with running(runner_of(log, Worker(refuse), seen=seen)):
        await is_done(log, 2)
        await until(lambda: len(seen.outcomes) == 2)
    assert await answered(log) == ["g-1"]
    assert sorted(seen.outcomes) == [("ignore", "nothing_to_do"), ("refuse", "refused")]


async def test_what_cannot_be_read_or_handled_becomes_a_dead_letter_without_its_payload(log: FaultyLog) -> None:
    async def poison(event: Event[EventPayload]) -> Outcome | None:
        if event.data.key() == "g-2":
            raise PoisonMessageError("bad_signature")
        return None

    secret = b"ada@private.example"
    seen = Seen()
    await log.append([*inputs("g-1"), Record(IN.value, secret, secret), *inputs("g-2", "g-3")])
    async with running(runner_of(log, Worker(poison), seen=seen)):
        await is_done(log, 4)
        await until(lambda: len(seen.causes) == 2)
    assert sorted(await answered(log)) == ["g-1", "g-3"]
    records = await written(log, IN.dead_letters)
    letters = [DeadLetter.from_record(record) for record in records]
    assert sorted(letter.cause for letter in letters) == ["bad_signature", "malformed"]
    for record in records:
        assert secret not in (record.value or b"") + record.key
        assert set(json.loads(record.value or b"")) == {"topic", "partition", "offset", "cause", "sha256", "seen_at"}


async def test_a_dead_letter_that_cannot_be_written_stops_the_process(log: FaultyLog) -> None:
    await log.append([Record(IN.value, b"k", b"not an event")])
    log.append_fails = {IN.dead_letters}
    with pytest.raises(DeadLetterError, match="could not be written"):
        await runner_of(log, Worker()).run()
    assert await committed(log) == 0


async def test_nothing_but_dead_letters_stops_before_they_are_written_off(log: FaultyLog) -> None:
    await log.append([Record(IN.value, f"k{number}".encode(), b"new format") for number in range(30)])
    settings = replace(QUICK, max_batch=8, max_dead_in_a_row=20)
    with pytest.raises(TooManyDeadLettersError, match=r"20 records of withdrawals.* \(malformed\).*offset.*start it again"):
        await runner_of(log, Worker(), settings=settings).run()
    assert len(await written(log, IN.dead_letters)) == await committed(log) == 16


async def test_bad_records_without_end_are_left_behind_by_starting_again(log: FaultyLog) -> None:
    """A supervisor that starts the process anew must not turn on the same records for ever: each start gets further."""
    await log.append([Record(IN.value, b"k", b"new format", partition=0) for _ in range(50)])
    await log.append(inputs("g-1", partition=0))
    settings = replace(QUICK, max_batch=8, max_dead_in_a_row=20)
    stood: list[int] = []
    for _ in range(2):
        with pytest.raises(TooManyDeadLettersError):
            await runner_of(log, Worker(), settings=settings).run()
        stood.append(await committed(log))
    assert stood == [16, 32]
    async with running(runner_of(log, Worker(), settings=settings)):
        await is_done(log, 51)
    assert await answered(log) == ["g-1"]
    assert len(await written(log, IN.dead_letters)) == 50


async def test_a_batch_that_could_not_be_committed_does_not_count_twice(log: FaultyLog) -> None:
    await log.append([Record(IN.value, f"k{number}".encode(), b"new format") for number in range(8)])
    log.commits_refused = 4
    async with running(runner_of(log, Worker(), settings=replace(QUICK, max_dead_in_a_row=20))) as task:
        await until(lambda: task.done() or log.commits_refused == 0)
        await is_done(log, 8)
        assert not task.done(), "forty in a row would have stopped it"


async def test_whoever_wants_to_know_is_asked_whose_an_unreadable_record_is_and_may_hold_it(log: FaultyLog) -> None:
    asked: list[bytes] = []

    class Asking(Worker):
        async def unreadable(self, record: StoredRecord) -> None:
            asked.append(record.key)
            if len(asked) < 3:
                raise RetryLaterError("the store is away", after_s=0.01)

    await log.append([*inputs("g-1", partition=0), Record(IN.value, b"k", b"new format", partition=0), *inputs("g-2", partition=0)])
    async with running(runner_of(log, Asking())):
        await is_done(log, 3)
    assert asked == [b"k"] * 3
    assert await answered(log) == ["g-1", "g-2"]
    assert len(await written(log, IN.dead_letters)) == 1


async def test_a_fault_of_the_processor_stops_it_and_commits_nothing(log: FaultyLog) -> None:
    async def fail(event: Event[EventPayload]) -> Outcome | None:
        raise ZeroDivisionError

    await log.append(inputs("g-1"))
    with pytest.raises(ZeroDivisionError):
        await runner_of(log, Worker(fail)).run()
    assert await committed(log) == 0


async def test_retry_later_holds_its_own_partition_in_order_while_others_go_on(log: FaultyLog) -> None:
    trouble = {"b-1"}

    async def wait(event: Event[EventPayload]) -> Outcome | None:
        if event.data.key() in trouble:
            raise RetryLaterError("blob store is away", after_s=0.01)
        return None

    worker, seen = Worker(wait), Seen()
    await log.append([*inputs("b-0", "b-1", "b-2", partition=0), *inputs("g-1", "g-2", partition=1)])
    async with running(runner_of(log, worker, seen=seen)):
        await is_done(log, 3)
        await until(lambda: worker.seen.count("b-1") > 2)
        assert (await log.committed(GROUP, [IN.value]))[TopicPartition(IN.value, 0)] == 1
        assert sorted(await answered(log)) == ["b-0", "g-1", "g-2"]
        await log.append(inputs("g-3", partition=1))
        await is_done(log, 4)
        assert "b-2" not in await answered(log)
        trouble.clear()
        await is_done(log, 6)
    assert [name for name in await answered(log) if name.startswith("b")] == ["b-0", "b-1", "b-2"]
    assert "RetryLaterError" in seen.holds


class StaleOnce(Worker):
    """Its tables are stale at first: before a batch, or after its sink wrote."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where
        self.is_stale = True

    async def before_batch(self) -> None:
        if self.is_stale and self._where == "before":
            raise TableStaleError("not at the end")

    async def after_batch(self, events: Sequence[Event[EventPayload]]) -> None:
        if self.is_stale and self._where == "after":
            raise TableStaleError("not at the end")


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_stale_table_puts_the_whole_batch_back(log: FaultyLog, where: str) -> None:
    worker, seen = StaleOnce(where), Seen()
    await log.append(inputs(*NAMES))
    async with running(runner_of(log, worker, seen=seen)):
        await until(lambda: len(seen.holds) > 2)
        assert await committed(log) == 0
        assert worker.committed == []
        worker.is_stale = False
        await is_done(log, len(NAMES))
    assert set(await answered(log)) == set(NAMES)


class Door:
    """A table that is ready when the test says so."""

    is_ready = False


async def test_nothing_is_handled_before_the_tables_are_ready(log: FaultyLog) -> None:
    worker, door, seen = Worker(), Door(), Seen()
    await log.append(inputs(*NAMES))
    runner = runner_of(log, worker, tables=[door], seen=seen)
    async with running(runner):
        await until(lambda: seen.holds == ["table_not_ready"])
        await asyncio.sleep(0.2)
        assert worker.seen == []
        assert not runner.is_ready
        assert runner.is_alive
        door.is_ready = True
        await is_done(log, len(NAMES))
        assert runner.is_ready
        door.is_ready = False
        await until(lambda: seen.holds == ["table_not_ready"] * 2)
        handled = len(worker.seen)
        await log.append(inputs("late"))
        await asyncio.sleep(0.2)
        assert len(worker.seen) == handled
        door.is_ready = True
        await is_done(log, len(NAMES) + 1)


class Unreadable:
    """A fold that meets a record it must not skip."""

    def apply(self, record: StoredRecord) -> None:
        raise ValueError("the policy cannot be read")


async def test_a_broken_table_ends_the_process(log: FaultyLog) -> None:
    table = Table(log, [IN.value], Unreadable(), clock=SystemClock())

    class Careful(Worker):
        async def before_batch(self) -> None:
            await table.catch_up(5.0)

    await table.start()
    await log.append(inputs("g-1"))
    with pytest.raises(TableBrokenError, match="cannot be trusted"):
        await runner_of(log, Careful()).run()
    assert not table.is_ready
    assert await committed(log) == 0
    await table.stop()


async def test_a_log_that_is_away_holds_and_then_goes_on(log: FaultyLog) -> None:
    seen = Seen()
    await log.append(inputs(*NAMES))
    log.append_fails = {OUT.value}
    async with running(runner_of(log, Worker(), seen=seen)):
        await until(lambda: len(seen.holds) > 2)
        assert await committed(log) == 0
        log.append_fails = set()
        await is_done(log, len(NAMES))
    assert set(await answered(log)) == set(NAMES)


async def test_a_log_that_stays_away_ends_the_process(log: FaultyLog) -> None:
    await log.append(inputs("g-1"))
    log.append_fails = {OUT.value}
    settings = replace(QUICK, stall_after_s=0.3, watch_every_s=60.0)
    with pytest.raises(StalledError, match="away"):
        await runner_of(log, Worker(), settings=settings).run()
    assert await committed(log) == 0


async def test_a_stop_finishes_the_batch_in_hand(log: FaultyLog) -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(event: Event[EventPayload]) -> Outcome | None:
        entered.set()
        await go_on.wait()
        return None

    await log.append(inputs("g-1"))
    runner = runner_of(log, Worker(slow))
    async with running(runner) as task:
        await entered.wait()
        runner.stop()
        go_on.set()
        await task
    assert await committed(log) == 1
    assert await answered(log) == ["g-1"]


async def test_a_stop_abandons_what_takes_longer_than_the_deadline(log: FaultyLog) -> None:
    entered = asyncio.Event()

    async def stuck(event: Event[EventPayload]) -> Outcome | None:
        entered.set()
        await asyncio.Event().wait()
        return None

    await log.append(inputs("g-1"))
    runner = runner_of(log, Worker(stuck), settings=replace(QUICK, drain_deadline_s=0.1))
    async with running(runner) as task:
        await entered.wait()
        runner.stop()
        await asyncio.wait_for(task, 5)
    assert await committed(log) == 0
    assert await answered(log) == []


async def test_a_rebalance_lets_the_batch_in_hand_finish(log: FaultyLog) -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(event: Event[EventPayload]) -> Outcome | None:
        entered.set()
        await go_on.wait()
        return None

    first, second = Worker(slow), Worker()
    await log.append(inputs(*NAMES))
    async with running(runner_of(log, first, member="a")):
        await entered.wait()
        async with running(runner_of(log, second, member="b")):
            await asyncio.sleep(0.05)
            assert second.seen == []
            go_on.set()
            await is_done(log, len(NAMES))
            await log.append(inputs(*(f"n-{number}" for number in range(40))))
            await is_done(log, len(NAMES) + 40)
    assert sorted(first.seen + second.seen) == sorted([*NAMES, *(f"n-{number}" for number in range(40))])
    assert second.seen


async def test_a_batch_that_outlives_the_rebalance_is_not_committed_and_is_done_again(log: FaultyLog) -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(event: Event[EventPayload]) -> Outcome | None:
        entered.set()
        await go_on.wait()
        return None

    first, second, seen = Worker(slow), Worker(), Seen()
    moved = list(NAMES)
    await log.append(inputs(*moved, partition=5))
    settings = replace(QUICK, drain_deadline_s=0.1)
    async with running(runner_of(log, first, member="a", settings=settings, seen=seen)):
        await entered.wait()
        async with running(runner_of(log, second, member="b")):
            await is_done(log, len(moved))
            go_on.set()
            await until(lambda: seen.failed_commits == 1)
    assert second.seen == moved
    assert first.committed == []
    assert second.committed == moved
    assert len({record.header("ce_id") for record in await written(log, OUT.value)}) == len(moved)


async def test_handling_at_once_keeps_the_order_per_key(log: FaultyLog) -> None:
    at_once, most, order = 0, 0, []

    async def count(event: Event[EventPayload]) -> Outcome | None:
        nonlocal at_once, most
        at_once, most = at_once + 1, max(most, at_once + 1)
        await asyncio.sleep(0)
        order.append(event.data.key())
        at_once -= 1
        return None

    worker = Worker(count)
    await log.append([record for _ in range(3) for record in inputs("g-1", "g-2", "g-3", "g-4", partition=0)])
    async with running(runner_of(log, worker, settings=replace(QUICK, concurrency=3))):
        await is_done(log, 12)
    assert most == 3
    assert await answered(log) == ["g-1", "g-2", "g-3", "g-4"] * 3


async def test_lag_is_counted_in_records(log: FaultyLog) -> None:
    trouble = True

    async def wait(event: Event[EventPayload]) -> Outcome | None:
        if trouble:
            raise RetryLaterError("later")
        return None

    seen = Seen()
    await log.append(inputs(*NAMES[:7], partition=2))
    runner = runner_of(log, Worker(wait), seen=seen)
    async with running(runner):
        await until(lambda: seen.lags.get(2) == 7)
        assert runner.lag_records[TopicPartition(IN.value, 2)] == 7
        trouble = False
        await is_done(log, 7)
        await until(lambda: seen.lags.get(2) == 0)
    assert set(seen.lags) == set(range(TOPICS[IN].partitions))


async def test_what_nobody_takes_up_is_noticed(tmp_path: Path) -> None:
    """A client that lost its way gives no records and no error: only the committed offsets tell."""

    class DeafLog(FaultyLog):
        async def read(self, partition: TopicPartition, offset: int, *, max_records: int) -> list[StoredRecord]:
            await asyncio.sleep(0.01)
            return []

    deaf = DeafLog(tmp_path / "deaf.db")
    await started(deaf)
    await deaf.append(inputs("g-1"))
    with pytest.raises(StalledError, match="has not moved"):
        await runner_of(deaf, Worker(), settings=replace(QUICK, stall_after_s=0.2)).run()
    await deaf.close()


class Kept:
    """An exporter that keeps what it was given."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def export(self, spans: Sequence[Span]) -> None:
        self.spans += spans


async def test_an_output_names_the_step_that_made_it(log: FaultyLog) -> None:
    async def pass_on(event: Event[EventPayload]) -> Outcome | None:
        return Emit((replace(answer(event), traceparent=event.traceparent),))

    first, kept = TraceContext.start(), Kept()
    await log.append([encode(replace(withdrawn("g-1"), traceparent=first.header()))])
    log.commit_crashes = True
    with pytest.raises(Crash):
        await runner_of(log, Worker(pass_on), spans=kept).run()
    assert kept.spans == []
    log.commit_crashes = False
    async with running(runner_of(log, Worker(pass_on), spans=kept)):
        await is_done(log, 1)
        await until(lambda: bool(kept.spans))
    (span,) = kept.spans
    assert (span.name, span.attributes["assent.outcome"]) == (f"{GROUP} {IN.value}", "emit")
    assert (span.context.trace_id, span.parent_span_id) == (first.trace_id, first.span_id)
    headers = [TraceContext.parse((record.header("traceparent") or b"").decode()) for record in await written(log, OUT.value)]
    assert headers[-1] == span.context
    assert len({header.span_id for header in headers if header is not None}) == 2


class StirredSubscription:
    """A real member; in its next poll its partitions are taken away and come back, as an eager rebalance does it."""

    def __init__(self, inner: LocalSubscription, on_revoked: OnRevoked) -> None:
        self._inner = inner
        self._on_revoked = on_revoked
        self.is_stirred = False
        self.pause, self.resume, self.seek = inner.pause, inner.resume, inner.seek
        self.assignment, self.commit, self.close = inner.assignment, inner.commit, inner.close

    async def poll(self, *, max_records: int, timeout_s: float) -> list[StoredRecord]:
        if self.is_stirred:
            self.is_stirred = False
            await self._on_revoked(self.assignment())
        return await self._inner.poll(max_records=max_records, timeout_s=timeout_s)


class StirredLog(FaultyLog):
    """Its members are stirred when the test says so."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.member: StirredSubscription | None = None

    async def subscribe(self, topics: Sequence[str], *, group: str, member: str, on_revoked: OnRevoked) -> LocalSubscription:
        inner = await super().subscribe(topics, group=group, member=member, on_revoked=on_revoked)
        self.member = StirredSubscription(inner, on_revoked)
        return cast(LocalSubscription, self.member)


async def test_a_rebalance_inside_a_poll_does_not_hold_up_what_the_poll_gives(tmp_path: Path) -> None:
    """Given out under the new assignment, so it is committed, even when nothing follows on its partition."""
    log, seen = StirredLog(tmp_path / "stirred.db"), Seen()
    await started(log)
    async with running(runner_of(log, Worker(), seen=seen)):
        await until(lambda: log.member is not None)
        assert log.member is not None
        for turn, name in enumerate(("g-1", "g-2", "g-3"), start=1):
            log.member.is_stirred = True
            await log.append(inputs(name))
            await is_done(log, turn)
    assert seen.failed_commits == 0
    await log.close()


async def test_a_record_that_hangs_for_too_long_ends_the_process(log: FaultyLog) -> None:
    """The loop hangs in the record and cannot look at itself; health says dead long before."""
    entered = asyncio.Event()

    async def hang(event: Event[EventPayload]) -> Outcome | None:
        entered.set()
        await asyncio.Event().wait()
        return None

    await log.append(inputs("g-1"))
    runner = runner_of(log, Worker(hang), settings=replace(QUICK, stall_after_s=0.4, silent_after_s=0.1))
    work = asyncio.create_task(runner.run())
    await entered.wait()
    await until(lambda: not runner.is_alive)
    with pytest.raises(StalledError, match="gone round no loop"):
        await asyncio.wait_for(work, 5)
    assert await committed(log) == 0


async def test_a_slow_log_is_no_reason_to_call_the_loop_dead(log: FaultyLog) -> None:
    """Liveness looks at the loop: while the log is away it goes round, and the process stays until its time is over."""
    await log.append(inputs("g-1"))
    log.append_fails = {OUT.value}
    runner, seen = runner_of(log, Worker(), settings=replace(QUICK, silent_after_s=0.5)), Seen()
    async with running(runner) as task:
        for _ in range(20):
            await asyncio.sleep(0.05)
            assert runner.is_alive
        assert not task.done()
        log.append_fails = set()
        await is_done(log, 1)
    assert seen.failed_commits == 0


async def test_polls_that_are_cancelled_at_random_lose_nothing(log: FaultyLog) -> None:
    """A caller may give up while it waits: the position moves with what was given out, never ahead of it."""
    chance, found, cut = random.Random(11), list[int](), 0
    subscription = await log.subscribe([IN.value], group="g", member="m", on_revoked=nothing_in_hand)

    async def poll(patience_s: float) -> bool:
        polling = asyncio.create_task(subscription.poll(max_records=1_000, timeout_s=0.05))
        await asyncio.wait({polling}, timeout=patience_s)
        was_cut = polling.cancel()
        for records in await asyncio.gather(polling, return_exceptions=True):
            if not isinstance(records, BaseException):
                found.extend(int(record.key.decode()[2:]) for record in records)
        return was_cut

    for turn in range(60):
        # Over all partitions, which are read one after the other.
        await log.append([record for number in range(12) for record in inputs(f"g-{turn * 12 + number}", partition=number % 6)])
        cut += await poll(chance.uniform(0.0, 0.002))
    while await poll(1.0) or len(found) < 720:
        assert cut < 100, len(found)
        cut += 1
    assert sorted(found) == list(range(720))
    assert cut > 10
    await subscription.close()


async def nothing_in_hand(_: frozenset[TopicPartition]) -> None:
    """A member between two batches."""


async def test_what_a_runner_does_is_measured(log: FaultyLog) -> None:
    """Lag in records and in seconds, which grows while nothing moves; holds, dead letters, rebalances, moved commits, progress."""
    trouble = {"b-1"}

    async def wait(event: Event[EventPayload]) -> Outcome | None:
        if event.data.key() in trouble:
            raise RetryLaterError("blob store is away", after_s=0.01)
        return None

    registry = CollectorRegistry()
    observer = MetricsObserver(Metrics(registry), SystemClock())

    def value(name: str, **labels: str) -> float:
        return registry.get_sample_value(name, labels) or 0.0

    def time_lag() -> float:
        return value("assent_consumer_time_lag_seconds", topic=IN.value)

    at = {"topic": IN.value, "partition": "4"}
    await log.append([*inputs("b-0", "b-1", "b-2", partition=4), Record(IN.value, b"k", b"unreadable", partition=3)])
    runner = Runner(log, Worker(wait), member="m", clock=SystemClock(), observer=observer, settings=QUICK)
    async with running(runner):
        await until(lambda: value("assent_consumer_lag_records", **at) == 2)
        await until(lambda: time_lag() > 0.4)
        before = time_lag()
        await until(lambda: time_lag() > before)
        assert value("assent_consumer_held", stage=GROUP, cause="RetryLaterError") == 1
        assert value("assent_consumer_retries_total", stage=GROUP, error="RetryLaterError") >= 1
        stood_at = value("assent_consumer_last_progress_timestamp_seconds", group=GROUP)
        trouble.clear()
        await is_done(log, 4)
        await until(lambda: value("assent_consumer_lag_records", **at) == 0 and time_lag() == 0)
        await until(lambda: value("assent_consumer_last_progress_timestamp_seconds", group=GROUP) > stood_at)
        assert value("assent_consumer_held", stage=GROUP, cause="RetryLaterError") == 0
        assert value("assent_records_consumed_total", topic=IN.value) == 4
        assert value("assent_records_outcome_total", stage=GROUP, outcome="emit", reason="emitted") == 3
        assert (
            sum(sample.value for metric in registry.collect() for sample in metric.samples if sample.name == "assent_dlq_records_total")
            == 1
        )
        other = Runner(log, Worker(), member="n", clock=SystemClock(), observer=Seen(), settings=QUICK)
        async with running(other):
            await until(lambda: value("assent_rebalances_total", group=GROUP) == 1)


async def test_a_commit_whose_partition_moved_is_counted(log: FaultyLog) -> None:
    entered, go_on, registry = asyncio.Event(), asyncio.Event(), CollectorRegistry()

    async def slow(event: Event[EventPayload]) -> Outcome | None:
        entered.set()
        await go_on.wait()
        return None

    await log.append(inputs("g-1", partition=5))
    observer = MetricsObserver(Metrics(registry), SystemClock())
    settings = replace(QUICK, drain_deadline_s=0.1)
    first = Runner(log, Worker(slow), member="a", clock=SystemClock(), observer=observer, settings=settings)
    async with running(first):
        await entered.wait()
        async with running(runner_of(log, Worker(), member="b")):
            await is_done(log, 1)
            go_on.set()
            await until(lambda: registry.get_sample_value("assent_commit_failures_total", {"stage": GROUP}) == 1)
