"""Mistakes that no test can notice, each with the reason why none should."""

from __future__ import annotations

from tools.kept import (
    consent,
    deciding,
    events,
    geofence_metadata,
    geofence_places,
    heif,
    optouts,
    policies_compared,
    policies_signed,
    policies_stopped,
    policy,
)

_PARTS = (
    consent,
    deciding,
    events,
    geofence_metadata,
    geofence_places,
    heif,
    optouts,
    policies_compared,
    policies_signed,
    policies_stopped,
    policy,
)
KEPT: dict[str, str] = {mistake: reason for part in _PARTS for mistake, reason in part.KEPT.items()}
