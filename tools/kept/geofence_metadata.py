"""Mistakes that no test can notice in assent/geofence, where it reads what files and pages say."""

from __future__ import annotations

KEPT: dict[str, str] = {}
