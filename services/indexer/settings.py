"""Settings of the indexer service, from the environment with the prefix ASSENT_INDEXER_."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from assent.deployment.service_settings import ServiceSettings


class IndexerSettings(ServiceSettings):
    """The clocks of erasure."""

    model_config = SettingsConfigDict(env_prefix="ASSENT_INDEXER_", frozen=True, extra="forbid")

    settle_s: float = Field(
        default=45.0, ge=0, description="seconds after a withdrawal in which a paused writer may still write: session and store time-outs"
    )
    erase_round_s: float = Field(default=0.5, gt=0, le=60, description="seconds between rounds over unfinished erasures")
    sweep_every_s: float = Field(default=60.0, gt=0, description="seconds between sweeps of the whole store")
    erase_grace_s: float = Field(default=300.0, ge=0, description="seconds an ended grant's vectors may remain while being erased")
