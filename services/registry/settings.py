"""Settings of the registry service, from the environment with the prefix ASSENT_REGISTRY_."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from assent.deployment.service_settings import ServiceSettings
from assent.fetching.txt_records import name_servers


class RegistrySettings(ServiceSettings):
    """Address, caps and clocks of the registry."""

    model_config = SettingsConfigDict(env_prefix="ASSENT_REGISTRY_", frozen=True, extra="forbid")

    http_host: str = Field(default="127.0.0.1", description="address of the interface and the pages")
    http_port: int = Field(default=8081, ge=0, le=65535, description="port of the interface and the pages; 0 takes a free one")
    is_secure_cookie: bool = Field(default=False, description="set behind TLS: the session cookie then travels over TLS only")
    origin: str = Field(
        default="localhost/receipts", pattern=r"^[A-Za-z0-9._/:-]{1,200}$", description="name of the receipt log, host/receipts"
    )
    policy_file: Path | None = Field(default=None, description="the policy (YAML); the shipped one when unset")
    policy_signers_folder: Path | None = Field(
        default=None,
        description="public keys (NAME.pub) of those who may sign a wider policy; policy-signers in the keys folder when unset",
    )
    policy_approval_days: int = Field(default=30, ge=1, le=90, description="days that a signature for a wider policy counts")
    policy_look_s: float = Field(
        default=2.0, gt=0, le=3_600, description="seconds between looks whether the policy file, its approvals or the signers' keys changed"
    )
    first_token_file: Path | None = Field(
        default=None, description="file (mode 0600) for the operator's token of the first start; printed once when unset"
    )
    max_image_bytes: int = Field(default=20_000_000, ge=1_000, description="bytes of an image that is handed in")
    max_pixels: int = Field(default=40_000_000, ge=10_000, le=80_000_000, description="pixels of an image that is handed in")
    banner: str = Field(default="", max_length=500, description="a line on top of every page; the demonstration says there what it is")
    control_proof_days: int = Field(
        default=90, ge=1, le=365, description="days for which control of a source counts once it was shown; then it must be shown again"
    )
    control_look_s: float = Field(
        default=86_400.0, ge=60, description="seconds after which a proof of control that counts is looked at again by itself"
    )
    name_servers: str = Field(
        default="",
        description="name servers that are asked for records of control: addresses, with :PORT where it is not 53, separated by commas; "
        "those of the machine when empty",
    )
    round_s: float = Field(default=0.5, gt=0, le=60, description="seconds between rounds of expiry, resumption and quarantine")

    @field_validator("name_servers")
    @classmethod
    def _are_addresses(cls, text: str) -> str:
        """A name would have to be looked up at the very servers it names."""
        name_servers(text)
        return text
