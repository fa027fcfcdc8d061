"""Whether what is held of a grant must be gone by now: the one rule for vectors and pictures."""

from __future__ import annotations

from datetime import datetime, timedelta

from assent.consent.ledger import ConsentLedger, Standing
from assent.ids import GrantId


def is_overdue(ledger: ConsentLedger, grant_id: GrantId, now: datetime, grace: timedelta) -> bool:
    """Not live, and past the time that its erasure has. An unknown grant has no such time; one that is only doubted is kept."""
    if ledger.standing(grant_id, now) is Standing.LIVE or is_doubted(ledger, grant_id, now):
        return False
    ended = ledger.ended_at(grant_id)
    return ended is None or now < ended or now - ended > grace


def is_doubted(ledger: ConsentLedger, grant_id: GrantId, now: datetime) -> bool:
    """Denied and not known to have ended. Nothing of it is told; to destroy it takes a word of the registry's, or one bad record
    or a wrong public key would empty the store.
    """
    ended = ledger.ended_at(grant_id)
    return ledger.standing(grant_id, now) is Standing.DENIED and (ended is None or now < ended)
