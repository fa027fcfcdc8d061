"""A line to a broker that is slow, or cut while both ends believe in it; on loopback, for one test."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from assent.testing.kafka_broker import HOST

CHUNK_BYTES = 65_536


class SlowLine:
    """Forwards a port to another. `delay_s` each way; while `is_cut`, nothing goes through and no connection is closed."""

    def __init__(self, *, port: int, to_port: int, delay_s: float) -> None:
        self._port = port
        self._to_port = to_port
        self._delay_s = delay_s
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = asyncio.Event()
        self._open.set()

    def cut(self) -> None:
        """Nothing goes through."""
        self._open.clear()

    def mend(self) -> None:
        """What waited goes on."""
        self._open.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, HOST, self._port)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection(HOST, self._to_port)
        except OSError:
            writer.close()
            return
        for source, target in ((reader, forth), (back, writer)):
            task = asyncio.create_task(self._carry(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(CHUNK_BYTES):
                await asyncio.sleep(self._delay_s)
                await self._open.wait()
                target.write(data)
                await target.drain()
        except OSError:
            pass
        finally:
            target.close()
