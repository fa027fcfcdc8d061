"""Settings of the geofence service, from the environment with the prefix ASSENT_GEOFENCE_."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from assent.deployment.service_settings import ServiceSettings
from assent.intake.producer_window import ProducerCaps


class GeofenceSettings(ServiceSettings):
    """Whose signed positions count as signed, and when a producer is suspended for what it sends."""

    model_config = SettingsConfigDict(env_prefix="ASSENT_GEOFENCE_", frozen=True, extra="forbid")

    signers_file: Path | None = Field(
        default=None, description="certificates (PEM) of authorities whose cameras' signed positions are believed; nobody's when unset"
    )
    producer_window: int = Field(default=100, ge=10, le=4_000, description="last records of one producer of which the share is taken")
    producer_max_dead_share: float = Field(
        default=0.5, gt=0, lt=1, description="share of those (0 to 1) that may be dead; more suspends that producer"
    )
    producer_max_dead_in_a_row: int = Field(default=25, ge=1, le=900, description="dead records of one producer in a row that suspend it")

    def caps(self) -> ProducerCaps:
        """The three as one value."""
        return ProducerCaps(self.producer_window, self.producer_max_dead_share, self.producer_max_dead_in_a_row)
