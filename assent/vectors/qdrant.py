"""The vector store on a Qdrant server; never waits without end, and never claims bytes are gone that it could not look for."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Sequence
from typing import TypeVar

import aiohttp
import numpy as np
from numpy.typing import NDArray
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ApiException

from assent.ids import FaceId, GrantId, ImageId
from assent.vectors.payload import (
    GRANT_ID,
    IMAGE_ID,
    INDEXED,
    PURPOSES,
    check_ids,
    check_points,
    check_vector,
    facts,
    names_no_grant,
    payload,
)
from assent.vectors.store import (
    Candidate,
    FacePoint,
    ModelMismatchError,
    PointFacts,
    PurgeReport,
    VectorStoreError,
    VectorStoreUnavailableError,
)

_Result = TypeVar("_Result")
_PAGE = 1024
PURGE_PATH = "/assent/purge"
"""Answered only by our own server; Qdrant itself has no such call and says 404."""


class QdrantVectorStore:
    """Points of one model in one collection, over REST, or in memory with `location=":memory:"`."""

    def __init__(
        self,
        *,
        dimensions: int,
        model_digest: str,
        url: str | None = None,
        location: str | None = None,
        api_key: str | None = None,
        collection: str = "faces",
        timeout_s: float = 10.0,
        purge_timeout_s: float = 300.0,
    ) -> None:
        if (url is None) == (location is None):
            raise ValueError("QdrantVectorStore takes either url or location. Give exactly one.")
        self._url = url
        self._location = location
        self._api_key = api_key
        self._dimensions = dimensions
        self._model_digest = model_digest
        self._collection = collection
        self._timeout_s = timeout_s
        self._purge_timeout_s = purge_timeout_s
        self._client: AsyncQdrantClient | None = None

    async def open(self) -> None:
        """Create the collection or check whose it is. Raises ModelMismatchError."""
        if self._client is not None:
            raise VectorStoreError("This store is open already. Open it once.")
        self._client = AsyncQdrantClient(
            url=self._url,
            location=self._location,
            api_key=self._api_key,
            timeout=math.ceil(self._timeout_s),
            check_compatibility=False,
        )
        try:
            if not await self._call(self._opened.collection_exists(self._collection)):
                await self._create()
            await self._check_model()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go; closing twice does nothing."""
        if self._client is not None:
            client, self._client = self._client, None
            await self._call(client.close())

    async def upsert(self, points: Sequence[FacePoint]) -> None:
        """Insert or replace by id, applied when this returns."""
        check_points(points, dimensions=self._dimensions, model_digest=self._model_digest)
        if points:
            stored = [models.PointStruct(id=point.face_id, vector=point.vector.tolist(), payload=payload(point)) for point in points]
            await self._call(self._opened.upsert(self._collection, stored, wait=True))

    async def delete(self, ids: Sequence[FaceId]) -> None:
        """Delete by id, applied when this returns."""
        check_ids(ids)
        if ids:
            await self._call(self._opened.delete(self._collection, models.PointIdsList(points=list(ids)), wait=True))

    async def retrieve(self, ids: Sequence[FaceId]) -> list[PointFacts]:
        """The facts of those of these ids that are there."""
        check_ids(ids)
        if not ids:
            return []
        records = await self._call(self._opened.retrieve(self._collection, list(ids), with_payload=True, with_vectors=False))
        return [facts(record.id, record.payload) for record in records]

    async def ids_of_grant(self, grant_id: GrantId) -> list[FaceId]:
        """Every id stored under a grant, in id order."""
        return [item.face_id for item in await self._matching(GRANT_ID, grant_id)]

    async def find_image(self, image_id: ImageId) -> list[PointFacts]:
        """Every face of an image, in id order."""
        return await self._matching(IMAGE_ID, image_id)

    async def search(
        self, vector: NDArray[np.float32], *, grant_ids: frozenset[GrantId], purpose: str, limit: int, threshold: float
    ) -> list[Candidate]:
        """The best faces under these grants that allow this purpose, exact, best first; an empty set of grants finds nothing."""
        check_vector(vector, dimensions=self._dimensions)
        if not grant_ids or limit < 1:
            return []
        wanted = models.Filter(
            must=[
                models.FieldCondition(key=GRANT_ID, match=models.MatchAny(any=sorted(grant_ids))),
                models.FieldCondition(key=PURPOSES, match=models.MatchValue(value=purpose)),
            ]
        )
        answer = await self._call(
            self._opened.query_points(
                self._collection,
                query=vector.tolist(),
                query_filter=wanted,
                # The client's own memory is always exact and warns when told to be.
                search_params=models.SearchParams(exact=True) if self._location is None else None,
                limit=limit,
                score_threshold=threshold,
                with_payload=True,
                with_vectors=False,
            )
        )
        return [Candidate(facts(point.id, point.payload), float(point.score)) for point in answer.points]

    async def scroll(self, after: FaceId | None, limit: int) -> list[PointFacts]:
        """The next page in id order; Qdrant's own offset is the first id OF the page."""
        records, _ = await self._call(self._opened.scroll(self._collection, limit=limit + 1, offset=after, with_payload=True))
        found = [facts(record.id, record.payload) for record in records]
        return [item for item in found if item.face_id != after][:limit]

    async def drop_foreign(self) -> int:
        """Delete what names no grant; ids of every kind that Qdrant knows."""
        foreign: list[models.ExtendedPointId] = []
        offset: models.ExtendedPointId | None = None
        while True:
            records, after = await self._call(self._opened.scroll(self._collection, limit=_PAGE, offset=offset, with_payload=True))
            foreign.extend(record.id for record in records if names_no_grant(record.payload))
            if after is None:
                break
            assert isinstance(after, int | str)  # over REST an id is one of the two
            offset = after
        if foreign:
            await self._call(self._opened.delete(self._collection, models.PointIdsList(points=foreign), wait=True))
        return len(foreign)

    async def count(self) -> int:
        """How many points there are."""
        return (await self._call(self._opened.count(self._collection, exact=True))).count

    async def flush(self) -> None:
        """Nothing to send: an update that was waited for is in the server's write-ahead log, and survives its crash."""
        _ = self._opened

    async def purge(self) -> PurgeReport:
        """Ask our own server to purge; a Qdrant server vacuums when it likes and cannot be asked whether it has."""
        _ = self._opened
        by_server = PurgeReport(method="vacuum_by_server", is_clean=False, files_scanned=0, bytes_scanned=0)
        if self._url is None:
            return by_server
        headers = {"api-key": self._api_key} if self._api_key else {}
        timeout = aiohttp.ClientTimeout(total=self._purge_timeout_s)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.post(self._url.rstrip("/") + PURGE_PATH, headers=headers, allow_redirects=False) as answer,
            ):
                if answer.status in (404, 405):
                    return by_server
                answer.raise_for_status()
                return PurgeReport(**await answer.json())
        except (aiohttp.ClientError, TimeoutError, TypeError, ValueError) as error:
            raise _unavailable() from error

    @property
    def _opened(self) -> AsyncQdrantClient:
        if self._client is None:
            raise VectorStoreUnavailableError("The vector store is not open. Open it first.")
        return self._client

    async def _call(self, answer: Awaitable[_Result]) -> _Result:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await answer
        except (ApiException, TimeoutError, OSError, ValueError) as error:
            raise _unavailable() from error

    async def _matching(self, field: str, value: str) -> list[PointFacts]:
        wanted = models.Filter(must=[models.FieldCondition(key=field, match=models.MatchValue(value=value))])
        found: list[PointFacts] = []
        offset: models.ExtendedPointId | None = None
        while True:
            call = self._opened.scroll(self._collection, scroll_filter=wanted, limit=_PAGE, offset=offset, with_payload=True)
            records, after = await self._call(call)
            found.extend(facts(record.id, record.payload) for record in records)
            if after is None:
                return found
            assert isinstance(after, int | str)  # over REST an id is one of the two
            offset = after

    async def _create(self) -> None:
        """Create the collection with its indexes; another process may win the race, its collection is checked like any other."""
        try:
            await self._call(
                self._opened.create_collection(
                    self._collection,
                    vectors_config=models.VectorParams(size=self._dimensions, distance=models.Distance.COSINE),
                    # By default a segment of under a thousand vectors is never vacuumed.
                    optimizers_config=models.OptimizersConfigDiff(deleted_threshold=0.01, vacuum_min_vector_number=100),
                    metadata={"model_digest": self._model_digest},
                )
            )
        except VectorStoreUnavailableError:
            if not await self._call(self._opened.collection_exists(self._collection)):
                raise
        if self._location is None:  # the client's own memory has no indexes and warns of it
            for name in INDEXED:
                await self._call(self._opened.create_payload_index(self._collection, name, models.PayloadSchemaType.KEYWORD, wait=True))

    async def _check_model(self) -> None:
        config = (await self._call(self._opened.get_collection(self._collection))).config
        vectors = config.params.vectors
        size = vectors.size if isinstance(vectors, models.VectorParams) else None
        digest = (config.metadata or {}).get("model_digest")
        if (digest, size) != (self._model_digest, self._dimensions):
            raise ModelMismatchError(
                f"The collection {self._collection} is bound to another model. Use that model, or drop it and index again from the log."
            )


def _unavailable() -> VectorStoreUnavailableError:
    return VectorStoreUnavailableError("The vector store did not carry out a call. See the cause, then its log.")
