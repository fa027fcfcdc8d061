"""images.cleared to faces.embedded: the gate once more, then the granted faces only; a bystander's vector is never computed.

Where she confirmed a reference, a new face that does not agree with it goes no further either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from assent.blobs.derivatives import Derivatives
from assent.blobs.quarantine import Quarantine
from assent.blobs.store import BlobNotFoundError
from assent.consent.asset import Asset
from assent.consent.binding import bind
from assent.consent.source_rules import matching_rule
from assent.deciding.gate import INGEST, Gate, Judgement
from assent.deciding.opted_out import PLACE_TOLD
from assent.deciding.refusals import Refusal, Refused, refusal_event
from assent.deciding.suppressions import SUPPRESSED
from assent.deciding.tables import DecisionTables
from assent.events.envelope import Event, event_id
from assent.events.faces import FaceEmbedded
from assent.events.fetched_from import FetchedFrom
from assent.events.grants import GrantSnapshot, SourceRule
from assent.events.images import Clearance, ImageCleared, Sighting, SourceKind, Stage
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.faces.detected_face import DetectedFace
from assent.faces.image import DecodedImage, ImageLimits, decode
from assent.faces.image_refusal import ImageRefusal, ImageRefusedError
from assent.faces.pack import FacePack
from assent.faces.perceptual_hash import perceptual_hash
from assent.ids import RuleId
from assent.keys.cipher import aad
from assent.keys.grant_keys import GrantKeyring, KeyDestroyedError
from assent.keys.identifiers import ImageIds
from assent.optouts.signal import OPTED_OUT
from assent.stream.outcomes import Emit, Ignore, Outcome, Refuse
from assent.telemetry import metrics as declared
from assent.telemetry.meter import Metrics
from services.embedder.face_choice import choose
from services.embedder.granted_face import face_id, granted_faces
from services.embedder.subject_check import NewFace, SubjectCheck

QUARANTINE_EXPIRED = RuleId("quarantine_expired")
MAX_FACES_OF_A_GRANT = 100
"""As many as a joint grant may have members."""
_TOO_LARGE = frozenset({ImageRefusal.TOO_MANY_BYTES, ImageRefusal.TOO_MANY_PIXELS, ImageRefusal.TOO_MANY_SCANS})


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """An image whose faces were found."""

    image: DecodedImage
    faces: list[DetectedFace]


class EmbedderProcessor:
    """Every cleared sighting ends here: its original is deleted after the commit."""

    name = "embedder"
    topics = (Topic.IMAGES_CLEARED,)

    def __init__(
        self,
        *,
        gate: Gate,
        identifiers: ImageIds,
        tables: DecisionTables,
        quarantine: Quarantine,
        derivatives: Derivatives,
        grant_keys: GrantKeyring,
        pack: FacePack,
        metrics: Metrics,
        limits: ImageLimits,
        min_reference_cosine: float,
        catch_up_timeout_s: float,
    ) -> None:
        self._gate = gate
        self._identifiers = identifiers
        self._tables = tables
        self._quarantine = quarantine
        self._derivatives = derivatives
        self._grant_keys = grant_keys
        self._pack = pack
        self._limits = limits
        self._catch_up_timeout_s = catch_up_timeout_s
        self._ended: dict[str, Sighting] = {}
        self._metrics = metrics
        self.subjects = SubjectCheck(
            ledger=tables.ledger, derivatives=derivatives, grant_keys=grant_keys, pack=pack, min_cosine=min_reference_cosine
        )

    async def before_batch(self) -> None:
        """Read every withdrawal that was acknowledged before this batch. One that was put back leaves no reference in memory."""
        self.subjects.forget()
        self._ended.clear()
        await self._tables.catch_up(self._catch_up_timeout_s)

    async def handle(self, event: Event[EventPayload], record: StoredRecord) -> Outcome:
        """Embed the granted faces of one cleared sighting."""
        assert isinstance(event.data, ImageCleared)
        cleared = event.data
        self._ended[event.id] = cleared.sighting
        looked: _Looked | RuleId | None = None
        embedded: list[Event[EventPayload]] = []
        refused: list[Event[EventPayload]] = []
        for clearance in cleared.clearances:
            judged = self._judged(cleared.sighting, clearance)
            if judged.opened is not None and looked is None:
                looked = await self._look(cleared.sighting)
            if judged.opened is None:
                refused.append(self._refused(event, cleared, clearance, judged))
            elif isinstance(looked, _Looked):
                faces, refusal = await self._faces(event, cleared, clearance, judged, judged.opened, looked)
                embedded.extend(faces)
                if refusal is not None:
                    refused.append(self._refused(event, cleared, clearance, refusal))
            elif looked != QUARANTINE_EXPIRED or not await self._was_embedded(cleared.sighting, clearance):
                seen = judged.seen(looked or RuleId("image_unreadable"))
                refused.append(self._refused(event, cleared, clearance, seen))
        self._count(looked, embedded)
        if not embedded and not refused:
            return Ignore("embedded_before")
        return Emit((*embedded, *refused)) if embedded else Refuse(tuple(refused))

    async def after_commit(self, events: Sequence[Event[EventPayload]]) -> None:
        """Delete the originals: a sighting that was embedded or refused here has ended."""
        self.subjects.forget()
        ended = [sighting for event in events if (sighting := self._ended.pop(event.id, None)) is not None]
        if ended:
            await self._quarantine.discard_all((sighting.blob, sighting.producer, sighting.sighting_id) for sighting in ended)

    def _judged(self, sighting: Sighting, clearance: Clearance) -> Judgement:
        """Whether the grant is live, opens everything here and says which face is meant."""
        named = self._identifiers.suppression_key(sighting.sha256)
        # The key as well: a suppression of an earlier release, or one that cannot be read, names nothing else.
        if self._gate.is_suppressed(named) or self._gate.is_image_suppressed(sighting.image_id):
            return self._gate.refused_unasked(SUPPRESSED)
        asset, seen = Asset.of(sighting), sighting.optouts
        judged = self._gate.judge_bound(clearance.grant_id, INGEST, candidates=clearance.candidates, asset=asset, optouts=seen)
        if judged.opened is None:
            return judged
        # What was seen there since: the picture was on its way.
        fetched = self._fetched(sighting, judged.opened)
        if self._gate.is_opted_out(clearance.grant_id, fetched):
            return judged.seen(OPTED_OUT)
        return judged.seen(PLACE_TOLD) if self._gate.is_placed_since(clearance.grant_id, fetched) else judged

    async def _was_embedded(self, sighting: Sighting, clearance: Clearance) -> bool:
        """A record that comes again after its sighting ended: the original is gone because its faces were embedded."""
        held = set(await self._derivatives.list_grant(clearance.grant_id))
        digest = self._pack.digest
        return any(face_id(sighting.image_id, clearance.grant_id, index, digest) in held for index in range(MAX_FACES_OF_A_GRANT))

    async def _look(self, sighting: Sighting) -> _Looked | RuleId:
        """Find the faces of an image that at least one grant opens; boxes only, no vector."""
        try:
            data = await self._quarantine.fetch(sighting.blob, producer=sighting.producer, sighting_id=sighting.sighting_id)
        except BlobNotFoundError:
            return QUARANTINE_EXPIRED
        try:
            image = await asyncio.to_thread(decode, data, limits=self._limits)
        except ImageRefusedError as error:
            return RuleId("image_too_large" if error.reason in _TOO_LARGE else "image_unreadable")
        if self._gate.is_alike_suppressed(self._identifiers.masked_hash(await asyncio.to_thread(perceptual_hash, image.rgb))):
            return SUPPRESSED
        return _Looked(image, await asyncio.to_thread(self._pack.detector.detect, image.rgb))

    async def _faces(
        self,
        cause: Event[EventPayload],
        cleared: ImageCleared,
        clearance: Clearance,
        judged: Judgement,
        grant: GrantSnapshot,
        looked: _Looked,
    ) -> tuple[list[Event[EventPayload]], Judgement | None]:
        """The granted faces, or nothing and what refuses them."""
        asset = Asset.of(cleared.sighting)
        judged = self._gate.judge_faces(judged, grant, asset, len(looked.faces), candidates=clearance.candidates)
        if judged.opened is None:
            return [], judged
        drops = self._gate.drops_image_with_bystanders(clearance.candidates)
        chosen, rule = choose(bind(grant, asset), looked.faces, looked.image, drops_image_with_bystanders=drops)
        if rule is not None:
            return [], judged.seen(rule)
        found, rule = await asyncio.to_thread(granted_faces, self._pack, looked.image, chosen, looked.faces)
        if rule is not None:
            return [], judged.seen(rule)
        named = [NewFace(face_id(cleared.sighting.image_id, grant.grant_id, face.region_index, self._pack.digest), face) for face in found]
        # A reference that was confirmed up to now counts, whenever the picture set out.
        await self._tables.catch_up(self._catch_up_timeout_s)
        current = self._gate.live(grant.grant_id)
        if current is None:
            return [], self._judged(cleared.sighting, clearance)
        try:
            kept, dropped = await self.subjects.kept(current, named, drops_image_with_strangers=drops)
            events = [await self._event(cause, cleared, clearance, judged, grant, item) for item in kept]
        except KeyDestroyedError:
            return [], judged.seen(RuleId("grant_withdrawn"))
        return await self._still_live(events, cleared, clearance, None if dropped is None else judged.seen(dropped))

    async def _still_live(
        self, events: list[Event[EventPayload]], cleared: ImageCleared, clearance: Clearance, dropped: Judgement | None
    ) -> tuple[list[Event[EventPayload]], Judgement | None]:
        """What was sealed, unless the grant ended meanwhile: it leaves nothing behind."""
        await self._tables.catch_up(self._catch_up_timeout_s)
        if self._gate.live(clearance.grant_id) is None:
            self._grant_keys.drop(clearance.grant_id)
            await self._derivatives.delete_grant(clearance.grant_id)
            return [], self._judged(cleared.sighting, clearance)
        return events, dropped

    def _fetched(self, sighting: Sighting, grant: GrantSnapshot) -> FetchedFrom:
        """Where it was fetched, and the keyed names of the rules that let it in. What an outside producer says of an address is not
        trusted, so its pictures come from none.
        """
        address = None
        if sighting.source_kind is SourceKind.WEB_PAGE and sighting.final_url is not None:
            address = sighting.asked or self._identifiers.address(sighting.final_url)
        asset = Asset.of(sighting)
        rule = matching_rule(grant.sources, asset)
        # One that her grant no longer names has no name here, and then the indexer takes nothing of it.
        members = tuple(self._named(of_member) for of_member in self._gate.member_sources(grant, asset) if of_member is not None)
        source = None if rule is None else self._named(rule)
        return FetchedFrom(address=address, source=source, at=sighting.fetched_at, members=members)

    def _named(self, rule: SourceRule) -> str:
        return self._identifiers.source_name(rule.kind.value, rule.value)

    async def _event(
        self,
        cause: Event[EventPayload],
        cleared: ImageCleared,
        clearance: Clearance,
        judged: Judgement,
        grant: GrantSnapshot,
        item: NewFace,
    ) -> Event[EventPayload]:
        """Vector and picture sealed under the grant's key. Raises KeyDestroyedError."""
        sighting, face, identity = cleared.sighting, item.face, item.face_id
        fetched = self._fetched(sighting, grant)
        key = await self._grant_keys.get(grant.grant_id)
        bound = aad(Topic.FACES_EMBEDDED.value, grant.grant_id, grant.revision, identity)
        return Event(
            id=event_id(cause.id, Stage.EMBEDDER.value, f"{grant.grant_id}@{grant.revision}", identity, "embedded"),
            source="/assent/embedder",
            time=self._gate.now,
            traceparent=cause.traceparent,
            data=FaceEmbedded(
                face_id=identity,
                grant_id=grant.grant_id,
                revision=grant.revision,
                subject_id=grant.subject_id,
                image_id=sighting.image_id,
                producer=sighting.producer,
                source=fetched.source,
                fetched=fetched,
                sighting_id=sighting.sighting_id,
                region_index=face.region_index,
                box=face.box,
                detection_score=face.score,
                model_digest=self._pack.digest,
                dimensions=len(face.vector) // 4,
                sealed_vector=key.seal(face.vector, aad=bound),
                derivative=await self._derivatives.put(grant.grant_id, identity, face.picture),
                candidates=clearance.candidates,
                policy_version=self._gate.policy.version,
                embedded_at=self._gate.now,
                decision=judged.decision,
            ),
        )

    def _refused(self, cause: Event[EventPayload], cleared: ImageCleared, clearance: Clearance, judged: Judgement) -> Event[EventPayload]:
        return refusal_event(
            Refused.of(cleared.sighting),
            Refusal(
                rules=judged.rules,
                grant_id=clearance.grant_id,
                revision=clearance.revision,
                candidates=clearance.candidates,
                evidence=clearance.evidence,
                decision=judged.decision,
            ),
            stage=Stage.EMBEDDER,
            cause_id=cause.id,
            policy_version=self._gate.policy.version,
            datasets=cleared.datasets,
            now=self._gate.now,
            traceparent=cause.traceparent,
        )

    def _count(self, looked: _Looked | RuleId | None, embedded: Sequence[Event[EventPayload]]) -> None:
        """Faces seen and left alone are counted, and nothing else is kept of them."""
        distinct = {(event.data.box.x, event.data.box.y) for event in embedded if isinstance(event.data, FaceEmbedded)}
        self._metrics.increase(declared.FACES_EMBEDDED, len(embedded))
        if isinstance(looked, _Looked):
            self._metrics.increase(declared.FACES_DISCARDED, len(looked.faces) - len(distinct), reason="bystander")
