"""Wiring of the geofence service."""

from __future__ import annotations

from typing import ClassVar

from assent.deployment.runner_service import RunnerService
from assent.deployment.shared import Need, Shared
from assent.geofence.areas import AreaIndex
from assent.stream.runner import RunnerSettings
from services.geofence.processor import GeofenceProcessor
from services.geofence.senders import Senders
from services.geofence.settings import GeofenceSettings
from services.geofence.signers_file import read_signers


class GeofenceApp(RunnerService):
    """images.scraped to images.located."""

    NEEDS: ClassVar[frozenset[Need]] = frozenset()

    def __init__(self, settings: GeofenceSettings, shared: Shared) -> None:
        senders = Senders(producers=shared.producers, standings=shared.standings, caps=settings.caps(), clock=shared.clock)
        processor = GeofenceProcessor(
            gate=shared.gate,
            tables=shared.tables,
            quarantine=shared.quarantine,
            senders=senders,
            identifiers=shared.identifiers,
            areas=AreaIndex.load(),
            signers=read_signers(settings.signers_file),
            metrics=shared.metrics,
            catch_up_timeout_s=settings.catch_up_timeout_s,
        )
        runner = RunnerSettings(stall_after_s=settings.stall_after_s)
        super().__init__(processor, shared, settings=runner, drain_deadline_s=settings.drain_deadline_s)
