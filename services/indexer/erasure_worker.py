"""Carries erasures out: ids first, deletion by id, read-back twice, then the bytes; nothing is reported that was not read back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from assent.blobs.derivatives import Derivatives
from assent.deployment.one_by_one import OneByOne
from assent.events.envelope import Event, encode, event_id
from assent.events.erasures import ErasureLevel, ErasureProgressed
from assent.events.record import Record
from assent.ids import FaceId
from assent.keys.grant_keys import GrantKeyring
from assent.stream.clock import Clock
from assent.stream.event_log import EventLog, LogUnavailableError, UnknownTopicError
from assent.stream.outcomes import RetryLaterError
from assent.telemetry.meter import Metrics
from assent.vectors.store import VectorStore, VectorStoreError
from services.indexer.erasure_table import Erasure, ErasureTable

VECTORS = "vectors"
DERIVATIVES = "derivatives"
STORES = (VECTORS, DERIVATIVES)
_BLOCKS_REMAIN = "freed blocks of the file system are not wiped; they held only sealed bytes or rewritten segments"


_EVERYBODYS = (RetryLaterError, VectorStoreError, LogUnavailableError, UnknownTopicError)


class ErasureIncompleteError(Exception):
    """Raised when a read-back still finds something: nothing is reported and the erasure is tried again."""


class ErasureWorker:
    """Works on every unfinished erasure; idempotent, so a second instance does no harm.

    `settle_s` is how long after the request the second read-back waits: the longest a paused writer may still write.
    `signed` makes a report the indexer's own.
    """

    def __init__(
        self,
        *,
        table: ErasureTable,
        store: VectorStore,
        derivatives: Derivatives,
        grant_keys: GrantKeyring,
        log: EventLog,
        clock: Clock,
        settle_s: float,
        signed: Callable[[Record], Record],
        metrics: Metrics,
    ) -> None:
        self._table = table
        self._store = store
        self._derivatives = derivatives
        self._grant_keys = grant_keys
        self._log = log
        self._clock = clock
        self._settle = timedelta(seconds=settle_s)
        self._signed = signed
        self._each = OneByOne(metrics, everybodys=_EVERYBODYS)
        self._incomplete: ErasureIncompleteError | None = None

    async def work(self) -> int:
        """One round over all unfinished erasures; the number that still has something to do.

        Vectors go first and pictures after, so that a blob store that is away holds up pictures alone. Raises the trouble of
        either store once the round is done; nothing is reported of what met it. What is found again of one grant, or goes wrong at it
        alone, holds up that one alone.
        """
        mine = self._table.unfinished(STORES)
        trouble: Exception | None = None
        self._incomplete = None
        for part in (self._erase_vectors, self._erase_derivatives):
            try:
                await part(mine)
            except (RetryLaterError, VectorStoreError, ErasureIncompleteError) as error:
                trouble = trouble or error
        trouble = trouble or self._incomplete
        if trouble is not None:
            raise trouble
        return len(self._table.unfinished(STORES))

    async def _erase_vectors(self, erasures: Sequence[Erasure]) -> None:
        for erasure in erasures:
            with self._alone("vectors", erasure):
                self._grant_keys.drop(erasure.request.grant_id)
                await self._resolve_vectors(erasure)
                await self._delete_vectors(erasure)
        await self._purge([erasure for erasure in erasures if erasure.reached(VECTORS, ErasureLevel.LOGICAL)])

    async def _erase_derivatives(self, erasures: Sequence[Erasure]) -> None:
        for erasure in erasures:
            with self._alone("derivatives", erasure):
                await self._resolve_derivatives(erasure)
                await self._delete_derivatives(erasure)

    @contextlib.contextmanager
    def _alone(self, stage: str, erasure: Erasure) -> Iterator[None]:
        with self._each.alone(stage, erasure.request.grant_id):
            try:
                yield
            except ErasureIncompleteError as error:
                self._incomplete = self._incomplete or error

    def purge_backlog(self) -> int:
        """Vectors that are deleted logically and whose bytes may still lie on the disk."""
        deleted = [erasure.reached(VECTORS, ErasureLevel.LOGICAL) for erasure in self._table.unfinished((VECTORS,))]
        return sum(report.count_before for report in deleted if report is not None)

    async def _resolve_vectors(self, erasure: Erasure) -> None:
        if erasure.reached(VECTORS, ErasureLevel.RESOLVED) is None:
            ids = await self._store.ids_of_grant(erasure.request.grant_id)
            await self._report(erasure, VECTORS, ErasureLevel.RESOLVED, before=len(ids), after=len(ids), ids=ids)

    async def _resolve_derivatives(self, erasure: Erasure) -> None:
        if erasure.reached(DERIVATIVES, ErasureLevel.RESOLVED) is None:
            ids = await self._derivatives.list_grant(erasure.request.grant_id)
            await self._report(erasure, DERIVATIVES, ErasureLevel.RESOLVED, before=len(ids), after=len(ids), ids=ids)

    async def _delete_vectors(self, erasure: Erasure) -> None:
        """Delete at once; report only after a second read-back, when no paused writer can have written since."""
        resolved = erasure.reached(VECTORS, ErasureLevel.RESOLVED)
        if resolved is None or erasure.reached(VECTORS, ErasureLevel.LOGICAL) is not None:
            return
        grant_id = erasure.request.grant_id
        ids = sorted({*resolved.face_ids, *await self._store.ids_of_grant(grant_id)})
        if ids:
            await self._store.delete(ids)
            await self._store.flush()
        if self._clock.now() - erasure.request.requested_at < self._settle:
            return
        if await self._store.retrieve(ids) or await self._store.ids_of_grant(grant_id):
            raise ErasureIncompleteError("the store still returns points of an erased grant after their deletion")
        before = max(resolved.count_before, len(ids))
        await self._report(erasure, VECTORS, ErasureLevel.LOGICAL, before=before, after=0, ids=ids, method="delete_by_id")

    async def _delete_derivatives(self, erasure: Erasure) -> None:
        resolved = erasure.reached(DERIVATIVES, ErasureLevel.RESOLVED)
        if resolved is None or erasure.reached(DERIVATIVES, ErasureLevel.PHYSICAL) is not None:
            return
        grant_id = erasure.request.grant_id
        await self._derivatives.delete_grant(grant_id)
        if self._clock.now() - erasure.request.requested_at < self._settle:
            return
        if await self._derivatives.list_grant(grant_id):
            raise ErasureIncompleteError("pictures of an erased grant were written again; they are deleted in the next round")
        before = resolved.count_before
        for level in (ErasureLevel.LOGICAL, ErasureLevel.PHYSICAL):
            remains = (_BLOCKS_REMAIN,) if level is ErasureLevel.PHYSICAL else ()
            await self._report(erasure, DERIVATIVES, level, before=before, after=0, method="unlink_and_shred", remains=remains)

    async def _purge(self, erasures: Sequence[Erasure]) -> None:
        """One rewrite of the store serves every erasure that waits for it."""
        waiting = [erasure for erasure in erasures if erasure.reached(VECTORS, ErasureLevel.PHYSICAL) is None]
        if not waiting:
            return
        report = await self._store.purge()
        if not report.is_clean:
            raise ErasureIncompleteError("the store still holds segments with deleted vectors after the rewrite")
        for erasure in waiting:
            before = erasure.progress[(VECTORS, ErasureLevel.LOGICAL)].count_before
            remains = (_BLOCKS_REMAIN,)
            await self._report(erasure, VECTORS, ErasureLevel.PHYSICAL, before=before, after=0, method=report.method, remains=remains)

    async def _report(
        self,
        erasure: Erasure,
        store: str,
        level: ErasureLevel,
        *,
        before: int,
        after: int,
        ids: Sequence[FaceId] = (),
        method: str = "",
        remains: tuple[str, ...] = (),
    ) -> None:
        """Append the fact and take it into the table at once, so that one round does not report it twice."""
        progress = ErasureProgressed(
            erasure_id=erasure.request.erasure_id,
            grant_id=erasure.request.grant_id,
            store=store,
            level=level,
            count_before=before,
            count_after=after,
            method=method or level.value,
            remains=remains,
            face_ids=tuple(ids),
            reached_at=self._clock.now(),
        )
        event = Event(
            id=event_id(progress.erasure_id, store, level.value),
            source="/assent/indexer",
            time=progress.reached_at,
            data=progress,
        )
        await self._log.append([self._signed(encode(event))])
        erasure.progress.setdefault((store, level), progress)
