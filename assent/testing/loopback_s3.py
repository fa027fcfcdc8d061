"""A small S3 on loopback, enough for the client's calls of the blob port; never a claim about any real object store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from aiohttp import web


@dataclass
class LoopbackS3:
    """Objects of one bucket by key. `is_down` answers 503 to everything; `delay_s` holds up every answer; `locked` are not deleted."""

    bucket: str = "bucket"
    objects: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    is_down: bool = False
    delay_s: float = 0.0
    locked: set[str] = field(default_factory=set)
    page_size: int = 3

    def application(self) -> web.Application:
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Answers 503 inside."""
        self.is_down = True
        try:
            yield
        finally:
            self.is_down = False

    @contextlib.contextmanager
    def slow(self, delay_s: float) -> Iterator[None]:
        """Every answer waits, inside."""
        self.delay_s = delay_s
        try:
            yield
        finally:
            self.delay_s = 0.0

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            return await self._answered(request)
        except ConnectionResetError:
            # Whoever asked was killed in the middle.
            return web.Response(status=500)

    async def _answered(self, request: web.Request) -> web.Response:
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if self.is_down:
            return web.Response(status=503)
        key = request.match_info["path"].removeprefix(self.bucket).lstrip("/")
        if request.method == "GET" and "list-type" in request.query:
            return self._listing(request)
        if request.method == "POST" and "delete" in request.query:
            return self._delete_many(await request.read())
        if request.method == "PUT":
            if request.headers.get("If-None-Match") == "*" and key in self.objects:
                return web.Response(status=412)
            self.objects[key] = (await request.read(), datetime.now(UTC))
            return web.Response(headers={"ETag": '"e"'})
        if request.method == "DELETE":
            self.objects.pop(key, None)
            return web.Response(status=204)
        if key not in self.objects:
            return web.Response(status=404)
        data, modified_at = self.objects[key]
        headers = {"ETag": '"e"', "Last-Modified": format_datetime(modified_at, usegmt=True)}
        return web.Response(body=data, headers=headers)

    def _listing(self, request: web.Request) -> web.Response:
        prefix, after = request.query.get("prefix", ""), request.query.get("continuation-token", "")
        keys = [key for key in sorted(self.objects) if key.startswith(prefix) and key > after]
        page = keys[: self.page_size]
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[key][0])}</Size><ETag>e</ETag>"
            f"<LastModified>{self.objects[key][1].isoformat()}</LastModified></Contents>"
            for key in page
        )
        more = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if len(keys) > len(page) else ""
        body = f"<ListBucketResult><IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}{rows}</ListBucketResult>"
        return web.Response(text=body, content_type="application/xml")

    def _delete_many(self, body: bytes) -> web.Response:
        keys = [element.text or "" for element in ElementTree.fromstring(body).iter() if element.tag.endswith("Key")]  # noqa: S314  what our own client wrote
        for key in set(keys) - self.locked:
            self.objects.pop(key, None)
        rows = "".join(
            f"<Error><Key>{escape(key)}</Key><Code>AccessDenied</Code><Message>locked</Message></Error>"
            if key in self.locked
            else f"<Deleted><Key>{escape(key)}</Key></Deleted>"
            for key in keys
        )
        return web.Response(text=f"<DeleteResult>{rows}</DeleteResult>", content_type="application/xml")
