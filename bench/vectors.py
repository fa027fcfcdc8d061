"""Exact search under a filter of grants: Edge in process against qdrant-client's own local mode and a numpy loop."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from assent.ids import FaceId, GrantId, ImageId, Jurisdiction, SubjectId
from assent.vectors.edge import EdgeVectorStore
from assent.vectors.qdrant import QdrantVectorStore
from assent.vectors.store import FacePoint, VectorStore
from bench.pair import Case

DIMENSIONS, MODEL, PURPOSE, LIMIT = 128, "bench", "self_search", 10
GRANTS = 200


@contextmanager
def cases(folder: Path, *, quick: bool) -> Iterator[list[Case]]:
    """Searches in the faces of ten grants out of two hundred."""
    count = 1_000 if quick else 10_000
    points, probes = _points(count), _unit(np.random.default_rng(3).normal(size=(5 if quick else 30, DIMENSIONS)))
    mine = frozenset(GrantId(f"g-{index}") for index in range(10))
    loop = asyncio.new_event_loop()
    edge: VectorStore = EdgeVectorStore(folder / "edge", dimensions=DIMENSIONS, model_digest=MODEL)
    local: VectorStore = QdrantVectorStore(location=":memory:", dimensions=DIMENSIONS, model_digest=MODEL)
    for store in (edge, local):
        loop.run_until_complete(store.open())
        for start in range(0, count, 500):
            loop.run_until_complete(store.upsert(points[start : start + 500]))
    matrix = np.stack([point.vector for point in points])
    rows = np.array([point.grant_id in mine for point in points])

    def with_numpy() -> None:
        for probe in probes:
            scores = matrix[rows] @ probe
            np.argsort(scores)[::-1][:LIMIT]

    def search(store: VectorStore) -> None:
        async def all_of_them() -> None:
            for probe in probes:
                await store.search(probe, grant_ids=mine, purpose=PURPOSE, limit=LIMIT, threshold=-1.0)

        loop.run_until_complete(all_of_them())

    recall = _recall(loop, edge, probes, mine, points, matrix, rows)
    try:
        yield [
            Case(
                name="vectors: exact search under a filter",
                against="qdrant-client's local mode",
                units=len(probes),
                unit="searches",
                ours=lambda: search(edge),
                theirs=lambda: search(local),
                quality=f"{count} vectors of {DIMENSIONS}; recall@{LIMIT} of ours against numpy: {recall:.3f}",
            ),
            Case(
                name="vectors: the same",
                against="a numpy product over the rows of those grants, all in memory, nothing durable",
                units=len(probes),
                unit="searches",
                ours=lambda: search(edge),
                theirs=with_numpy,
            ),
        ]
    finally:
        for store in (edge, local):
            loop.run_until_complete(store.close())
        loop.close()


def _recall(
    loop: asyncio.AbstractEventLoop,
    store: VectorStore,
    probes: np.ndarray,
    mine: frozenset[GrantId],
    points: list[FacePoint],
    matrix: np.ndarray,
    rows: np.ndarray,
) -> float:
    hits = 0
    ids = np.array([point.face_id for point in points])[rows]
    for probe in probes:
        best = set(ids[np.argsort(matrix[rows] @ probe)[::-1][:LIMIT]])
        found = loop.run_until_complete(store.search(probe, grant_ids=mine, purpose=PURPOSE, limit=LIMIT, threshold=-1.0))
        hits += len(best & {item.facts.face_id for item in found})
    return hits / (LIMIT * len(probes))


def _points(count: int) -> list[FacePoint]:
    dice = np.random.default_rng(5)
    vectors = _unit(dice.normal(size=(count, DIMENSIONS)))
    return [
        FacePoint(
            face_id=FaceId(str(uuid.UUID(bytes=dice.bytes(16), version=5))),
            grant_id=GrantId(f"g-{index % GRANTS}"),
            subject_id=SubjectId(f"s-{index % GRANTS}"),
            image_id=ImageId(f"i-{index}"),
            vector=vector,
            purposes=(PURPOSE,),
            jurisdictions=(Jurisdiction("CA-BC"),),
            model_digest=MODEL,
            expires_at=2_000_000_000,
            revision=1,
            embedded_at=1_900_000_000,
        )
        for index, vector in enumerate(vectors)
    ]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)
