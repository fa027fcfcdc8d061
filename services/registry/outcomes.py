"""What the others report, written down: refusals, counted too, held faces, erasures, disclosures. It reads identifiers, never a vector."""

from __future__ import annotations

import sqlite3

from assent.deciding.outcome_remedies import EMBEDDED
from assent.deciding.refusal_counts import refusal_counts
from assent.events.disclosures import SearchAnswered
from assent.events.envelope import Event
from assent.events.erasures import ErasureProgressed
from assent.events.faces import FaceEmbedded
from assent.events.images import ImageRefused, Stage
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.ids import ProducerId
from assent.intake.producers import CRAWLER
from assent.stream.outcomes import Ignore, Outcome, PoisonMessageError
from assent.telemetry.meter import Metrics
from assent.telemetry.metrics import REFUSALS
from services.registry.approvals import Approvals
from services.registry.erasures import ErasureDesk
from services.registry.outcome_table import (
    DisclosureRow,
    insert_disclosure,
    insert_face,
    insert_outcome,
    producer_of,
)
from services.registry.published_policy import PolicyInForce
from services.registry.store import RegistryStore


class OutcomeRecorder:
    """The consumer group `registry`. Everything it writes is idempotent, so a redelivery changes nothing."""

    name = "registry"
    topics = (Topic.IMAGES_REFUSED, Topic.FACES_EMBEDDED, Topic.ERASURES_PROGRESSED, Topic.DISCLOSURES)

    def __init__(
        self, *, store: RegistryStore, erasures: ErasureDesk, approvals: Approvals, policy: PolicyInForce, metrics: Metrics
    ) -> None:
        self._store = store
        self._policy = policy
        self._metrics = metrics
        self._approvals = approvals
        self._erasures = erasures

    async def handle(self, event: Event[EventPayload], record: StoredRecord) -> Outcome:
        """Write one fact down."""
        match event.data:
            case ImageRefused():
                if await self._refused(event.id, event.data):
                    self._count(event.data)
            case FaceEmbedded():
                await self._embedded(event.id, event.data)
            case ErasureProgressed():
                if not await self._erasures.take(event.data):
                    return Ignore("foreign_erasure")
            case SearchAnswered():
                await self._disclosed(event.data)
            case _:
                raise PoisonMessageError("unexpected_type")
        return Ignore("recorded")

    async def _refused(self, event_id: str, refused: ImageRefused) -> bool:
        """Whether it is new. A picture that waits for her is asked about on her page; it has no outcome before she answered."""
        if refused.sealed_place is not None and refused.grant_id is not None:
            return await self._approvals.note(refused.grant_id, refused.sighting_id, refused.sealed_place, at=refused.decided_at)
        return await self._store.write(
            lambda database: insert_outcome(
                database,
                event_id,
                sighting_id=refused.sighting_id,
                grant_id=refused.grant_id,
                image_id=refused.image_id,
                producer=producer_of(database, refused.sighting_id) or refused.producer,
                stage=refused.stage.value,
                outcome=refused.outcome,
                at=refused.decided_at,
            )
        )

    def _count(self, refused: ImageRefused) -> None:
        """By rule and place, also for what was dropped and what no grant covers."""
        for rule, place in refusal_counts(refused.rules, refused.candidates, self._policy.current.policy):
            self._metrics.increase(REFUSALS, stage=refused.stage.value, rule=rule, jurisdiction=place)

    async def _embedded(self, event_id: str, face: FaceEmbedded) -> None:
        def write(database: sqlite3.Connection) -> None:
            insert_face(database, face.face_id, face.grant_id, at=face.embedded_at)
            insert_outcome(
                database,
                event_id,
                sighting_id=face.sighting_id,
                grant_id=face.grant_id,
                image_id=face.image_id,
                producer=producer_of(database, face.sighting_id) or face.producer or ProducerId(CRAWLER),
                stage=Stage.EMBEDDER.value,
                outcome=EMBEDDED,
                at=face.embedded_at,
            )

        await self._store.write(write)

    async def _disclosed(self, answered: SearchAnswered) -> None:
        def write(database: sqlite3.Connection) -> None:
            for face in answered.faces:
                row = DisclosureRow(answered.query_id, face.face_id, answered.caller, answered.purpose, answered.answered_at)
                insert_disclosure(database, row, face.grant_id)

        await self._store.write(write)
