"""The embedded log: one durable SQLite file for one process, with groups and followers woken by every append; never polled busily."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import structlog

from assent.events.record import Record, StoredRecord
from assent.events.topics import TopicSettings
from assent.stream.clock import Clock, SystemClock
from assent.stream.event_log import (
    Capabilities,
    LogUnavailableError,
    OnRevoked,
    Position,
    RecordTooLargeError,
    TopicPartition,
)
from assent.stream.local_file import GroupOffsets, LocalFile, Write
from assent.stream.local_group import LocalGroup, LocalSubscription
from assent.stream.local_tail import LocalTail

MAX_RECORD_BYTES = 1_000_000
T = TypeVar("T")
_LOG = structlog.get_logger()


class SqliteEventLog:
    """One thread writes, one reads; appends and commits that arrive together are one transaction and one fsync."""

    capabilities = Capabilities(compaction=True, persistence=True, record_limit=True, multi_process=False)

    def __init__(self, path: Path, *, clock: Clock | None = None, clean_every_s: float = 600.0) -> None:
        self._file = LocalFile(path)
        self._clock: Clock = clock or SystemClock()
        self._write_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="event-log-write")
        self._read_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="event-log-read")
        self._grown = asyncio.Condition()
        self.version = 0
        self._groups: dict[str, LocalGroup] = {}
        self._waiting: list[tuple[Write, asyncio.Future[list[Position]]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._clean_every_s = clean_every_s
        self._cleaner: asyncio.Task[None] | None = None
        self._is_open = False

    async def start(self) -> None:
        """Open the file. Raises LogLockedError or LogUnavailableError."""
        try:
            await self._run(self._write_thread, self._file.open)
        except Exception:
            self._write_thread.shutdown()
            raise
        self._is_open = True
        self._cleaner = asyncio.create_task(self._clean())

    async def close(self) -> None:
        """Finish what was asked for and close the file; a second time is harmless."""
        if not self._is_open:
            return
        self._is_open = False
        if self._cleaner is not None:
            self._cleaner.cancel()
            await asyncio.gather(self._cleaner, return_exceptions=True)
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)
        self._read_thread.shutdown(wait=True)
        await self._run(self._write_thread, self._file.close)
        self._write_thread.shutdown(wait=True)
        await self.wake()

    async def ensure_topics(self, topics: Mapping[str, TopicSettings]) -> None:
        await self._run(self._write_thread, lambda: self._file.ensure_topics(topics))

    async def append(self, records: Sequence[Record]) -> list[Position]:
        """Durable on return: fsynced together with whatever else was waiting."""
        placed = self._file.placed(tuple(records))
        for record in placed.records:
            if len(record.value or b"") + len(record.key) > MAX_RECORD_BYTES:
                raise RecordTooLargeError(f"a record for {record.topic} is over {MAX_RECORD_BYTES} bytes; send a reference instead")
        return await self._queue(placed)

    async def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Durable commit of a group; called by its members only."""
        await self._queue(GroupOffsets(group, dict(offsets)))

    async def read(self, partition: TopicPartition, offset: int, *, max_records: int) -> list[StoredRecord]:
        return await self._run(self._read_thread, lambda: self._file.read(partition, offset, max_records))

    async def beginning_offsets(self, topics: Collection[str]) -> dict[TopicPartition, int]:
        return await self._per_topic(topics, self._file.beginnings)

    async def committed(self, group: str, topics: Collection[str]) -> dict[TopicPartition, int]:
        return await self._per_topic(topics, lambda topic: self._file.committed(group, topic))

    async def end_offsets(self, topics: Collection[str]) -> dict[TopicPartition, int]:
        return self.ends(topics)

    def ends(self, topics: Collection[str]) -> dict[TopicPartition, int]:
        """The end offsets from memory, where they are copied after every fsync."""
        if not self._is_open:
            raise LogUnavailableError("the log is closed")
        return {at: self._file.ends[at] for topic in topics for at in self._parts(topic)}

    async def partitions(self, topic: str) -> int:
        return self._file.partitions(topic)

    async def subscribe(self, topics: Sequence[str], *, group: str, member: str, on_revoked: OnRevoked) -> LocalSubscription:
        counts = {topic: self._file.partitions(topic) for topic in topics}
        held = self._groups.setdefault(group, LocalGroup())
        subscription = LocalSubscription(self, held, group_name=group, member=member, topics=counts, on_revoked=on_revoked)
        await held.join(subscription)
        await self.wake()
        return subscription

    async def tail(self, topics: Collection[str]) -> LocalTail:
        return LocalTail(self, [at for topic in topics for at in self._parts(topic)])

    async def wait_for_growth(self, since: int, timeout_s: float) -> None:
        """Return once `version` is past `since` (an append, a membership change, the close), or after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s), self._grown:
                await self._grown.wait_for(lambda: self.version > since)
        except TimeoutError:
            return

    async def wake(self) -> None:
        """Let everyone who waits look again."""
        async with self._grown:
            self.version += 1
            self._grown.notify_all()

    async def compact(self) -> int:
        """Run compaction and retention now; how many records went."""
        return await self._run(self._write_thread, lambda: self._file.clean(self._now_ms()))

    def _parts(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, part) for part in range(self._file.partitions(topic))]

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    async def _per_topic(self, topics: Collection[str], ask: Callable[[str], dict[TopicPartition, int]]) -> dict[TopicPartition, int]:
        return await self._run(self._read_thread, lambda: {at: offset for topic in topics for at, offset in ask(topic).items()})

    async def _queue(self, write: Write) -> list[Position]:
        if not self._is_open:
            raise LogUnavailableError("the log is closed")
        done: asyncio.Future[list[Position]] = asyncio.get_running_loop().create_future()
        self._waiting.append((write, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await done

    async def _write(self) -> None:
        """Whatever waits is written together; it is a task of its own, so that a caller who gives up stops nobody else."""
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                writes, now_ms = [write for write, _ in batch], self._now_ms()
                positions = await self._run(self._write_thread, lambda w=writes, n=now_ms: self._file.write(w, n))  # type: ignore[misc]
            except Exception as error:  # noqa: BLE001  whoever waits is told, whatever it was
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
                continue
            for (_, done), landed in zip(batch, positions, strict=True):
                if not done.done():
                    done.set_result(landed)
            await self.wake()

    async def _clean(self) -> None:
        """At once, because the file may have lain still for days, and then every so often."""
        while True:
            try:
                await self.compact()
            except LogUnavailableError:
                _LOG.error("log_cleaning_failed")
            await asyncio.sleep(self._clean_every_s)

    async def _run(self, thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            done = asyncio.get_running_loop().run_in_executor(thread, work)
        except RuntimeError as error:
            raise LogUnavailableError("the log is closed") from error
        return await done
