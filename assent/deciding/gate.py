"""The one gate: every service asks it with its own operations; it holds when it cannot know and refuses when it may not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from assent.consent.asset import Asset
from assent.consent.decision import SELF, Request, Verdict, allow
from assent.consent.ledger import Standing
from assent.deciding.fold import DecisionFold
from assent.events.evidence import CoarseEvidence
from assent.events.grants import GrantSnapshot, Operation, Purpose
from assent.geofence.decision import candidate_set, closed_for
from assent.geofence.evidence import Evidence
from assent.geofence.policy import Policy
from assent.geofence.residence import residence_evidence
from assent.ids import GrantId, ImageId, Jurisdiction, RuleId
from assent.stream.clock import Clock
from assent.stream.outcomes import RetryLaterError

NO_GRANT = RuleId("no_grant")
INGEST = (Operation.COLLECT, Operation.EMBED, Operation.STORE)
DISCLOSURE = (Operation.SEARCH, Operation.DISCLOSE)


class NotReadyError(RetryLaterError):
    """Raised when there is no policy yet: trouble of ours, so the caller holds."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something may be, as far as evidence tells, and the rules that close those places."""

    candidates: tuple[Jurisdiction, ...]
    evidence: tuple[CoarseEvidence, ...]
    rules: tuple[RuleId, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the gate says about one grant: the candidate set, the evidence used, and the rules that refuse."""

    grant: GrantSnapshot
    candidates: tuple[Jurisdiction, ...]
    evidence: tuple[CoarseEvidence, ...]
    rules: tuple[RuleId, ...]


class Gate:
    """Decides from the folded tables and the clock; holds no state of its own."""

    def __init__(self, fold: DecisionFold, clock: Clock) -> None:
        self._fold = fold
        self._clock = clock

    @property
    def policy(self) -> Policy:
        """The policy in force. Raises NotReadyError before one was read."""
        if self._fold.policy is None:
            raise NotReadyError("no policy has been published yet")
        return self._fold.policy

    @property
    def now(self) -> datetime:
        """The time decisions are made at, UTC."""
        return self._clock.now()

    def covering(self, asset: Asset) -> list[GrantSnapshot]:
        """Grants whose sources name the asset and that have not ended, by grant id."""
        now = self.now
        return [grant for grant in self._fold.ledger.covering(asset) if self._fold.ledger.standing(grant.grant_id, now) is Standing.LIVE]

    def live(self, grant_id: GrantId) -> GrantSnapshot | None:
        """The grant if it is live now."""
        return self._fold.ledger.live(grant_id, self.now)

    def known(self, grant_id: GrantId) -> GrantSnapshot | None:
        """The highest snapshot read, live or not: for whoever has a verdict on it in hand and decided nothing else since."""
        return self._fold.ledger.grant(grant_id)

    def is_suppressed(self, suppression_key: str) -> bool:
        """These bytes, or what lies at this address, were asked never to come back."""
        return self._fold.suppressions.has_key(suppression_key)

    def is_image_suppressed(self, image_id: ImageId) -> bool:
        """The same by the name of the image."""
        return self._fold.suppressions.has_image(image_id)

    def is_alike_suppressed(self, perceptual_hash: str) -> bool:
        """A picture that looks like this was asked never to come back; the hash is masked."""
        return self._fold.suppressions.has_alike(perceptual_hash)

    def place(self, evidence: Sequence[Evidence], operations: Iterable[Operation], *, grant: GrantSnapshot | None = None) -> Place:
        """The candidate set of this evidence and the rules that close its places, whoever granted."""
        policy, now = self.policy, self.now
        # Everyone in a joint grant's photo lives somewhere, and may not be looked for there.
        people = (grant, *self._fold.ledger.members(grant)) if grant is not None else ()
        residence = tuple(dict.fromkeys(item for person in people for item in residence_evidence(person)))
        found = candidate_set((*residence, *evidence), grant=grant, policy=policy)
        rules = {rule for operation in operations for rule in closed_for(found.jurisdictions, operation, policy, now)}
        return Place(tuple(sorted(found.jurisdictions)), found.used, tuple(sorted(rules)))

    def locate(self, grant: GrantSnapshot, evidence: Sequence[Evidence], operations: Iterable[Operation]) -> Finding:
        """The geofence's part: where this may be for this grant, and the rules of places where no grant could open it."""
        found = self.place(evidence, operations, grant=grant)
        return Finding(grant, found.candidates, found.evidence, found.rules)

    def verdict(
        self,
        grant_id: GrantId,
        operations: Iterable[Operation],
        *,
        candidates: Iterable[Jurisdiction],
        asset: Asset | None = None,
        purpose: Purpose | None = None,
        recipient: str = SELF,
    ) -> Verdict:
        """The consent part: whether this grant opens every one of the operations, here and now. No operation is a ValueError."""
        first, *also = operations
        request = Request(
            operation=first,
            also=tuple(also),
            candidates=frozenset(candidates),
            now=self.now,
            asset=asset,
            purpose=purpose,
            recipient=recipient,
        )
        return allow(grant_id, request, ledger=self._fold.ledger, policy=self.policy)

    def drops_image_with_bystanders(self, candidates: Iterable[Jurisdiction]) -> bool:
        """X-3: some candidate place wants the whole image dropped when a bystander is in it."""
        policy = self.policy
        return any(policy.rules_for(place).bystanders == "drop_image" for place in candidates)
