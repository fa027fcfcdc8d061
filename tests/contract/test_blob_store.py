"""One behaviour for every blob store: memory, local disk, local disk synced, S3 over HTTP."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from assent.blobs.blob_key import BlobKeyError, join_key
from assent.blobs.local_folder import LocalFolder
from assent.blobs.object_blob_store import ObjectBlobStore, open_blob_store
from assent.blobs.quarantine import Quarantine
from assent.blobs.store import BlobExistsError, BlobNotFoundError, BlobStore, BlobStoreUnavailableError
from assent.blobs.store_mark import make_mark
from assent.ids import SightingId
from assent.keys.cipher import DataKey
from assent.testing.loopback_s3 import LoopbackS3


@pytest.fixture
async def s3() -> AsyncIterator[tuple[LoopbackS3, ObjectBlobStore]]:
    service = LoopbackS3()
    server = TestServer(service.application(), host="127.0.0.1")
    await server.start_server()
    options = {
        "endpoint": f"http://127.0.0.1:{server.port}",
        "region": "test",
        "access_key_id": "test",
        "secret_access_key": "test",
        "client_options": {"allow_http": True},
        "retry_config": {"max_retries": 0},
    }
    yield service, open_blob_store("s3://bucket/some/prefix", s3_options=options)
    await server.close()


@pytest.fixture(params=["memory", "file", "durable file", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, s3: tuple[LoopbackS3, ObjectBlobStore]) -> BlobStore:
    if request.param == "memory":
        return open_blob_store("memory://")
    if request.param == "s3":
        return s3[1]
    return open_blob_store((tmp_path / "blobs").as_uri(), durable=request.param == "durable file")


async def keys(store: BlobStore, prefix: str) -> list[str]:
    return sorted([entry.key async for entry in store.list(prefix)])


def asked_of(store: BlobStore) -> list[Coroutine[Any, Any, object]]:
    """Everything that a store is asked about one blob."""
    return [
        store.get("a"),
        store.exists("a"),
        store.put("a", b"y"),
        store.delete("a"),
        store.delete_all(["a"]),
        store.delete_prefix("a"),
    ]


async def test_bytes_come_back(store: BlobStore) -> None:
    for data in (b"", b"x", os.urandom(3_000_000)):
        await store.put("a/b", data)
        assert await store.get("a/b") == data
    assert await store.exists("a/b")


async def test_a_put_replaces_and_if_absent_does_not(store: BlobStore) -> None:
    await store.put("a", b"1", if_absent=True)
    with pytest.raises(BlobExistsError):
        await store.put("a", b"2", if_absent=True)
    assert await store.get("a") == b"1"
    await store.put("a", b"3")
    assert await store.get("a") == b"3"


async def test_of_many_if_absent_one_wins(store: BlobStore) -> None:
    outcomes = await asyncio.gather(*(store.put("a", bytes([number]), if_absent=True) for number in range(8)), return_exceptions=True)
    won = [number for number, outcome in enumerate(outcomes) if outcome is None]
    assert len(won) == 1
    assert all(isinstance(outcome, BlobExistsError) for outcome in outcomes if outcome is not None)
    assert await store.get("a") == bytes(won)


async def test_what_is_missing_is_said_to_be_missing(store: BlobStore) -> None:
    with pytest.raises(BlobNotFoundError):
        await store.get("a/none")
    assert not await store.exists("a/none")
    assert await keys(store, "a") == []


async def test_a_delete_is_idempotent(store: BlobStore) -> None:
    await store.put("a/b", b"1")
    await store.delete("a/b")
    await store.delete("a/b")
    assert not await store.exists("a/b")
    await store.put("a/b", b"2", if_absent=True)
    assert await store.get("a/b") == b"2"


async def test_many_are_deleted_at_once_whether_or_not_they_are_there(store: BlobStore) -> None:
    for number in range(0, 40, 2):
        await store.put(f"q/{number}", b"x")
    await store.put("q/kept", b"x")
    await store.delete_all([])
    await store.delete_all([f"q/{number}" for number in range(40)])
    assert await keys(store, "q") == ["q/kept"]
    with pytest.raises(BlobKeyError):
        await store.delete_all(["q/kept", "../q"])


@pytest.mark.parametrize("is_durable", [False, True])
async def test_one_that_cannot_be_deleted_keeps_no_other(tmp_path: Path, is_durable: bool) -> None:
    """A folder lies where the file should be: whoever this process is, it cannot unlink that."""
    store = open_blob_store(tmp_path.as_uri(), durable=is_durable)
    for number in range(20):
        await store.put(f"q/{number:02d}", b"x")
    await store.put("q/stuck/inner", b"x")
    with pytest.raises(BlobStoreUnavailableError):
        await store.delete_all(["q/stuck", *[f"q/{number:02d}" for number in range(20)]])
    assert await keys(store, "q") == ["q/stuck/inner"]


async def test_a_listing_has_every_blob_of_the_folder_and_no_other(store: BlobStore) -> None:
    for number in range(7):
        await store.put(f"a/{number}/x", bytes(number))
    await store.put("ab/x", b"")
    await store.put("a.x", b"")
    assert await keys(store, "a") == [f"a/{number}/x" for number in range(7)]
    assert await keys(store, "a/3") == ["a/3/x"]
    assert len(await keys(store, "")) == 9
    entries = {entry.key: entry async for entry in store.list("a")}
    assert entries["a/5/x"].size == 5
    assert abs(entries["a/5/x"].modified_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_folder_is_deleted_whole_and_alone(store: BlobStore) -> None:
    for key in ("g/1/a", "g/1/b", "g/1/c/d", "g/1/e", "g/10/a", "g/2/a"):
        await store.put(key, b"x")
    assert await store.delete_prefix("g/1") == 4
    assert await keys(store, "g") == ["g/10/a", "g/2/a"]
    assert await store.delete_prefix("g/1") == 0
    with pytest.raises(BlobKeyError):
        await store.delete_prefix("")


@pytest.mark.parametrize(
    "key",
    ["", "/a", "a/", "a//b", "../a", "a/../b", "a/..", ".", "a/./b", "a b", "a\\b", "a\x00", "é", "a%2eb", "a#1", "x" * 600],
)
async def test_a_key_that_is_no_plain_path_is_refused_everywhere(store: BlobStore, key: str) -> None:
    for call in (store.put(key, b"x"), store.get(key), store.exists(key), store.delete(key), store.delete_prefix(key)):
        with pytest.raises(BlobKeyError):
            await call
    if key:
        with pytest.raises(BlobKeyError):
            await keys(store, key)
    assert await keys(store, "") == []


def test_an_id_with_a_slash_does_not_reach_another_folder() -> None:
    assert join_key("intake", "p", "x") == "intake/p/x"
    for segment in ("a/b", "..", "", "a\n"):
        with pytest.raises(BlobKeyError):
            join_key("intake", segment)


async def test_a_reader_never_sees_half_a_local_write(tmp_path: Path) -> None:
    store = open_blob_store((tmp_path / "blobs").as_uri())
    whole = {bytes([number]) * 400_000 for number in range(6)}
    await store.put("a", min(whole))

    async def write() -> None:
        for data in sorted(whole) * 3:
            await store.put("a", data)

    writing = asyncio.create_task(write())
    while not writing.done():
        assert await store.get("a") in whole
    await writing


async def test_a_local_store_survives_a_restart_and_is_private(tmp_path: Path) -> None:
    url = (tmp_path / "with space" / "blobs").as_uri()
    await open_blob_store(url).put("a/b", b"1")
    assert await open_blob_store(url).get("a/b") == b"1"
    assert stat.S_IMODE((tmp_path / "with space" / "blobs").stat().st_mode) == 0o700


async def test_an_emptied_folder_leaves_no_trace_of_its_name(tmp_path: Path) -> None:
    store = open_blob_store((tmp_path / "blobs").as_uri(), durable=True)
    await store.put("grants/g-1/f", b"x")
    await store.delete_prefix("grants/g-1")
    assert not [path for path in (tmp_path / "blobs").rglob("*") if "g-1" in path.name]


async def test_a_write_that_a_crash_cut_short_is_removed_later(tmp_path: Path) -> None:
    folder = LocalFolder.prepare(tmp_path / "blobs")
    store = open_blob_store(folder.root.as_uri())
    await store.put("q/s", b"whole")
    unfinished = folder.root / "q" / "s#1"
    unfinished.write_bytes(b"half")
    now_s = unfinished.stat().st_mtime
    assert await keys(store, "") == ["q/s"]
    assert folder.remove_unfinished(older_than_s=60, now_s=now_s + 59) == 0
    os.utime(unfinished, (now_s - 7200, now_s - 7200))
    open_blob_store(folder.root.as_uri())
    assert not unfinished.exists()
    assert await store.get("q/s") == b"whole"


async def test_an_original_that_cannot_be_deleted_keeps_no_other_from_the_sweep(s3: tuple[LoopbackS3, ObjectBlobStore]) -> None:
    service, store = s3
    quarantine = Quarantine(store, DataKey(bytes(32)))
    for number in range(6):
        await quarantine.put(SightingId(f"s-{number}"), b"x")
    service.locked = {"some/prefix/quarantine/s-0"}
    with pytest.raises(BlobStoreUnavailableError):
        await quarantine.sweep(60, datetime.now(UTC) + timedelta(seconds=62))
    assert await keys(store, "quarantine") == ["quarantine/s-0"]


async def test_trouble_of_the_store_is_trouble_and_not_absence(s3: tuple[LoopbackS3, ObjectBlobStore]) -> None:
    service, store = s3
    await store.put("a", b"x")
    service.is_down = True
    for call in asked_of(store):
        with pytest.raises(BlobStoreUnavailableError):
            await call
    service.is_down = False
    assert await store.get("a") == b"x"
    assert list(service.objects) == ["some/prefix/a"]


async def test_a_folder_that_is_gone_is_trouble_and_not_an_empty_store(tmp_path: Path) -> None:
    store = open_blob_store((tmp_path / "blobs").as_uri())
    await store.put("a", b"x")
    (tmp_path / "blobs").rename(tmp_path / "away")
    for call in (*asked_of(store), keys(store, "")):
        with pytest.raises(BlobStoreUnavailableError, match="the folder of the blob store is gone"):
            await call
    (tmp_path / "away").rename(tmp_path / "blobs")
    assert await store.get("a") == b"x"
    await store.delete("a")
    assert await keys(store, "") == []


async def test_an_empty_folder_in_the_place_of_a_marked_store_is_trouble_and_not_an_empty_store(tmp_path: Path) -> None:
    """A disk that is unmounted leaves its mount point."""
    make_mark(tmp_path / "blobs")
    store = open_blob_store((tmp_path / "blobs").as_uri())
    await store.put("a", b"x")
    assert await keys(store, "") == ["a"]
    (tmp_path / "blobs").rename(tmp_path / "away")
    (tmp_path / "blobs").mkdir()
    for call in (*asked_of(store), keys(store, "")):
        with pytest.raises(BlobStoreUnavailableError, match="or another is in its place"):
            await call
    assert list((tmp_path / "blobs").iterdir()) == []
    (tmp_path / "blobs").rmdir()
    (tmp_path / "away").rename(tmp_path / "blobs")
    assert await store.get("a") == b"x"


@pytest.mark.parametrize(
    "url",
    ["", "relative/folder", "file://host/folder", "file:relative", "s3://", "s3://key:secret@bucket/x", "http://a/b", "gs://b"],
)
def test_an_unclear_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="blob store URL"):
        open_blob_store(url)
