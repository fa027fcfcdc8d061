"""One HTTP fetch with caps on everything; it follows no redirect by itself, keeps no cookie and tries no second time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import aiohttp
from aiohttp.connector import Connection

from assent.fetching.address_guard import AddressGuard, AddressRefusedError

REDIRECTS = frozenset({301, 302, 303, 307, 308})


class FetchFailure(StrEnum):
    """Why nothing came back."""

    ADDRESS = "address"
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer. `body` is whole (never more than the cap); `headers` keep repetitions and order; `url` is what was asked.

    `peer` is the numeric address that it came from, for what is told of the place of a server; it goes into no event, log or metric.
    """

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    peer: str | None = None

    def header(self, name: str) -> str | None:
        """First value of a header, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def redirect_to(self) -> str | None:
        """The Location of a redirect, as sent."""
        return self.header("Location") if self.status in REDIRECTS else None


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Caps of one fetch: seconds for all of it, bytes of a body after decompression, bytes of one header line."""

    total_s: float = 20.0
    connect_s: float = 5.0
    max_bytes: int = 20_000_000
    max_header_bytes: int = 16_384


class _Answer(aiohttp.ClientResponse):
    """Notes the address at the other end before anything is read: a short answer gives its connection back at once."""

    peer: str | None = None

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        transport = connection.transport
        name = None if transport is None else transport.get_extra_info("peername")
        self.peer = str(name[0]) if isinstance(name, tuple) and name else None
        return await super().start(connection)


class Fetcher:
    """A session whose every socket passes the guard. One user agent, no proxy, no cookies, no credentials."""

    def __init__(
        self,
        *,
        guard: AddressGuard,
        user_agent: str,
        limits: FetchLimits,
        on_blocked: Callable[[str], None] = lambda reason: None,
        on_ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_blocked = on_blocked
        self._on_ended = on_ended
        self._guard = guard
        self._user_agent = user_agent
        self._limits = limits
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the session."""
        connector = aiohttp.TCPConnector(socket_factory=self._guarded_socket, limit_per_host=2, ttl_dns_cache=0)
        self._session = aiohttp.ClientSession(
            connector=connector,
            response_class=_Answer,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._user_agent},
            timeout=aiohttp.ClientTimeout(total=self._limits.total_s, connect=self._limits.connect_s),
            trust_env=False,
            max_line_size=self._limits.max_header_bytes,
            max_field_size=self._limits.max_header_bytes,
        )

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(self, url: str, *, max_bytes: int | None = None, media_types: tuple[str, ...] | None = None) -> Fetched | FetchFailure:
        """GET one URL once. Every failure is a value; nothing of a partial body is returned.

        With `media_types` the body of an answer of any other type is left on the wire and returned empty.
        """
        if self._session is None:
            raise RuntimeError("start the fetcher before it fetches")
        cap = min(max_bytes or self._limits.max_bytes, self._limits.max_bytes)
        try:
            async with self._session.get(url, allow_redirects=False) as response:
                peer = response.peer if isinstance(response, _Answer) else None
                is_wanted = media_types is None or response.headers.get("Content-Type", "").lower().startswith(media_types)
                body = await _capped_body(response, cap) if is_wanted else b""
                if body is None:
                    return FetchFailure.TOO_LARGE
                return Fetched(url, response.status, tuple(response.headers.items()), body, peer)
        except AddressRefusedError:
            return self._blocked()
        except TimeoutError:
            return FetchFailure.TIMEOUT
        except aiohttp.ClientConnectionError as error:
            return self._blocked() if _caused_by_guard(error) else FetchFailure.CONNECTION
        except (aiohttp.ClientError, ValueError, asyncio.LimitOverrunError):
            return FetchFailure.BROKEN
        finally:
            self._on_ended()

    def _blocked(self) -> FetchFailure:
        self._on_blocked(FetchFailure.ADDRESS.value)
        return FetchFailure.ADDRESS

    def _guarded_socket(self, addr_info: Any) -> socket.socket:
        """Called with the final address of every new connection: name, literal and redirect alike."""
        family, kind, protocol, _, address = addr_info
        self._guard.check(str(address[0]), int(address[1]))
        return socket.socket(family=family, type=kind, proto=protocol)


async def _capped_body(response: aiohttp.ClientResponse, cap: int) -> bytes | None:
    """The whole decompressed body, or None once it is over the cap."""
    if response.status in REDIRECTS:
        return b""
    parts: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(65_536):
        size += len(chunk)
        if size > cap:
            return None
        parts.append(chunk)
    return b"".join(parts)


def _caused_by_guard(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, AddressRefusedError):
            return True
        error = error.__cause__ or error.__context__
    return False
