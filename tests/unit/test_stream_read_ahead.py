"""A table that loads: read in threads and taken in order, and no search for cycles goes twice through what was loaded."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from assent.events.record import StoredRecord
from assent.stream.event_log import EventLog
from assent.stream.read_ahead import AHEAD, SLICE, fold_ahead
from assent.stream.spared_growth import PIECE
from assent.stream.table import Table, TableBrokenError
from assent.testing.fake_clock import FakeClock
from tests.unit.test_stream_table import AT, HandLog

MANY = 20 * SLICE + 7


class Numbers:
    """Takes the number in each record. The first slice is read last: it waits until the others that may be read beside it are."""

    def __init__(self) -> None:
        self.taken: list[list[int]] = []
        self.readers: set[int] = set()
        self.takers: set[int] = set()
        self._others_read = threading.Event()

    def apply(self, record: StoredRecord) -> None:
        self.take(record, self.read(record))

    def read(self, record: StoredRecord) -> int:
        self.readers.add(threading.get_ident())
        number = int(record.value or b"")
        if number == 0 and threading.current_thread() is not threading.main_thread():
            assert self._others_read.wait(10), "the next slice is read while the first one is"
        if number == (AHEAD - 1) * SLICE:
            self._others_read.set()
        return number

    def take(self, record: StoredRecord, said: int) -> None:
        if said < 0:
            raise ValueError("cannot be taken")
        self.takers.add(threading.get_ident())
        self.taken.append([said])


class Unreadable(Numbers):
    """One record in the middle ends the reading."""

    def read(self, record: StoredRecord) -> int:
        if int(record.value or b"") == MANY // 2:
            raise ValueError("cannot be read")
        return super().read(record)


def records(count: int) -> list[StoredRecord]:
    return [StoredRecord("grants", 0, number, 0, b"k", str(number).encode()) for number in range(count)]


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    yield
    gc.unfreeze()


def ignored(count: int) -> None:
    """Nobody asks how many."""


async def test_slices_are_read_beside_each_other_in_threads_and_taken_in_their_order_by_the_loop() -> None:
    fold, counts = Numbers(), list[int]()
    await fold_ahead(fold, records(MANY), taken=counts.append)
    assert fold.taken == [[number] for number in range(MANY)]
    assert fold.takers == {threading.get_ident()}
    assert threading.get_ident() not in fold.readers
    assert (sum(counts), max(counts)) == (MANY, SLICE)


async def test_what_cannot_be_read_is_raised_and_nothing_behind_it_is_taken() -> None:
    fold = Unreadable()
    before = asyncio.all_tasks()
    with pytest.raises(ValueError, match="cannot be read"):
        await fold_ahead(fold, records(MANY), taken=ignored)
    assert len(fold.taken) == MANY // 2 // SLICE * SLICE
    assert asyncio.all_tasks() == before


async def test_nothing_is_read_any_more_when_the_loading_was_given_up() -> None:
    fold = Numbers()
    before = asyncio.all_tasks()

    def give_up(count: int) -> None:
        loading.cancel()

    loading = asyncio.create_task(fold_ahead(fold, records(MANY), taken=give_up))
    with pytest.raises(asyncio.CancelledError):
        await loading
    assert len(fold.taken) == SLICE
    assert asyncio.all_tasks() == before


async def test_a_table_reads_few_records_itself_and_many_in_threads() -> None:
    log, fold = HandLog(), Numbers()
    table = Table(cast(EventLog, log), ["grants"], fold, clock=FakeClock())
    await table.start()
    log.put(*(record.value or b"" for record in records(SLICE)), position=SLICE)
    await table.wait_for({AT: SLICE}, 5)
    assert fold.readers == {threading.get_ident()}
    log.put(*(record.value or b"" for record in records(MANY)), position=SLICE + MANY)
    await table.wait_for({AT: SLICE + MANY}, 30)
    assert len(fold.readers) > 1
    assert len(fold.taken) == SLICE + MANY
    await table.stop()


async def test_a_record_that_cannot_be_taken_breaks_a_table_that_reads_in_threads() -> None:
    log, fold = HandLog(), Numbers()
    table = Table(cast(EventLog, log), ["grants"], fold, clock=FakeClock())
    log.end = MANY
    await table.start()
    values = [record.value or b"" for record in records(MANY)]
    log.put(*values[: 3 * SLICE], b"-1", *values[3 * SLICE + 1 :], position=MANY)
    with pytest.raises(TableBrokenError, match="cannot be taken"):
        await table.ready(30)
    assert len(fold.taken) == 3 * SLICE
    await table.stop()


class Walks:
    """How much each full search for cycles has before it."""

    def __init__(self) -> None:
        self.objects: list[int] = []

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start" and info["generation"] == 2:
            self.objects.append(len(gc.get_objects()))


@pytest.mark.parametrize("tables", [1, 3])
async def test_no_search_for_cycles_walks_through_what_was_loaded_before(tables: int) -> None:
    gc.collect()
    gc.freeze()
    pieces = 6
    logs, folds = [HandLog() for _ in range(tables)], [Numbers() for _ in range(tables)]
    loading = [Table(cast(EventLog, log), ["grants"], fold, clock=FakeClock()) for log, fold in zip(logs, folds, strict=True)]
    for log, table in zip(logs, loading, strict=True):
        log.end = pieces * PIECE
        await table.start()
        log.put(*(record.value or b"" for record in records(pieces * PIECE)), position=pieces * PIECE)
    walks, before = Walks(), gc.get_freeze_count()
    gc.callbacks.append(walks)
    try:
        await asyncio.gather(*(table.ready(60) for table in loading))
    finally:
        gc.callbacks.remove(walks)
    # A list for each record that was taken, and the records of all tables that were waiting from the beginning.
    waiting = tables * pieces * PIECE
    assert len(walks.objects) >= tables * (pieces - 1)
    assert max(walks.objects[1:]) < waiting, "the second search walks through what was there when the first one was over"
    assert gc.get_freeze_count() - before >= tables * (pieces - 1) * PIECE
    assert gc.isenabled()
    for table in loading:
        await table.stop()


async def test_a_table_that_has_loaded_is_not_spared_as_it_grows() -> None:
    log, fold = HandLog(), Numbers()
    table = Table(cast(EventLog, log), ["grants"], fold, clock=FakeClock())
    await table.start()
    before = gc.get_freeze_count()
    log.put(*(record.value or b"" for record in records(2 * PIECE)), position=2 * PIECE)
    await table.wait_for({AT: 2 * PIECE}, 60)
    assert gc.get_freeze_count() <= before
    await table.stop()
