"""Whether the service may be offered to a caller at all, told from where she is; asked before any picture is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, Jurisdiction, RuleId

SELF = "self"
"""A subject who looks for herself is using her right of access: that is not the service that the orders closed."""


def client_gate(jurisdictions: Sequence[Jurisdiction], *, basis: str, policy: Policy, now: datetime) -> RuleId | None:
    """The rule that closes the service to this caller on this ground, or None. Every place she names must be open (BC-1, AB-1).

    A country alone stands for each of its parts that has rules of its own: she may be in any of them.
    """
    if basis == SELF:
        return None
    places = frozenset(jurisdictions or (UNKNOWN,))
    places = places.union(*(policy.subdivisions_of(place) for place in places))
    rules = {policy.rules_for(place).closed_to_clients_by(now) for place in places}
    closed = sorted(rule for rule in rules if rule is not None)
    return closed[0] if closed else None
