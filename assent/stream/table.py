"""A table folded from topics read without a group: ready only at the end offsets, and able to prove that it is fresh."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from assent.events.record import StoredRecord
from assent.stream.clock import Clock
from assent.stream.event_log import EventLog, LogUnavailableError, Tail, TopicPartition
from assent.stream.read_ahead import SLICE, TwoStepFold, fold_ahead
from assent.stream.spared_growth import SparedGrowth

POLL_S = 1.0
RETRY_S = 0.2
ASKED_AGAIN = 5
"""How often an end before what was read is asked again, each time after RETRY_S: a leader that lost its office without knowing
it tells an old end for a moment; a log that lost records goes on telling it."""


class TableStaleError(Exception):
    """Raised when the table could not be brought to the end offsets in time: the caller holds, it never decides."""


class TableBrokenError(Exception):
    """Raised when the table met a record that must not be skipped, or a log that went back: waiting does not help.

    It is no TableStaleError, so that whoever waits out a stale table cannot wait for a broken one.
    """


class LogWentBackError(Exception):
    """Raised when the log ends before what was already read from it: acknowledged records are lost."""


class Fold(Protocol):
    """What the records are folded into. One that is also a TwoStepFold is read in threads while there is much to read."""

    def apply(self, record: StoredRecord) -> None:
        """Take one record. An exception stops the table for good."""
        ...


class Table:
    """Follows topics and applies every record in order. A fold that raises leaves the table broken: never ready again."""

    def __init__(
        self,
        log: EventLog,
        topics: Collection[str],
        fold: Fold,
        *,
        clock: Clock,
        prove_every_s: float = 1.0,
    ) -> None:
        self._log = log
        self._topics = tuple(topics)
        self._fold = fold
        self._clock = clock
        self._on_broken: list[Callable[[TableBrokenError], None]] = []
        self._prove_every_s = prove_every_s
        self._tail: Tail | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._moved = asyncio.Condition()
        self._applied: dict[TopicPartition, int] = {}
        self._growth = SparedGrowth()
        self._barrier: dict[TopicPartition, int] | None = None
        self._fresh_at: float | None = None
        self.broken: BaseException | None = None

    async def start(self) -> None:
        """Record the end offsets as the start barrier and follow from the beginning."""
        self._barrier = await self._log.end_offsets(self._topics)
        self._tail = await self._log.tail(self._topics)
        self._tasks = [asyncio.create_task(self._follow(self._tail)), asyncio.create_task(self._stay_proven())]

    async def stop(self) -> None:
        """Stop following."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._tail is not None:
            await self._tail.close()
            self._tail = None

    def when_broken(self, tell: Callable[[TableBrokenError], None]) -> None:
        """Call `tell` once when the table breaks, at once if it is broken: nothing mends it, so the process must end."""
        if self.broken is not None:
            tell(self._broken_error())
        else:
            self._on_broken.append(tell)

    @property
    def is_ready(self) -> bool:
        """The start barrier has been applied and nothing broke since."""
        return self.broken is None and self._barrier is not None and self._reached(self._barrier)

    def offsets(self) -> dict[TopicPartition, int]:
        """Per partition the offset of the next record to apply."""
        return dict(self._applied)

    def age_s(self) -> float:
        """Seconds since the table was last proved to stand at the end; infinite before the first time and once broken."""
        if self._fresh_at is None or self.broken is not None:
            return float("inf")
        return self._clock.monotonic() - self._fresh_at

    async def ready(self, timeout_s: float) -> None:
        """Wait for the start barrier. Raises TableStaleError or TableBrokenError."""
        if self._barrier is None:
            raise TableStaleError("the table was not started")
        await self.wait_for(self._barrier, timeout_s)

    async def wait_for(self, offsets: Mapping[TopicPartition, int], timeout_s: float) -> None:
        """Wait until every record before these offsets is applied: reads your own write. Raises TableStaleError or TableBrokenError."""
        if self.broken is None and not self._reached(offsets):
            try:
                async with asyncio.timeout(timeout_s), self._moved:
                    await self._moved.wait_for(lambda: self.broken is not None or self._reached(offsets))
            except TimeoutError as error:
                names = ", ".join(self._topics)
                raise TableStaleError(f"the table did not reach the end of {names} in {timeout_s:.3g} s") from error
        if self.broken is not None:
            raise self._broken_error() from self.broken

    async def catch_up(self, timeout_s: float) -> None:
        """Ask the end offsets and wait for them. Raises TableStaleError, also when the log does not answer, or TableBrokenError."""
        asked_at, had = self._clock.monotonic(), dict(self._applied)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                ends = await self._ends_after(had)
        except (TimeoutError, LogUnavailableError) as error:
            raise TableStaleError("the log does not say where it ends") from error
        await self.wait_for(ends, max(0.001, deadline - loop.time()))
        self._fresh_at = asked_at

    async def _ends_after(self, had: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """The end offsets; an end before what was read is believed only when it is told again and again, and breaks the table."""
        for turn in range(1 + ASKED_AGAIN):
            if turn:
                await asyncio.sleep(RETRY_S)
            ends = await self._log.end_offsets(self._topics)
            short = [at for at, offset in had.items() if ends.get(at, 0) < offset]
            if not short:
                return ends
        at = short[0]
        await self._break(
            LogWentBackError(
                f"{at.topic}/{at.partition} ends at {ends.get(at, 0)}, and {had[at]} records of it were read; "
                "if the log was restored, see docs/operations, then start anew; over Tansu set log_url to tansu://"
            )
        )
        return ends

    def _reached(self, offsets: Mapping[TopicPartition, int]) -> bool:
        return all(self._applied.get(partition, 0) >= offset for partition, offset in offsets.items())

    async def _follow(self, tail: Tail) -> None:
        while True:
            try:
                records = await tail.poll(timeout_s=POLL_S)
                positions = tail.positions()
                self._refuse_setback(positions)
                await self._apply(records)
            except LogUnavailableError:
                await asyncio.sleep(RETRY_S)
                continue
            except Exception as error:  # noqa: BLE001  whatever the fold or the log cannot take closes the table
                await self._break(error)
                return
            async with self._moved:
                self._applied.update(positions)
                self._moved.notify_all()

    def _refuse_setback(self, positions: Mapping[TopicPartition, int]) -> None:
        """A client whose position lies beyond the end starts again at the first record: what it then reads is another log."""
        for at, offset in self._applied.items():
            if positions.get(at, offset) < offset:
                raise LogWentBackError(
                    f"{at.topic}/{at.partition} was read to {offset}, and the log set the reader back to {positions[at]}"
                )

    async def _apply(self, records: Sequence[StoredRecord]) -> None:
        if len(records) > SLICE and isinstance(self._fold, TwoStepFold):
            await fold_ahead(self._fold, records, taken=self._grew)
            return
        for start in range(0, len(records), SLICE):
            part = records[start : start + SLICE]
            for record in part:
                self._fold.apply(record)
            self._grew(len(part))
            if len(part) == SLICE:
                await asyncio.sleep(0)

    def _grew(self, records: int) -> None:
        """While the table loads; later a search for cycles has little to walk through."""
        if not self.is_ready:
            self._growth.grew(records)

    async def _stay_proven(self) -> None:
        """Keeps `age_s` young as long as the log answers, also where nobody else catches up."""
        while self.broken is None:
            if self.age_s() >= self._prove_every_s:
                with contextlib.suppress(TableStaleError, TableBrokenError):
                    await self.catch_up(max(self._prove_every_s, POLL_S) + ASKED_AGAIN * RETRY_S)
            await asyncio.sleep(self._prove_every_s)

    async def _break(self, error: BaseException) -> None:
        async with self._moved:
            if self.broken is not None:
                return
            self.broken = error
            self._moved.notify_all()
        for tell in self._on_broken:
            tell(self._broken_error())

    def _broken_error(self) -> TableBrokenError:
        return TableBrokenError(f"the table of {', '.join(self._topics)} cannot be trusted any more: {self.broken}")
