"""What the gates did, folded from the log for the console and for explain: counts and coarse decisions; a URL is never kept."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass
from datetime import datetime

from assent.deciding.refusal_counts import NO_PLACE, OTHER
from assent.events.decisions import DecisionRecord
from assent.events.envelope import UnreadableEventError, decode
from assent.events.evidence import CoarseEvidence
from assent.events.faces import FaceBox, FaceEmbedded
from assent.events.grants import GrantWithdrawn
from assent.events.images import ImageCleared, ImageLocated, ImageRefused, ImageScraped
from assent.events.optouts import SeenOptOut
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.ids import FaceId, GrantId, ImageId, Jurisdiction, ProducerId, RuleId, SightingId

FLOW_TOPICS = (
    Topic.IMAGES_SCRAPED,
    Topic.IMAGES_LOCATED,
    Topic.IMAGES_CLEARED,
    Topic.IMAGES_REFUSED,
    Topic.FACES_EMBEDDED,
    Topic.WITHDRAWALS,
)
EMBEDDED = "embedded"
MOST_COUNTED = 2_000
"""Reasons and places that are counted apart; what comes after shares one count, so that no log can fill the memory."""


@dataclass(frozen=True, slots=True)
class Decision:
    """How one sighting ended for one grant (or for none). `number` orders decisions as they were read. `producer` is
    None where an older release did not say who handed the image in, `standing` (of the grant) where none was looked at. `optouts` were
    seen, and refused it or were set aside.
    """

    number: int
    sighting_id: SightingId
    image_id: ImageId | None
    grant_id: GrantId | None
    stage: str
    outcome: str
    rules: tuple[RuleId, ...]
    candidates: tuple[Jurisdiction, ...]
    evidence: tuple[CoarseEvidence, ...]
    policy_version: str
    at: datetime
    face_id: FaceId | None = None
    box: FaceBox | None = None
    producer: ProducerId | None = None
    standing: str | None = None
    optouts: tuple[SeenOptOut, ...] = ()


class Flow:
    """The fold. Counting an event twice (a redelivery, a replay) changes nothing while its id is remembered.

    `grown` is set and replaced with every event that is taken. Of an event that carries a URL only its id and its kind are kept.
    """

    def __init__(self, *, history: int) -> None:
        self._history = history
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._decisions: OrderedDict[int, Decision] = OrderedDict()
        self._boxes: dict[FaceId, FaceBox] = {}
        self._number = 0
        self.gates: Counter[str] = Counter()
        self.refused: Counter[tuple[str, str]] = Counter()
        self.reasons: Counter[tuple[str, str, str]] = Counter()
        """Refusals by stage, rule and place: each rule with each place that the image may be in, or with none."""
        self.grown = asyncio.Event()

    def apply(self, record: StoredRecord) -> None:
        """Take one record; an unreadable one is counted by whoever consumes the topic, not here."""
        try:
            event = decode(record)
        except UnreadableEventError:
            return
        if event.id in self._seen:
            return
        self._remember(event.id)
        match event.data:
            case ImageScraped():
                self.gates["scraped"] += 1
            case ImageLocated():
                self.gates["located"] += 1
            case ImageCleared():
                self.gates["cleared"] += 1
            case GrantWithdrawn():
                self.gates["withdrawn"] += 1
            case ImageRefused() as refused:
                self.gates["refused"] += 1
                self.refused[refused.stage.value, refused.outcome] += 1
                self._count(refused)
                self._keep(_refused(refused, self._next()))
            case FaceEmbedded() as face:
                self.gates[EMBEDDED] += 1
                self._keep(_embedded(face, self._next()))
        self.wake()

    def wake(self) -> None:
        """Let everyone who waits for `grown` look again; also at the end, so that nobody waits for more."""
        grown, self.grown = self.grown, asyncio.Event()
        grown.set()

    def last(self, limit: int, *, grants: frozenset[GrantId] | None = None) -> list[Decision]:
        """The newest decisions, newest first; of these grants only, where they are named."""
        found: list[Decision] = []
        for decision in reversed(self._decisions.values()):
            if grants is None or decision.grant_id in grants:
                found.append(decision)
                if len(found) >= limit:
                    break
        return found

    def of_image(self, image_id: ImageId, *, grants: frozenset[GrantId] | None = None) -> list[Decision]:
        """Every remembered decision about these bytes, oldest first; of these grants only, where they are named."""
        return [decision for decision in self.every(grants=grants) if decision.image_id == image_id]

    def every(self, *, grants: frozenset[GrantId] | None = None) -> list[Decision]:
        """All remembered decisions, oldest first; of these grants only, where they are named."""
        return [decision for decision in self._decisions.values() if grants is None or decision.grant_id in grants]

    def box(self, face_id: FaceId) -> FaceBox | None:
        """Where the face was in its image, while it is remembered."""
        return self._boxes.get(face_id)

    @property
    def number(self) -> int:
        """The number of the newest decision."""
        return self._number

    def _count(self, refused: ImageRefused) -> None:
        stage = refused.stage.value
        for rule, place in {(rule, place) for rule in refused.rules for place in refused.candidates or (NO_PLACE,)}:
            is_counted = (stage, rule, place) in self.reasons or len(self.reasons) < MOST_COUNTED
            self.reasons[(stage, rule, place) if is_counted else (stage, OTHER, OTHER)] += 1

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _remember(self, event_id: str) -> None:
        self._seen[event_id] = None
        while len(self._seen) > 4 * self._history:
            self._seen.popitem(last=False)

    def _keep(self, decision: Decision) -> None:
        self._decisions[decision.number] = decision
        if decision.face_id is not None and decision.box is not None:
            self._boxes[decision.face_id] = decision.box
        while len(self._decisions) > self._history:
            _, old = self._decisions.popitem(last=False)
            if old.face_id is not None:
                self._boxes.pop(old.face_id, None)


def _refused(data: ImageRefused, number: int) -> Decision:
    return Decision(
        number=number,
        sighting_id=data.sighting_id,
        image_id=data.image_id,
        grant_id=data.grant_id,
        stage=data.stage.value,
        outcome=data.outcome,
        rules=data.rules,
        candidates=data.candidates,
        evidence=data.evidence,
        policy_version=data.policy_version,
        at=data.decided_at,
        producer=data.producer,
        standing=_standing(data.decision),
        optouts=_optouts(data.decision),
    )


def _embedded(data: FaceEmbedded, number: int) -> Decision:
    return Decision(
        number=number,
        sighting_id=data.sighting_id,
        image_id=data.image_id,
        grant_id=data.grant_id,
        stage="embedder",
        outcome=EMBEDDED,
        rules=(),
        candidates=data.candidates,
        evidence=(),
        policy_version=data.policy_version,
        at=data.embedded_at,
        face_id=data.face_id,
        box=data.box,
        producer=data.producer,
        standing=_standing(data.decision),
        optouts=_optouts(data.decision),
    )


def _optouts(decision: DecisionRecord | None) -> tuple[SeenOptOut, ...]:
    return decision.optouts if decision is not None else ()


def _standing(decision: DecisionRecord | None) -> str | None:
    return decision.grant.standing if decision is not None and decision.grant is not None else None
