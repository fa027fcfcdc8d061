"""A small site on loopback with about twenty pages; it serves what the story needs and counts who asked for what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web

from demo import photos

PORTRAITS = "/astronaut/portraits/"
ALBUM = "/astronaut/album/"
NO_PERMISSION = "/others/"
DISALLOWED = f"{PORTRAITS}private/"
CONTROL_FILE = "/.well-known/assent-control.txt"
ROBOTS = f"User-agent: *\nDisallow: {DISALLOWED}\n"


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture on its page. `headers` are sent with the picture."""

    path: str
    data: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def page(self) -> str:
        """The page that shows it."""
        return self.path.replace("/private/", "/").removesuffix(".jpg") + ".html"


class DemoSite:
    """The pages, their photos and a count of every request, so that `never fetched` can be shown."""

    def __init__(self) -> None:
        self.composite = photos.composite()
        self.photos = {photo.path: photo for photo in self._photos()}
        self.requests: Counter[str] = Counter()
        self.control_lines: list[str] = []
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def origin(self) -> str:
        """Scheme, address and port."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self, port: int = 0) -> None:
        """Listen on this port of 127.0.0.1, or on a free one when it is 0 or taken."""
        app = web.Application()
        app.router.add_get(CONTROL_FILE, self._control)
        app.router.add_get("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", port).start()
        except OSError:
            await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def photos_fetched(self, prefix: str) -> int:
        """How many pictures under this prefix were asked for."""
        return sum(count for path, count in self.requests.items() if path.startswith(prefix) and path in self.photos)

    async def _control(self, request: web.Request) -> web.Response:
        """Who may say that this site is theirs: what its keeper wrote down here, as any site would."""
        self.requests[request.path] += 1
        if not self.control_lines:
            raise web.HTTPNotFound(text="There is no such file here.")
        return web.Response(text="".join(f"{line}\n" for line in self.control_lines), content_type="text/plain")

    async def _serve(self, request: web.Request) -> web.Response:
        path = request.path
        self.requests[path] += 1
        if path == "/robots.txt":
            return web.Response(text=ROBOTS, content_type="text/plain")
        if path in self.photos:
            photo = self.photos[path]
            return web.Response(body=photo.data, content_type="image/jpeg", headers=photo.headers)
        page = self._pages().get(path)
        if page is None:
            raise web.HTTPNotFound(text="There is no such page here.")
        return web.Response(text=page, content_type="text/html")

    def _pages(self) -> dict[str, str]:
        pages = {photo.page: _page(photo.page, images=(photo.path,)) for photo in self.photos.values()}
        for folder in (PORTRAITS, ALBUM, NO_PERMISSION):
            links = tuple(photo.page for photo in self.photos.values() if photo.path.startswith(folder))
            pages[folder] = _page(folder, links=links)
        pages[PORTRAITS] = _page(
            PORTRAITS,
            links=(*(p.page for p in self.photos.values() if p.path.startswith(PORTRAITS)), ALBUM, NO_PERMISSION),
            images=tuple(path for path in self.photos if path.startswith(NO_PERMISSION)),
        )
        pages["/"] = _page("/", links=(PORTRAITS, ALBUM, NO_PERMISSION))
        return pages

    def _photos(self) -> list[Photo]:
        portraits = [
            Photo(f"{PORTRAITS}{number}.jpg", photos.portrait(look, place=photos.VANCOUVER if number % 2 else None))
            for number, look in enumerate(photos.PORTRAIT_LOOKS, start=1)
        ]
        return [
            *portraits,
            Photo(f"{PORTRAITS}montreal.jpg", photos.portrait(photos.Look(quality=80), place=photos.MONTREAL)),
            Photo(
                f"{PORTRAITS}noai.jpg",
                photos.portrait(photos.Look(quality=85), place=photos.VANCOUVER),
                {"X-Robots-Tag": "noai"},
            ),
            Photo(f"{PORTRAITS}group.jpg", photos.group()),
            Photo(f"{DISALLOWED}diary.jpg", photos.portrait(photos.Look(side=400))),
            Photo(f"{ALBUM}composite.jpg", self.composite.data),
            Photo(f"{ALBUM}somebody-else.jpg", photos.stranger()),
            Photo(f"{NO_PERMISSION}stranger.jpg", photos.stranger()),
            Photo(f"{NO_PERMISSION}group.jpg", photos.group()),
        ]


def _page(title: str, *, links: tuple[str, ...] = (), images: tuple[str, ...] = ()) -> str:
    items = "".join(f'<li><a href="{link}">{link}</a></li>' for link in links)
    shown = "".join(f'<p><img src="{image}" alt=""></p>' for image in images)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><h1>{title}</h1><ul>{items}</ul>{shown}</body></html>"
    )
