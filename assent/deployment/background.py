"""Tasks of a service that must not end quietly: the first that fails stops the process."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Background:
    """Named tasks. `failure` is what ended one of them, or was told by `fail`, and `failed` is set then."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[Any]] = []
        self.failure: BaseException | None = None
        self.failed = asyncio.Event()

    def start(self, work: Coroutine[Any, Any, Any], *, name: str) -> None:
        """Run until stopped or failed."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    async def stop(self, *, deadline_s: float) -> None:
        """Give the tasks `deadline_s` to end by themselves, then cancel them."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=deadline_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def fail(self, error: BaseException) -> None:
        """End the process for a reason that no task met; the first reason stands."""
        if self.failure is None:
            self.failure = error
            self.failed.set()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)
