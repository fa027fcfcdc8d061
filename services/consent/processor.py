"""images.located to images.cleared: what each grant opens at the places found; it takes nobody's earlier word for a yes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from assent.blobs.quarantine import Quarantine
from assent.consent.asset import Asset
from assent.deciding.gate import INGEST, Gate, Judgement
from assent.deciding.refusals import Refusal, Refused, refusal_event
from assent.deciding.tables import DecisionTables
from assent.events.envelope import Event, event_id
from assent.events.image_json import LocatedJson, clearance_json, cleared_json
from assent.events.images import GrantFinding, ImageCleared, ImageLocated, LocatedPlaces, Sighting, Stage
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.events.written import WrittenEvent
from assent.stream.outcomes import Emit, Outcome, Refuse


class ConsentProcessor:
    """Decides per (sighting, grant) whether collecting, embedding and storing are open."""

    name = "consent"
    topics = (Topic.IMAGES_LOCATED,)
    models: ClassVar[Mapping[str, type[EventPayload]]] = {ImageLocated.type: LocatedPlaces}

    def __init__(self, *, gate: Gate, tables: DecisionTables, quarantine: Quarantine, catch_up_timeout_s: float) -> None:
        self._gate = gate
        self._quarantine = quarantine
        self._tables = tables
        self._catch_up_timeout_s = catch_up_timeout_s
        self._ended: dict[str, Sighting] = {}

    async def before_batch(self) -> None:
        """Read every grant and withdrawal acknowledged before this batch. What an abandoned one ended comes again."""
        self._ended.clear()
        await self._tables.catch_up(self._catch_up_timeout_s)

    async def handle(self, event: Event[EventPayload], record: StoredRecord) -> Outcome:
        """Clear one sighting for each grant that opens it."""
        assert isinstance(event.data, ImageLocated)
        located = event.data
        asset, optouts = Asset.of(located.sighting), located.sighting.optouts
        judged = [
            self._gate.judge(found.grant_id, INGEST, candidates=found.candidates, asset=asset, optouts=optouts)
            for found in located.findings
        ]
        refused = [
            self._refused(event, located, finding, one) for finding, one in zip(located.findings, judged, strict=True) if one.opened is None
        ]
        if len(refused) == len(judged):
            self._ended[event.id] = located.sighting
            return Refuse(tuple(refused))
        return Emit((self._cleared(event, record, located, judged), *refused))

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

    def _cleared(
        self, cause: Event[EventPayload], record: StoredRecord, located: ImageLocated, judged: Sequence[Judgement]
    ) -> WrittenEvent:
        """One clearance for each grant that opens it. What the geofence told is handed on in its own words."""
        version = self._gate.policy.version
        told = LocatedJson.of(record.value or b"", located)
        reference, clearances = [], []
        for finding, evidence, one in zip(located.findings, told.evidence, judged, strict=True):
            if one.opened is not None:
                revision = one.opened.revision
                reference.append(f"{finding.grant_id}@{revision}")
                clearances.append(clearance_json(finding, evidence, revision=revision, decision=one.grounds.json_of_yes()))
        return WrittenEvent(
            id=event_id(cause.id, Stage.CONSENT, ",".join(reference), version, "cleared"),
            source="/assent/consent",
            time=self._gate.now,
            model=ImageCleared,
            key=located.key(),
            value=cleared_json(told.sighting, clearances, policy_version=version, datasets=located.datasets),
            traceparent=cause.traceparent,
        )
