"""Mistakes that no test can notice in what a policy opens beside another."""

from __future__ import annotations

KEPT: dict[str, str] = {}
