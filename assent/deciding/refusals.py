"""A refusal as an event: the rules, the coarse evidence and the versions that replay it; never a URL, a raw value or a byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from assent.consent.decision import CONTROL_UNPROVEN
from assent.consent.reference import NOT_THE_SUBJECT, REFERENCE_MISSING
from assent.deciding.gate import Finding
from assent.events.decisions import DecisionRecord
from assent.events.envelope import Event, event_id
from assent.events.evidence import CoarseEvidence
from assent.events.images import ImageRefused, Sighting, Stage
from assent.ids import GrantId, ImageId, Jurisdiction, ProducerId, RuleId, SightingId


class Outcome(StrEnum):
    """The coarse class a producer or a subject is told; the first that applies, in this order."""

    SUPPRESSED = "suppressed"
    OPTED_OUT = "opted_out"
    UNREADABLE_IMAGE = "unreadable_image"
    UNKNOWN_PLACE = "unknown_place"
    NO_GRANT = "no_grant"
    GRANT_ENDED = "grant_ended"
    BYSTANDER = "bystander"
    NO_FACE = "no_face"
    CLOSED_PLACE = "closed_place"
    NOT_GRANTED = "not_granted"
    AWAITS_APPROVAL = "awaits_approval"
    NOT_THE_SUBJECT = "not_the_subject"
    REFERENCE_MISSING = "reference_missing"


_CLASSES: tuple[tuple[Outcome, frozenset[str]], ...] = (
    (Outcome.SUPPRESSED, frozenset({"suppressed"})),
    (Outcome.OPTED_OUT, frozenset({"robots_disallow", "optout_signal"})),
    (Outcome.UNREADABLE_IMAGE, frozenset({"image_unreadable", "image_too_large", "quarantine_expired", "fetch_failed"})),
    (Outcome.UNKNOWN_PLACE, frozenset({"X-1"})),
    (Outcome.NO_GRANT, frozenset({"no_grant", "source_not_covered", "fixture_evidence"})),
    (
        Outcome.GRANT_ENDED,
        frozenset({"grant_not_live", "grant_expired", "grant_withdrawn", "grant_unreadable", "retention_over"}),
    ),
    (
        Outcome.BYSTANDER,
        frozenset({"bystander_possible", "bystander_present", "several_faces", "faces_overlap", "region_not_found"}),
    ),
    (Outcome.NO_FACE, frozenset({"no_face", "low_quality"})),
    (
        Outcome.NOT_GRANTED,
        frozenset(
            {
                "operation_not_granted",
                "purpose_not_allowed",
                "recipient_not_listed",
                "scope_not_granted",
                "legal_form_missing",
                "not_supported",
            }
        ),
    ),
    (Outcome.AWAITS_APPROVAL, frozenset({CONTROL_UNPROVEN})),
    (Outcome.NOT_THE_SUBJECT, frozenset({NOT_THE_SUBJECT})),
    (Outcome.REFERENCE_MISSING, frozenset({REFERENCE_MISSING})),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one grant (or none) does not open one image. `sealed_place` is for her alone, while the image waits for her approval."""

    rules: tuple[RuleId, ...]
    grant_id: GrantId | None = None
    revision: int | None = None
    candidates: tuple[Jurisdiction, ...] = ()
    evidence: tuple[CoarseEvidence, ...] = ()
    decision: DecisionRecord | None = None
    sealed_place: bytes | None = None

    @classmethod
    def of(cls, finding: Finding, *, observed: RuleId | None = None) -> Refusal:
        """What the gate found refuses, or what was seen of the site or the bytes, which then is the rule."""
        seen = () if observed is None else (observed,)
        return cls(
            rules=seen or finding.rules,
            grant_id=finding.grant.grant_id,
            revision=finding.grant.revision,
            candidates=finding.candidates,
            evidence=finding.evidence,
            decision=finding.decision.model_copy(update={"observed": seen}),
        )


@dataclass(frozen=True, slots=True)
class Refused:
    """What was refused: a sighting, or a place that was never fetched and so has no image."""

    sighting_id: SightingId
    image_id: ImageId | None
    producer: ProducerId

    @classmethod
    def of(cls, sighting: Sighting) -> Refused:
        """The part of a sighting that a refusal may carry."""
        return cls(sighting.sighting_id, sighting.image_id, sighting.producer)


def outcome_of(rules: Sequence[RuleId]) -> Outcome:
    """The coarse class of a set of rules; a rule of law that no class names means a closed place."""
    held = set(rules)
    return next((outcome for outcome, members in _CLASSES if held & members), Outcome.CLOSED_PLACE)


def refusal_event(
    refused: Refused,
    refusal: Refusal,
    *,
    stage: Stage,
    cause_id: str,
    policy_version: str,
    datasets: Sequence[str],
    now: datetime,
    traceparent: str | None = None,
) -> Event[ImageRefused]:
    """The event of one refusal. `cause_id` is the id of the event or fetch that was refused, so a redelivery makes the same id."""
    outcome = outcome_of(refusal.rules)
    data = ImageRefused(
        sighting_id=refused.sighting_id,
        image_id=refused.image_id,
        grant_id=refusal.grant_id,
        revision=refusal.revision,
        producer=refused.producer,
        stage=stage,
        outcome=outcome.value,
        rules=refusal.rules,
        candidates=refusal.candidates,
        evidence=refusal.evidence,
        sealed_place=refusal.sealed_place,
        policy_version=policy_version,
        datasets=tuple(datasets),
        decided_at=now,
        decision=refusal.decision,
    )
    reference = f"{refusal.grant_id}@{refusal.revision}"
    return Event(
        id=event_id(cause_id, stage.value, reference, policy_version, outcome.value),
        source=f"/assent/{stage.value}",
        time=now,
        data=data,
        traceparent=traceparent,
    )
