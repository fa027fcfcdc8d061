"""faces.embedded to the store: a vector is written only under a grant that is live before and after the write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from assent.blobs.derivatives import Derivatives
from assent.deciding.gate import Gate, Judgement
from assent.deciding.opted_out import PLACE_TOLD
from assent.deciding.refusals import Refusal, Refused, refusal_event
from assent.deciding.suppressions import SUPPRESSED
from assent.deciding.tables import DecisionTables
from assent.events.envelope import Event
from assent.events.faces import FaceEmbedded
from assent.events.fetched_from import FetchedFrom, merged
from assent.events.grants import GrantSnapshot, Operation
from assent.events.images import Stage
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.ids import FaceId, ProducerId, RuleId
from assent.keys.cipher import UnsealError, aad
from assent.keys.grant_keys import GrantKeyring, KeyDestroyedError, KeyNotFoundError
from assent.optouts.signal import OPTED_OUT
from assent.stream.outcomes import Ignore, Outcome, PoisonMessageError, Refuse
from assent.telemetry import metrics as declared
from assent.telemetry.meter import Metrics
from assent.vectors.store import FacePoint, PointFacts, VectorStore

STORING = (Operation.STORE,)
INDEXER = ProducerId("indexer")


class FaceIndexer:
    """Collects a batch, writes it, catches up, and takes back what ended meanwhile, all before the commit."""

    name = "indexer"
    topics = (Topic.FACES_EMBEDDED,)

    def __init__(
        self,
        *,
        gate: Gate,
        tables: DecisionTables,
        store: VectorStore,
        derivatives: Derivatives,
        grant_keys: GrantKeyring,
        model_digest: str,
        metrics: Metrics,
        catch_up_timeout_s: float,
    ) -> None:
        self._gate = gate
        self._tables = tables
        self._store = store
        self._derivatives = derivatives
        self._grant_keys = grant_keys
        self._model_digest = model_digest
        self._metrics = metrics
        self._catch_up_timeout_s = catch_up_timeout_s
        self._pending: dict[FaceId, FacePoint] = {}
        self._unwritten: list[FaceEmbedded] = []
        # Written, or perhaps written, and not yet looked at again: a batch whose second look failed comes back, and its record may
        # be refused then without being written.
        self._unlooked: dict[FaceId, FacePoint] = {}

    async def before_batch(self) -> None:
        """Read every withdrawal acknowledged so far; what an abandoned batch collected is collected again."""
        self._pending.clear()
        self._unwritten.clear()
        await self._look_again()

    async def handle(self, event: Event[EventPayload], record: StoredRecord) -> Outcome:
        """Take one sealed vector into the batch, or refuse it."""
        assert isinstance(event.data, FaceEmbedded)
        face = event.data
        if face.model_digest != self._model_digest:
            raise PoisonMessageError("foreign_model")
        judged = self._gate.judge(face.grant_id, STORING, candidates=face.candidates, asset=None)
        if judged.opened is None:
            return self._unwritten_for(event, face, judged)
        if self._gate.is_image_suppressed(face.image_id):
            return self._unwritten_for(event, face, judged.seen(SUPPRESSED))
        if face.fetched is not None and self._gate.is_opted_out(face.grant_id, face.fetched):
            return self._unwritten_for(event, face, judged.seen(OPTED_OUT))
        if face.fetched is not None and self._gate.is_placed_since(face.grant_id, face.fetched):
            return self._unwritten_for(event, face, judged.seen(PLACE_TOLD))
        if self._gate.is_retention_over(face.grant_id):
            return self._unwritten_for(event, face, judged.seen(RuleId("retention_over")))
        if not self._gate.may_stay(face.grant_id, source=face.source, fetched=_fetched(face)):
            return self._unwritten_for(event, face, judged.seen(RuleId("source_not_covered")))
        try:
            point = await self._point(face, judged.opened)
        except (KeyDestroyedError, KeyNotFoundError):
            return Refuse((self._refused(event, face, judged.seen(RuleId("grant_withdrawn"))),))
        except UnsealError as error:
            raise PoisonMessageError("unsealable") from error
        earlier = self._pending.get(face.face_id)
        self._pending[face.face_id] = point if earlier is None else _seen_before(point, earlier)
        return Ignore("indexed")

    async def after_batch(self, events: Sequence[Event[EventPayload]]) -> None:
        """Write, make durable, catch up again, and delete by id what ended meanwhile."""
        await self._drop_pictures()
        points = await self._with_earlier_sightings()
        self._pending.clear()
        if not points:
            return
        self._unlooked.update({point.face_id: point for point in points})
        await self._store.upsert(points)
        await self._store.flush()
        await self._look_again()

    async def _with_earlier_sightings(self) -> list[FacePoint]:
        """What is written, with what was said of the same face before."""
        held = {item.face_id: item for item in await self._store.retrieve(list(self._pending))}
        return [point if point.face_id not in held else _seen_before(point, held[point.face_id]) for point in self._pending.values()]

    async def _drop_pictures(self) -> None:
        """The pictures of faces that were refused here: under a grant that goes on nothing else would ever delete them."""
        held = {item.face_id for item in await self._store.retrieve([face.face_id for face in self._unwritten])}
        for face in self._unwritten:
            # One that was written earlier is the sweep's, which takes vector and picture together.
            if face.face_id not in held and face.face_id not in self._pending:
                await self._derivatives.delete(face.grant_id, face.face_id)
        self._unwritten.clear()

    async def _look_again(self) -> None:
        """Catch up, and take back what was written under a grant that ended, of an image that was suppressed, or opted out, meanwhile."""
        await self._tables.catch_up(self._catch_up_timeout_s)
        overtaken = [point for point in self._unlooked.values() if not self._keeps(point)]
        await self._take_back([point for point in overtaken if self._gate.live(point.grant_id) is None])
        unwanted = [point for point in overtaken if self._gate.live(point.grant_id) is not None]
        for point in unwanted:
            # Under a grant that goes on nothing else would ever delete it, and a vector that is still there names it to the sweep.
            await self._derivatives.delete(point.grant_id, point.face_id)
        await self._take_back(unwanted)
        self._unlooked.clear()

    async def _take_back(self, points: Sequence[FacePoint]) -> None:
        if points:
            await self._store.delete([point.face_id for point in points])
            await self._store.flush()
            self._metrics.increase(declared.VECTOR_WRITES_OVERTAKEN, len(points))

    def _keeps(self, point: FacePoint) -> bool:
        return self._gate.keeps(point.grant_id, source=point.source, fetched=point.fetched, image_id=point.image_id)

    async def _point(self, face: FaceEmbedded, grant: GrantSnapshot) -> FacePoint:
        key = await self._grant_keys.get(face.grant_id)
        bound = aad(Topic.FACES_EMBEDDED.value, face.grant_id, face.revision, face.face_id)
        vector = np.frombuffer(key.open(face.sealed_vector, aad=bound), dtype="<f4")
        if vector.shape != (face.dimensions,) or not np.all(np.isfinite(vector)):
            raise PoisonMessageError("unusable_vector")
        return FacePoint(
            face_id=face.face_id,
            grant_id=face.grant_id,
            subject_id=grant.subject_id,
            image_id=face.image_id,
            vector=vector.astype(np.float32),
            purposes=tuple(purpose.value for purpose in grant.purposes),
            jurisdictions=face.candidates,
            model_digest=face.model_digest,
            expires_at=int(grant.expires_at.timestamp()),
            revision=grant.revision,
            embedded_at=int(face.embedded_at.timestamp()),
            source=face.source,
            fetched=_fetched(face),
        )

    def _unwritten_for(self, cause: Event[EventPayload], face: FaceEmbedded, judged: Judgement) -> Refuse:
        """Refused, and its picture is looked at after the batch."""
        self._unwritten.append(face)
        return Refuse((self._refused(cause, face, judged),))

    def _refused(self, cause: Event[EventPayload], face: FaceEmbedded, judged: Judgement) -> Event[EventPayload]:
        return refusal_event(
            Refused(face.sighting_id, face.image_id, INDEXER),
            Refusal(
                rules=judged.rules,
                grant_id=face.grant_id,
                revision=face.revision,
                candidates=face.candidates,
                decision=judged.decision,
            ),
            stage=Stage.INDEXER,
            cause_id=cause.id,
            policy_version=self._gate.policy.version,
            datasets=(),
            now=self._gate.now,
            traceparent=cause.traceparent,
        )


def _seen_before(point: FacePoint, earlier: FacePoint | PointFacts) -> FacePoint:
    """The point naming each address that the same face came from before, for it stays through any of them that does not say no; and each
    place that any sighting of it was judged by, for evidence is united, never put to a vote: one that is closed withholds it.
    """
    places = tuple(sorted({*point.jurisdictions, *earlier.jurisdictions}))
    return replace(point, fetched=merged(point.fetched, earlier.fetched), jurisdictions=places)


def _fetched(face: FaceEmbedded) -> tuple[FetchedFrom, ...]:
    """Where the picture was; nothing in a record of a release that did not say it."""
    return () if face.fetched is None else (face.fetched,)
