"""The HTTP interface as the story uses it: the same calls that anybody with a token makes; it never reaches past them into a service."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

JsonObject = dict[str, Any]


class StoryCallError(Exception):
    """Raised when a call that the story needs is not answered as it should be; the message holds the answer's own words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON of one answer."""

    status: int
    body: JsonObject


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base URLs; the same one three times where all services share an address."""

    registry: str
    query: str
    crawler: str


class DemoApi:
    """One session. `ask` returns whatever is answered; `need` raises unless it is a success."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=120))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(
        self,
        method: str,
        url: str,
        *,
        token: str | None = None,
        json: JsonObject | None = None,
        data: bytes | aiohttp.FormData | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request. Raises StoryCallError when nobody answers or the answer is no JSON."""
        if self._session is None:
            raise StoryCallError("the session is not open")
        sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        try:
            async with self._session.request(method, url, json=json, data=data, headers=sent) as response:
                body = await response.json(content_type=None)
                return Answer(response.status, body if isinstance(body, dict) else {})
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise StoryCallError(f"{method} {url.split('?')[0]}: {type(error).__name__}") from error

    async def need(self, method: str, url: str, **options: Any) -> JsonObject:
        """The body of a success. Raises StoryCallError."""
        answer = await self.ask(method, url, **options)
        if answer.status >= 400:
            said = " ".join(str(answer.body.get(part, "")) for part in ("code", "message", "remedy")).strip()
            raise StoryCallError(f"{method} {url.split('?')[0]} was answered {answer.status}: {said}")
        return answer.body

    async def search(self, image: bytes, *, token: str | None) -> Answer:
        """A search for oneself with a photo."""
        form = aiohttp.FormData()
        form.add_field("basis", "self")
        form.add_field("image", image, filename="probe.jpg", content_type="image/jpeg")
        return await self.ask("POST", f"{self.addresses.query}/v1/search", token=token, data=form)
