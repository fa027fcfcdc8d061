"""What a table loads is left out of the search for cycles as it comes: a search never walks through what was loaded before.

The collector walks through everything that it has not been told to leave, with the event loop standing still. A table is millions of
objects that live as long as the process and hold no cycle.
"""

from __future__ import annotations

import gc

PIECE = 1_024
"""Records between two searches: tens of thousands of objects, some 10 ms."""


class SparedGrowth:
    """Counts what one table loaded. Nothing is switched off, so nothing has to be put back: several may load at once, or be stopped."""

    def __init__(self) -> None:
        self._records = 0

    def grew(self, records: int) -> None:
        """So many records more. After a piece of them: search what came since the last time, so that no garbage stays, and leave it out."""
        self._records += records
        if self._records >= PIECE:
            self._records = 0
            gc.collect()
            gc.freeze()
