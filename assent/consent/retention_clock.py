"""How long a grant keeps anything after she was last heard of; the strictest clock of its places counts, and none of them is stopped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from assent.events.grants import GrantSnapshot
from assent.geofence.policy import JurisdictionRules, Policy
from assent.ids import Jurisdiction, RuleId

LONG_SILENT = RuleId("IL-1")
"""Nobody heard of her for longer than a place lets anything be kept."""


def is_over(grant: GrantSnapshot, now: datetime, rules: JurisdictionRules) -> bool:
    """The clock of one place has run out. On its last day it has not."""
    return now - grant.last_interaction_at > rules.consent.last_interaction_cap


def is_over_anywhere(people: Iterable[GrantSnapshot], now: datetime, policy: Policy) -> bool:
    """So it is in one of the places of one of these grants: of a joint grant each person has a clock of her own."""
    return any(is_over(grant, now, policy.rules_for(place)) for grant in people for place in places_of(grant))


def places_of(grant: GrantSnapshot) -> frozenset[Jurisdiction]:
    """Every place whose law the grant has to meet: where she lives, what she gave a form for, and where she lets it reach."""
    scope = grant.scope
    homes = (residence.jurisdiction for residence in grant.residences)
    return frozenset((*homes, *(basis.jurisdiction for basis in grant.legal), *scope.collect_in, *scope.store_in, *scope.disclose_in))
