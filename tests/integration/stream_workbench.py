"""What the runtime's tests stand on: simple events, a processor that does as it is told, an observer that keeps what it saw."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from assent.events.envelope import Event, encode, event_id
from assent.events.grants import GrantWithdrawn, SuppressionAdded
from assent.events.payload import EventPayload
from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic, all_topics
from assent.ids import GrantId
from assent.stream.clock import SystemClock
from assent.stream.event_log import EventLog, LogUnavailableError, Position, TopicPartition
from assent.stream.local import SqliteEventLog
from assent.stream.outcomes import Emit, Outcome
from assent.stream.runner import Readiness, Runner, RunnerSettings
from assent.telemetry.spans import SpanExporter

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
IN = Topic.WITHDRAWALS
OUT = Topic.SUPPRESSIONS
GROUP = "worker"
NAMES = tuple(f"g-{number}" for number in range(20))
QUICK = RunnerSettings(poll_s=0.05, retry_s=0.02, max_retry_s=0.1, watch_every_s=0.05, drain_deadline_s=5.0)
PATIENCE_S = 15.0


def withdrawn(name: str) -> Event[EventPayload]:
    """An input event."""
    return Event(event_id("in", name), "/test", NOW, GrantWithdrawn(grant_id=GrantId(name), withdrawn_at=NOW))


def inputs(*names: str, partition: int | None = None) -> list[Record]:
    """Input records, on their own partition or on one."""
    found = [encode(withdrawn(name)) for name in names]
    return [Record(record.topic, record.key, record.value, record.headers, partition) for record in found]


def answer(event: Event[EventPayload]) -> Event[EventPayload]:
    """The output event of an input event: the same each time."""
    return Event(event_id(event.id, "out"), "/test", NOW, SuppressionAdded(suppression_key=event.data.key(), added_at=NOW))


async def started(log: SqliteEventLog) -> SqliteEventLog:
    """The log with every topic of the project."""
    await log.start()
    await log.ensure_topics(all_topics())
    return log


class Worker:
    """Answers every event, unless the test says otherwise."""

    name = GROUP
    topics = (IN,)

    def __init__(self, act: Callable[[Event[EventPayload]], Awaitable[Outcome | None]] | None = None) -> None:
        self._act = act
        self.seen: list[str] = []
        self.committed: list[str] = []

    async def handle(self, event: Event[EventPayload], record: StoredRecord) -> Outcome:
        self.seen.append(event.data.key())
        outcome = None if self._act is None else await self._act(event)
        return outcome or Emit((answer(event),))

    async def after_commit(self, events: Sequence[Event[EventPayload]]) -> None:
        self.committed += [event.data.key() for event in events]


class Seen:
    """An observer that keeps what it was told."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[str, str]] = []
        self.causes: list[str] = []
        self.holds: list[str] = []
        self.failed_commits = 0
        self.consumed_records: dict[str, int] = {}
        self.lags: dict[int, int] = {}
        self.rebalances = 0

    def finished(self, stage: str, outcome: str, reason: str, seconds: float) -> None:
        self.outcomes.append((outcome, reason))

    def dead(self, topic: str, cause: str) -> None:
        self.causes.append(cause)

    def held(self, stage: str, why: str) -> None:
        self.holds.append(why)

    def commit_failed(self, stage: str) -> None:
        self.failed_commits += 1

    def lag(self, stage: str, topic: str, partition: int, records: int) -> None:
        self.lags[partition] = records

    def moved_away(self, topic: str, partition: int) -> None:
        self.lags.pop(partition, None)

    def time_lag(self, topic: str, seconds: float) -> None:
        """Not looked at."""

    def consumed(self, topic: str, records: int) -> None:
        self.consumed_records[topic] = self.consumed_records.get(topic, 0) + records

    def rebalanced(self, stage: str, partitions: int) -> None:
        self.rebalances += 1


class Crash(Exception):
    """The process dies here."""


class FaultyLog(SqliteEventLog):
    """The real log; appends of named topics and commits fail, and commits wait, as long as the test wants.

    `calls` is the order of writes, `reads` where in which partition it was read.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.append_fails: set[str] = set()
        self.commit_crashes = False
        self.commits_refused = 0
        self.commits_go_on = asyncio.Event()
        self.commits_go_on.set()
        self.reads: list[tuple[int, int]] = []
        self.calls: list[str] = []

    async def append(self, records: Sequence[Record]) -> list[Position]:
        if self.append_fails & {record.topic for record in records}:
            raise LogUnavailableError("the test says so")
        landed = await super().append(records)
        self.calls += [f"append {record.topic}" for record in records]
        return landed

    async def read(self, partition: TopicPartition, offset: int, *, max_records: int) -> list[StoredRecord]:
        if partition.topic == IN.value:
            self.reads.append((partition.partition, offset))
        return await super().read(partition, offset, max_records=max_records)

    async def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        await self.commits_go_on.wait()
        if self.commit_crashes:
            raise Crash
        if self.commits_refused:
            self.commits_refused -= 1
            raise LogUnavailableError("the test says so")
        await super().commit(group, offsets)
        self.calls.append("commit")


async def until(claim: Callable[[], bool] | Callable[[], Awaitable[bool]], *, patience_s: float = PATIENCE_S) -> None:
    """Wait for a condition. While the log is away, it has not come to pass."""
    deadline = time.monotonic() + patience_s
    while True:
        with suppress(LogUnavailableError):
            found = claim()
            if found if isinstance(found, bool) else await found:
                return
        assert time.monotonic() < deadline, "it did not come to pass"
        await asyncio.sleep(0.01)


async def written(log: EventLog, topic: str) -> list[StoredRecord]:
    """Every record of a topic."""
    found: list[StoredRecord] = []
    for at, end in (await log.end_offsets([topic])).items():
        if end:
            found += await log.read(at, 0, max_records=end)
    return found


async def answered(log: EventLog) -> list[str]:
    """Keys of the output events, in order of their offsets."""
    return [record.key.decode() for record in await written(log, OUT.value)]


async def committed(log: EventLog) -> int:
    """How many records of the input the group is done with."""
    return sum((await log.committed(GROUP, [IN.value])).values())


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


async def is_done(log: SqliteEventLog, count: int) -> None:
    async def enough() -> bool:
        return await committed(log) >= count

    await until(enough)
