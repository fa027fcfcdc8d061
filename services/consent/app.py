"""Wiring of the consent service."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from assent.deployment.runner_service import RunnerService
from assent.deployment.shared import Need, Shared
from assent.stream.runner import RunnerSettings
from services.consent.processor import ConsentProcessor
from services.consent.settings import ConsentSettings

MAX_BATCH = 500
"""Deciding takes microseconds a record, asking the broker milliseconds a batch: the catch-up, the writes, the commit."""
RUNNER = RunnerSettings(max_batch=MAX_BATCH)


class ConsentApp(RunnerService):
    """images.located to images.cleared."""

    NEEDS: ClassVar[frozenset[Need]] = frozenset()

    def __init__(self, settings: ConsentSettings, shared: Shared) -> None:
        processor = ConsentProcessor(
            gate=shared.gate,
            tables=shared.tables,
            quarantine=shared.quarantine,
            catch_up_timeout_s=settings.catch_up_timeout_s,
        )
        runner = replace(RUNNER, stall_after_s=settings.stall_after_s)
        super().__init__(processor, shared, settings=runner, drain_deadline_s=settings.drain_deadline_s)
