"""A recorded decision made again by the code that decides: same evidence, same policy, same facts of the grant, same time.

It never takes a recorded verdict for an answer, and never counts as the same what it could not make again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import ValidationError

from assent.consent.judged import STAND_IN_ASSET, stand_in_ledger
from assent.consent.ledger import ConsentLedger
from assent.deciding.gate import NO_GRANT, Gate, Judgement
from assent.deciding.opted_out import OptedOut
from assent.deciding.recorded import RecordedDecision
from assent.deciding.suppressions import Suppressions
from assent.events.decisions import DecisionRecord, JudgedGrant
from assent.events.evidence import CoarseEvidence, EvidenceKind
from assent.events.grants import GrantSnapshot
from assent.events.images import Stage
from assent.geofence.caller import client_gate
from assent.geofence.evidence import Evidence
from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, GrantId, Jurisdiction, RuleId

_OF_BYTES = frozenset({"image_unreadable", "image_too_large", "quarantine_expired"})
_OF_KEYS = frozenset({"grant_withdrawn"})
_SINCE = frozenset({"suppressed", "optout_signal", "place_told_later"})
_OF_FACES = frozenset({"region_not_found", "low_quality", "faces_overlap", "not_the_subject", "reference_missing"})
OBSERVED: dict[Stage, frozenset[str]] = {
    Stage.CRAWLER: _OF_BYTES | {"robots_disallow", "optout_signal", "fetch_failed", "suppressed"},
    Stage.GEOFENCE: frozenset({"quarantine_expired", "suppressed"}),
    Stage.EMBEDDER: _OF_BYTES | _OF_KEYS | _OF_FACES | _SINCE,
    # The names of the source and of the address that a face came from are not in the record, nor are places of the grant that the face
    # is not at: the clock of one of them may run out first.
    Stage.INDEXER: _OF_KEYS | _SINCE | {"source_not_covered", "retention_over"},
}
"""What a stage may say that it saw of the site, the bytes, the key store, a stored source or what was said since at an address. A rule
of law is never seen; it is decided.
"""


class NotReplayable(StrEnum):
    """Why a decision cannot be made again."""

    NO_RECORD = "no_record"
    NO_POLICY = "no_policy"
    NOT_WHOLE = "not_whole"


class NotReplayableError(Exception):
    """Raised when a decision cannot be made again; `reason` says why."""

    def __init__(self, reason: NotReplayable) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it. `candidates`, `evidence` and `standing` are as they were recorded where this stage does not find them itself.

    `is_observed`: the gate says yes, and what was seen of the site or the bytes is taken from the record.
    """

    rules: tuple[RuleId, ...]
    candidates: tuple[Jurisdiction, ...]
    evidence: tuple[CoarseEvidence, ...] | None
    standing: str | None
    is_observed: bool = False

    def is_same(self, recorded: RecordedDecision) -> bool:
        """Verdict, rules, places, evidence as it was weighed, and the standing of the grant."""
        grant = recorded.record.grant if recorded.record is not None else None
        held = (recorded.rules, recorded.candidates, recorded.evidence, grant.standing if grant is not None else None)
        return held == (self.rules, self.candidates, self.evidence, self.standing)


def replay(recorded: RecordedDecision, policy: Policy | None) -> Replayed:
    """The decision made again under this policy, which must be the one of its version. Raises NotReplayableError."""
    if recorded.stage is not Stage.QUERY and recorded.record is None:
        raise NotReplayableError(NotReplayable.NO_RECORD)
    if policy is None:
        raise NotReplayableError(NotReplayable.NO_POLICY)
    if recorded.record is None:
        return _caller(recorded, policy)
    try:
        return _Replay(recorded, recorded.record, policy).again()
    except ValidationError as error:
        raise NotReplayableError(NotReplayable.NOT_WHOLE) from error


def _caller(recorded: RecordedDecision, policy: Policy) -> Replayed:
    """Whether the service is offered to a caller there; which faces she was told of is not decided again."""
    if recorded.basis is None:
        raise NotReplayableError(NotReplayable.NOT_WHOLE)
    rule = client_gate(recorded.candidates, basis=recorded.basis, policy=policy, now=recorded.at)
    return Replayed(() if rule is None else (rule,), recorded.candidates, None, None)


