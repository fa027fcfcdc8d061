"""Vectors that something else wrote into the store: nobody said yes to them, so they go, and keep nothing else from being judged."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
import pytest
import qdrant_edge as edge
from qdrant_client import models

from assent.vectors.edge import EdgeVectorStore
from assent.vectors.qdrant import QdrantVectorStore
from assent.vectors.store import VectorStoreError
from tests.contract.test_vector_store import DIMENSIONS, MODEL, points
from tests.flow.attack_house import Field
from tests.integration.stream_workbench import until

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
FOREIGN: list[tuple[int | str, dict[str, Any]]] = [
    (str(uuid.uuid4()), {}),
    (7, {"name": "loaded by another tool"}),
    (str(uuid.uuid4()), {"grant_id": None, "subject_id": "s"}),
]


def vector(dimensions: int) -> list[float]:
    return [float(value) for value in np.random.default_rng(3).normal(size=dimensions)]


async def test_what_was_loaded_past_us_is_swept_and_hers_stays(field_of: Field) -> None:
    victim, face_id = await field_of.pictured()
    store = field_of.shared.vectors
    assert isinstance(store, EdgeVectorStore)
    before = await store.count()
    planted = [edge.Point(point_id, vector(store._dimensions), payload) for point_id, payload in FOREIGN]
    await store._run(lambda: store._opened._put(planted))
    assert await store.count() == before + len(FOREIGN)

    async def is_swept() -> bool:
        return await store.count() == before

    await until(is_swept)
    assert await field_of.held(victim.grant_id) == [face_id]


async def test_the_same_in_a_collection_of_qdrant() -> None:
    store = QdrantVectorStore(location=":memory:", dimensions=DIMENSIONS, model_digest=MODEL)
    await store.open()
    try:
        hers = points(3)
        await store.upsert(hers)
        structs = [models.PointStruct(id=point_id, vector=vector(DIMENSIONS), payload=payload) for point_id, payload in FOREIGN]
        await store._opened.upsert(store._collection, structs)
        with pytest.raises(VectorStoreError):
            await store.scroll(None, 100)
        assert await store.drop_foreign() == len(FOREIGN)
        assert {item.face_id for item in await store.scroll(None, 100)} == {point.face_id for point in hers}
        assert await store.drop_foreign() == 0
    finally:
        await store.close()
