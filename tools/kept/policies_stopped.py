"""Mistakes that no test can notice in what is stopped, written, and told key by key."""

from __future__ import annotations

KEPT: dict[str, str] = {}
