"""One behaviour for every vector store: Edge in process, qdrant-client in memory, to Edge over HTTP, to a server if there is one."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from aiohttp.test_utils import TestServer
from numpy.typing import NDArray
from qdrant_client import AsyncQdrantClient

from assent.ids import FaceId, GrantId, ImageId, Jurisdiction, SubjectId
from assent.vectors.edge import EdgeVectorStore
from assent.vectors.qdrant import QdrantVectorStore
from assent.vectors.serve import VectorService
from assent.vectors.store import (
    FacePoint,
    ModelMismatchError,
    VectorStore,
    VectorStoreError,
    VectorStoreLockedError,
    VectorStoreUnavailableError,
)

DIMENSIONS = 32
MODEL = "sha256:one"
SEARCH = "self_search"


def edge(folder: Path, *, dimensions: int = DIMENSIONS, model_digest: str = MODEL) -> EdgeVectorStore:
    return EdgeVectorStore(folder, dimensions=dimensions, model_digest=model_digest)


def client_of(server: TestServer, *, model_digest: str = MODEL, api_key: str | None = None) -> QdrantVectorStore:
    url = f"http://127.0.0.1:{server.port}"
    return QdrantVectorStore(url=url, dimensions=DIMENSIONS, model_digest=model_digest, api_key=api_key)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[TestServer]:
    inner = edge(tmp_path / "served")
    await inner.open()
    server = TestServer(VectorService(inner, dimensions=DIMENSIONS, model_digest=MODEL).application(), host="127.0.0.1")
    await server.start_server()
    yield server
    await server.close()
    await inner.close()


QDRANT_URL = os.environ.get("ASSENT_TEST_QDRANT_URL")
"""A Qdrant server of one's own; every test makes a collection there and removes it."""


@pytest.fixture(
    params=[
        "edge",
        "qdrant in memory",
        "served",
        pytest.param("server", marks=pytest.mark.skipif(not QDRANT_URL, reason="ASSENT_TEST_QDRANT_URL names no Qdrant server")),
    ]
)
async def store(request: pytest.FixtureRequest, tmp_path: Path, served: TestServer) -> AsyncIterator[VectorStore]:
    if request.param == "server":
        async with on_a_server() as made:
            yield made
        return
    stores: dict[str, VectorStore] = {
        "edge": edge(tmp_path / "vectors"),
        "qdrant in memory": QdrantVectorStore(location=":memory:", dimensions=DIMENSIONS, model_digest=MODEL),
        "served": client_of(served),
    }
    made = stores[request.param]
    await made.open()
    yield made
    await made.close()


@asynccontextmanager
async def on_a_server() -> AsyncIterator[VectorStore]:
    name = f"assent-test-{uuid.uuid4()}"
    made = QdrantVectorStore(url=QDRANT_URL, dimensions=DIMENSIONS, model_digest=MODEL, collection=name)
    await made.open()
    try:
        yield made
    finally:
        await made.close()
        client = AsyncQdrantClient(url=QDRANT_URL)
        await client.delete_collection(name)
        await client.close()


def points(count: int, *, seed: int = 1, grants: int = 5) -> list[FacePoint]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        FacePoint(
            face_id=FaceId(str(uuid.UUID(bytes=rng.bytes(16), version=5))),
            grant_id=GrantId(f"grant-{index % grants}"),
            subject_id=SubjectId(f"subject-{index % grants}"),
            image_id=ImageId(f"image-{index // 2}"),
            vector=vector,
            purposes=(SEARCH, "press") if index % 3 else ("press",),
            jurisdictions=(Jurisdiction("FR"), Jurisdiction("EU")),
            model_digest=MODEL,
            expires_at=2_000_000_000 + index,
            revision=index,
            embedded_at=1_900_000_000,
            source=f"{index:064x}" if index % 2 else None,
        )
        for index, vector in enumerate(vectors)
    ]


def probe(seed: int = 9) -> NDArray[np.float32]:
    return points(1, seed=seed)[0].vector


