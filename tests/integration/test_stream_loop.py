"""The runner's loop on the real embedded log: it stops in time, goes on after trouble, lets go in a rebalance, and ends when it hangs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from assent.events.envelope import Event
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.stream.event_log import OnRevoked, TopicPartition
from assent.stream.local_group import LocalSubscription
from assent.stream.outcomes import Outcome
from assent.stream.runner import StalledError
from tests.integration.stream_workbench import (
    IN,
    NAMES,
    OUT,
    QUICK,
    FaultyLog,
    Seen,
    Worker,
    answered,
    committed,
    inputs,
    is_done,
    runner_of,
    running,
    started,
    until,
    written,
)


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
