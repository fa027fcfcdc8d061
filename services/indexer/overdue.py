"""Whether what is held of a grant must be gone by now: the one rule for vectors and pictures."""

from __future__ import annotations

from datetime import datetime, timedelta

from assent.consent.ledger import ConsentLedger, Standing
from assent.ids import GrantId


def is_overdue(ledger: ConsentLedger, grant_id: GrantId, now: datetime, grace: timedelta) -> bool:
    """Not live, and past the time that its erasure has. A grant without a known end (unknown, denied) has no such time."""
    if ledger.standing(grant_id, now) is Standing.LIVE:
        return False
    ended = ledger.ended_at(grant_id)
    return ended is None or now < ended or now - ended > grace
