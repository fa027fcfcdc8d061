"""A real log of which some records cannot land, as when one partition of Kafka has no leader; an opener that gives the registry one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from assent.deployment.build import open_shared
from assent.events.record import Record
from assent.faces.prepare import prepare_embedded_pack
from assent.stream.event_log import EventLog, LogUnavailableError, Position
from embedded.layout import EmbeddedLayout
from embedded.system import NEEDS, EmbeddedSystem, Progress, listen, running_system


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
        async with AsyncExitStack() as stack:
            listener = listen(host, port)
            stack.callback(listener.close)
            prepare_embedded_pack(layout.model, progress=progress)
            shared = await stack.enter_async_context(open_shared(layout.registry(), service="test", needs=NEEDS, is_single_process=True))
            self.log = shared.log
            system = EmbeddedSystem(layout, replace(shared, log=cast(EventLog, self)))
            yield await stack.enter_async_context(running_system(system, listener, host=host))
