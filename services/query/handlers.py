"""HTTP of the query service: search, verification, pictures, explanation, the flow; thin, and nothing here decides."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from assent.identity.auth import authenticated
from assent.identity.errors import ApiError
from assent.identity.principal import Principal, Role
from assent.ids import GrantId
from assent.keys.identifiers import ImageIds
from services.query.console_texts import texts_for
from services.query.flow import Flow
from services.query.own_grants import OwnGrants
from services.query.pictures import Pictures
from services.query.place_decisions import decisions_at, spellings
from services.query.question import Basis
from services.query.search_form import read_question
from services.query.searches import Searches
from services.query.views import SHOWN_ID_CHARS, Views, sees_all

EXPLAINERS = (Role.OPERATOR, Role.PRIVACY_OFFICER, Role.SUBJECT)
FLOW_SEEN_BY = (Role.OPERATOR, Role.PRIVACY_OFFICER, Role.AUDITOR, Role.SUBJECT)
MAX_DECISIONS = 200
STREAMED_DECISIONS = 60
STREAM_PAUSE_S = 0.3
STREAM_BEAT_S = 15.0
STREAM_LIFE_S = 300.0
ADDRESS, MAX_ADDRESS_BYTES = "url", 2_048


class QueryHandlers:
    """`caught_up` raises ApiError 503 when ledger and flow cannot be proved to stand at the end of the log."""

    def __init__(
        self,
        *,
        searches: Searches,
        pictures: Pictures,
        views: Views,
        flow: Flow,
        identifiers: ImageIds,
        own: OwnGrants,
        caught_up: Callable[[], Awaitable[None]],
        max_bytes: int,
        max_streams: int,
    ) -> None:
        self._searches = searches
        self._pictures = pictures
        self._views = views
        self._flow = flow
        self._identifiers = identifiers
        self._own = own
        self._caught_up = caught_up
        self._max_bytes = max_bytes
        self._free_streams = max_streams
        self._is_stopping = False

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
        """Every remembered decision about these very bytes, or about what lay at this address.

        Bytes and address are hashed, never decoded or fetched, and forgotten. An address is taken from the form alone: what stands
        in the URL of a request is written down by proxies.
        """
        principal = authenticated(request, *EXPLAINERS)
        await self._caught_up()
        if ADDRESS in request.query:
            raise ApiError(400, "url_in_query", "The address stands in the URL of the request.", "Send it as the field url of the form.")
        fields, picture = await read_question(request, lambda fields: None, max_bytes=self._max_bytes, max_field_bytes=MAX_ADDRESS_BYTES)
        address, grants = fields.get(ADDRESS, ""), self._seen_by(principal)
        if picture and address:
            raise ApiError(422, "two_questions", "An image and an address came.", "Send one of them.")
        if not picture and not address:
            raise ApiError(422, "no_picture", "No image came, and no address.", "Send it as image, or as url.")
        image_id = self._identifiers.image_id(picture) if picture else None
        if image_id is not None:
            found = self._flow.of_image(image_id, grants=grants)
        else:
            # Thousands of keyed names take a while, and other callers should not wait for them.
            found = await asyncio.to_thread(decisions_at, spellings(address), self._flow.every(grants=grants), self._identifiers)
        decisions = [self._views.explained(item, lang=_lang(request)) for item in found]
        return _told({"image": None if image_id is None else image_id[:SHOWN_ID_CHARS], "decisions": decisions})

    async def flow(self, request: web.Request) -> web.Response:
        principal = authenticated(request, *FLOW_SEEN_BY)
        told = self._views.flow(await self.items(principal, lang=_lang(request)))
        return _told(told | ({"reasons": self._views.reasons(_lang(request))} if sees_all(principal) else {}))

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """The same as server-sent events, whenever something happened. Ends with the service, and after a while by itself: the
        page asks again, and a token that has ended is found out then."""
        principal = authenticated(request, *FLOW_SEEN_BY)
        if self._free_streams <= 0:
            raise ApiError(503, "too_many_streams", "Too many pages follow the flow already.", "Load the page again later.")
        self._free_streams -= 1
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        try:
            await self._caught_up()
            await response.prepare(request)
            async with asyncio.timeout(STREAM_LIFE_S):
                await self._send(response, principal, _lang(request))
        except (ConnectionError, TimeoutError):
            pass  # The page was closed, or has had its time.
        except ApiError:
            if not response.prepared:
                raise
            # It can no longer be proved fresh: the stream ends, and the page that asks again is told 503.
        finally:
            self._free_streams += 1
        return response

    async def items(self, principal: Principal, *, lang: str, limit: int = MAX_DECISIONS) -> list[dict[str, Any]]:
        """The newest decisions that this caller may see, newest first, judged by a ledger that has read every withdrawal of now."""
        await self._caught_up()
        own, may_ask = self._own.live(principal), bool(principal.roles & frozenset(EXPLAINERS))
        shown = self._flow.last(limit, grants=self._seen_by(principal))
        return [self._views.item(item, lang=lang, own=own, has_details=may_ask) for item in shown]

    async def _send(self, response: web.StreamResponse, principal: Principal, lang: str) -> None:
        while not self._is_stopping:
            grown = self._flow.grown
            # Every event is an answer of its own: the flow may have read a withdrawal that the ledger has not.
            view = self._views.flow(await self.items(principal, lang=lang, limit=STREAMED_DECISIONS))
            await response.write(f"data: {json.dumps(view)}\n\n".encode())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STREAM_BEAT_S):
                    await grown.wait()
                    # What comes together is told together.
                    await asyncio.sleep(STREAM_PAUSE_S)

    async def _end_streams(self, application: web.Application) -> None:
        self._is_stopping = True
        self._flow.wake()

    def _seen_by(self, principal: Principal) -> frozenset[GrantId] | None:
        return None if sees_all(principal) else self._own.every(principal)


def _told(body: dict[str, object]) -> web.Response:
    return web.json_response(body, headers={"Cache-Control": "no-store"})


def _lang(request: web.Request) -> str:
    return texts_for(request.query.get("lang"), request.headers.get("Accept-Language", ""))[0]
