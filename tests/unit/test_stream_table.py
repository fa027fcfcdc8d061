"""A table between its start and its end: ready, fresh, stale, broken; over a log that the test moves by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, cast

import pytest

from assent.events.record import StoredRecord
from assent.stream.event_log import EventLog, LogUnavailableError, TopicPartition
from assent.stream.table import LogWentBackError, Table, TableBrokenError, TableStaleError
from assent.testing.fake_clock import FakeClock

AT = TopicPartition("grants", 0)


class HandLog:
    """The two questions a table asks. `end` is what the log says; `put` moves what a follower has read."""

    def __init__(self) -> None:
        self.end = 0
        self.position = 0
        self.is_away = False
        self.early: list[int] = []
        self._ready: list[StoredRecord] = []
        self._moved = asyncio.Event()

    async def end_offsets(self, topics: Collection[str]) -> dict[TopicPartition, int]:
        if self.is_away:
            raise LogUnavailableError("away")
        if self.early:
            return {AT: self.early.pop(0)}
        return {AT: self.end}

    async def tail(self, topics: Collection[str]) -> HandLog:
        return self

    async def poll(self, *, timeout_s: float) -> list[StoredRecord]:
        await self._moved.wait()
        self._moved.clear()
        found, self._ready = self._ready, []
        return found

    def positions(self) -> dict[TopicPartition, int]:
        return {AT: self.position}

    async def close(self) -> None:
        """Nothing is open."""

    def put(self, *values: bytes, position: int) -> None:
        """Records arrive, and the follower stands at `position`, perhaps past a gap."""
        self._ready += [StoredRecord("grants", 0, 0, 0, b"k", value) for value in values]
        self.position = position
        self._moved.set()


class Values:
    """What was applied; `bad` cannot be."""

    def __init__(self) -> None:
        self.seen: list[bytes | None] = []

    def apply(self, record: StoredRecord) -> None:
        if record.value == b"bad":
            raise ValueError("unreadable")
        self.seen.append(record.value)


class Stand:
    """A table on a hand-moved log."""

    def __init__(self) -> None:
        self.log, self.fold, self.clock = HandLog(), Values(), FakeClock()
        self.told: list[BaseException] = []
        self.table = Table(cast(EventLog, self.log), ["grants"], self.fold, clock=self.clock)
        self.table.when_broken(self.told.append)

    async def __aenter__(self) -> Stand:
        await self.table.start()
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.table.stop()


async def test_it_is_not_ready_before_the_offsets_of_its_start_are_applied() -> None:
    stand = Stand()
    assert not stand.table.is_ready
    stand.log.end = 3
    async with stand:
        assert not stand.table.is_ready
        stand.log.put(b"1", b"2", position=2)
        with pytest.raises(TableStaleError, match="did not reach the end of grants"):
            await stand.table.ready(0.05)
        stand.log.put(b"3", position=3)
        await stand.table.ready(5)
        assert stand.table.is_ready
        assert stand.fold.seen == [b"1", b"2", b"3"]


async def test_an_empty_log_is_ready_at_once() -> None:
    async with Stand() as stand:
        assert stand.table.is_ready


async def test_a_gap_at_the_end_counts_as_read() -> None:
    stand = Stand()
    stand.log.end = 10
    async with stand:
        stand.log.put(b"1", position=10)
        await stand.table.ready(5)


async def test_catching_up_waits_for_what_was_acknowledged_before_it() -> None:
    async with Stand() as stand:
        stand.log.end = 1
        waiting = asyncio.create_task(stand.table.catch_up(5))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        stand.log.put(b"withdrawn", position=1)
        await waiting
        assert stand.fold.seen == [b"withdrawn"]


async def test_age_grows_while_nothing_is_proved() -> None:
    async with Stand() as stand:
        await stand.table.catch_up(5)
        stand.log.is_away = True
        stand.clock.advance(30)
        with pytest.raises(TableStaleError, match="does not say where it ends"):
            await stand.table.catch_up(5)
        assert stand.table.age_s() == pytest.approx(30)


async def test_a_record_that_must_not_be_skipped_closes_the_table_for_good() -> None:
    async with Stand() as stand:
        stand.log.end = 3
        waiting = asyncio.create_task(stand.table.catch_up(5))
        await asyncio.sleep(0.01)
        stand.log.put(b"1", b"bad", b"3", position=3)
        with pytest.raises(TableBrokenError):
            await waiting
        assert not stand.table.is_ready
        assert stand.table.age_s() == float("inf")
        assert [str(error) for error in stand.told] == ["the table of grants cannot be trusted any more: unreadable"]
        late: list[BaseException] = []
        stand.table.when_broken(late.append)
        assert [str(error) for error in late] == [str(error) for error in stand.told]
        with pytest.raises(TableBrokenError):
            await stand.table.ready(5)


async def test_a_log_that_ends_before_what_was_read_closes_the_table() -> None:
    async with Stand() as stand:
        stand.log.end = 5
        stand.log.put(b"1", position=5)
        await stand.table.catch_up(5)
        stand.log.end = 2
        with pytest.raises(TableBrokenError):
            await stand.table.catch_up(5)
        assert isinstance(stand.table.broken, LogWentBackError)
        assert "grants/0 ends at 2, and 5 records of it were read" in str(stand.told[0])


async def test_an_end_that_is_too_early_for_a_moment_breaks_nothing() -> None:
    """A leader that lost its office without knowing it tells the end of before; asked again, its successor answers."""
    async with Stand() as stand:
        stand.log.end = 5
        stand.log.put(b"1", position=5)
        await stand.table.catch_up(5)
        stand.log.early = [2, 4]
        await stand.table.catch_up(5)
        assert stand.table.is_ready
        assert not stand.log.early, "it was asked until it answered right"


async def test_an_end_that_stays_too_early_holds_a_caller_who_cannot_wait_for_the_verdict() -> None:
    async with Stand() as stand:
        stand.log.end = 5
        stand.log.put(b"1", position=5)
        await stand.table.catch_up(5)
        stand.log.end = 2
        with pytest.raises(TableStaleError):
            await stand.table.catch_up(0.05)
        assert stand.table.broken is None


async def test_a_follower_that_is_set_back_closes_the_table() -> None:
    async with Stand() as stand:
        stand.log.end = 5
        stand.log.put(b"1", position=5)
        await stand.table.catch_up(5)
        stand.log.put(b"another log", position=1)
        with pytest.raises(TableBrokenError, match="was read to 5, and the log set the reader back to 1"):
            await stand.table.wait_for({AT: 6}, 5)
        assert stand.fold.seen == [b"1"]


def test_who_waits_out_a_stale_table_does_not_wait_for_a_broken_one() -> None:
    assert not issubclass(TableBrokenError, TableStaleError)
