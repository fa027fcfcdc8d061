"""The geofence service as a process of its own."""

from __future__ import annotations

import sys

from assent.deployment.process import run_service
from services.geofence.app import GeofenceApp
from services.geofence.settings import GeofenceSettings

if __name__ == "__main__":
    sys.exit(run_service("geofence", GeofenceSettings, GeofenceApp))
