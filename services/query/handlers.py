"""HTTP of the query service: search, verification, pictures, explanation, the flow; thin, and nothing here decides."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from assent.identity.auth import authenticated
from assent.identity.errors import ApiError
from assent.identity.principal import Principal, Role
from assent.ids import GrantId
from assent.keys.identifiers import ImageIds
from services.query.flow import Decision, Flow
from services.query.pictures import Pictures
from services.query.question import Basis
from services.query.search_form import read_question
from services.query.searches import Searches
from services.query.views import Views, sees_all

EXPLAINERS = (Role.OPERATOR, Role.PRIVACY_OFFICER, Role.SUBJECT)
FLOW_SEEN_BY = (Role.OPERATOR, Role.PRIVACY_OFFICER, Role.AUDITOR, Role.SUBJECT)
MAX_DECISIONS = 200
STREAM_PAUSE_S = 0.3
STREAM_BEAT_S = 15.0
GrantsOf = Callable[[Principal], frozenset[GrantId]]


class QueryHandlers:
    """`grants_of` names the grants of a subject; `caught_up` raises ApiError 503 when that cannot be known."""

    def __init__(
        self,
        *,
        searches: Searches,
        pictures: Pictures,
        views: Views,
        flow: Flow,
        identifiers: ImageIds,
        grants_of: GrantsOf,
        caught_up: Callable[[], Awaitable[None]],
        max_bytes: int,
        max_streams: int,
    ) -> None:
        self._searches = searches
        self._pictures = pictures
        self._views = views
        self._flow = flow
        self._identifiers = identifiers
        self._grants_of = grants_of
        self._caught_up = caught_up
        self._max_bytes = max_bytes
        self._free_streams = max_streams
        self._stopping = asyncio.Event()

    def mount(self, application: web.Application) -> None:
        """Add the routes."""
        router = application.router
        router.add_post("/v1/search", self.search)
        router.add_post("/v1/verify", self.verify)
        router.add_get("/v1/faces/{face_id}/picture", self._pictures.serve)
        router.add_post("/v1/explain", self.explain)
        router.add_get("/v1/flow", self.flow)
        router.add_get("/v1/flow/stream", self.stream)
        application.on_shutdown.append(self._end_streams)

    async def search(self, request: web.Request) -> web.Response:
        return _told(self._views.answer(await self._searches.ask(request)))

    async def verify(self, request: web.Request) -> web.Response:
        return _told(self._views.answer(await self._searches.ask(request, basis=Basis.VERIFY)))

    async def explain(self, request: web.Request) -> web.Response:
        """Every remembered decision about these very bytes. They are hashed, never decoded, and forgotten."""
        principal = authenticated(request, *EXPLAINERS)
        await self._caught_up()
        _, picture = await read_question(request, lambda fields: None, max_bytes=self._max_bytes)
        if not picture:
            raise ApiError(422, "no_picture", "No image came.", "Send it as image.")
        image_id = self._identifiers.image_id(picture)
        found = self._flow.of_image(image_id, grants=self._seen_by(principal))
        return _told({"image": image_id[:12], "decisions": [self._views.decision(item, lang=_lang(request)) for item in found]})

    async def flow(self, request: web.Request) -> web.Response:
        principal = authenticated(request, *FLOW_SEEN_BY)
        return _told(self._views.flow(self.decisions(principal), lang=_lang(request)))

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """The same as server-sent events, whenever something happened; ends with the service and with the token's page."""
        principal = authenticated(request, *FLOW_SEEN_BY)
        if self._free_streams <= 0:
            raise ApiError(503, "too_many_streams", "Too many pages follow the flow already.", "Load the page again later.")
        self._free_streams -= 1
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        try:
            await response.prepare(request)
            await self._send(response, principal, _lang(request))
        except ConnectionError:
            pass  # The page was closed.
        finally:
            self._free_streams += 1
        return response

    def decisions(self, principal: Principal, *, limit: int = MAX_DECISIONS) -> list[Decision]:
        """The newest decisions that this caller may see."""
        return self._flow.last(limit, grants=self._seen_by(principal))

    async def _send(self, response: web.StreamResponse, principal: Principal, lang: str) -> None:
        while not self._stopping.is_set():
            grown = self._flow.grown
            view = self._views.flow(self.decisions(principal, limit=60), lang=lang)
            await response.write(f"data: {json.dumps(view)}\n\n".encode())
            waiting = {asyncio.create_task(grown.wait()), asyncio.create_task(self._stopping.wait())}
            await asyncio.wait(waiting, timeout=STREAM_BEAT_S, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
            # What comes together is told together.
            await asyncio.sleep(STREAM_PAUSE_S)

    async def _end_streams(self, application: web.Application) -> None:
        self._stopping.set()

    def _seen_by(self, principal: Principal) -> frozenset[GrantId] | None:
        return None if sees_all(principal) else self._grants_of(principal)


def _told(body: dict[str, object]) -> web.Response:
    return web.json_response(body, headers={"Cache-Control": "no-store"})


def _lang(request: web.Request) -> str:
    wanted = request.query.get("lang") or request.headers.get("Accept-Language", "")
    return "fr" if wanted[:2].lower() == "fr" else "en"
