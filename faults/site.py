"""A site whose folders come up while it runs: one page per folder that shows its pictures."""

from __future__ import annotations

from aiohttp import web

from demo.site import CONTROL_FILE


class GrowingSite:
    """Serves what was put there; robots.txt is absent, which allows."""

    def __init__(self) -> None:
        self._pictures: dict[str, bytes] = {}
        self._runner: web.AppRunner | None = None
        self.origin = ""
        self.control_lines: list[str] = []

    async def start(self, port: int) -> None:
        """Listen on this port of 127.0.0.1."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.origin = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def put(self, path: str, picture: bytes) -> str:
        """The picture from now on lies at this path; its URL."""
        self._pictures[path] = picture
        return f"{self.origin}{path}"

    async def _serve(self, request: web.Request) -> web.Response:
        path = request.path
        if path == CONTROL_FILE and self.control_lines:
            return web.Response(text="\n".join(self.control_lines), content_type="text/plain")
        if path in self._pictures:
            return web.Response(body=self._pictures[path], content_type="image/jpeg")
        images = "".join(f'<img src="{name}" alt="">' for name in self._pictures if path.endswith("/") and name.startswith(path))
        if not images:
            raise web.HTTPNotFound
        return web.Response(
            text=f'<!doctype html><html lang="en"><title>{path}</title><body>{images}</body></html>', content_type="text/html"
        )