async def everything(store: VectorStore, *, page: int = 7) -> list[FaceId]:
    found: list[FaceId] = []
    while facts := await store.scroll(found[-1] if found else None, page):
        found.extend(item.face_id for item in facts)
    return found


def occurrences(folder: Path, vector: NDArray[np.float32]) -> int:
    needle = vector[3:11].astype("<f4").tobytes()
    return sum(path.read_bytes().count(needle) for path in folder.rglob("*") if path.is_file())


async def test_facts_come_back_and_a_repeated_upsert_changes_nothing(store: VectorStore) -> None:
    written = points(40)
    await store.upsert(written)
    await store.upsert(written)
    assert await store.count() == 40
    (facts,) = await store.retrieve([written[7].face_id])
    assert dataclasses.asdict(facts) == {
        field.name: getattr(written[7], field.name) for field in dataclasses.fields(FacePoint) if field.name != "vector"
    }
    assert await everything(store) == sorted(point.face_id for point in written)


async def test_an_upsert_replaces_vector_and_facts(store: VectorStore) -> None:
    first, second = points(2)
    await store.upsert([first])
    await store.upsert([dataclasses.replace(second, face_id=first.face_id)])
    assert await store.count() == 1
    assert (await store.retrieve([first.face_id]))[0].grant_id == second.grant_id
    assert await store.ids_of_grant(first.grant_id) == []
    (found,) = await store.search(second.vector, grant_ids=frozenset({second.grant_id}), purpose="press", limit=1, threshold=0.99)
    assert found.facts.face_id == first.face_id


@pytest.mark.parametrize("grants", [{"grant-0"}, {"grant-1", "grant-4"}, {"grant-2", "no such grant"}])
async def test_search_is_what_numpy_finds_under_the_same_filter(store: VectorStore, grants: set[str]) -> None:
    written = points(300)
    await store.upsert(written)
    asked = probe()
    allowed = [point for point in written if point.grant_id in grants and SEARCH in point.purposes]
    scored = sorted(((float(point.vector @ asked), point.face_id) for point in allowed), reverse=True)
    expected = [(score, face_id) for score, face_id in scored if score > 0.1][:10]
    assert expected
    found = await store.search(asked, grant_ids=frozenset(map(GrantId, grants)), purpose=SEARCH, limit=10, threshold=0.1)
    assert [item.facts.face_id for item in found] == [face_id for _, face_id in expected]
    assert [item.score for item in found] == pytest.approx([score for score, _ in expected], abs=1e-5)


async def test_no_grants_find_nothing(store: VectorStore) -> None:
    written = points(5)
    await store.upsert(written)
    assert await store.search(written[1].vector, grant_ids=frozenset(), purpose=SEARCH, limit=5, threshold=-1.0) == []
    unknown = frozenset({GrantId("no such grant")})
    assert await store.search(written[1].vector, grant_ids=unknown, purpose=SEARCH, limit=5, threshold=-1.0) == []


async def test_what_is_deleted_is_absent_from_every_read(store: VectorStore) -> None:
    written = points(60)
    await store.upsert(written)
    gone = await store.ids_of_grant(GrantId("grant-2"))
    assert gone == sorted(point.face_id for point in written if point.grant_id == "grant-2")
    await store.delete(gone)
    await store.delete([*gone, FaceId(str(uuid.uuid4()))])
    await store.flush()
    assert await store.retrieve(gone) == []
    assert await store.ids_of_grant(GrantId("grant-2")) == []
    assert not set(gone) & set(await everything(store))
    assert await store.count() == 60 - len(gone)
    everyone = frozenset(point.grant_id for point in written)
    found = await store.search(probe(), grant_ids=everyone, purpose="press", limit=60, threshold=-1.0)
    assert {item.facts.face_id for item in found} == {point.face_id for point in written} - set(gone)
    # image-1 holds the faces 2 (deleted) and 3.
    assert [item.face_id for item in await store.find_image(ImageId("image-1"))] == [written[3].face_id]


