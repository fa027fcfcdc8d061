"""Wiring of the indexer service: one consumer, one erasure worker, two sweepers."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
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
from services.indexer.suppressed_faces import SuppressedFaces
from services.indexer.sweeper import Sweeper

_LOG = structlog.get_logger()
_TROUBLE = (LogUnavailableError, TableStaleError, RetryLaterError, VectorStoreError, ErasureIncompleteError)
"""What is waited out. A table that broke is not among it: that ends the process."""
SINGLE_PROCESS_SETTLE_S = 1.0
"""In one process no writer is paused apart from the eraser: the second read-back waits only for a batch in hand."""


class IndexerApp(RunnerService):
    """faces.embedded and erasures to the vector store."""

    NEEDS: ClassVar[frozenset[Need]] = frozenset({Need.VECTORS, Need.MANIFEST})

    def __init__(self, settings: IndexerSettings, shared: Shared) -> None:
        processor = FaceIndexer(
            gate=shared.gate,
            tables=shared.tables,
            store=shared.vectors,
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
        )
        self._sweeper = Sweeper(
            store=shared.vectors,
            tables=shared.tables,
            gate=shared.gate,
            suppressed=SuppressedFaces(store=shared.vectors, derivatives=shared.derivatives),
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

    async def start(self) -> None:
        """Sweep once before anything is written, then consume, erase and sweep."""
        self._erasures.when_broken(self.background.fail)
        await self._erasures.start()
        await self._erasures.ready(self._settings.stall_after_s)
        await super().start()
        self.background.start(self._erase(), name="erasures")
        self.background.start(self._sweep(), name="sweeper")
        self.background.start(self._sweep_pictures(), name="picture-sweeper")

    async def stop(self) -> None:
        """Stop all of them."""
        self._stopping.set()
        await super().stop()
        await self._erasures.stop()

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

    async def _sweep(self) -> None:
        while not self._stopping.is_set():
            try:
                swept = await self._sweeper.sweep()
            except _TROUBLE as error:
                _LOG.warning("sweep_waits", error=type(error).__name__)
            else:
                self._metrics.set(declared.VECTORS, swept.seen)
                self._metrics.set(declared.VECTORS_WITHOUT_GRANT, swept.overdue + swept.doubted)
                self._metrics.set(declared.SWEEP_LAST_COMPLETED, swept.at.timestamp())
            await self._pause(self._settings.sweep_every_s)

    async def _sweep_pictures(self) -> None:
        """Beside the other sweep and not after it, so that neither store holds up the sweep of the other."""
        while not self._stopping.is_set():
            try:
                overdue = await self._picture_sweeper.sweep()
            except _TROUBLE as error:
                _LOG.warning("picture_sweep_waits", error=type(error).__name__)
            else:
                self._metrics.set(declared.PICTURES_WITHOUT_GRANT, overdue)
                self._metrics.set(declared.PICTURE_SWEEP_LAST_COMPLETED, self._shared.clock.now().timestamp())
            await self._pause(self._settings.sweep_every_s)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
