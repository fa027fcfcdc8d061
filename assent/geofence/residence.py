"""Where the subject says she lives, as evidence: the one statement that is direct on the legal test; only a confirmed grant makes it."""

from __future__ import annotations

from assent.events.evidence import EvidenceKind
from assent.events.grants import GrantSnapshot
from assent.geofence.evidence import Evidence, stated, unreadable
from assent.ids import UNKNOWN


def residence_evidence(grant: GrantSnapshot) -> tuple[Evidence, ...]:
    """Every residence of a confirmed grant, all of which must be satisfied; nothing before she has confirmed it."""
    if grant.confirmed_at is None:
        return ()
    places = frozenset(residence.jurisdiction for residence in grant.residences)
    if UNKNOWN in places:
        return (unreadable(EvidenceKind.GRANT_RESIDENCE),)
    return (stated(EvidenceKind.GRANT_RESIDENCE, places),)
