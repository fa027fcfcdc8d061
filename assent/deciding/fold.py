"""Grants, withdrawals, policy, suppressions and opt-outs folded from the log; a record that cannot be read closes, it never opens."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from assent.consent.ledger import ConsentLedger
from assent.deciding.opted_out import OptedOut
from assent.deciding.suppressions import Suppressions
from assent.events.envelope import UnreadableEventError, decode, decode_signed
from assent.events.grants import GrantSnapshot, GrantWithdrawn, PolicyPublished, SuppressionAdded
from assent.events.optout_changes import OptOutChanged
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.geofence.policy import Policy
from assent.ids import GrantId
from assent.intake.registry_signature import REGISTRYS_WORD, is_registrys_word

DECISION_TOPICS = (Topic.GRANTS, Topic.WITHDRAWALS, Topic.POLICIES, Topic.SUPPRESSIONS, Topic.OPTOUTS)
_SIGNED = frozenset(topic.value for topic in REGISTRYS_WORD)


class UntrustedPolicyError(Exception):
    """Raised when a policy record cannot be read or its signature does not hold; the service stops rather than guess."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one record says: its data, or why it has none. A grant that the registry did not sign has neither."""

    is_registrys: bool
    data: EventPayload | None = None
    error: UnreadableEventError | None = None


class DecisionFold:
    """The state that decisions read. `policy` is None until one was published; without a policy nothing is decided. `policy_since` is
    when it was published, None where that is not signed.

    `unreadable` counts, by topic, the records that could not be read and those that their owner did not sign. `is_crawlers` tells what the
    crawler signed; who cannot ask takes every no from `optouts`, and no end of one.
    """

    def __init__(
        self,
        *,
        policy_key: Ed25519PublicKey,
        grant_key: Ed25519PublicKey,
        is_crawlers: Callable[[StoredRecord], bool] | None = None,
        accepts_fixtures: bool = False,
    ) -> None:
        self.ledger = ConsentLedger(accepts_fixtures=accepts_fixtures)
        self.policy: Policy | None = None
        self.suppressions = Suppressions()
        self.optouts = OptedOut()
        self.unreadable: dict[str, int] = {}
        self.policy_since: datetime | None = None
        self._policy_key = policy_key
        self._grant_key = grant_key
        self._is_crawlers = is_crawlers

    def apply(self, record: StoredRecord) -> None:
        """Read and take one record. Raises UntrustedPolicyError for a policy that does not hold."""
        self.take(record, self.read(record))

    def read(self, record: StoredRecord) -> Reading:
        """What the record says, whatever was read before it; a grant that the registry did not sign is not read at all."""
        is_registrys = is_registrys_word(record, self._grant_key)
        if not is_registrys and record.topic == Topic.GRANTS.value:
            return Reading(is_registrys)
        decoded = decode_signed if is_registrys and record.topic in _SIGNED else decode
        try:
            return Reading(is_registrys, decoded(record).data)
        except UnreadableEventError as error:
            return Reading(is_registrys, error=error)

    def take(self, record: StoredRecord, said: Reading) -> None:
        """Take what was read of a record of a decision topic. Raises UntrustedPolicyError for a policy that does not hold.

        A word about an opt-out that the crawler did not sign is left alone: its topic is kept whole, so it hides none that was signed.

        A grant that the registry did not sign denies the grant id in its key. A withdrawal counts whoever wrote it, for it can only
        close.
        """
        if record.topic == Topic.OPTOUTS.value:
            self._take_optout(record, said)
            return
        if not said.is_registrys or said.error is not None:
            self._count(record)
        if said.error is not None:
            self._unreadable(record, said.error)
        match said.data:
            case None if said.error is None:
                self._deny(record)
            case GrantSnapshot() as grant:
                self.ledger.apply_grant(grant)
            case GrantWithdrawn() as withdrawal:
                self.ledger.apply_withdrawal(withdrawal)
            case PolicyPublished() as policy:
                self._take_policy(record, policy)
            case SuppressionAdded() as suppression:
                self.suppressions.add(suppression)

    def _unreadable(self, record: StoredRecord, error: UnreadableEventError) -> None:
        """Fail closed: the grant id in the key is denied; a policy that cannot be read stops the service."""
        if record.topic == Topic.POLICIES.value:
            raise UntrustedPolicyError(f"policy record at offset {record.offset}: {error.cause}") from error
        if record.topic in (Topic.GRANTS.value, Topic.WITHDRAWALS.value):
            self._deny(record)
        if record.topic == Topic.SUPPRESSIONS.value:
            self.suppressions.deny(record.key.decode(errors="replace"))

    def _take_optout(self, record: StoredRecord, said: Reading) -> None:
        is_checked = self._is_crawlers is not None
        if self._is_crawlers is not None and not self._is_crawlers(record):
            self._count(record)
        elif not isinstance(said.data, OptOutChanged):
            self._count(record)
            self.optouts.deny(record.key.decode(errors="replace"))
        elif (is_checked or said.data.is_closed) and not self.optouts.apply(said.data):
            self._count(record)

    def _count(self, record: StoredRecord) -> None:
        self.unreadable[record.topic] = self.unreadable.get(record.topic, 0) + 1

    def _deny(self, record: StoredRecord) -> None:
        self.ledger.deny(GrantId(record.key.decode(errors="replace")))

    def _take_policy(self, record: StoredRecord, published: PolicyPublished) -> None:
        """The newest stays in force, whatever genuine one is put on the log after it. One without a signed time is older than any."""
        policy, since = trusted_policy(published, self._policy_key)
        if self.policy_since is not None and (since is None or since < self.policy_since):
            self._count(record)
            return
        self.policy, self.policy_since = policy, since


def trusted_policy(published: PolicyPublished, key: Ed25519PublicKey) -> tuple[Policy, datetime | None]:
    """The policy, and when it was published if that is signed too. Raises UntrustedPolicyError, and PolicyError for one of no use."""
    digest = hashlib.sha256(published.document.encode()).hexdigest()
    if digest != published.sha256:
        raise UntrustedPolicyError(f"policy {published.version}: the digest is not that of its document")
    if _is_signed(published, published.signed_bytes(), key):
        return Policy.from_canonical_json(published.document), published.published_at
    if _is_signed(published, digest.encode(), key):
        return Policy.from_canonical_json(published.document), None
    raise UntrustedPolicyError(f"policy {published.version}: the signature does not hold for its document")


def _is_signed(published: PolicyPublished, told: bytes, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(published.signature, told)
    except InvalidSignature:
        return False
    return True
