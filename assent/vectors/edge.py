"""The vector store inside this process, on Qdrant Edge; never lets a second process or another model at its folder."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from assent.ids import FaceId, GrantId, ImageId
from assent.vectors.byte_scan import Scan, needle, scan
from assent.vectors.edge_shard import EdgeShard
from assent.vectors.edge_state import EdgeState, lock, read_state, write_state
from assent.vectors.payload import GRANT_ID, IMAGE_ID, check_ids, check_points, check_vector
from assent.vectors.store import Candidate, FacePoint, PointFacts, PurgeReport, VectorStoreError, VectorStoreUnavailableError

_Result = TypeVar("_Result")


class EdgeVectorStore:
    """Every call runs on one thread, in the order of the calls: Edge is not made for several writers."""

    def __init__(self, folder: Path, *, dimensions: int, model_digest: str) -> None:
        self._folder = folder
        self._dimensions = dimensions
        self._model_digest = model_digest
        self._thread: ThreadPoolExecutor | None = None
        self._shard: EdgeShard | None = None
        self._lock: int | None = None
        self._state = EdgeState(model_digest, dimensions)
        self._needles: set[bytes] = set()
        # False while vectors may lie on the disk that were deleted before this process began: it cannot look for those.
        self._knows_needles = True

    async def open(self) -> None:
        """Make ready. Raises VectorStoreLockedError and ModelMismatchError."""
        if self._thread is not None:
            raise VectorStoreError(f"{self._folder} is open already in this object. Open it once.")
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="vectors")
        try:
            await self._run(self._open)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Write everything out and let go; closing twice does nothing."""
        if self._thread is None:
            return
        try:
            await self._run(self._close)
        finally:
            self._thread.shutdown(wait=False)
            self._thread = None

    async def upsert(self, points: Sequence[FacePoint]) -> None:
        """Insert or replace by id; all or none."""
        check_points(points, dimensions=self._dimensions, model_digest=self._model_digest)
        if points:
            await self._run(lambda: self._upsert(points))

    async def delete(self, ids: Sequence[FaceId]) -> None:
        """Delete by id."""
        check_ids(ids)
        if ids:
            await self._run(lambda: self._delete(ids))

    async def retrieve(self, ids: Sequence[FaceId]) -> list[PointFacts]:
        """The facts of those of these ids that are there."""
        check_ids(ids)
        return await self._run(lambda: self._opened.retrieve(ids)) if ids else []

    async def ids_of_grant(self, grant_id: GrantId) -> list[FaceId]:
        """Every id stored under a grant, in id order."""
        return [item.face_id for item in await self._run(lambda: self._opened.matching(GRANT_ID, grant_id))]

    async def find_image(self, image_id: ImageId) -> list[PointFacts]:
        """Every face of an image, in id order."""
        return await self._run(lambda: self._opened.matching(IMAGE_ID, image_id))

    async def search(
        self, vector: NDArray[np.float32], *, grant_ids: frozenset[GrantId], purpose: str, limit: int, threshold: float
    ) -> list[Candidate]:
        """The best faces under these grants that allow this purpose, exact, best first; an empty set of grants finds nothing."""
        check_vector(vector, dimensions=self._dimensions)
        if not grant_ids or limit < 1:
            return []
        grants = sorted(grant_ids)
        return await self._run(lambda: self._opened.search(vector, grants=grants, purpose=purpose, limit=limit, threshold=threshold))

    async def scroll(self, after: FaceId | None, limit: int) -> list[PointFacts]:
        """The next page in id order."""
        return await self._run(lambda: self._opened.scroll(after, limit))

    async def drop_foreign(self) -> int:
        """Delete what names no grant, and remember its vectors for the next purge."""
        return await self._run(self._drop_foreign)

    async def count(self) -> int:
        """How many points there are."""
        return await self._run(lambda: self._opened.count())

    async def flush(self) -> None:
        """Return once everything so far survives a crash: without this, deleted points come back."""
        await self._run(lambda: self._opened.flush())

    async def purge(self) -> PurgeReport:
        """Rewrite what held deleted vectors, then look for their bytes; what is still found, or unknown, means a new shard."""
        return await self._run(self._purge)

    @property
    def _opened(self) -> EdgeShard:
        if self._shard is None:
            raise VectorStoreUnavailableError(f"{self._folder} is not open. Open the store first.")
        return self._shard

    async def _run(self, call: Callable[[], _Result]) -> _Result:
        if self._thread is None:
            raise VectorStoreUnavailableError(f"{self._folder} is not open. Open the store first.")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call)
        except (VectorStoreError, OSError):
            raise
        except Exception as error:
            # Edge raises bare exceptions; their text may quote a request, so it is left in the cause.
            raise VectorStoreUnavailableError(f"Edge could not carry out a call on {self._folder}. See the cause.") from error

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = lock(self._folder)
        self._state = read_state(self._folder, dimensions=self._dimensions, model_digest=self._model_digest)
        write_state(self._folder, self._state)
        current = self._state.shard(self._folder)
        for leftover in self._folder.glob("shard-*"):
            if leftover != current:
                shutil.rmtree(leftover)
        self._shard = EdgeShard(current, dimensions=self._dimensions)
        self._needles.clear()
        self._knows_needles = not self._state.has_unpurged

    def _close(self) -> None:
        try:
            if self._shard is not None:
                self._shard.flush()
                self._shard.close()
        finally:
            self._shard = None
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def _upsert(self, points: Sequence[FacePoint]) -> None:
        # A replaced vector is a deleted one: its bytes stay in a segment until that is rewritten.
        self._remember([point.face_id for point in points])
        self._opened.upsert(points)

    def _drop_foreign(self) -> int:
        ids = self._opened.foreign()
        if ids:
            self._delete(ids)
            self._opened.flush()
        return len(ids)

    def _delete(self, ids: Sequence[Any]) -> None:
        self._remember(ids)
        self._opened.delete(ids)

    def _remember(self, ids: Sequence[Any]) -> None:
        vectors = self._opened.vectors(ids)
        if not vectors:
            return
        if not self._state.has_unpurged:
            # Written before the deletion: after a crash a purge must know that there is something to remove.
            self._set_state(replace(self._state, has_unpurged=True))
        self._needles.update(needle(vector) for vector in vectors.values())

    def _purge(self) -> PurgeReport:
        self._opened.rewrite()
        method, scanned, is_clean = "rewrite_segments", *self._scan()
        if not (self._knows_needles and is_clean):
            self._rebuild()
            method, scanned, is_clean = "rebuild_shard", *self._scan()
        if is_clean:
            self._set_state(replace(self._state, has_unpurged=False))
            self._needles.clear()
            self._knows_needles = True
        return PurgeReport(method=method, is_clean=is_clean, files_scanned=scanned.files, bytes_scanned=scanned.bytes_read)

    def _scan(self) -> tuple[Scan, bool]:
        """What the files hold; clean when no needle occurs more often than live vectors account for."""
        scanned = scan(self._folder, frozenset(self._needles))
        if not scanned.occurrences:
            return scanned, True
        live: Counter[bytes] = Counter()
        for vector in self._opened.all_vectors():
            data = vector.astype("<f4").tobytes()
            live.update({item: data.count(item) for item in scanned.occurrences if item in data})
        return scanned, all(count <= live[item] for item, count in scanned.occurrences.items())

    def _rebuild(self) -> None:
        """Copy the live points to a new shard and drop the old one; a crash leaves one of the two whole and in use."""
        state = replace(self._state, generation=self._state.generation + 1)
        old, target = self._opened, state.shard(self._folder)
        shutil.rmtree(target, ignore_errors=True)
        fresh = EdgeShard(target, dimensions=self._dimensions)
        fresh.copy_from(old)
        fresh.rewrite()
        path = self._state.shard(self._folder)
        self._set_state(state)
        self._shard = fresh
        # The copy was made from memory that knows every deletion, so nothing comes back.
        old.close()
        shutil.rmtree(path)
        self._knows_needles = True

    def _set_state(self, state: EdgeState) -> None:
        write_state(self._folder, state)
        self._state = state
