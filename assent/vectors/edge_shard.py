"""One Qdrant Edge shard, called from one thread; never decides what may be stored, found or deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge as edge
from numpy.typing import NDArray

from assent.ids import FaceId
from assent.vectors.payload import GRANT_ID, INDEXED, PURPOSES, facts, names_no_grant, payload
from assent.vectors.store import Candidate, FacePoint, PointFacts

_PAGE = 1024
# Small segments: a purge rewrites only those that held a deleted vector.
_MAX_SEGMENT_KB = 64 * 1024


class EdgeShard:
    """The calls on a shard that the store needs. Raises whatever Edge raises, which is a bare Exception."""

    def __init__(self, path: Path, *, dimensions: int) -> None:
        # The event log is the redo log: a log of the shard's own would keep deleted vectors. With thresholds next to zero
        # every segment is rewritten at its first deletion; by default a small one never is.
        config = edge.EdgeConfig(
            vectors=edge.EdgeVectorParams(dimensions, edge.Distance.Cosine),
            optimizers=edge.EdgeOptimizersConfig(
                deleted_threshold=0.0, vacuum_min_vector_number=0, max_segment_size=_MAX_SEGMENT_KB, indexing_threshold=1
            ),
            wal_enabled=False,
        )
        if (path / "segments").is_dir():
            self._shard = edge.EdgeShard.load(str(path), config)
        else:
            path.mkdir(parents=True, exist_ok=True)
            self._shard = edge.EdgeShard.create(str(path), config)
        for name in INDEXED:
            self._shard.update(edge.UpdateOperation.create_field_index(name, edge.PayloadSchemaType.Keyword))

    def upsert(self, points: Sequence[FacePoint]) -> None:
        self._put([edge.Point(point.face_id, point.vector.tolist(), payload(point)) for point in points])

    def copy_from(self, other: EdgeShard) -> None:
        """Take every live point of another shard."""
        for page in other._pages(with_vector=True):
            self._put([edge.Point(record.id, record.vector, record.payload) for record in page])

    def delete(self, ids: Sequence[Any]) -> None:
        self._shard.update(edge.UpdateOperation.delete_points(list(ids)))

    def retrieve(self, ids: Sequence[FaceId]) -> list[PointFacts]:
        return [facts(record.id, record.payload) for record in self._shard.retrieve(list(ids), True, False)]

    def vectors(self, ids: Sequence[Any]) -> dict[FaceId, NDArray[np.float32]]:
        """The vectors as they are stored, for those ids that are there."""
        return {FaceId(str(record.id)): _vector(record) for record in self._shard.retrieve(list(ids), False, True)}

    def all_vectors(self) -> Iterator[NDArray[np.float32]]:
        """Every live vector."""
        for page in self._pages(with_vector=True):
            yield from (_vector(record) for record in page)

    def matching(self, field: str, value: str) -> list[PointFacts]:
        """Every point with this value in a field, in id order."""
        wanted = edge.Filter(must=[edge.FieldCondition(field, match=edge.MatchValue(value))])
        return [facts(record.id, record.payload) for page in self._pages(wanted) for record in page]

    def scroll(self, after: FaceId | None, limit: int) -> list[PointFacts]:
        """A page after an id; Edge's own offset is the first id OF the page."""
        request = edge.ScrollRequest(offset=after, limit=limit + 1, with_payload=True, with_vector=False)
        found = [facts(record.id, record.payload) for record in self._shard.scroll(request)[0]]
        return [item for item in found if item.face_id != after][:limit]

    def foreign(self) -> list[Any]:
        """The ids, in Edge's own form, of points that name no grant."""
        return [record.id for page in self._pages() for record in page if names_no_grant(record.payload)]

    def search(self, vector: NDArray[np.float32], *, grants: Sequence[str], purpose: str, limit: int, threshold: float) -> list[Candidate]:
        wanted = edge.Filter(
            must=[
                edge.FieldCondition(GRANT_ID, match=edge.MatchAny(list(grants))),
                edge.FieldCondition(PURPOSES, match=edge.MatchValue(purpose)),
            ]
        )
        request = edge.SearchRequest(
            query=edge.Query.Nearest(vector.tolist()),
            limit=limit,
            filter=wanted,
            params=edge.SearchParams(exact=True),
            with_vector=False,
            with_payload=True,
            score_threshold=threshold,
        )
        return [Candidate(facts(point.id, point.payload), float(point.score)) for point in self._shard.search(request)]

    def count(self) -> int:
        return int(self._shard.count(edge.CountRequest(exact=True)))

    def flush(self) -> None:
        self._shard.flush()

    def rewrite(self) -> None:
        """Rewrite segments with deleted vectors; the old files go with the second flush, not before."""
        self._shard.flush()
        self._shard.optimize()
        self._shard.flush()

    def close(self) -> None:
        self._shard.close()

    def _put(self, points: list[edge.Point]) -> None:
        self._shard.update(edge.UpdateOperation.upsert_points(points))

    def _pages(self, wanted: edge.Filter | None = None, *, with_vector: bool = False) -> Iterator[list[Any]]:
        offset: Any = None
        while True:
            request = edge.ScrollRequest(offset=offset, limit=_PAGE, filter=wanted, with_payload=True, with_vector=with_vector)
            page, offset = self._shard.scroll(request)
            if page:
                yield page
            if offset is None:
                return


def _vector(record: Any) -> NDArray[np.float32]:
    return np.asarray(record.vector, dtype=np.float32)
