"""Exact search under a filter of grants: Edge in process against qdrant-client's own local mode and a numpy product."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models

from assent.ids import FaceId, GrantId, ImageId, Jurisdiction, SubjectId
from assent.vectors.edge import EdgeVectorStore
from assent.vectors.payload import GRANT_ID, PURPOSES, payload
from assent.vectors.store import FacePoint
from bench.pair import Case

DIMENSIONS, MODEL, PURPOSE, LIMIT = 128, "bench", "self_search", 10
GRANTS, ASKED_GRANTS = 200, 10
COLLECTION = "faces"
MINE = frozenset(GrantId(f"g-{index}") for index in range(ASKED_GRANTS))

Vectors = NDArray[np.float32]
Search = Callable[[Vectors], list[str]]


@contextmanager
def cases(folder: Path, *, quick: bool) -> Iterator[list[Case]]:
    """Searches in the faces of ten grants out of two hundred."""
    points = _points(1_000 if quick else 10_000)
    probes = _unit(np.random.default_rng(3).normal(size=(5 if quick else 30, DIMENSIONS)))
    brute, local = _numpy(points), _local_mode(points)
    with _edge(folder / "edge", points) as edge:
        truth = [brute(probe) for probe in probes]
        setting = f"{len(points):,} vectors of {DIMENSIONS}, {sum(point.grant_id in MINE for point in points)} under the grants asked for"
        yield [
            Case(
                name="vectors: exact, filtered",
                against="qdrant-client's local mode, called bare",
                units=len(probes),
                unit="searches",
                ours=lambda: [edge(probe) for probe in probes],
                theirs=lambda: [local(probe) for probe in probes],
                quality=f"{setting}; recall@{LIMIT} {_recall(edge, probes, truth):.3f} to {_recall(local, probes, truth):.3f}",
            ),
            Case(
                name="vectors: exact, filtered",
                against="a numpy product over the rows of those grants, in memory, nothing durable",
                units=len(probes),
                unit="searches",
                ours=lambda: [edge(probe) for probe in probes],
                theirs=lambda: [brute(probe) for probe in probes],
                quality=f"{setting}; recall@{LIMIT} {_recall(edge, probes, truth):.3f} to 1.000, which numpy defines",
            ),
        ]


@contextmanager
def _edge(folder: Path, points: list[FacePoint]) -> Iterator[Search]:
    loop = asyncio.new_event_loop()
    store = EdgeVectorStore(folder, dimensions=DIMENSIONS, model_digest=MODEL)

    def search(probe: Vectors) -> list[str]:
        found = loop.run_until_complete(store.search(probe, grant_ids=MINE, purpose=PURPOSE, limit=LIMIT, threshold=-1.0))
        return [item.facts.face_id for item in found]

    try:
        loop.run_until_complete(store.open())
        for start in range(0, len(points), 500):
            loop.run_until_complete(store.upsert(points[start : start + 500]))
        yield search
    finally:
        loop.run_until_complete(store.close())
        loop.close()


def _local_mode(points: list[FacePoint]) -> Search:
    client = QdrantClient(":memory:")
    client.create_collection(COLLECTION, vectors_config=models.VectorParams(size=DIMENSIONS, distance=models.Distance.COSINE))
    client.upsert(COLLECTION, [models.PointStruct(id=one.face_id, vector=one.vector.tolist(), payload=payload(one)) for one in points])
    wanted = models.Filter(
        must=[
            models.FieldCondition(key=GRANT_ID, match=models.MatchAny(any=sorted(MINE))),
            models.FieldCondition(key=PURPOSES, match=models.MatchValue(value=PURPOSE)),
        ]
    )

    def search(probe: Vectors) -> list[str]:
        answer = client.query_points(COLLECTION, query=probe.tolist(), query_filter=wanted, limit=LIMIT, with_payload=True)
        return [str(point.id) for point in answer.points]

    return search


def _numpy(points: list[FacePoint]) -> Search:
    matrix = np.stack([point.vector for point in points])
    rows = np.array([point.grant_id in MINE and PURPOSE in point.purposes for point in points])
    ids = np.array([point.face_id for point in points])[rows]

    def search(probe: Vectors) -> list[str]:
        return [str(face_id) for face_id in ids[np.argsort(matrix[rows] @ probe)[::-1][:LIMIT]]]

    return search


def _recall(search: Search, probes: Vectors, truth: list[list[str]]) -> float:
    hits = sum(len(set(best) & set(search(probe))) for best, probe in zip(truth, probes, strict=True))
    return hits / sum(len(best) for best in truth)


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


def _unit(vectors: NDArray[np.float64]) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)
