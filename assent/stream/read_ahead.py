"""Many records read in threads, ahead of being taken; they are taken in their order, by the event loop alone."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from assent.events.record import StoredRecord

SLICE = 128
"""Records taken before other tasks get a turn: a rebuild of a large table must not hold up heartbeats."""
AHEAD = 1 + min(4, os.cpu_count() or 1)
"""Slices in hand at once: one for each of a few processors, and the one that is being taken."""

Said = TypeVar("Said")


@runtime_checkable
class TwoStepFold(Protocol[Said]):
    """A fold that reads a record without what it holds: a signature is checked with the interpreter's lock let go."""

    def read(self, record: StoredRecord) -> Said:
        """What the record says, of the record alone: it runs in any thread, beside others of its kind and before its turn."""
        ...

    def take(self, record: StoredRecord, said: Said) -> None:
        """Take what was read, in the order of the records. An exception stops the table for good."""
        ...


async def fold_ahead(fold: TwoStepFold[Said], records: Sequence[StoredRecord], *, taken: Callable[[int], None]) -> None:
    """Read and take every record; `taken` is told how many, after each slice. Raises what reading or taking raises.

    Nothing is read any more when it has ended, however it ended.
    """
    parts = [records[at : at + SLICE] for at in range(0, len(records), SLICE)]
    reading: deque[asyncio.Task[list[Said]]] = deque()
    try:
        for number, part in enumerate(parts):
            for following in parts[number + len(reading) : number + AHEAD]:
                reading.append(asyncio.create_task(asyncio.to_thread(_read, fold, following)))
            said = await reading[0]
            reading.popleft()
            for record, word in zip(part, said, strict=True):
                fold.take(record, word)
            taken(len(part))
            # A slice that is already read is awaited without a turn for anybody else.
            await asyncio.sleep(0)
    finally:
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)


def _read(fold: TwoStepFold[Said], records: Sequence[StoredRecord]) -> list[Said]:
    return [fold.read(record) for record in records]
