"""Mistakes that no test can notice, each with the reason why none should."""

from __future__ import annotations

from tools.kept import consent, deciding, events, geofence_metadata, geofence_places, heif, optouts, policies, policy

KEPT: dict[str, str] = {
    mistake: reason
    for part in (consent, deciding, events, geofence_metadata, geofence_places, heif, optouts, policies, policy)
    for mistake, reason in part.KEPT.items()
}
