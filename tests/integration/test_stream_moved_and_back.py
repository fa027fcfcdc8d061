"""A partition that moves away while its batch is in hand, and comes back: what its owner in between did is not done again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from assent.events.envelope import Event
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.stream.event_log import LogUnavailableError, TopicPartition
from assent.stream.outcomes import Outcome, RetryLaterError
from assent.stream.table import TableStaleError
from tests.integration.stream_workbench import (
    IN,
    QUICK,
    FaultyLog,
    Worker,
    answered,
    committed,
    inputs,
    is_done,
    runner_of,
    running,
    started,
    until,
)

NAMES = ["a", "b", "c", "d"]
HURRIED = replace(QUICK, max_batch=2, drain_deadline_s=0.05)


class SlowFirstCommitLog(FaultyLog):
    """Its first commit waits and then fails; the others land."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.is_first = True
        self.go_on = asyncio.Event()

    async def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        if self.is_first:
            self.is_first = False
            await self.go_on.wait()
            raise LogUnavailableError("the test says so")
        await super().commit(group, offsets)


@pytest.fixture
async def slow_log(tmp_path: Path) -> AsyncIterator[SlowFirstCommitLog]:
    log = SlowFirstCommitLog(tmp_path / "slow.db")
    await started(log)
    yield log
    await log.close()


class Stuck(Worker):
    """Its first batch hangs in the second record until the test lets it go, and then ends in its own way."""

    def __init__(self, trouble: str) -> None:
        super().__init__()
        self._trouble = trouble
        self.entered, self.go_on = asyncio.Event(), asyncio.Event()

    async def handle(self, event: Event[EventPayload], record: StoredRecord) -> Outcome:
        outcome = await super().handle(event, record)
        if event.data.key() == "b" and not self.entered.is_set():
            self.entered.set()
            await self.go_on.wait()
            if self._trouble == "held":
                raise RetryLaterError("the store is away", after_s=0.01)
        return outcome

    async def after_batch(self, events: Sequence[Event[EventPayload]]) -> None:
        if self._trouble == "stale" and len(events) == 2 and self.seen == ["a", "b"]:
            raise TableStaleError("not at the end")


async def moved_and_back(log: FaultyLog, first: Worker, *, is_in_hand: Callable[[], bool], go_on: asyncio.Event) -> None:
    """All records are another member's before the first may go on with its batch; then one more comes to the first."""
    second, last = Worker(), await log.partitions(IN.value) - 1
    await log.append(inputs(*NAMES, partition=last))
    async with running(runner_of(log, first, member="m", settings=HURRIED)):
        await until(is_in_hand)
        async with running(runner_of(log, second, member="n", settings=HURRIED)):
            await is_done(log, 4)
        go_on.set()
        await log.append(inputs("e", partition=last))
        await is_done(log, 5)
        await until(lambda: first.committed == ["e"])
    assert (first.seen, second.seen) == (["a", "b", "e"], NAMES)


@pytest.mark.parametrize("trouble", ["none", "held", "stale"])
async def test_a_batch_that_outlived_two_rebalances_neither_commits_nor_goes_back(log: FaultyLog, trouble: str) -> None:
    first = Stuck(trouble)
    await moved_and_back(log, first, is_in_hand=first.entered.is_set, go_on=first.go_on)
    assert sorted(set(await answered(log))) == [*NAMES, "e"]


async def test_what_was_fetched_behind_a_commit_that_outlived_two_rebalances_is_not_read_again(slow_log: SlowFirstCommitLog) -> None:
    last = await slow_log.partitions(IN.value) - 1
    await moved_and_back(slow_log, Worker(), is_in_hand=lambda: (last, 2) in slow_log.reads, go_on=slow_log.go_on)
    assert await committed(slow_log) == 5
