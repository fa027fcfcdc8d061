"""Mistakes that no test can notice, each with the reason why none should."""

from __future__ import annotations

KEPT: dict[str, str] = {}
