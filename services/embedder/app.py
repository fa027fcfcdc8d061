"""Wiring of the embedder service."""

from __future__ import annotations

from typing import ClassVar

from assent.deployment.runner_service import RunnerService
from assent.deployment.shared import Need, Shared
from assent.faces.chosen_threshold import chosen_threshold
from assent.faces.image import ImageLimits
from assent.stream.runner import RunnerSettings
from services.embedder.processor import EmbedderProcessor
from services.embedder.settings import EmbedderSettings


class EmbedderApp(RunnerService):
    """images.cleared to faces.embedded."""

    NEEDS: ClassVar[frozenset[Need]] = frozenset({Need.MODELS})

    def __init__(self, settings: EmbedderSettings, shared: Shared) -> None:
        threshold = chosen_threshold(shared.pack.manifest, false_match_rate=settings.reference_false_match_rate, cosine=None)
        processor = EmbedderProcessor(
            gate=shared.gate,
            identifiers=shared.identifiers,
            tables=shared.tables,
            quarantine=shared.quarantine,
            derivatives=shared.derivatives,
            grant_keys=shared.grant_keys,
            pack=shared.pack,
            metrics=shared.metrics,
            limits=ImageLimits(max_pixels=settings.max_pixels),
            min_reference_cosine=threshold.cosine,
            catch_up_timeout_s=settings.catch_up_timeout_s,
        )
        runner = RunnerSettings(max_batch=settings.max_batch, stall_after_s=settings.stall_after_s)
        super().__init__(processor, shared, settings=runner, drain_deadline_s=settings.drain_deadline_s)
