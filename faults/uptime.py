"""Seconds in which everything that an erasure needs was up; a fault stops this clock, and only its end starts it again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Uptime:
    """`needs` names the parts; a part may be down for several reasons at once."""

    def __init__(self, needs: frozenset[str]) -> None:
        self._needs = needs
        self._down: Counter[str] = Counter()
        self._counted = 0.0
        self._since: float | None = time.monotonic()

    @property
    def seconds(self) -> float:
        """Counted so far."""
        return self._counted + (0.0 if self._since is None else time.monotonic() - self._since)

    @contextmanager
    def without(self, part: str) -> Iterator[None]:
        """The part is down inside."""
        self._change(part, 1)
        try:
            yield
        finally:
            self._change(part, -1)

    def _change(self, part: str, by: int) -> None:
        if part not in self._needs:
            return
        self._counted, self._since = self.seconds, None
        self._down[part] += by
        if not +self._down:
            self._since = time.monotonic()
