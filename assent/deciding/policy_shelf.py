"""Every published policy by its version, as far as the log still holds them; one whose signature does not hold is not among them."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from assent.deciding.fold import UntrustedPolicyError, trusted_policy
from assent.events.envelope import UnreadableEventError, decode
from assent.events.grants import PolicyPublished
from assent.events.record import StoredRecord
from assent.geofence.policy import Policy, PolicyError


class PolicyShelf:
    """A version that stands on the log with two contents has neither: which of them decided cannot be told."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self._digests: dict[str, str] = {}
        self._policies: dict[str, Policy | None] = {}

    def __len__(self) -> int:
        return sum(policy is not None for policy in self._policies.values())

    def apply(self, record: StoredRecord) -> None:
        """Take one record of the policies topic; what does not hold is left out."""
        try:
            published = decode(record).data
            if not isinstance(published, PolicyPublished):
                return
            policy, _ = trusted_policy(published, self._key)
        except (UnreadableEventError, UntrustedPolicyError, PolicyError):
            return
        is_double = self._digests.setdefault(policy.version, published.sha256) != published.sha256
        self._policies[policy.version] = None if is_double else self._policies.get(policy.version, policy)

    def of(self, version: str) -> Policy | None:
        """The policy of this version, if the log has it."""
        return self._policies.get(version)
