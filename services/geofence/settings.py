"""Settings of the geofence service, from the environment with the prefix ASSENT_GEOFENCE_."""

from __future__ import annotations

from pydantic_settings import SettingsConfigDict

from assent.deployment.service_settings import ServiceSettings


class GeofenceSettings(ServiceSettings):
    """Nothing beyond what every service has."""

    model_config = SettingsConfigDict(env_prefix="ASSENT_GEOFENCE_", frozen=True, extra="forbid")
