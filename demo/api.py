"""The HTTP interface as the story uses it: the same calls that anybody with a token makes; it never reaches past them into a service."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

JsonObject = dict[str, Any]
AGAIN_AFTER_S = 0.3


class StoryCallError(Exception):
    """Raised when a call that the story needs is not answered as it should be; the message holds the answer's own words, and so does
    `code` where there is one."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


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

    def __init__(self, addresses: Addresses, *, patience_s: float = 0.0) -> None:
        self.addresses = addresses
        self._patience_s = patience_s
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
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
        form: dict[str, str] | None = None,
        image: bytes | None = None,
    ) -> Answer:
        """One request, again and again for `patience_s` while nobody answers or the answer is 503.

        Raises StoryCallError when nobody answers in the end or the answer is no JSON.
        """
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                answer = await self._once(method, url, token=token, json=json, data=data, headers=headers, form=_form(form, image))
            except StoryCallError:
                if time.monotonic() >= deadline:
                    raise
            else:
                if answer.status != 503 or time.monotonic() >= deadline:
                    return answer
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _once(
        self,
        method: str,
        url: str,
        *,
        token: str | None,
        json: JsonObject | None,
        data: bytes | None,
        headers: dict[str, str] | None,
        form: aiohttp.FormData | None,
    ) -> Answer:
        if self._session is None:
            raise StoryCallError("the session is not open")
        sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        try:
            async with self._session.request(method, url, json=json, data=form or data, headers=sent) as response:
                body = await response.json(content_type=None)
                return Answer(response.status, body if isinstance(body, dict) else {})
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise StoryCallError(f"{method} {url.split('?')[0]}: {type(error).__name__}") from error

    async def need(self, method: str, url: str, **options: Any) -> JsonObject:
        """The body of a success. Raises StoryCallError."""
        answer = await self.ask(method, url, **options)
        if answer.status >= 400:
            said = " ".join(str(answer.body.get(part, "")) for part in ("code", "message", "remedy")).strip()
            code = str(answer.body.get("code", ""))
            raise StoryCallError(f"{method} {url.split('?')[0]} was answered {answer.status}: {said}", code=code)
        return answer.body

    async def status(self, url: str, *, token: str) -> int:
        """The status of one GET whose body is no JSON. Raises StoryCallError when nobody answers."""
        if self._session is None:
            raise StoryCallError("the session is not open")
        try:
            async with self._session.get(url, headers={"Authorization": f"Bearer {token}"}) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StoryCallError(f"GET {url.split('?')[0]}: {type(error).__name__}") from error

    async def search(self, image: bytes, *, token: str | None) -> Answer:
        """A search for oneself with a photo."""
        return await self.ask("POST", f"{self.addresses.query}/v1/search", token=token, form={"basis": "self"}, image=image)


def _form(fields: dict[str, str] | None, image: bytes | None) -> aiohttp.FormData | None:
    """Fields first and the picture last; made anew for every try, because a form is sent once."""
    if image is None:
        return None
    form = aiohttp.FormData()
    for name, value in (fields or {}).items():
        form.add_field(name, value)
    form.add_field("image", image, filename="probe.jpg", content_type="image/jpeg")
    return form
