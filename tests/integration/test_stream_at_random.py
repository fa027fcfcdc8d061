"""Members that come and go over a log that fails at random at each call: nothing is lost, and nothing is committed or let go too early."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from assent.events.envelope import Event
from assent.events.payload import EventPayload
from assent.events.record import Record, StoredRecord
from assent.stream.event_log import LogUnavailableError, OnRevoked, Position, TopicPartition
from assent.stream.local_group import LocalSubscription
from assent.stream.outcomes import Outcome, RetryLaterError
from assent.stream.table import TableStaleError
from tests.integration.stream_workbench import GROUP, IN, OUT, QUICK, FaultyLog, Seen, Worker, inputs, runner_of, started, until

COUNT = 400
SETTINGS = replace(QUICK, max_batch=7, poll_s=0.01, retry_s=0.002, max_retry_s=0.01)


class Fate:
    """Says at random, and the same for the same seed, what goes wrong and what takes its time; nothing once it is calm."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.is_calm = False

    def strikes(self, share: float) -> bool:
        return not self.is_calm and self._chance.random() < share

    async def linger(self) -> None:
        await asyncio.sleep(self._chance.choice((0, 0, 0.001, 0.01)))

    def about(self, most: float) -> float:
        return self._chance.uniform(0.0, most)


class RoughSubscription:
    """A real member whose polls fail, before they gave anything."""

    def __init__(self, inner: LocalSubscription, fate: Fate) -> None:
        self._inner, self._fate = inner, fate
        self.pause, self.resume, self.seek = inner.pause, inner.resume, inner.seek
        self.assignment, self.commit, self.close = inner.assignment, inner.commit, inner.close

    async def poll(self, *, max_records: int, timeout_s: float) -> list[StoredRecord]:
        if self._fate.strikes(0.05):
            raise LogUnavailableError("the poll failed")
        return await self._inner.poll(max_records=max_records, timeout_s=timeout_s)


class RoughLog(FaultyLog):
    """Every call may fail before or behind what it does. It knows what was written and how far was committed."""

    def __init__(self, path: Path, fate: Fate, *, polls: Fate) -> None:
        super().__init__(path)
        self._fate, self._polls = fate, polls
        self.names: dict[TopicPartition, list[str]] = {}
        self.answered: set[str] = set()
        self.reached: dict[TopicPartition, int] = {}

    async def subscribe(self, topics: Sequence[str], *, group: str, member: str, on_revoked: OnRevoked) -> LocalSubscription:
        inner = await super().subscribe(topics, group=group, member=member, on_revoked=on_revoked)
        return cast(LocalSubscription, RoughSubscription(inner, self._polls))

    async def append(self, records: Sequence[Record]) -> list[Position]:
        await self._fate.linger()
        if self._fate.strikes(0.05):
            raise LogUnavailableError("nothing was written")
        landed = await super().append(records)
        self.answered |= {record.key.decode() for record in records if record.topic == OUT.value}
        if self._fate.strikes(0.05):
            raise LogUnavailableError("it was written, and the answer was lost")
        return landed

    async def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        await self._fate.linger()
        if self._fate.strikes(0.1):
            raise LogUnavailableError("nothing was committed")
        for at, offset in offsets.items():
            assert self.answered.issuperset(self.names[at][:offset]), "committed before it was written"
        await super().commit(group, offsets)
        self.reached.update({at: max(offset, self.reached.get(at, 0)) for at, offset in offsets.items()})
        if self._fate.strikes(0.05):
            raise LogUnavailableError("it was committed, and the answer was lost")


