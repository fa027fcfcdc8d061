"""Global Privacy Control in a person's request to our own pages; about the content of a site it says nothing."""

from __future__ import annotations

from collections.abc import Iterable


def has_privacy_signal(headers: Iterable[tuple[str, str]]) -> bool:
    """True when the browser asks that nothing be shared. Only a value of exactly `1` counts (W3C Global Privacy Control)."""
    return any(name.lower() == "sec-gpc" and value == "1" for name, value in headers)
