"""Mistakes that no test can notice in who signs a wider policy, and what it opens."""

from __future__ import annotations

KEPT: dict[str, str] = {}