async def test_a_page_goes_on_after_an_id_that_was_deleted_meanwhile(store: VectorStore) -> None:
    written = points(10)
    await store.upsert(written)
    ids = sorted(point.face_id for point in written)
    await store.delete([ids[3]])
    assert [item.face_id for item in await store.scroll(ids[3], 2)] == ids[4:6]


async def test_a_vector_that_means_nothing_is_refused_and_nothing_of_its_batch_is_written(store: VectorStore) -> None:
    good, bad = points(2)
    broken = bad.vector.copy()
    broken[4] = np.nan
    for vector, error in (
        (broken, VectorStoreError),
        (np.zeros(DIMENSIONS, np.float32), VectorStoreError),
        (bad.vector[:-1], ModelMismatchError),
    ):
        with pytest.raises(error):
            await store.upsert([good, dataclasses.replace(bad, vector=vector)])
        with pytest.raises(error):
            await store.search(vector, grant_ids=frozenset({good.grant_id}), purpose=SEARCH, limit=1, threshold=0.0)
    with pytest.raises(ModelMismatchError):
        await store.upsert([good, dataclasses.replace(bad, model_digest="sha256:other")])
    with pytest.raises(VectorStoreError):
        await store.upsert([good, dataclasses.replace(bad, face_id=FaceId("not a uuid"))])
    assert await store.count() == 0


async def test_nothing_works_after_close_and_closing_twice_does(store: VectorStore) -> None:
    await store.close()
    await store.close()
    for call in (store.count(), store.flush(), store.purge(), store.scroll(None, 1)):
        with pytest.raises(VectorStoreUnavailableError):
            await call


async def test_points_do_not_show_their_vectors() -> None:
    (point,) = points(1)
    assert str(point.vector[0]) not in repr(point)


async def test_edge_keeps_points_over_a_reopen(tmp_path: Path) -> None:
    written = points(20)
    store = edge(tmp_path)
    await store.open()
    await store.upsert(written)
    await store.delete([written[0].face_id])
    await store.close()
    await store.open()
    assert await everything(store) == sorted(point.face_id for point in written[1:])
    await store.close()


async def test_edge_refuses_a_second_opener_in_this_and_in_another_process(tmp_path: Path) -> None:
    store = edge(tmp_path)
    await store.open()
    with pytest.raises(VectorStoreLockedError):
        await edge(tmp_path).open()
    code = (
        "import asyncio,sys,pathlib;from assent.vectors.edge import EdgeVectorStore as S;"
        f"asyncio.run(S(pathlib.Path(sys.argv[1]),dimensions={DIMENSIONS},model_digest='{MODEL}').open())"
    )
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(tmp_path), stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(60):
        _, told = await other.communicate()
    assert b"VectorStoreLockedError" in told
    await store.close()
    again = edge(tmp_path)
    await again.open()
    await again.close()


async def test_edge_folder_belongs_to_one_model(tmp_path: Path) -> None:
    store = edge(tmp_path)
    await store.open()
    await store.close()
    for other in (edge(tmp_path, model_digest="sha256:other"), edge(tmp_path, dimensions=64)):
        with pytest.raises(ModelMismatchError):
            await other.open()
    await store.open()
    await store.close()


@pytest.mark.parametrize("rewritten_before", [False, True])
async def test_edge_purge_leaves_no_bytes_of_deleted_and_replaced_vectors(tmp_path: Path, *, rewritten_before: bool) -> None:
    written = points(200)
    store = edge(tmp_path)
    await store.open()
    await store.upsert(written)
    await store.flush()
    if rewritten_before:
        await store.purge()
    deleted, replaced, kept = written[3], written[4], written[5]
    await store.delete([deleted.face_id])
    await store.upsert([dataclasses.replace(replaced, vector=probe())])
    await store.flush()
    assert occurrences(tmp_path, deleted.vector) > 0
    report = await store.purge()
    assert report.is_clean
    assert report.files_scanned > 0
    assert report.bytes_scanned > 200 * DIMENSIONS * 4
    assert occurrences(tmp_path, deleted.vector) == 0
    assert occurrences(tmp_path, replaced.vector) == 0
    assert occurrences(tmp_path, kept.vector) > 0
    assert await store.count() == 199
    await store.close()
    assert occurrences(tmp_path, deleted.vector) == 0


