"""The guard of the test suite itself: what is not loopback cannot be reached from a test."""

from __future__ import annotations

import asyncio
import socket

import pytest


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "169.254.169.254", "0.0.0.1"])
def test_an_outside_address_is_refused(address: str) -> None:
    with socket.socket() as client, pytest.raises(RuntimeError, match="not loopback"):
        client.connect((address, 80))


def test_an_outside_address_is_refused_for_ipv6_and_datagrams() -> None:
    with socket.socket(socket.AF_INET6) as client, pytest.raises(RuntimeError, match="not loopback"):
        client.connect(("2001:db8::1", 80))
    with socket.socket(type=socket.SOCK_DGRAM) as client, pytest.raises(RuntimeError, match="not loopback"):
        client.sendto(b"x", ("192.0.2.1", 53))


async def test_an_outside_address_is_refused_for_asyncio() -> None:
    with pytest.raises(RuntimeError, match="not loopback"):
        await asyncio.open_connection("192.0.2.1", 80)


def test_no_name_is_resolved() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("pictures.example", 80)


async def test_loopback_is_open() -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("localhost", port, family=socket.AF_INET)
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()