@dataclass(frozen=True, slots=True)
class _Moment:
    """The time of the decision, standing still."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0


@dataclass(slots=True)
class _State:
    """What the record tells of what the decider held."""

    ledger: ConsentLedger
    policy: Policy | None
    suppressions: Suppressions
    optouts: OptedOut


class _Replay:
    """One decision; the gate is the one that decided, over a ledger that holds the recorded grant alone."""

    def __init__(self, recorded: RecordedDecision, record: DecisionRecord, policy: Policy) -> None:
        self._recorded = recorded
        self._record = record
        residence, self._evidence = _split(recorded.evidence or (), record.grant)
        self._ledger = _ledger(recorded.grant_id, record.grant, residence)
        self._gate = Gate(_State(self._ledger, policy, Suppressions(), OptedOut()), _Moment(record.at))

    def again(self) -> Replayed:
        """By the stage that decided. Raises NotReplayableError."""
        decided = self._decided()
        seen = self._record.observed
        if decided.rules or not seen or not OBSERVED.get(self._recorded.stage, frozenset()).issuperset(seen):
            return decided
        return Replayed(seen, decided.candidates, decided.evidence, decided.standing, is_observed=True)

    def _decided(self) -> Replayed:
        if not self._record.operations:
            return self._nothing_asked()
        match self._recorded.stage:
            case Stage.CRAWLER | Stage.GEOFENCE:
                return self._placed()
            case Stage.CONSENT | Stage.EMBEDDER | Stage.INDEXER:
                return self._judged()
            case _:
                raise NotReplayableError(NotReplayable.NOT_WHOLE)

    def _nothing_asked(self) -> Replayed:
        """Refused for what was seen before any grant or place was looked at; without that, the record says too little."""
        if not self._record.observed:
            raise NotReplayableError(NotReplayable.NOT_WHOLE)
        return self._as_recorded(())

    def _placed(self) -> Replayed:
        """The stages that find the places themselves, and the grants that cover the image among the live ones."""
        is_crawler, seen = self._recorded.stage is Stage.CRAWLER, self._record.optouts
        findings = (
            self._gate.collectable(STAND_IN_ASSET, self._evidence, optouts=seen)
            if is_crawler
            else self._gate.located(STAND_IN_ASSET, self._evidence, self._record.operations, optouts=seen)
        )
        for found in findings:
            # The grants that a joint one rests on name the picture too.
            if found.grant.grant_id == self._recorded.grant_id:
                return Replayed(found.rules, found.candidates, found.evidence, self._standing())
        if is_crawler and not self._recorded.candidates:
            # A crawler of an earlier release did not say where it may be.
            return self._as_recorded((NO_GRANT,))
        nobody = self._gate.uncovered(self._evidence)
        rules = (NO_GRANT,) if is_crawler else nobody.rules
        return Replayed(rules, nobody.candidates, nobody.evidence, self._standing())

    def _judged(self) -> Replayed:
        """The stages that take the places as they were found."""
        stage, record, places = self._recorded.stage, self._record, self._recorded.candidates
        grant_id = self._recorded.grant_id
        if grant_id is None or record.grant is None:
            raise NotReplayableError(NotReplayable.NOT_WHOLE)
        if stage is not Stage.EMBEDDER:
            asset = None if stage is Stage.INDEXER else STAND_IN_ASSET
            judged = self._gate.judge(grant_id, record.operations, candidates=places, asset=asset, optouts=record.optouts)
            return self._as_recorded(judged.rules)
        judged = self._gate.judge_bound(grant_id, record.operations, candidates=places, asset=STAND_IN_ASSET, optouts=record.optouts)
        return self._as_recorded(self._counted(judged, judged.opened).rules)

    def _counted(self, judged: Judgement, grant: GrantSnapshot | None) -> Judgement:
        """With the number of faces, which was asked of every image that opened."""
        faces = self._record.faces
        if faces is None and not self._recorded.rules:
            raise NotReplayableError(NotReplayable.NOT_WHOLE)
        if grant is None or faces is None:
            return judged
        return self._gate.judge_faces(judged, grant, STAND_IN_ASSET, faces, candidates=self._recorded.candidates)

    def _as_recorded(self, rules: tuple[RuleId, ...]) -> Replayed:
        return Replayed(rules, self._recorded.candidates, self._recorded.evidence, self._standing())

    def _standing(self) -> str | None:
        grant_id = self._recorded.grant_id
        if self._record.grant is None or grant_id is None:
            return None
        return self._ledger.standing(grant_id, self._record.at).value


def _split(rows: tuple[CoarseEvidence, ...], grant: JudgedGrant | None) -> tuple[tuple[Jurisdiction, ...], tuple[Evidence, ...]]:
    """The places of the grant's own residence, which stand first, and the evidence behind the residences of its people.

    Somebody else may have claimed a residence: that row stands behind theirs and is evidence like any other.
    """
    if grant is None or not rows or rows[0].kind is not EvidenceKind.GRANT_RESIDENCE:
        return (), tuple(Evidence.of(row) for row in rows)
    lives = tuple(rows[0].jurisdictions)
    people = {frozenset(lives), *(_lives(member.residences) for member in grant.members)}
    return lives, tuple(Evidence.of(row) for row in rows[len(people) :])


def _lives(residences: tuple[Jurisdiction, ...]) -> frozenset[Jurisdiction]:
    """As a row of evidence tells it: a place that nobody knows makes the whole of it unknown."""
    return frozenset({UNKNOWN}) if UNKNOWN in residences else frozenset(residences)


def _ledger(grant_id: GrantId | None, grant: JudgedGrant | None, residences: tuple[Jurisdiction, ...]) -> ConsentLedger:
    if grant is None:
        return ConsentLedger()
    if grant_id is None:
        raise NotReplayableError(NotReplayable.NOT_WHOLE)
    return stand_in_ledger(grant, grant_id, residences=residences)
