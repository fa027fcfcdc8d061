"""The console: the flow with its gates and a search with pictures; server-rendered, readable without script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web

from assent.identity.auth import authenticated
from assent.identity.errors import ApiError
from services.query.console_texts import texts_for
from services.query.flow import EMBEDDED, Decision, Flow
from services.query.handlers import FLOW_SEEN_BY, QueryHandlers
from services.query.searches import ASKERS, Asked, Searches
from services.query.views import Views

FOLDER = Path(__file__).parent
STATIC_TYPES = {"console.css": "text/css", "flow.js": "text/javascript"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
TILES, REFUSALS = 36, 12
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Console:
    """Three pages. Whoever is not signed in is sent to sign in."""

    def __init__(self, *, handlers: QueryHandlers, searches: Searches, views: Views, flow: Flow, banner: str) -> None:
        self._handlers = handlers
        self._searches = searches
        self._views = views
        self._flow = flow
        self._banner = banner
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
        )

    def mount(self, application: web.Application) -> None:
        """Add the pages."""
        router = application.router
        router.add_get("/", self._page(self.flow))
        router.add_get("/search", self._page(self.form))
        router.add_post("/search", self._page(self.search))
        router.add_get("/console/{name}", _static)

    async def flow(self, request: web.Request) -> web.StreamResponse:
        principal = authenticated(request, *FLOW_SEEN_BY)
        decisions = self._handlers.decisions(principal)
        own = principal.subject_id is not None
        return self._render(
            request,
            "flow",
            gates=self._flow.gates,
            tiles=[self._tile(request, item, shows_picture=own) for item in decisions[:TILES]],
            refusals=[self._tile(request, item, shows_picture=False) for item in decisions if item.outcome != EMBEDDED][:REFUSALS],
            shows_pictures=own,
        )

    async def form(self, request: web.Request) -> web.StreamResponse:
        authenticated(request, *ASKERS)
        return self._render(request, "search", answer=None, faces=[])

    async def search(self, request: web.Request) -> web.StreamResponse:
        asked = await self._searches.ask(request)
        return self._render(request, "search", answer=self._views.answer(asked), faces=self._faces(asked))

    def _faces(self, asked: Asked) -> list[dict[str, Any]]:
        return [
            {"face_id": item.facts.face_id, "score": item.score, "box": self._views.box_in_picture(item)}
            for item in asked.answer.candidates
        ]

    def _tile(self, request: web.Request, decision: Decision, *, shows_picture: bool) -> dict[str, Any]:
        lang, _ = texts_for(request.query.get("lang"), request.headers.get("Accept-Language", ""))
        view = self._views.decision(decision, lang=lang)
        return {**view, "picture": decision.face_id if shows_picture and decision.outcome == EMBEDDED else None, "moment": decision.at}

    def _render(self, request: web.Request, name: str, *, status: int = 200, **values: Any) -> web.Response:
        lang, texts = texts_for(request.query.get("lang"), request.headers.get("Accept-Language", ""))
        html = self._environment.get_template(f"{name}.html").render(
            lang=lang, other="en" if lang == "fr" else "fr", path=request.path, t=texts, banner=self._banner, **values
        )
        return web.Response(text=html, content_type="text/html", status=status, headers=HEADERS)

    def _page(self, handler: Handler) -> Handler:
        async def shown(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except ApiError as error:
                if error.status == 401 and request.method == "GET":
                    return web.Response(status=303, headers={"Location": "/login", "Cache-Control": "no-store"})
                return self._render(request, "problem", status=error.status, failure=error)

        return shown


async def _static(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in STATIC_TYPES:
        raise web.HTTPNotFound
    text = (FOLDER / "static" / name).read_text(encoding="utf-8")
    return web.Response(text=text, content_type=STATIC_TYPES[name], headers={"X-Content-Type-Options": "nosniff"})
