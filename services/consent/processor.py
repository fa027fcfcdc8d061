"""images.located to images.cleared: what each grant opens at the places found; it takes nobody's earlier word for a yes."""

from __future__ import annotations

from collections.abc import Sequence

from assent.blobs.quarantine import Quarantine
from assent.consent.asset import Asset
from assent.deciding.gate import INGEST, Gate, Judgement
from assent.deciding.refusals import Refusal, Refused, refusal_event
from assent.deciding.tables import DecisionTables
from assent.events.envelope import Event, event_id
from assent.events.images import Clearance, GrantFinding, ImageCleared, ImageLocated, Sighting, Stage
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.stream.outcomes import Emit, Outcome, Refuse


class ConsentProcessor:
    """Decides per (sighting, grant) whether collecting, embedding and storing are open."""

    name = "consent"
    topics = (Topic.IMAGES_LOCATED,)

    def __init__(self, *, gate: Gate, tables: DecisionTables, quarantine: Quarantine, catch_up_timeout_s: float) -> None:
        self._gate = gate
        self._quarantine = quarantine
        self._tables = tables
        self._catch_up_timeout_s = catch_up_timeout_s
        self._ended: dict[str, Sighting] = {}

    async def before_batch(self) -> None:
        """Read every grant and withdrawal acknowledged before this batch."""
        await self._tables.catch_up(self._catch_up_timeout_s)

    async def handle(self, event: Event[EventPayload], record: StoredRecord) -> Outcome:
        """Clear one sighting for each grant that opens it."""
        assert isinstance(event.data, ImageLocated)
        located = event.data
        asset, optouts = Asset.of(located.sighting), located.sighting.optouts
        cleared: list[Clearance] = []
        refused: list[Event[EventPayload]] = []
        for finding in located.findings:
            judged = self._gate.judge(finding.grant_id, INGEST, candidates=finding.candidates, asset=asset, optouts=optouts)
            if judged.opened is not None:
                cleared.append(
                    Clearance(
                        grant_id=finding.grant_id,
                        revision=judged.opened.revision,
                        candidates=finding.candidates,
                        evidence=finding.evidence,
                        decision=judged.decision,
                    )
                )
            else:
                refused.append(self._refused(event, located, finding, judged))
        if not cleared:
            self._ended[event.id] = located.sighting
            return Refuse(tuple(refused))
        return Emit((self._cleared(event, located, cleared), *refused))

    async def after_commit(self, events: Sequence[Event[EventPayload]]) -> None:
        """Delete the originals of sightings that ended here."""
        ended = [sighting for event in events if (sighting := self._ended.pop(event.id, None)) is not None]
        if ended:
            await self._quarantine.discard_all((sighting.blob, sighting.producer, sighting.sighting_id) for sighting in ended)

    def _refused(self, cause: Event[EventPayload], located: ImageLocated, finding: GrantFinding, judged: Judgement) -> Event[EventPayload]:
        return refusal_event(
            Refused.of(located.sighting),
            Refusal(
                rules=judged.rules,
                grant_id=finding.grant_id,
                revision=finding.revision,
                candidates=finding.candidates,
                evidence=finding.evidence,
                decision=judged.decision,
            ),
            stage=Stage.CONSENT,
            cause_id=cause.id,
            policy_version=self._gate.policy.version,
            datasets=located.datasets,
            now=self._gate.now,
            traceparent=cause.traceparent,
        )

    def _cleared(self, cause: Event[EventPayload], located: ImageLocated, cleared: Sequence[Clearance]) -> Event[EventPayload]:
        version = self._gate.policy.version
        reference = ",".join([f"{clearance.grant_id}@{clearance.revision}" for clearance in cleared])
        return Event(
            id=event_id(cause.id, Stage.CONSENT, reference, version, "cleared"),
            source="/assent/consent",
            time=self._gate.now,
            traceparent=cause.traceparent,
            data=ImageCleared(
                sighting=located.sighting,
                clearances=tuple(cleared),
                policy_version=version,
                datasets=located.datasets,
            ),
        )
