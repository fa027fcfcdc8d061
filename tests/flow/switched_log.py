"""A real log of which some records cannot land, as when one partition of Kafka has no leader; an opener that gives the registry one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from assent.events.record import Record
from assent.stream.event_log import EventLog, LogUnavailableError, Position
from embedded.layout import EmbeddedLayout
from embedded.system import EmbeddedSystem, Progress, running_system
from tests.flow.opened_parts import opened_parts


class LogSwitch:
    """EventLog over the usual one. What `refuses` says yes to is not appended: the rest lands, and the call fails all the same."""

    def __init__(self) -> None:
        self.refuses: Callable[[Record], bool] = lambda record: False
        self.trouble: Exception = LogUnavailableError("a partition has no leader")
        self.log: EventLog | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.log, name)

    async def append(self, records: Sequence[Record]) -> list[Position]:
        assert self.log is not None
        lands = [record for record in records if not self.refuses(record)]
        places = await self.log.append(lands) if lands else []
        if len(lands) < len(records):
            raise self.trouble
        return places

    @asynccontextmanager
    async def opener(self, layout: EmbeddedLayout, *, host: str, port: int, progress: Progress) -> AsyncIterator[EmbeddedSystem]:
        """The usual system over this log."""
        async with opened_parts(layout, host=host, port=port, progress=progress) as (shared, listener):
            self.log = shared.log
            switched = EmbeddedSystem(layout, replace(shared, log=cast(EventLog, self)))
            async with running_system(switched, listener, host=host) as system:
                yield system