class RoughWorker(Worker):
    """Holds, is stale before and behind a batch, and cannot tidy up, at random; each batch of it stands alone."""

    def __init__(self, log: RoughLog, fate: Fate) -> None:
        super().__init__()
        self._log, self._fate = log, fate
        self._places: dict[str, StoredRecord] = {}
        self.is_tidying = False

    async def before_batch(self) -> None:
        assert not self.is_tidying, "decided on before the batch before has ended"
        await self._fate.linger()
        if self._fate.strikes(0.05):
            raise TableStaleError("before the batch")

    async def handle(self, event: Event[EventPayload], record: StoredRecord) -> Outcome:
        self._places[event.data.key()] = record
        if self._fate.strikes(0.1):
            await self._fate.linger()
        if self._fate.strikes(0.02):
            raise RetryLaterError("this record", after_s=0.002)
        return await super().handle(event, record)

    async def after_batch(self, events: Sequence[Event[EventPayload]]) -> None:
        if self._fate.strikes(0.05):
            raise TableStaleError("after the batch")

    async def after_commit(self, events: Sequence[Event[EventPayload]]) -> None:
        self.is_tidying = True
        for event in events:
            record = self._places[event.data.key()]
            assert record.offset < self._log.reached[TopicPartition(record.topic, record.partition)], "let go before the commit"
        await self._fate.linger()
        await super().after_commit(events)
        self.is_tidying = False
        if self._fate.strikes(0.1):
            raise RetryLaterError("the store is away")


async def rough(path: Path, fate: Fate, *, polls: Fate) -> RoughLog:
    log = RoughLog(path, fate, polls=polls)
    await started(log)
    parts = await log.partitions(IN.value)
    for number in range(COUNT):
        at = TopicPartition(IN.value, number % parts)
        log.names.setdefault(at, []).append(f"g-{number}")
    return log


async def is_level(log: RoughLog) -> bool:
    """The group is done with everything."""
    return await log.committed(GROUP, [IN.value]) == await log.end_offsets([IN.value])


async def filled(log: RoughLog) -> None:
    """Records come in handfuls; a handful that failed at random is written by a calm hand."""
    for number in range(0, COUNT, 20):
        more = [record for each in range(number, number + 20) for record in inputs(f"g-{each}", partition=each % len(log.names))]
        await FaultyLog.append(log, more)
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("seed", range(4))
async def test_members_come_and_go_and_every_call_may_fail(tmp_path: Path, seed: int) -> None:
    fate = Fate(seed)
    log, number, handled = await rough(tmp_path / "rough.db", fate, polls=fate), 0, list[RoughWorker]()
    present: list[tuple[Callable[[], None], asyncio.Task[None]]] = []

    def begin() -> None:
        nonlocal number
        number += 1
        handled.append(RoughWorker(log, fate))
        # Some have little patience: what they have in hand at a rebalance or a stop is abandoned.
        settings = replace(SETTINGS, drain_deadline_s=5.0 if number % 2 else 0.005)
        runner = runner_of(log, handled[-1], seen=Seen(), member=f"m-{number}", settings=settings)
        present.append((runner.stop, asyncio.create_task(runner.run())))

    async def end() -> None:
        stop, task = present.pop(0)
        if fate.strikes(0.3):
            task.cancel()
        stop()
        with suppress(asyncio.CancelledError):
            await task

    async def is_whole() -> bool:
        assert not any(task.done() for _, task in present)
        return await is_level(log)

    filling = asyncio.create_task(filled(log))
    while not filling.done():
        begin()
        if len(present) > 3:
            await end()
        await asyncio.sleep(fate.about(0.1))
    await filling
    fate.is_calm = True
    await until(is_whole)
    while present:
        await end()
    assert log.answered == {f"g-{each}" for each in range(COUNT)}
    assert len({name for worker in handled for name in worker.seen}) == COUNT
    await log.close()


async def test_where_only_polls_fail_and_commits_take_their_time_each_record_is_handled_once(tmp_path: Path) -> None:
    calm = Fate(5)
    calm.is_calm = True
    log, seen = await rough(tmp_path / "rough.db", calm, polls=Fate(6)), Seen()
    worker = RoughWorker(log, calm)
    task = asyncio.create_task((runner := runner_of(log, worker, seen=seen, settings=SETTINGS)).run())
    await filled(log)
    await until(lambda: is_level(log))
    runner.stop()
    await task
    assert len(worker.seen) == len(seen.outcomes) == len(worker.committed) == COUNT
    await log.close()
