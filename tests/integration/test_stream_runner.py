"""The runner on the real embedded log: what is committed was written, and trouble moves nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from assent.events.envelope import Event
from assent.events.payload import EventPayload
from assent.events.record import Record, StoredRecord
from assent.stream.clock import SystemClock
from assent.stream.dead_letters import DeadLetter, DeadLetterError, TooManyDeadLettersError
from assent.stream.event_log import TopicPartition
from assent.stream.outcomes import Ignore, Outcome, PoisonMessageError, Refuse, RetryLaterError
from assent.stream.table import Table, TableBrokenError, TableStaleError
from tests.integration.stream_workbench import (
    GROUP,
    IN,
    NAMES,
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
    is_done,
    runner_of,
    running,
    until,
    written,
)


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
    assert sorted(letter.cause for letter in letters) == ["bad_attributes", "bad_signature"]
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
    with pytest.raises(TooManyDeadLettersError, match=r"20 records of withdrawals.* \(bad_attributes\).*offset.*start it again"):
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


async def test_what_a_poll_gives_of_a_partition_that_came_meanwhile_is_read_again_once_the_tables_are_ready(log: FaultyLog) -> None:
    """A partition comes unpaused, into a poll that waits: its records are no more decided on than the others, and not lost."""
    door, worker, last = Door(), Worker(), await log.partitions(IN.value) - 1
    async with running(runner_of(log, worker, member="m", tables=[door], settings=replace(QUICK, poll_s=1.0))):
        async with running(runner_of(log, Worker(), member="n", tables=[door])):
            await log.append(inputs("g-1", partition=last))
        await until(lambda: (last, 0) in log.reads)
        assert worker.seen == []
        door.is_ready = True
        await log.append(inputs("g-2", partition=0))
        await is_done(log, 2)
    assert sorted(worker.seen) == ["g-1", "g-2"]


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
