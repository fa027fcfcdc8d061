"""`assent vectors serve` as a process: what it answered survives SIGTERM and SIGKILL, and no second process gets at its folder."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import numpy as np
import pytest

from assent.faces.manifest import read_manifest
from assent.ids import FaceId, GrantId, ImageId, SubjectId
from assent.testing.face_pack import embedded_pack_folder
from assent.vectors.qdrant import QdrantVectorStore
from assent.vectors.store import FacePoint, VectorStoreUnavailableError
from tests.flow.assent_command import one_line, run, start, stop

MANIFEST = read_manifest(embedded_pack_folder())
DIMENSIONS = MANIFEST.recogniser.dimensions
KEY = "a-key-of-the-vector-store"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "api.key"
    path.write_text(f"{KEY}\n")
    return path


@contextlib.contextmanager
def served(folder: Path, *more: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address; stopped at the end unless the test ended it."""
    words = ("vectors", "serve", "--data", folder, "--pack", embedded_pack_folder(), "--port", 0, *more)
    running, said = start(*words, line="process ")
    address = re.search(r"on (127\.0\.0\.1:\d+)", said)
    assert address is not None
    try:
        yield running, f"http://{address[1]}"
    finally:
        if running.poll() is None:
            assert stop(running) == 0
        running.communicate()


def point() -> FacePoint:
    vector = np.random.default_rng(7).standard_normal(DIMENSIONS).astype(np.float32)
    return FacePoint(
        face_id=FaceId(str(uuid.uuid5(uuid.NAMESPACE_OID, "face"))),
        grant_id=GrantId("g-1"),
        subject_id=SubjectId("s-1"),
        image_id=ImageId("i-1"),
        model_digest=MANIFEST.digest,
        revision=1,
        purposes=("self_search",),
        jurisdictions=(),
        expires_at=2_000_000_000,
        embedded_at=1_900_000_000,
        vector=vector / np.linalg.norm(vector),
    )


@contextlib.asynccontextmanager
async def client(url: str, *, api_key: str | None = None) -> AsyncIterator[QdrantVectorStore]:
    store = QdrantVectorStore(url=url, api_key=api_key, dimensions=DIMENSIONS, model_digest=MANIFEST.digest)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def status(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status


async def test_what_was_answered_is_there_after_sigterm_and_after_sigkill(tmp_path: Path) -> None:
    with served(tmp_path / "vectors") as (running, url):
        assert [await status(f"{url}/{path}") for path in ("livez", "readyz")] == [200, 200]
        async with client(url) as store:
            await store.upsert([point()])
        assert stop(running) == 0
    with served(tmp_path / "vectors") as (running, url):
        async with client(url) as store:
            assert await store.count() == 1
            await store.delete([point().face_id])
        running.send_signal(signal.SIGKILL)
        running.wait(30)
    with served(tmp_path / "vectors") as (_, url):
        async with client(url) as store:
            assert await store.count() == 0


async def test_ctrl_c_ends_it_as_well(tmp_path: Path) -> None:
    with served(tmp_path / "vectors") as (running, _):
        running.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(running.wait, 30) == 0


def test_a_second_start_on_the_folder_or_port_ends_in_one_line(tmp_path: Path) -> None:
    common = ("vectors", "serve", "--pack", embedded_pack_folder())
    with served(tmp_path / "vectors") as (running, url):
        same_folder = run(*common, "--data", tmp_path / "vectors", "--port", 0)
        assert same_folder.returncode == 3
        assert str(tmp_path / "vectors") in one_line(same_folder)
        same_port = run(*common, "--data", tmp_path / "other", "--port", url.rpartition(":")[2])
        assert same_port.returncode == 3
        assert "choose another --port" in one_line(same_port)
        assert not (tmp_path / "other").exists()
        assert running.poll() is None


def test_what_it_cannot_start_with_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    pack = embedded_pack_folder()
    for words, said in (
        (("--data", tmp_path / "vectors", "--pack", tmp_path / "none"), "assent models prepare"),
        (("--data", tmp_path / "file", "--pack", pack), "--data"),
        (("--data", tmp_path / "file" / "below", "--pack", pack), "--data"),
    ):
        done = run("vectors", "serve", "--port", 0, *words)
        assert done.returncode == 3
        assert said in one_line(done)


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")  # It stays on loopback.
async def test_a_key_is_asked_of_everyone_but_a_probe(tmp_path: Path, key_file: Path) -> None:
    with served(tmp_path / "vectors", "--api-key-file", key_file) as (_, url):
        async with client(url, api_key=KEY) as store:
            await store.upsert([point()])
        with pytest.raises(VectorStoreUnavailableError):
            async with client(url, api_key="another"):
                pass
        assert [await status(f"{url}/{path}") for path in ("collections/faces", "livez", "readyz")] == [401, 200, 200]


def test_an_empty_key_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "empty.key").write_text("\n")
    done = run("vectors", "serve", "--host", "0.0.0.0", "--api-key-file", tmp_path / "empty.key")
    assert done.returncode == 2
    assert "empty.key" in one_line(done)
