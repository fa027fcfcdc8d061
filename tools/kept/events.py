"""Mistakes that no test can notice in assent/events."""

from __future__ import annotations

KEPT: dict[str, str] = {}
