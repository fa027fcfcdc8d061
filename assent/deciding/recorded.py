"""The decisions that stand in events, each as one value, whichever event it stands in; it reads no URL and no raw evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from assent.events.decisions import DecisionRecord
from assent.events.disclosures import SearchAnswered
from assent.events.envelope import Event
from assent.events.evidence import CoarseEvidence
from assent.events.faces import FaceEmbedded
from assent.events.images import Clearance, GrantFinding, ImageCleared, ImageLocated, ImageRefused, Stage
from assent.events.payload import EventPayload
from assent.events.topics import Topic
from assent.ids import GrantId, ImageId, Jurisdiction, RuleId

DECISION_EVENTS = (Topic.IMAGES_REFUSED, Topic.IMAGES_LOCATED, Topic.IMAGES_CLEARED, Topic.FACES_EMBEDDED, Topic.DISCLOSURES)
"""Every topic on which decisions stand. All but refusals and disclosures are kept for a day."""


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """One decision about one grant (or none). No rule means yes. `evidence` is None where the event does not carry it, `record`
    where an older release wrote the event. `basis` is that of a search, whose caller may be in the places of `candidates`.
    """

    event_id: str
    stage: Stage
    at: datetime
    policy_version: str
    grant_id: GrantId | None
    rules: tuple[RuleId, ...]
    candidates: tuple[Jurisdiction, ...]
    evidence: tuple[CoarseEvidence, ...] | None
    record: DecisionRecord | None
    image_id: ImageId | None = None
    basis: str | None = None

    @property
    def is_yes(self) -> bool:
        """No rule refused."""
        return not self.rules


def recorded_decisions(event: Event[EventPayload]) -> Iterator[RecordedDecision]:
    """Those of one event, in its order; none of an event that decides nothing."""
    match event.data:
        case ImageRefused() as refused:
            yield RecordedDecision(
                event.id,
                refused.stage,
                refused.decided_at,
                refused.policy_version,
                refused.grant_id,
                refused.rules,
                refused.candidates,
                refused.evidence,
                refused.decision,
                refused.image_id,
            )
        case ImageLocated() as located:
            yield from (_passed(event, Stage.GEOFENCE, located, finding) for finding in located.findings)
        case ImageCleared() as cleared:
            yield from (_passed(event, Stage.CONSENT, cleared, clearance) for clearance in cleared.clearances)
        case FaceEmbedded() as face:
            yield RecordedDecision(
                event.id,
                Stage.EMBEDDER,
                face.embedded_at,
                face.policy_version,
                face.grant_id,
                (),
                face.candidates,
                None,
                face.decision,
                face.image_id,
            )
        case SearchAnswered() as answered:
            yield RecordedDecision(
                event.id,
                Stage.QUERY,
                answered.answered_at,
                answered.policy_version,
                None,
                answered.rules,
                answered.caller_jurisdictions,
                None,
                None,
                basis=answered.basis,
            )


def _passed(
    event: Event[EventPayload], stage: Stage, whole: ImageLocated | ImageCleared, part: GrantFinding | Clearance
) -> RecordedDecision:
    return RecordedDecision(
        event.id,
        stage,
        event.time,
        whole.policy_version,
        part.grant_id,
        (),
        part.candidates,
        part.evidence,
        part.decision,
        whole.sighting.image_id,
    )
