"""Settings of the crawler service, from the environment with the prefix ASSENT_CRAWLER_."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from assent.deployment.service_settings import ServiceSettings
from assent.optouts.agent import AGENT_NAME


class CrawlerSettings(ServiceSettings):
    """Politeness and caps. There is no switch against robots.txt or any other opt-out."""

    model_config = SettingsConfigDict(env_prefix="ASSENT_CRAWLER_", frozen=True, extra="forbid")

    http_host: str = Field(default="127.0.0.1", description="address of POST /v1/crawls")
    http_port: int = Field(default=8083, ge=0, le=65535, description="port of POST /v1/crawls; 0 takes a free one")
    agent: str = Field(default=AGENT_NAME, pattern=r"^[A-Za-z_-]{3,40}$", description="product token that sites address")
    contact_url: str = Field(default="", description="page where sites learn who we are and how to say no; part of the user agent")
    host_delay_s: float = Field(default=1.0, ge=0, description="least seconds between two requests to one host")
    max_crawl_delay_s: float = Field(default=30.0, gt=0, description="a host that asks for more is left alone, never hurried")
    recrawl_s: float = Field(default=86_400.0, gt=0, description="seconds between rounds")
    site_rules_s: float = Field(default=600.0, gt=0, le=86_400, description="seconds for which robots.txt and its like are kept")
    max_pages: int = Field(default=2_000, ge=1, description="pages per round")
    max_page_bytes: int = Field(default=2_000_000, ge=1_000, description="bytes of a page")
    max_image_bytes: int = Field(default=20_000_000, ge=1_000, description="bytes of an image")
    max_pixels: int = Field(default=40_000_000, ge=10_000, le=80_000_000, description="pixels an image may have, read from its header")
    fetch_timeout_s: float = Field(default=20.0, gt=0, le=300, description="seconds for one fetch")
    round_stall_after_s: float = Field(
        default=600.0, gt=0, description="seconds in which a round fetches, keeps and decides nothing before the process ends"
    )
    server_places_file: Path | None = Field(
        default=None, description="table of addresses with their countries (MaxMind DB); places of servers are unknown when unset"
    )
    server_networks_file: Path | None = Field(
        default=None, description="table of addresses with their networks (MaxMind DB), where the other does not hold them"
    )
    quarantine_max_s: float = Field(default=3_600.0, gt=0, description="seconds an original may lie in quarantine")

    @model_validator(mode="after")
    def _networks_alone_place_nothing(self) -> Self:
        if self.server_networks_file is not None and self.server_places_file is None:
            raise ValueError("server_networks_file goes with server_places_file; set both, or neither")
        return self

    @model_validator(mode="after")
    def _a_slow_host_is_no_stall(self) -> Self:
        longest_s = self.fetch_timeout_s + max(self.host_delay_s, self.max_crawl_delay_s)
        if self.round_stall_after_s <= longest_s:
            raise ValueError(
                f"round_stall_after_s must be more than {longest_s:.3g}, the longest that a host may be waited for "
                "(fetch_timeout_s and max_crawl_delay_s)"
            )
        return self
