"""Settings of the query service, from the environment with the prefix ASSENT_QUERY_."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, IPvAnyNetwork, model_validator
from pydantic_settings import SettingsConfigDict

from assent.deployment.service_settings import ServiceSettings


class QuerySettings(ServiceSettings):
    """Address, caps and how sure a candidate must be. There is no setting that discloses without a live grant."""

    model_config = SettingsConfigDict(env_prefix="ASSENT_QUERY_", frozen=True, extra="forbid")

    http_host: str = Field(default="127.0.0.1", description="address of the search interface and the console")
    http_port: int = Field(default=8082, ge=0, le=65535, description="port of the search interface and the console; 0 takes a free one")
    false_match_rate: float = Field(
        default=1e-3, gt=0, lt=1, description="the model's threshold is taken at this false-match rate or a lower one"
    )
    threshold: float | None = Field(
        default=None, gt=-1, lt=1, description="a cosine stricter than the model's own at that rate; a looser one is refused at start"
    )
    max_candidates: int = Field(default=50, ge=1, le=500, description="candidates in one answer at most")
    max_image_bytes: int = Field(default=20_000_000, ge=1_000, description="bytes of a probe")
    max_pixels: int = Field(default=40_000_000, ge=10_000, le=80_000_000, description="pixels of a probe, read from its header")
    max_probes: int = Field(default=2, ge=1, le=64, description="probes that are decoded and embedded at once")
    max_streams: int = Field(default=32, ge=1, le=1_000, description="pages that follow the flow live at once")
    history: int = Field(default=20_000, ge=100, le=1_000_000, description="decisions kept in memory for the console and explain")
    caller_places_file: Path | None = Field(
        default=None, description="table of addresses with their countries (MaxMind DB); a caller is where her token says when unset"
    )
    caller_networks_file: Path | None = Field(
        default=None, description="table of addresses with their networks (MaxMind DB), where the other does not hold them"
    )
    proxies: tuple[IPvAnyNetwork, ...] = Field(
        default=(), description="networks of the proxies in front, whose X-Forwarded-For is believed, as a JSON list of CIDR blocks"
    )
    banner: str = Field(default="", max_length=500, description="a line on top of every page; the demonstration says there what it is")

    @model_validator(mode="after")
    def _networks_alone_place_nobody(self) -> Self:
        if self.caller_networks_file is not None and self.caller_places_file is None:
            raise ValueError("caller_networks_file goes with caller_places_file; set both, or neither")
        return self
