"""Pages as HTML with a strict policy for the browser: nothing from elsewhere, no inline script, no cache, no referrer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web

from assent.identity.errors import ApiError
from assent.wording.moment_text import day_text, moment_text
from services.registry.portal_problems import problem_text
from services.registry.portal_texts import texts_for

FOLDER = Path(__file__).parent
STATIC_TYPES = {"portal.css": "text/css", "choose_face.js": "text/javascript", "device_key.js": "text/javascript"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    # A form's own Origin must reach us; nothing else is told to anybody.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class PortalPages:
    """Renders templates in the language of the request; everything that is shown is escaped."""

    def __init__(self, *, banner: str = "") -> None:
        self._banner = banner
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
        )

    def page(self, request: web.Request, name: str, /, *, status: int = 200, **values: Any) -> web.Response:
        """The page of that template."""
        lang, texts = texts_for(request.query.get("lang"), request.headers.get("Accept-Language", ""))
        html = self._environment.get_template(f"{name}.html").render(
            lang=lang,
            other="en" if lang == "fr" else "fr",
            path=request.path,
            t=texts,
            day=lambda at: day_text(at, lang),
            moment=lambda at: moment_text(at, lang),
            banner=self._banner,
            origin=f"{request.scheme}://{request.host}",
            **values,
        )
        return web.Response(text=html, content_type="text/html", status=status, headers=HEADERS)

    def failed(self, request: web.Request, failure: ApiError) -> web.Response:
        """The page of something that did not work."""
        lang, _ = texts_for(request.query.get("lang"), request.headers.get("Accept-Language", ""))
        return self.page(request, "failed", status=failure.status, said=problem_text(failure, lang), failure=failure)


async def static_file(request: web.Request) -> web.Response:
    """One of the files beside the pages."""
    name = request.match_info["name"]
    if name not in STATIC_TYPES:
        raise web.HTTPNotFound
    text = (FOLDER / "static" / name).read_text()
    return web.Response(text=text, content_type=STATIC_TYPES[name], headers={"X-Content-Type-Options": "nosniff"})
