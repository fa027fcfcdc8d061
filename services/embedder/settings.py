"""Settings of the embedder service, from the environment with the prefix ASSENT_EMBEDDER_."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from assent.deployment.service_settings import ServiceSettings


class EmbedderSettings(ServiceSettings):
    """How large an image may be, how many records are taken at once, and how like a reference a face must be."""

    model_config = SettingsConfigDict(env_prefix="ASSENT_EMBEDDER_", frozen=True, extra="forbid")

    max_pixels: int = Field(default=40_000_000, ge=10_000, le=80_000_000, description="pixels an image may have before it is decoded")
    max_batch: int = Field(default=8, ge=1, le=64, description="images per batch; one is decoded at a time")
    reference_false_match_rate: float = Field(
        default=1e-3,
        gt=0,
        lt=1,
        description="a face agrees with a confirmed reference from the model's threshold at this false-match rate or a lower one on",
    )
