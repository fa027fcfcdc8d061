"""Dates as `unavailable_after` writes them: RFC 822, RFC 850, asctime or ISO 8601; a date it cannot read is never guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def parse_ending_date(text: str) -> datetime | None:
    """The moment with its time zone (UTC when none is written), or None when the text is no date."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text.strip())
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return None
