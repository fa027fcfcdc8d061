"""A body that hardly moves is ended, one that is slow and comes is taken; over a real connection, with a pace that a test can wait for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from assent.deployment.body_pace import BodyPace
from assent.identity.errors import error_middleware

GRACE_S, LEAST = 1.0, 1_000.0
pytestmark = pytest.mark.timeout(60)


async def whole(request: web.Request) -> web.Response:
    body = await BodyPace(request, grace_s=GRACE_S, least_bytes_per_s=LEAST).of(request.read())
    return web.Response(text=str(len(body)))


async def in_pieces(request: web.Request) -> web.Response:
    """A new piece is no new start."""
    pace, size = BodyPace(request, grace_s=GRACE_S, least_bytes_per_s=LEAST), 0
    while piece := await pace.of(request.content.read(65_536)):
        size += len(piece)
    return web.Response(text=str(size))


@pytest.fixture(params=[whole, in_pieces])
async def port(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    application = web.Application(middlewares=[error_middleware])
    application.router.add_post("/", request.param)
    async with TestServer(application, host="127.0.0.1") as server:
        assert server.port is not None
        yield server.port


async def sent(port: int, size: int, piece: int, every_s: float) -> tuple[int, bytes, float]:
    """Send that many bytes, a piece at a time; status, answer, and the seconds until it came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    started, answer = time.monotonic(), asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
    try:
        for _ in range(0, size, piece):
            writer.write(bytes(min(piece, size)))
            await asyncio.wait([answer], timeout=every_s)
            if answer.done():
                break
        head = await asyncio.wait_for(answer, 20)
        return int(head.split(b" ")[1]), await reader.read(200), time.monotonic() - started
    finally:
        writer.close()


async def test_a_byte_now_and_then_is_ended(port: int) -> None:
    status, body, seconds = await sent(port, size=100_000, piece=1, every_s=0.05)
    assert (status, b"too_slow" in body) == (408, True)
    assert seconds >= GRACE_S


async def test_nothing_after_the_first_byte_is_ended(port: int) -> None:
    status, _, seconds = await sent(port, size=100_000, piece=1, every_s=30.0)
    assert status == 408
    assert seconds >= GRACE_S


async def test_a_slow_body_that_comes_is_taken_however_long_it_takes(port: int) -> None:
    status, body, seconds = await sent(port, size=30_000, piece=1_000, every_s=0.1)
    assert (status, body) == (200, b"30000")
    assert seconds > 2 * GRACE_S
