"""Settings of the consent service, from the environment with the prefix ASSENT_CONSENT_."""

from __future__ import annotations

from pydantic_settings import SettingsConfigDict

from assent.deployment.service_settings import ServiceSettings


class ConsentSettings(ServiceSettings):
    """Nothing beyond what every service has."""

    model_config = SettingsConfigDict(env_prefix="ASSENT_CONSENT_", frozen=True, extra="forbid")
