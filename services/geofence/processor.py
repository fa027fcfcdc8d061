"""images.scraped to images.located: who sent it, what it says of its place, which grants could open it there; it never embeds."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assent.blobs.quarantine import ForeignBlobError, Quarantine
from assent.blobs.store import BlobNotFoundError
from assent.consent.asset import Asset
from assent.deciding.gate import INGEST, Finding, Gate
from assent.deciding.refusals import Refusal, Refused, refusal_event
from assent.deciding.suppressions import SUPPRESSED
from assent.deciding.tables import DecisionTables
from assent.events.decisions import DecisionRecord
from assent.events.envelope import Event, event_id
from assent.events.images import GrantFinding, ImageLocated, ImageScraped, Sighting, SourceKind, Stage
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.geofence.areas import AreaIndex
from assent.geofence.evidence import Evidence
from assent.geofence.extract import NOBODY, image_evidence, page_evidence
from assent.geofence.host import publication_evidence
from assent.geofence.policy import Policy
from assent.geofence.server import server_tables
from assent.geofence.signers import Signers
from assent.ids import ImageId, RuleId
from assent.intake.producers import INNER_PRODUCERS
from assent.keys.identifiers import ImageIds
from assent.optouts.combination import combine, once_each
from assent.optouts.image import image_optouts
from assent.stream.outcomes import Emit, Outcome, PoisonMessageError, Refuse
from assent.telemetry import metrics as declared
from assent.telemetry.meter import Metrics
from services.geofence.senders import Senders


@dataclass(frozen=True, slots=True)
class _Read:
    """A sighting whose bytes were read: its evidence, or the rules that refuse it before any grant is looked at."""

    sighting: Sighting
    evidence: tuple[Evidence, ...]
    rules: tuple[RuleId, ...] = ()


class GeofenceProcessor:
    """Decides per (sighting, grant); a record from an unknown hand is poison, not a refusal."""

    name = "geofence"
    topics = (Topic.IMAGES_SCRAPED,)

    def __init__(
        self,
        *,
        gate: Gate,
        quarantine: Quarantine,
        senders: Senders,
        identifiers: ImageIds,
        areas: AreaIndex,
        tables: DecisionTables,
        metrics: Metrics,
        catch_up_timeout_s: float,
        signers: Signers = NOBODY,
    ) -> None:
        self._gate = gate
        self._quarantine = quarantine
        self._senders = senders
        self._identifiers = identifiers
        self._areas = areas
        self._signers = signers
        self._datasets = tuple(version for version in (areas.version, signers.version) if version is not None)
        self._tables = tables
        self._metrics = metrics
        self._catch_up_timeout_s = catch_up_timeout_s
        self._ended: dict[tuple[str, str], Sighting] = {}

    async def before_batch(self) -> None:
        """Read every grant and withdrawal acknowledged before this batch, and who is suspended. What an abandoned one ended comes again."""
        self._ended.clear()
        self._senders.ask_anew()
        await self._tables.catch_up(self._catch_up_timeout_s)

    async def handle(self, event: Event[EventPayload], record: StoredRecord) -> Outcome:
        """Locate one sighting for each grant that covers it."""
        assert isinstance(event.data, ImageScraped)
        sighting = event.data.sighting
        await self._senders.require(sighting.producer, record, event_id=event.id)
        read = await self._read_or_count(sighting, record)
        findings = self._findings(read)
        self._count(findings)
        passed = [finding for finding in findings if not finding.rules]
        refusals = [Refusal.of(finding) for finding in findings if finding.rules]
        if not findings:
            refusals = [self._uncovered(read)]
        cause = _own_cause(event, read.sighting)
        events = [self._refused(cause, read.sighting, refusal) for refusal in refusals]
        if not passed:
            self._ended[event.id, sighting.blob] = sighting
            return Refuse(tuple(events))
        return Emit((self._located(cause, read.sighting, passed), *events))

    async def after_commit(self, events: Sequence[Event[EventPayload]]) -> None:
        """Delete the originals of sightings that ended here."""
        ended: list[Sighting] = []
        for event in events:
            assert isinstance(event.data, ImageScraped)
            sighting = self._ended.pop((event.id, event.data.sighting.blob), None)
            ended += [sighting] if sighting is not None else []
        if ended:
            await self._quarantine.discard_all((sighting.blob, sighting.producer, sighting.sighting_id) for sighting in ended)

    async def unreadable(self, record: StoredRecord) -> None:
        """It is a dead letter; under a producer's own signature it counts against that producer."""
        await self._senders.unreadable(record)

    async def _read_or_count(self, sighting: Sighting, record: StoredRecord) -> _Read:
        """Whatever it comes to counts for its producer."""
        try:
            read = await self._read(sighting)
        except PoisonMessageError:
            await self._senders.dead(sighting.producer, record)
            raise
        await self._senders.passed(sighting.producer, record)
        return read

    async def _read(self, sighting: Sighting) -> _Read:
        try:
            data = await self._quarantine.fetch(sighting.blob, producer=sighting.producer, sighting_id=sighting.sighting_id)
        except ForeignBlobError as error:
            raise PoisonMessageError("foreign_blob") from error
        except BlobNotFoundError:
            return _Read(sighting, (), (RuleId("quarantine_expired"),))
        if (await asyncio.to_thread(hashlib.sha256, data)).hexdigest() != sighting.sha256:
            raise PoisonMessageError("wrong_digest")
        sighting = self._identified(sighting, await asyncio.to_thread(self._identifiers.image_id, data))
        if self._is_suppressed(sighting):
            return _Read(sighting, (), (SUPPRESSED,))
        seen = combine(await asyncio.to_thread(image_optouts, data)).seen()
        sighting = sighting.model_copy(update={"optouts": once_each((*sighting.optouts, *seen))})
        signers = self._signers.at(self._gate.now)
        location = self._gate.policy.location
        evidence = await asyncio.to_thread(image_evidence, data, areas=self._areas, location=location, signers=signers)
        told = page_evidence(sighting.page_evidence, areas=self._areas, location=location)
        told = (*publication_evidence(sighting.final_url, page_url=sighting.page_url), *told)
        if sighting.producer not in INNER_PRODUCERS:
            told = tuple(replace(item, allow_weight=0.0) for item in told)
        return _Read(sighting, (*evidence, *told))

    def _is_suppressed(self, sighting: Sighting) -> bool:
        keys = [self._identifiers.suppression_key(sighting.sha256)]
        if sighting.final_url is not None:
            keys.extend(self._identifiers.url_suppression_keys(sighting.final_url))
        return any(self._gate.is_suppressed(key) for key in keys)

    def _identified(self, sighting: Sighting, image_id: ImageId) -> Sighting:
        """The sighting under our own ids: an outside producer cannot know the keys, an inner one must have used them.

        Whatever an outside producer calls itself, it is one: it is no upload, and no fetch of ours.
        """
        sighting_id = self._identifiers.sighting_id(final_url=sighting.final_url, image_id=image_id, producer=sighting.producer)
        if sighting.producer in INNER_PRODUCERS and sighting.image_id != image_id:
            raise PoisonMessageError("wrong_image_id")
        if sighting.producer in INNER_PRODUCERS:
            return sighting
        stated = {"source_kind": SourceKind.PRODUCER, "upload_grant_id": None}
        return sighting.model_copy(update={"image_id": image_id, "sighting_id": sighting_id, **stated})

    def _findings(self, read: _Read) -> list[Finding]:
        if read.rules:
            return []
        return self._gate.located(Asset.of(read.sighting), read.evidence, INGEST, optouts=read.sighting.optouts)

    def _count(self, findings: Sequence[Finding]) -> None:
        for place in {place for finding in findings for place in finding.candidates}:
            self._metrics.increase(declared.CANDIDATES, jurisdiction=place)

    def _uncovered(self, read: _Read) -> Refusal:
        """Refused whoever granted, or because nobody did."""
        if read.rules:
            return Refusal(read.rules, decision=DecisionRecord(at=self._gate.now, observed=read.rules))
        found = self._gate.uncovered(read.evidence)
        return Refusal(found.rules, candidates=found.candidates, evidence=found.evidence, decision=found.decision)

    def _refused(self, cause: Event[EventPayload], sighting: Sighting, refusal: Refusal) -> Event[EventPayload]:
        return refusal_event(
            Refused.of(sighting),
            refusal,
            stage=Stage.GEOFENCE,
            cause_id=cause.id,
            policy_version=self._gate.policy.version,
            datasets=self._asked(sighting),
            now=self._gate.now,
            traceparent=cause.traceparent,
        )

    def _asked(self, sighting: Sighting) -> tuple[str, ...]:
        """The datasets behind the evidence: ours, and the tables of servers' addresses that our crawler asked."""
        return (*self._datasets, *(server_tables(sighting.page_evidence) if sighting.producer in INNER_PRODUCERS else ()))

    def _located(self, cause: Event[EventPayload], sighting: Sighting, findings: Sequence[Finding]) -> Event[EventPayload]:
        policy: Policy = self._gate.policy
        reference = ",".join(f"{finding.grant.grant_id}@{finding.grant.revision}" for finding in findings)
        return Event(
            id=event_id(cause.id, Stage.GEOFENCE.value, reference, policy.version, "located"),
            source="/assent/geofence",
            time=self._gate.now,
            traceparent=cause.traceparent,
            data=ImageLocated(
                sighting=sighting,
                findings=tuple(
                    GrantFinding(
                        grant_id=finding.grant.grant_id,
                        revision=finding.grant.revision,
                        candidates=finding.candidates,
                        evidence=finding.evidence,
                        decision=finding.decision,
                    )
                    for finding in findings
                ),
                policy_version=policy.version,
                datasets=self._asked(sighting),
            ),
        )


def _own_cause(event: Event[EventPayload], sighting: Sighting) -> Event[EventPayload]:
    """The event under an id that no other producer can choose too: the ids of what follows are made from it.

    `sighting` is the one under our own ids, which hold its producer, place and bytes.
    """
    if sighting.producer in INNER_PRODUCERS:
        return event
    return replace(event, id=event_id(event.id, sighting.sighting_id))
