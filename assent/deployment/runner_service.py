"""A processor with its runner as a part of a process that can be started, watched and stopped."""

from __future__ import annotations

import os
from dataclasses import replace

from assent.deployment.background import Background
from assent.deployment.observer import MetricsObserver
from assent.deployment.shared import Shared
from assent.intake.stage_signatures import StageSignatures
from assent.stream.processor import Processor
from assent.stream.runner import Runner, RunnerSettings

LOOP_SILENT_AFTER_S = 60.0


class RunnerService:
    """Starts once the tables are ready; alive as long as its loop goes round, whatever the broker does."""

    def __init__(self, processor: Processor, shared: Shared, *, settings: RunnerSettings, drain_deadline_s: float) -> None:
        self._shared = shared
        self._drain_deadline_s = drain_deadline_s
        self.background = Background()
        self.processor = processor
        signatures = StageSignatures(shared.keys)
        self._runner = Runner(
            shared.log,
            processor,
            member=f"{processor.name}-{os.uname().nodename}-{os.getpid()}",
            clock=shared.clock,
            observer=MetricsObserver(shared.metrics, shared.clock),
            settings=replace(settings, drain_deadline_s=drain_deadline_s),
            tables=(shared.tables,),
            is_genuine=signatures.holds,
            is_ours=shared.producers.is_inner,
            signed=lambda record: signatures.signed(record, processor.name),
            spans=shared.spans,
        )
        self._name = processor.name

    async def start(self) -> None:
        """Begin to consume. A table that breaks ends the process, whether or not anything is decided with it."""
        self._shared.tables.table.when_broken(self.background.fail)
        self.background.start(self._runner.run(), name=self._name)

    async def stop(self) -> None:
        """Finish the batch in hand inside the deadline."""
        self._runner.stop()
        await self.background.stop(deadline_s=self._drain_deadline_s)

    @property
    def is_ready(self) -> bool:
        """The tables are ready and nothing failed."""
        return self._shared.tables.is_ready and self.background.failure is None

    @property
    def is_alive(self) -> bool:
        """The loop went round lately and nothing failed."""
        return self.background.failure is None and self._runner.silent_for_s() < LOOP_SILENT_AFTER_S
