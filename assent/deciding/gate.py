"""The one gate: every service asks it with its own operations; it holds when it cannot know and refuses when it may not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, Protocol

from assent.consent.asset import Asset
from assent.consent.binding import Unbound, bind, faces_rule
from assent.consent.content_rights import optout_rules
from assent.consent.decision import SELF, Request, Verdict, allow, stand, verdict_on
from assent.consent.judged import judged_grant
from assent.consent.ledger import ConsentLedger, Standing
from assent.consent.member import members_at, names_whole
from assent.consent.retention_clock import is_over_anywhere
from assent.deciding.grounds import Grounds
from assent.deciding.opted_out import OptedOut
from assent.deciding.suppressions import Suppressions
from assent.events.decisions import DecisionRecord
from assent.events.evidence import CoarseEvidence
from assent.events.fetched_from import FetchedFrom
from assent.events.grants import GrantSnapshot, Operation, Purpose, SourceRule
from assent.events.optouts import SeenOptOut
from assent.geofence.decision import candidate_set, closed_for
from assent.geofence.evidence import Evidence
from assent.geofence.policy import Policy
from assent.geofence.residence import residence_evidence
from assent.ids import GrantId, ImageId, Jurisdiction, RuleId
from assent.keys.identifiers import ImageIds
from assent.stream.clock import Clock
from assent.stream.outcomes import RetryLaterError

NO_GRANT = RuleId("no_grant")
COLLECT = (Operation.COLLECT,)
INGEST = (Operation.COLLECT, Operation.EMBED, Operation.STORE)
DISCLOSURE = (Operation.SEARCH, Operation.DISCLOSE)


class NotReadyError(RetryLaterError):
    """Raised when there is no policy yet: trouble of ours, so the caller holds."""


class DecisionState(Protocol):
    """What decisions are made from: a fold of the log, or what the record of one decision tells of it."""

    ledger: ConsentLedger
    policy: Policy | None
    suppressions: Suppressions
    optouts: OptedOut


@dataclass(frozen=True, slots=True)
class Place:
    """Where something may be, as far as evidence tells, and the rules that close those places."""

    candidates: tuple[Jurisdiction, ...]
    evidence: tuple[CoarseEvidence, ...]
    rules: tuple[RuleId, ...]
    decision: DecisionRecord


@dataclass(frozen=True, slots=True)
class Finding:
    """What the gate says about one grant: the candidate set, the evidence used, and the rules that refuse."""

    grant: GrantSnapshot
    candidates: tuple[Jurisdiction, ...]
    evidence: tuple[CoarseEvidence, ...]
    rules: tuple[RuleId, ...]
    decision: DecisionRecord


# A tuple, not a data class: one is made for every decision.
class Judgement(NamedTuple):
    """What the gate says about one grant at places already found: the rules that refuse; `grant` is None unless it is live."""

    grant: GrantSnapshot | None
    rules: tuple[RuleId, ...]
    grounds: Grounds

    @property
    def decision(self) -> DecisionRecord:
        """What it was made from, as a part of an event."""
        return self.grounds.record()

    @property
    def opened(self) -> GrantSnapshot | None:
        """The grant if it is live and no rule refuses."""
        return None if self.rules else self.grant

    def seen(self, rule: RuleId) -> Judgement:
        """The same refused for what was seen of the image."""
        return self._replace(rules=(rule,), grounds=self.grounds._replace(observed=(rule,)))


class Gate:
    """Decides from the folded tables and the clock; holds no state of its own."""

    def __init__(self, fold: DecisionState, clock: Clock, names: ImageIds | None = None) -> None:
        self._fold = fold
        self._clock = clock
        self._names = names

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

    def covering(self, asset: Asset, *, at: datetime | None = None) -> list[GrantSnapshot]:
        """Grants whose sources name the asset and that have not ended, by grant id."""
        now = at or self.now
        return [grant for grant in self._fold.ledger.covering(asset) if self._fold.ledger.standing(grant.grant_id, now) is Standing.LIVE]

    def live(self, grant_id: GrantId) -> GrantSnapshot | None:
        """The grant if it is live now."""
        return self._fold.ledger.live(grant_id, self.now)

    def may_stay(self, grant_id: GrantId, *, source: str | None, fetched: Sequence[FetchedFrom]) -> bool:
        """A face that came in under this live grant is still within it: she took away neither storing nor the source it came from, no
        clock of its places has run out, and where it was fetched it is not opted out, and no place that is closed was told since. Of
        several addresses one is enough.

        Of a joint grant each of its people may take either away, in her own. `source` is its keyed name; None, of releases that did
        not keep it, is judged by storing alone. It counts where `fetched` is empty, as in points of releases that did not keep that.
        """
        grant = self.live(grant_id)
        if grant is None or any(Operation.STORE not in held.operations for held in (grant, *self._fold.ledger.members(grant))):
            return False
        if self.is_retention_over(grant_id):
            return False
        if not fetched:
            return self._is_within(grant, source)
        return any(self._is_within(grant, one.source, one.members) and not self._is_closed_since(grant_id, one) for one in fetched)

    def is_retention_over(self, grant_id: GrantId) -> bool:
        """IL-1: nobody heard of her for longer than one of the places of this live grant lets anything be kept. Before a policy was read
        no clock is known, and nothing is erased for one.
        """
        grant, policy = self.live(grant_id), self._fold.policy
        if grant is None or policy is None:
            return False
        return is_over_anywhere((grant, *self._fold.ledger.members(grant)), self.now, policy)

    def is_opted_out(self, grant_id: GrantId, fetched: FetchedFrom) -> bool:
        """A no was seen there since, which this grant had not set aside all that time. What was handed in came from no address: nobody
        says no there.
        """
        optouts, names = self._fold.optouts, self._names
        if fetched.address is None or not optouts.closes(fetched.address, fetched.at):
            return False
        return names is None or not optouts.was_aside(names.address_under(fetched.address, grant_id), fetched.address, fetched.at)

    def is_placed_since(self, grant_id: GrantId, fetched: FetchedFrom) -> bool:
        """Pages told since of a place in which this grant opens less, and which none told when it came in."""
        names = self._names
        if fetched.address is None or names is None:
            return False
        return self._fold.optouts.closes(names.placed_under(fetched.address, grant_id), fetched.at)

    def _is_closed_since(self, grant_id: GrantId, fetched: FetchedFrom) -> bool:
        return self.is_opted_out(grant_id, fetched) or self.is_placed_since(grant_id, fetched)

    def closing_rules(self, grant_id: GrantId, places: Iterable[Jurisdiction]) -> tuple[RuleId, ...]:
        """Why this grant opens less at these places than where its subject lives, if it does; nothing of no place, or no live grant."""
        grant, named = self.live(grant_id), frozenset(places)
        if grant is None or not named:
            return ()
        named = named.union(*(self.policy.subdivisions_of(place) for place in named))
        homes = [residence.jurisdiction for residence in grant.residences]
        at_home = self.judge(grant_id, INGEST, candidates=homes, asset=None).rules
        return tuple(rule for rule in self.judge(grant_id, INGEST, candidates=named, asset=None).rules if rule not in at_home)

    def optouts_changed_at(self, grant_id: GrantId, address: str) -> datetime | None:
        """When what is said at this address, what this grant sets aside of it, or whether a place closes it, changed last; None where
        nothing ever did.
        """
        names = self._names
        under = () if names is None else (names.address_under(address, grant_id), names.placed_under(address, grant_id))
        return max((at for name in (address, *under) if (at := self._fold.optouts.changed_at(name)) is not None), default=None)

    def member_sources(self, grant: GrantSnapshot, asset: Asset) -> tuple[SourceRule | None, ...]:
        """By which of her sources the own grant of each person of a joint grant names the image now, in their order."""
        return tuple(member.rule for member in members_at(grant, self._fold.ledger.members(grant), asset, self.now))

    def _is_within(self, grant: GrantSnapshot, source: str | None, by_member: Sequence[str] = ()) -> bool:
        """The source of this name still stands in the grant, and in the own grant of each of its people the one that names it there.

        Where it was not kept which those are, hers has to name whatever the source names.
        """
        if source is None:
            return True
        rule, members = self._named(grant, source), self._fold.ledger.members(grant)
        if rule is None:
            return False
        if by_member:
            return len(by_member) == len(members) and all(map(self._named, members, by_member))
        return all(names_whole(grant, member, rule) for member in members)

    def _named(self, grant: GrantSnapshot, source: str) -> SourceRule | None:
        names = self._names
        if names is None:
            return None
        return next((rule for rule in grant.sources if names.source_name(rule.kind.value, rule.value) == source), None)

    def keeps(self, grant_id: GrantId, *, source: str | None, fetched: Sequence[FetchedFrom], image_id: ImageId) -> bool:
        """A stored face is told of and kept on: it is still within its live grant, and nobody asked that its image never come back."""
        return self.may_stay(grant_id, source=source, fetched=fetched) and not self.is_image_suppressed(image_id)

    def is_suppressed(self, suppression_key: str) -> bool:
        """These bytes, or what lies at this address, were asked never to come back."""
        return self._fold.suppressions.has_key(suppression_key)

    def is_image_suppressed(self, image_id: ImageId) -> bool:
        """The same by the name of the image."""
        return self._fold.suppressions.has_image(image_id)

    def is_alike_suppressed(self, perceptual_hash: str) -> bool:
        """A picture that looks like this was asked never to come back; the hash is masked."""
        return self._fold.suppressions.has_alike(perceptual_hash)

    def place(
        self,
        evidence: Sequence[Evidence],
        operations: Iterable[Operation],
        *,
        grant: GrantSnapshot | None = None,
        at: datetime | None = None,
    ) -> Place:
        """The candidate set of this evidence and the rules that close its places, whoever granted."""
        policy, now, asked = self.policy, at or self.now, tuple(operations)
        # Everyone in a joint grant's photo lives somewhere, and may not be looked for there.
        people = (grant, *self._fold.ledger.members(grant)) if grant is not None else ()
        residence = tuple(dict.fromkeys(item for person in people for item in residence_evidence(person)))
        found = candidate_set((*residence, *evidence), grant=grant, policy=policy)
        rules = {rule for operation in asked for rule in closed_for(found.jurisdictions, operation, policy, now)}
        decision = DecisionRecord(at=now, operations=asked)
        return Place(tuple(sorted(found.jurisdictions)), found.used, tuple(sorted(rules)), decision)

    def locate(
        self,
        grant: GrantSnapshot,
        evidence: Sequence[Evidence],
        operations: Iterable[Operation],
        *,
        asset: Asset | None = None,
        optouts: tuple[SeenOptOut, ...] = (),
        at: datetime | None = None,
    ) -> Finding:
        """The geofence's part: where this may be for this grant, the rules of places where no grant could open it, and the opt-outs that
        this one has not set aside.
        """
        ledger, asked = self._fold.ledger, tuple(operations)
        found = self.place(evidence, asked, grant=grant, at=at)
        request = _request(asked, found.candidates, found.decision.at, asset, optouts)
        stood = stand(grant.grant_id, request, ledger=ledger)
        judged = judged_grant(stood, request.candidates, 0, has_terms=False)
        decision = found.decision.model_copy(update={"grant": judged, "optouts": optouts})
        rules = tuple(sorted({*found.rules, *optout_rules(optouts, stood.aside)})) if optouts else found.rules
        return Finding(grant, found.candidates, found.evidence, rules, decision)

    def located(
        self,
        asset: Asset,
        evidence: Sequence[Evidence],
        operations: tuple[Operation, ...],
        *,
        optouts: tuple[SeenOptOut, ...] = (),
    ) -> list[Finding]:
        """The same for every grant that covers the asset, all at one time."""
        now, covering = self.now, self.covering
        return [self.locate(one, evidence, operations, asset=asset, optouts=optouts, at=now) for one in covering(asset, at=now)]

    def uncovered(self, evidence: Sequence[Evidence]) -> Place:
        """Nobody said yes: refused, with the place as far as the evidence tells it, so that it can be counted."""
        found = self.place(evidence, COLLECT)
        return replace(found, rules=tuple(sorted({NO_GRANT, *found.rules})))

    def collectable(self, asset: Asset, evidence: Sequence[Evidence], *, optouts: tuple[SeenOptOut, ...] = ()) -> list[Finding]:
        """The crawler's part, before anything is fetched: where this may be, and whether each covering grant opens collecting there.

        Asked again with the `optouts` seen meanwhile, whether it has set them aside.
        """
        now = self.now
        found = []
        for grant in self.covering(asset, at=now):
            place = self.place(evidence, COLLECT, grant=grant, at=now)
            judged = self.judge(grant.grant_id, COLLECT, candidates=place.candidates, asset=asset, optouts=optouts, at=now)
            rules = tuple(sorted({*place.rules, *judged.rules}))
            found.append(Finding(grant, place.candidates, place.evidence, rules, judged.decision))
        return found

    def judge(
        self,
        grant_id: GrantId,
        operations: tuple[Operation, ...],
        *,
        candidates: Iterable[Jurisdiction],
        asset: Asset | None,
        optouts: tuple[SeenOptOut, ...] = (),
        at: datetime | None = None,
    ) -> Judgement:
        """The consent part with its record: whether this grant opens every one of the operations. All of it is judged at one time."""
        now, ledger = at or self.now, self._fold.ledger
        request = _request(operations, candidates, now, asset, optouts)
        found = stand(grant_id, request, ledger=ledger)
        rules = verdict_on(found, request, policy=self.policy).rules
        return Judgement(found.live, rules, Grounds.of(found, request))

    def judge_bound(
        self,
        grant_id: GrantId,
        operations: tuple[Operation, ...],
        *,
        candidates: Iterable[Jurisdiction],
        asset: Asset,
        optouts: tuple[SeenOptOut, ...] = (),
    ) -> Judgement:
        """The embedder's part: the same, and whether the grant says which face is meant."""
        judged = self.judge(grant_id, operations, candidates=candidates, asset=asset, optouts=optouts)
        binding = bind(judged.opened, asset) if judged.opened is not None else None
        return judged._replace(rules=(binding.rule,)) if isinstance(binding, Unbound) else judged

    def judge_faces(
        self, judged: Judgement, grant: GrantSnapshot, asset: Asset, faces: int, *, candidates: Iterable[Jurisdiction]
    ) -> Judgement:
        """The same, and whether this number of faces is one that the grant covers (X-3)."""
        rule = faces_rule(bind(grant, asset), faces, drops_image_with_bystanders=self.drops_image_with_bystanders(candidates))
        rules = judged.rules if rule is None else (rule,)
        return judged._replace(rules=rules, grounds=judged.grounds._replace(faces=faces))

    def refused_unasked(self, rule: RuleId) -> Judgement:
        """Refused for what was seen of the image, before any grant was asked."""
        return Judgement(None, (rule,), Grounds(self.now, observed=(rule,)))

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


def _request(
    operations: tuple[Operation, ...],
    candidates: Iterable[Jurisdiction],
    now: datetime,
    asset: Asset | None,
    optouts: tuple[SeenOptOut, ...],
) -> Request:
    first, *also = operations
    return Request(operation=first, also=tuple(also), candidates=frozenset(candidates), now=now, asset=asset, optouts=optouts)
