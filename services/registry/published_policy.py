"""The policy that the registry publishes and by which it judges what a grant may say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from assent.geofence.jurisdiction_rules import JurisdictionRules, RetentionRules
from assent.geofence.policy import Policy
from assent.ids import Jurisdiction


@dataclass(frozen=True, slots=True)
class PublishedPolicy:
    """A policy beside the canonical JSON text of it that is signed."""

    policy: Policy
    document: str

    @classmethod
    def of(cls, policy: Policy) -> Self:
        """With its text."""
        return cls(policy, policy.canonical_json())

    @property
    def version(self) -> str:
        """The name under which it is published."""
        return self.policy.version


class PolicyInForce:
    """The one that the registry judges by. It is replaced whole, so that nobody asks half of another."""

    def __init__(self, current: PublishedPolicy) -> None:
        self.current = current

    def expires_max_days(self, place: Jurisdiction) -> int:
        """The longest grant that a place allows."""
        return self.current.policy.rules_for(place).consent.expires_max_days

    def age_min(self, place: Jurisdiction) -> int:
        """The age from which a person says yes there by herself."""
        return self.current.policy.rules_for(place).consent.age_min

    def rules(self, place: Jurisdiction) -> JurisdictionRules:
        """All that a place asks for."""
        return self.current.policy.rules_for(place)

    def retention(self, place: Jurisdiction) -> RetentionRules:
        """How long a place lets anything be kept."""
        return self.current.policy.rules_for(place).retention
