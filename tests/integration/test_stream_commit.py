"""A batch is committed while the next one is fetched: nothing is decided before that has ended, and nothing fetched is lost by it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from assent.events.envelope import Event
from assent.events.payload import EventPayload
from assent.stream.outcomes import Outcome
from assent.stream.runner import Runner, RunnerSettings
from tests.integration.stream_workbench import (
    OUT,
    QUICK,
    Crash,
    FaultyLog,
    Seen,
    Worker,
    answered,
    committed,
    inputs,
    is_done,
    runner_of,
    running,
    until,
)

TWO = replace(QUICK, max_batch=2)


async def fetched_behind(log: FaultyLog, worker: Worker, offset: int, *, partition: int = 0) -> None:
    """The first two records are written and not committed, and the client has read what lies behind them."""
    await until(lambda: len(worker.seen) == 2 and (partition, offset) in log.reads)


async def test_the_next_batch_is_fetched_while_one_is_committed_and_decided_on_behind_it(log: FaultyLog) -> None:
    worker = Worker()
    await log.append(inputs("a", "b", "c", "d", partition=0))
    log.calls.clear()
    log.commits_go_on.clear()
    async with running(runner_of(log, worker, settings=TWO)):
        await fetched_behind(log, worker, 2)
        await asyncio.sleep(4 * TWO.poll_s)
        assert (worker.seen, worker.committed) == (["a", "b"], [])
        log.commits_go_on.set()
        await is_done(log, 4)
        await until(lambda: len(worker.committed) == 4)
    assert log.calls == [*[f"append {OUT.value}"] * 2, "commit"] * 2
    assert (worker.seen, worker.committed) == (["a", "b", "c", "d"],) * 2


async def test_what_is_being_committed_is_told_as_no_lag(log: FaultyLog) -> None:
    worker = Worker()
    told: list[int] = []

    class Lags(Seen):
        def lag(self, stage: str, topic: str, partition: int, records: int) -> None:
            if worker.seen:
                told.append(records)

    await log.append(inputs("a", "b", partition=0))
    log.commits_go_on.clear()
    async with running(runner_of(log, worker, seen=Lags(), settings=replace(TWO, watch_every_s=0.0))):
        await until(lambda: len(worker.seen) == 2)
        await asyncio.sleep(4 * TWO.poll_s)
        log.commits_go_on.set()
        await is_done(log, 2)
        await until(lambda: bool(told))
    assert set(told) == {0}


@pytest.mark.parametrize("behind", [0, 1], ids=["same-partition", "other-partition"])
async def test_what_was_fetched_behind_a_batch_that_could_not_be_committed_is_read_again_with_it(log: FaultyLog, behind: int) -> None:
    worker, seen = Worker(), Seen()
    log.commits_go_on.clear()
    await log.append(inputs("a", "b", partition=0))
    async with running(runner_of(log, worker, seen=seen, settings=TWO)):
        await until(lambda: len(worker.seen) == 2)
        await log.append(inputs("c", "d", partition=behind))
        await until(lambda: (behind, 0 if behind else 2) in log.reads)
        log.commits_refused = 1
        log.commits_go_on.set()
        await is_done(log, 4)
    assert [name for name in worker.seen if name in "ab"] == ["a", "b"] * 2
    assert [name for name in worker.seen if name in "cd"] == ["c", "d"]
    assert sorted(worker.committed) == ["a", "b", "c", "d"]
    assert "LogUnavailableError" in seen.holds


async def test_partitions_move_when_the_batch_before_is_committed_and_what_was_fetched_of_them_is_left_to_the_new_owner(
    log: FaultyLog,
) -> None:
    first, second, seen = Worker(), Worker(), Seen()
    last = await log.partitions("withdrawals") - 1
    await log.append(inputs("a", "b", partition=last))
    log.commits_go_on.clear()
    async with running(runner_of(log, first, seen=seen, settings=TWO)):
        await until(lambda: len(first.seen) == 2)
        await log.append(inputs("c", "d", partition=last))
        await fetched_behind(log, first, 2, partition=last)
        async with running(runner_of(log, second, member="n", settings=TWO)):
            await until(lambda: seen.rebalances == 1)
            log.commits_go_on.set()
            await is_done(log, 4)
    assert (first.seen, second.seen) == (["a", "b"], ["c", "d"])


async def test_a_stop_waits_until_the_last_batch_is_committed(log: FaultyLog) -> None:
    worker = Worker()
    await log.append(inputs("a", "b", partition=0))
    log.commits_go_on.clear()
    runner = runner_of(log, worker, settings=TWO)
    async with running(runner) as task:
        await fetched_behind(log, worker, 0)
        runner.stop()
        await asyncio.wait({task}, timeout=0.2)
        assert not task.done()
        log.commits_go_on.set()
        await task
    assert (await committed(log), worker.committed) == (2, ["a", "b"])


async def test_a_batch_during_which_the_stop_came_is_committed_too(log: FaultyLog) -> None:
    async def stop(event: Event[EventPayload]) -> Outcome | None:
        runner.stop()
        return None

    worker = Worker(stop)
    runner = runner_of(log, worker, settings=TWO)
    await log.append(inputs("a", "b", partition=0))
    async with running(runner) as task:
        await task
    assert (await committed(log), worker.committed) == (2, ["a", "b"])


async def test_a_commit_that_hangs_is_abandoned_at_the_deadline_and_done_again_by_the_next_start(log: FaultyLog) -> None:
    await log.append(inputs("a", "b", partition=0))
    log.commits_go_on.clear()
    hurried = replace(TWO, drain_deadline_s=0.1)
    await ended_by_a_stop(log, hurried)
    assert await committed(log) == 0
    log.commits_go_on.set()
    worker = Worker()
    async with running(runner_of(log, worker, settings=TWO)):
        await is_done(log, 2)
    assert worker.seen == ["a", "b"]
    assert sorted(set(await answered(log))) == ["a", "b"]


async def ended_by_a_stop(log: FaultyLog, settings: RunnerSettings) -> None:
    worker = Worker()
    runner: Runner = runner_of(log, worker, settings=settings)
    async with running(runner) as task:
        await fetched_behind(log, worker, 0)
        runner.stop()
        await asyncio.wait({task}, timeout=5.0)
        assert task.done()


async def test_a_run_that_is_cancelled_in_a_poll_leaves_no_commit_that_hangs_behind(log: FaultyLog) -> None:
    worker = Worker()
    await log.append(inputs("a", "b", partition=0))
    log.commits_go_on.clear()
    others = asyncio.all_tasks()
    task = asyncio.create_task(runner_of(log, worker, settings=replace(TWO, poll_s=60.0)).run())
    await until(lambda: any("Runner._commit" in repr(one) for one in asyncio.all_tasks()))
    task.cancel()
    await asyncio.wait({task}, timeout=5.0)
    assert task.cancelled()
    await until(lambda: asyncio.all_tasks() <= others)


async def test_a_fault_while_committing_ends_the_process_before_the_next_batch_is_decided_on(log: FaultyLog) -> None:
    worker = Worker()
    await log.append(inputs("a", "b", "c", "d", partition=0))
    log.commits_go_on.clear()
    running_it = asyncio.create_task(runner_of(log, worker, settings=TWO).run())
    await fetched_behind(log, worker, 2)
    log.commit_crashes = True
    log.commits_go_on.set()
    with pytest.raises(Crash):
        await running_it
    assert worker.seen == ["a", "b"]
