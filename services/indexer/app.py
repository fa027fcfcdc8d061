"""Wiring of the indexer service: one consumer, one erasure worker, two sweepers."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import ClassVar

import structlog

from assent.deployment.runner_service import RunnerService
from assent.deployment.shared import Need, Shared
from assent.intake.registry_signature import is_registrys_word
from assent.intake.stage_signatures import StageSignatures
from assent.stream.event_log import LogUnavailableError
from assent.stream.outcomes import RetryLaterError
from assent.stream.runner import RunnerSettings
from assent.stream.table import Table, TableStaleError
from assent.telemetry import metrics as declared
from assent.vectors.store import VectorStoreError
from services.indexer.erasure_table import ERASURE_TOPICS, ErasureTable
from services.indexer.erasure_worker import ErasureIncompleteError, ErasureWorker
from services.indexer.picture_sweeper import PictureSweeper
from services.indexer.processor import FaceIndexer
from services.indexer.settings import IndexerSettings
from services.indexer.sweeper import Sweeper
from services.indexer.unwanted_faces import UnwantedFaces

_LOG = structlog.get_logger()
_TROUBLE = (LogUnavailableError, TableStaleError, RetryLaterError, VectorStoreError, ErasureIncompleteError)
"""What is waited out. A table that broke is not among it: that ends the process."""
SINGLE_PROCESS_SETTLE_S = 1.0
"""In one process no writer is paused apart from the eraser: the second read-back waits only for a batch in hand."""

FIRST_SWEEP_RETRY_S = 5.0
"""The consumer waits for it; what is not there yet at a start, tables among it, comes within moments."""


class IndexerApp(RunnerService):
    """faces.embedded and erasures to the vector store."""

    NEEDS: ClassVar[frozenset[Need]] = frozenset({Need.VECTORS, Need.MANIFEST})

    def __init__(self, settings: IndexerSettings, shared: Shared) -> None:
        processor = FaceIndexer(
            gate=shared.gate,
            tables=shared.tables,
            store=shared.vectors,
            derivatives=shared.derivatives,
            grant_keys=shared.grant_keys,
            model_digest=shared.model_digest,
            metrics=shared.metrics,
            catch_up_timeout_s=settings.catch_up_timeout_s,
        )
        runner = RunnerSettings(stall_after_s=settings.stall_after_s)
        super().__init__(processor, shared, settings=runner, drain_deadline_s=settings.drain_deadline_s)
        self._settings = settings
        self._metrics = shared.metrics
        signatures = StageSignatures(shared.keys)
        self._erasure_table = ErasureTable(
            is_genuine=lambda record: is_registrys_word(record, shared.keys.public.grant) and signatures.holds(record)
        )
        self._counted: Counter[str] = Counter()
        topics = [topic.value for topic in ERASURE_TOPICS]
        self._erasures = Table(shared.log, topics, self._erasure_table, clock=shared.clock)
        self._worker = ErasureWorker(
            table=self._erasure_table,
            store=shared.vectors,
            derivatives=shared.derivatives,
            grant_keys=shared.grant_keys,
            log=shared.log,
            clock=shared.clock,
            settle_s=SINGLE_PROCESS_SETTLE_S if shared.is_single_process else settings.settle_s,
            signed=lambda record: signatures.signed(record, processor.name),
            metrics=shared.metrics,
        )
        self._sweeper = Sweeper(
            store=shared.vectors,
            tables=shared.tables,
            gate=shared.gate,
            unwanted=UnwantedFaces(store=shared.vectors, derivatives=shared.derivatives),
            clock=shared.clock,
            erase_grace_s=settings.erase_grace_s,
            catch_up_timeout_s=settings.catch_up_timeout_s,
        )
        self._picture_sweeper = PictureSweeper(
            derivatives=shared.derivatives,
            tables=shared.tables,
            clock=shared.clock,
            erase_grace_s=settings.erase_grace_s,
            catch_up_timeout_s=settings.catch_up_timeout_s,
        )
        self._stopping = asyncio.Event()
        self._swept = asyncio.Event()

    async def start(self) -> None:
        """Erase and sweep, and consume once a sweep has ended: what a restore brought back goes before anything is written."""
        for table in (self._erasures, self._shared.tables.table):
            table.when_broken(self.background.fail)
        await self._erasures.start()
        await self._erasures.ready(self._settings.stall_after_s)
        self.background.start(self._erase(), name="erasures")
        self.background.start(self._again("vectors", self._sweep), name="sweeper")
        self.background.start(self._again("pictures", self._sweep_pictures), name="picture-sweeper")
        self.background.start(self._consume(), name="indexer-start")

    async def stop(self) -> None:
        """Stop all of them."""
        self._stopping.set()
        self._swept.set()
        await super().stop()
        await self._erasures.stop()

    @property
    def is_alive(self) -> bool:
        """The consumer goes round, or waits for the first sweep, and nothing failed."""
        return super().is_alive if self._swept.is_set() else self.background.failure is None

    async def _consume(self) -> None:
        await self._swept.wait()
        if not self._stopping.is_set():
            await super().start()

    async def _erase(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._erasures.catch_up(self._settings.catch_up_timeout_s)
                await self._worker.work()
            except _TROUBLE as error:
                _LOG.warning("erasure_waits", error=type(error).__name__)
            self._metrics.set(declared.PURGE_BACKLOG, self._worker.purge_backlog())
            self._count_unreadable()
            await self._pause(self._settings.erase_round_s)

    def _count_unreadable(self) -> None:
        for topic, count in self._erasure_table.unreadable.items():
            self._metrics.increase(declared.TABLE_UNREADABLE, count - self._counted[topic], table=topic)
            self._counted[topic] = count

    async def _again(self, stage: str, sweep: Callable[[], Awaitable[None]]) -> None:
        """Each sweep in a loop of its own, so that neither store holds up the sweep of the other."""
        while not self._stopping.is_set():
            pause_s = self._settings.sweep_every_s
            try:
                await sweep()
            except _TROUBLE as error:
                _LOG.warning("sweep_waits", stage=stage, error=type(error).__name__)
                pause_s = pause_s if self._swept.is_set() else min(pause_s, FIRST_SWEEP_RETRY_S)
            await self._pause(pause_s)

    async def _sweep(self) -> None:
        swept = await self._sweeper.sweep()
        self._metrics.set(declared.VECTORS, swept.seen)
        self._metrics.set(declared.VECTORS_WITHOUT_GRANT, swept.overdue + swept.doubted + swept.foreign)
        self._metrics.set(declared.SWEEP_LAST_COMPLETED, swept.at.timestamp())
        self._swept.set()

    async def _sweep_pictures(self) -> None:
        overdue = await self._picture_sweeper.sweep()
        self._metrics.set(declared.PICTURES_WITHOUT_GRANT, overdue)
        self._metrics.set(declared.PICTURE_SWEEP_LAST_COMPLETED, self._shared.clock.now().timestamp())

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