async def test_edge_purges_what_an_earlier_process_deleted(tmp_path: Path) -> None:
    written = points(50)
    store = edge(tmp_path)
    await store.open()
    await store.upsert(written)
    await store.flush()
    await store.delete([written[3].face_id])
    await store.close()
    await store.open()
    report = await store.purge()
    assert (report.is_clean, report.method) == (True, "rebuild_shard")
    assert occurrences(tmp_path, written[3].vector) == 0
    await store.close()
    await store.open()
    assert await everything(store) == sorted(point.face_id for point in written if point is not written[3])
    assert (await store.purge()).method == "rewrite_segments"
    await store.close()


async def test_edge_purge_is_clean_while_a_copy_of_the_vector_lives_under_another_grant(tmp_path: Path) -> None:
    written = points(20)
    twin = dataclasses.replace(written[3], face_id=FaceId(str(uuid.uuid4())), grant_id=GrantId("grant-twin"))
    store = edge(tmp_path)
    await store.open()
    await store.upsert([*written, twin])
    await store.flush()
    await store.delete([written[3].face_id])
    assert (await store.purge()).is_clean
    assert await store.ids_of_grant(GrantId("grant-twin")) == [twin.face_id]
    assert occurrences(tmp_path, twin.vector) == 1
    await store.close()


async def test_qdrant_does_not_claim_bytes_are_gone() -> None:
    store = QdrantVectorStore(location=":memory:", dimensions=DIMENSIONS, model_digest=MODEL)
    await store.open()
    report = await store.purge()
    assert (report.method, report.is_clean) == ("vacuum_by_server", False)
    await store.close()


async def test_served_purge_is_the_engines_own_and_another_model_is_refused(served: TestServer, tmp_path: Path) -> None:
    written = points(30)
    store = client_of(served)
    await store.open()
    await store.upsert(written)
    await store.delete([written[3].face_id])
    assert occurrences(tmp_path, written[3].vector) > 0
    assert (await store.purge()).is_clean
    assert occurrences(tmp_path, written[3].vector) == 0
    await store.close()
    with pytest.raises(ModelMismatchError):
        await client_of(served, model_digest="sha256:other").open()


async def test_a_server_that_is_gone_is_unavailable(served: TestServer) -> None:
    store = client_of(served)
    await store.open()
    await served.close()
    for call in (store.count(), store.purge(), store.ids_of_grant(GrantId("grant-1"))):
        with pytest.raises(VectorStoreUnavailableError):
            await call
    await store.close()


async def test_an_unknown_filter_or_no_filter_on_a_search_is_refused_rather_than_ignored(served: TestServer) -> None:
    async with aiohttp.ClientSession() as session:
        base = f"http://127.0.0.1:{served.port}/collections/faces/points"
        body = {"query": {"nearest": [1.0] * DIMENSIONS}, "limit": 5, "score_threshold": 0.0}
        purpose = {"key": "purposes", "match": {"value": SEARCH}}
        known = {"must": [{"key": "grant_id", "match": {"any": ["grant-1"]}}, purpose]}
        async with session.post(f"{base}/query", json={**body, "filter": known}) as answer:
            assert answer.status == 200
        refused: list[dict[str, object] | None] = [None, {"must": [purpose]}, {**known, "must_not": [purpose]}]
        for wanted in refused:
            async with session.post(f"{base}/query", json={**body, "filter": wanted}) as answer:
                assert answer.status == 400
        async with session.post(f"{base}/scroll", json={"limit": 5, "filter": {"must_not": [purpose]}}) as answer:
            assert answer.status == 400
