"""The Qdrant REST calls that our client makes, answered by an Edge store; never gives a vector out and never ignores a filter."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from aiohttp import web

from assent.ids import FaceId, GrantId, ImageId
from assent.vectors.payload import GRANT_ID, IMAGE_ID, PURPOSES, facts, payload
from assent.vectors.qdrant import PURGE_PATH
from assent.vectors.store import FacePoint, PointFacts, VectorStore, VectorStoreError, VectorStoreUnavailableError

_MAX_BODY_BYTES = 64 * 2**20
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class VectorService:
    """One collection over an open store, so that several processes can share a folder that only one may open."""

    def __init__(
        self, store: VectorStore, *, dimensions: int, model_digest: str, api_key: str | None = None, collection: str = "faces"
    ) -> None:
        self._store = store
        self._dimensions = dimensions
        self._model_digest = model_digest
        self._api_key = api_key
        self._collection = collection

    def application(self) -> web.Application:
        """The application; the caller listens, on loopback unless an API key is set."""
        app = web.Application(middlewares=[self._guard], client_max_size=_MAX_BODY_BYTES)
        collection = f"/collections/{self._collection}"
        app.add_routes(
            [
                web.get("/collections/{name}/exists", self._exists),
                web.get(collection, self._describe),
                web.put(f"{collection}/points", self._upsert),
                web.post(f"{collection}/points/delete", self._delete),
                web.post(f"{collection}/points", self._retrieve),
                web.post(f"{collection}/points/query", self._query),
                web.post(f"{collection}/points/scroll", self._scroll),
                web.post(f"{collection}/points/count", self._count),
                web.post(PURGE_PATH, self._purge),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        given = request.headers.get("api-key", "")
        # Health says nothing of what is stored, and a probe has no key.
        is_health = request.path in ("/livez", "/readyz", "/metrics")
        if self._api_key and not is_health and not hmac.compare_digest(given.encode(), self._api_key.encode()):
            return _failed(401, "The api-key header is missing or wrong.")
        try:
            return await handler(request)
        except VectorStoreUnavailableError as error:
            return _failed(503, str(error))
        except VectorStoreError as error:
            return _failed(400, str(error))
        except (KeyError, TypeError, ValueError):
            return _failed(400, "The request is not one that this server knows. Use QdrantVectorStore.")

    async def _exists(self, request: web.Request) -> web.Response:
        return _done({"exists": request.match_info["name"] == self._collection})

    async def _describe(self, request: web.Request) -> web.Response:
        count = await self._store.count()
        config = {
            "params": {"vectors": {"size": self._dimensions, "distance": "Cosine"}},
            "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000},
            "optimizer_config": {
                "deleted_threshold": 0.0,
                "vacuum_min_vector_number": 0,
                "default_segment_number": 0,
                "flush_interval_sec": 0,
            },
            "metadata": {"model_digest": self._model_digest},
        }
        optional = {"optimizer_status": "ok", "segments_count": 1, "payload_schema": {}}
        return _done({"status": "green", "points_count": count, "config": config, **optional})

    async def _upsert(self, request: web.Request) -> web.Response:
        body = await request.json()
        await self._store.upsert([_point(item) for item in body["points"]])
        return await self._updated()

    async def _delete(self, request: web.Request) -> web.Response:
        await self._store.delete([FaceId(item) for item in (await request.json())["points"]])
        return await self._updated()

    async def _retrieve(self, request: web.Request) -> web.Response:
        found = await self._store.retrieve([FaceId(item) for item in (await request.json())["ids"]])
        return _done([_record(item) for item in found])

    async def _query(self, request: web.Request) -> web.Response:
        body = await request.json()
        wanted = _conditions(body.get("filter"), {GRANT_ID, PURPOSES})
        found = await self._store.search(
            np.asarray(body["query"]["nearest"], dtype=np.float32),
            grant_ids=frozenset(GrantId(item) for item in wanted[GRANT_ID]["any"]),
            purpose=wanted[PURPOSES]["value"],
            limit=body["limit"],
            threshold=body["score_threshold"],
        )
        return _done({"points": [{**_record(item.facts), "version": 0, "score": item.score} for item in found]})

    async def _scroll(self, request: web.Request) -> web.Response:
        """A page from an id on (Qdrant's offset is the first id of the page), or all that one filter names."""
        body = await request.json()
        offset, limit = body.get("offset"), int(body["limit"])
        if body.get("filter") is not None:
            found = await self._matching(body["filter"])
        else:
            first = await self._store.retrieve([FaceId(offset)]) if offset else []
            found = [*first, *await self._store.scroll(FaceId(offset) if offset else None, limit)][:limit]
        return _done({"points": [_record(item) for item in found], "next_page_offset": None})

    async def _matching(self, stated: Mapping[str, Any]) -> list[PointFacts]:
        if stated["must"][0]["key"] == GRANT_ID:
            grant_id = GrantId(_conditions(stated, {GRANT_ID})[GRANT_ID]["value"])
            found = await self._store.retrieve(await self._store.ids_of_grant(grant_id))
            return sorted(found, key=lambda item: item.face_id)
        return await self._store.find_image(ImageId(_conditions(stated, {IMAGE_ID})[IMAGE_ID]["value"]))

    async def _count(self, request: web.Request) -> web.Response:
        if (await request.json()).get("filter") is not None:
            raise ValueError("a filter on a count")
        return _done({"count": await self._store.count()})

    async def _purge(self, request: web.Request) -> web.Response:
        return web.json_response(asdict(await self._store.purge()))

    async def _updated(self) -> web.Response:
        # Qdrant's own log makes an acknowledged update survive a crash; here the flush does.
        await self._store.flush()
        return _done({"operation_id": 0, "status": "completed"})


def _point(item: Mapping[str, Any]) -> FacePoint:
    known = asdict(facts(item["id"], item["payload"]))
    return FacePoint(**known, vector=np.asarray(item["vector"], dtype=np.float32))


def _record(item: PointFacts) -> dict[str, Any]:
    return {"id": item.face_id, "payload": payload(item)}


def _conditions(stated: Any, keys: set[str]) -> dict[str, Any]:
    """The conditions of a filter by field. Raises ValueError unless they are exactly these, each of which must hold."""
    if not isinstance(stated, dict) or any(value for key, value in stated.items() if key != "must"):
        raise ValueError("a filter of another form")
    found = {item["key"]: item["match"] for item in stated["must"]}
    if set(found) != keys or len(stated["must"]) != len(keys):
        raise ValueError("a filter on other fields")
    return found


def _done(result: Any) -> web.Response:
    return web.json_response({"result": result, "status": "ok", "time": 0.0})


def _failed(status: int, message: str) -> web.Response:
    return web.json_response({"status": {"error": message}, "time": 0.0}, status=status)
