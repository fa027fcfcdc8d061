"""Under which rules and places a refusal is counted: what code and policy name, so that no record adds a label of its own."""

from __future__ import annotations

from collections.abc import Iterable

from assent.deciding.rule_texts import RULES
from assent.geofence.policy import Policy
from assent.ids import Jurisdiction, RuleId

OTHER = "other"
"""A place that the policy names neither itself nor by its country, and a rule that neither code nor policy has."""
NO_PLACE = "none"
"""Refused before any place was looked at, as an image that must not come back."""


def refusal_counts(rules: Iterable[RuleId], candidates: Iterable[Jurisdiction], policy: Policy) -> frozenset[tuple[str, str]]:
    """Each rule with each place that the image may be in: which of the places a rule stands for, a refusal does not say."""
    places = {_place(place, policy) for place in candidates} or {NO_PLACE}
    return frozenset((rule if rule in RULES or rule in policy.named_rules else OTHER, place) for rule in rules for place in places)


def _place(place: Jurisdiction, policy: Policy) -> str:
    """As the policy names it, else its country."""
    country = place.partition("-")[0]
    return next((name for name in (place, country) if name in policy.named_places), OTHER)
