"""What a fetch leaves on the wire: of an answer that is not of the wanted kind no body is read, however long it is."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from assent.fetching.address_guard import AddressGuard
from assent.fetching.fetcher import Fetched, Fetcher, FetchLimits

CHUNK = bytes(65_536)
CHUNKS = 1_000
IN_BUFFERS = 16_000_000
"""What sockets on loopback may hold at most between the two."""


@dataclass(slots=True)
class Sender:
    """A server that sends 64 MB to whoever reads them, and counts what it got rid of."""

    origin: str
    sent: int = 0
    media_type: str = "image/jpeg"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": self.media_type})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for _ in range(CHUNKS):
                await response.write(CHUNK)
                self.sent += len(CHUNK)
        return response


@pytest_asyncio.fixture
async def sender() -> AsyncIterator[Sender]:
    app, one = web.Application(), Sender("")
    app.router.add_get("/{path:.*}", one.serve)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    one.origin = f"http://127.0.0.1:{server.port}"
    yield one
    await server.close()


async def fetched(one: Sender, media_types: tuple[str, ...] | None) -> Fetched:
    allowed = frozenset({("127.0.0.1", int(one.origin.rpartition(":")[2]))})
    fetcher = Fetcher(guard=AddressGuard(allowed), user_agent="test", limits=FetchLimits(max_bytes=len(CHUNK) * CHUNKS))
    await fetcher.start()
    try:
        answer = await fetcher.fetch(f"{one.origin}/1.jpg", media_types=media_types)
    finally:
        await fetcher.close()
    assert isinstance(answer, Fetched)
    return answer


async def test_a_picture_where_a_page_was_asked_for_is_left_on_the_wire(sender: Sender) -> None:
    assert (await fetched(sender, ("text/html",))).body == b""
    assert sender.sent < IN_BUFFERS


@pytest.mark.parametrize("media_type", ["TEXT/HTML; charset=utf-8", "text/html"])
async def test_a_page_is_read_whole(sender: Sender, media_type: str) -> None:
    sender.media_type = media_type
    assert len((await fetched(sender, ("text/html",))).body) == len(CHUNK) * CHUNKS


async def test_without_a_wish_everything_is_read(sender: Sender) -> None:
    assert len((await fetched(sender, None)).body) == len(CHUNK) * CHUNKS
