"""Mistakes that no test can notice in assent/heif."""

from __future__ import annotations

KEPT: dict[str, str] = {}
