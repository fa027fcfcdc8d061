"""The console: the flow with its gates and a search with pictures; server-rendered, readable without script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web

from assent.deciding.rule_texts import rule_text
from assent.identity.auth import authenticated
from assent.identity.errors import ApiError
from assent.identity.principal import Principal, Role
from assent.ids import RuleId
from assent.wording.law_text import laws_of
from services.query.console_texts import problem_text, texts_for
from services.query.flow import EMBEDDED, Flow
from services.query.handlers import FLOW_SEEN_BY, QueryHandlers
from services.query.question import Basis
from services.query.searches import ASKERS, Asked, Searches
from services.query.views import Views, sees_all

FOLDER = Path(__file__).parent
STATIC_TYPES = {"console.css": "text/css", "flow.js": "text/javascript"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
TILES, REFUSALS, REASONS = 36, 12, 60
GROUNDS = ((Basis.SELF.value, Role.SUBJECT), (Basis.GALLERY.value, Role.SEARCHER))
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
        principal = authenticated(request, *FLOW_SEEN_BY, Role.SEARCHER)
        if not principal.roles & frozenset(FLOW_SEEN_BY):
            # A searcher sees candidates and nothing of the flow: her page is the search.
            return web.Response(status=303, headers={"Location": "/search", "Cache-Control": "no-store"})
        lang, _ = _language(request)
        items = await self._handlers.items(principal, lang=lang)
        refusals = [item for item in items if item["outcome"] != EMBEDDED][:REFUSALS]
        reasons = self._views.reasons(lang)[:REASONS] if sees_all(principal) else []
        return self._render(request, "flow", gates=self._flow.gates, tiles=items[:TILES], refusals=refusals, reasons=reasons)

    async def form(self, request: web.Request) -> web.StreamResponse:
        return self._search_page(request, authenticated(request, *ASKERS), None)

    async def search(self, request: web.Request) -> web.StreamResponse:
        asked = await self._searches.ask(request)
        return self._search_page(request, asked.question.principal, asked)

    def _search_page(self, request: web.Request, principal: Principal, asked: Asked | None) -> web.StreamResponse:
        grounds = [ground for ground, role in GROUNDS if role in principal.roles]
        answer = None if asked is None else self._views.answer(asked)
        return self._render(request, "search", grounds=grounds, answer=answer)

    def _problem(self, request: web.Request, failure: ApiError) -> web.Response:
        lang, texts = _language(request)
        rule = failure.details.get("rule")
        boxes = failure.details.get("boxes")
        return self._render(
            request,
            "problem",
            status=failure.status,
            is_refusal=failure.status in (401, 403, 451),
            said=problem_text(failure, lang),
            rule=rule,
            why=rule_text(RuleId(str(rule)), lang) if rule is not None else None,
            laws=laws_of(RuleId(str(rule)), lang) if rule is not None else (),
            boxes=[texts["box_text"].format(**_percent(box)) for box in boxes if box] if isinstance(boxes, list) else [],
        )

    def _render(self, request: web.Request, name: str, *, status: int = 200, **values: Any) -> web.Response:
        lang, texts = _language(request)
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
                return self._problem(request, error)

        return shown


def _language(request: web.Request) -> tuple[str, Mapping[str, str]]:
    return texts_for(request.query.get("lang"), request.headers.get("Accept-Language", ""))


def _percent(box: Mapping[str, float]) -> dict[str, str]:
    """A relative box in whole per cent, for people who read rather than look."""
    names = {"left": "x", "top": "y", "width": "width", "height": "height"}
    return {name: f"{100 * box[key]:.0f}" for name, key in names.items()}


async def _static(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in STATIC_TYPES:
        raise web.HTTPNotFound
    text = (FOLDER / "static" / name).read_text(encoding="utf-8")
    return web.Response(text=text, content_type=STATIC_TYPES[name], headers={"X-Content-Type-Options": "nosniff"})
