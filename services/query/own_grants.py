"""Which grants are the asker's own; a session without a subject has none, and an ended grant is hers but no longer shows a face."""

from __future__ import annotations

from assent.deciding.gate import Gate
from assent.deciding.tables import DecisionTables
from assent.identity.principal import Principal
from assent.ids import GrantId


class OwnGrants:
    """Read from the ledger at every question."""

    def __init__(self, *, tables: DecisionTables, gate: Gate) -> None:
        self._tables = tables
        self._gate = gate

    def every(self, principal: Principal) -> frozenset[GrantId]:
        """All of the asker's grants, live or not: decisions about them are hers to read."""
        if principal.subject_id is None:
            return frozenset()
        return frozenset(grant.grant_id for grant in self._tables.ledger.grants_of(principal.subject_id))

    def live(self, principal: Principal) -> frozenset[GrantId]:
        """Those whose pictures may be shown to her now."""
        return frozenset(grant_id for grant_id in self.every(principal) if self._gate.live(grant_id) is not None)
