"""Times as text that sorts like the times: UTC, microseconds always written; never a local time."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """The one spelling that is stored."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """The aware time of a stored spelling."""
    return datetime.fromisoformat(text)
