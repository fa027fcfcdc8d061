"""How slowly the body of a request may come; one that hardly moves is ended, so that it keeps neither memory nor a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from aiohttp import web

from assent.identity.errors import ApiError

GRACE_S = 15.0
"""A body may lag this far behind the least pace: a phone that changes cells, a proxy that wakes up."""
LEAST_BYTES_PER_S = 16 * 1024
"""The least pace. At it, 20 MB take 20 minutes."""
LOOK_EVERY_S = 0.5

T = TypeVar("T")


class BodyPace:
    """One per request, made before its body is read. The time counts from then on, whoever reads and in however many pieces."""

    def __init__(self, request: web.Request, *, grace_s: float = GRACE_S, least_bytes_per_s: float = LEAST_BYTES_PER_S) -> None:
        self._content = request.content
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._grace_s = grace_s
        self._least = least_bytes_per_s

    async def of(self, reading: Awaitable[T]) -> T:
        """What the reading gives. Raises ApiError 408 once the body is too far behind."""
        try:
            async with asyncio.timeout_at(self._deadline()) as limit:
                look = asyncio.create_task(self._move(limit))
                try:
                    return await reading
                finally:
                    look.cancel()
        except TimeoutError as error:
            raise ApiError(408, "too_slow", "The body came too slowly.", "Send it again over a better connection.") from error

    def _deadline(self) -> float:
        return self._started + self._grace_s + self._content.total_bytes / self._least

    async def _move(self, limit: asyncio.Timeout) -> None:
        """What has come meanwhile gives more time."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if limit.expired():
                return
            limit.reschedule(self._deadline())
