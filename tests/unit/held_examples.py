"""What a decider holds, for gates over grants that a test names."""

from __future__ import annotations

from dataclasses import dataclass, field

from assent.consent.ledger import ConsentLedger
from assent.deciding.opted_out import OptedOut
from assent.deciding.suppressions import Suppressions
from assent.geofence.policy import Policy
from tests.unit.policy_examples import shipped


@dataclass(slots=True)
class Held:
    """What a decider holds."""

    ledger: ConsentLedger = field(default_factory=ConsentLedger)
    policy: Policy | None = field(default_factory=shipped)
    suppressions: Suppressions = field(default_factory=Suppressions)
    optouts: OptedOut = field(default_factory=OptedOut)
