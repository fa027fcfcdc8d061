"""A case on its way: the crawler's visit, geofence, consent, the embedder's question, a search; the services' own code at each step."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from prometheus_client import CollectorRegistry

from assent.blobs.object_blob_store import open_blob_store
from assent.blobs.quarantine import Quarantine
from assent.consent.asset import Asset
from assent.consent.binding import bind, faces_rule
from assent.deciding.gate import DISCLOSURE, INGEST, NO_GRANT, Gate
from assent.deciding.refusals import Refused, refusal_event
from assent.deciding.tables import DecisionTables
from assent.events.envelope import Event, encode
from assent.events.grants import GrantSnapshot, GrantWithdrawn, PolicyPublished, Purpose, SuppressionAdded
from assent.events.images import (
    Clearance,
    GrantFinding,
    ImageCleared,
    ImageLocated,
    ImageRefused,
    ImageScraped,
    Sighting,
    SourceKind,
    Stage,
)
from assent.events.payload import EventPayload
from assent.events.record import Record, StoredRecord
from assent.fetching.server_places import ServerPlaces
from assent.geofence.areas import AreaIndex
from assent.geofence.caller import SELF, client_gate
from assent.ids import GrantId, Jurisdiction, ProducerId, RuleId, SightingId
from assent.intake.producers import CRAWLER, UPLOAD, ProducerDirectory
from assent.intake.registry_signature import signed_by_registry
from assent.intake.signature import sign_record
from assent.intake.standings import ProducerStandings
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.identifiers import ImageIds
from assent.keys.signing_keys import SigningKeys
from assent.optouts.combination import combine
from assent.optouts.image import image_optouts
from assent.stream.local import SqliteEventLog
from assent.stream.outcomes import Ignore, Outcome, ToldEvent
from assent.telemetry.meter import Metrics
from assent.testing.fake_clock import FakeClock
from services.consent.processor import ConsentProcessor
from services.crawler.pace import Pace
from services.crawler.page import read_page
from services.crawler.site_rules import SiteRulesReader
from services.crawler.visit import BY_NO_PAGE, Shown, Stopped, Visited, Visitor, seen_of_page
from services.geofence.processor import GeofenceProcessor
from services.geofence.senders import Senders
from services.geofence.settings import GeofenceSettings
from services.registry.policy_file import read_policy
from tests.lawful_yield.case import Case, Moment
from tests.lawful_yield.people import NOW, grant_id, grants_of
from tests.lawful_yield.pictures import picture
from tests.lawful_yield.site import ADDRESSES, CaseSite
from tests.unit.server_table_examples import table

AGENT = "AssentBot"
ARCHIVE = ProducerId("town-archive")
MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a case ended; no rules means that it passed to the end."""

    stage: str
    rules: tuple[str, ...] = ()

    @property
    def is_passed(self) -> bool:
        return not self.rules


class Deployment:
    """What all cases share: keys, areas, the shipped policy, quarantine in memory; nothing of it remembers a case."""

    def __init__(self, folder: Path) -> None:
        self.keys = DeploymentKeys.load_or_create(folder / "keys")
        self.identifiers = ImageIds(self.keys)
        self.areas = AreaIndex.load()
        networks = {f"{address}/32": {"country_code": country, "asn": "AS1221"} for country, address in ADDRESSES.items()}
        self.servers = ServerPlaces(places=table(folder / "servers.mmdb", networks, built_at=NOW), networks=None, clock=FakeClock(NOW))
        signing = SigningKeys.load(folder / "keys")
        self.policy, self.registry_key = _signed_policy(signing.policy), signing.grant
        self.quarantine = Quarantine(open_blob_store("memory://"), self.keys.quarantine_key)
        inner = {name: self.keys.producer_signing_key(name) for name in (CRAWLER, UPLOAD)}
        self.producers = ProducerDirectory(open_blob_store("memory://"), {name: key.public_key() for name, key in inner.items()})
        self.signing = {**inner, ARCHIVE: Ed25519PrivateKey.generate()}
        # No record ever comes from this log: a case's grants are folded in by hand.
        self.log = SqliteEventLog(folder / "unused.db")

    def senders(self, clock: FakeClock) -> Senders:
        """Who may send, counted anew for each case."""
        standings = ProducerStandings(open_blob_store("memory://"))
        return Senders(producers=self.producers, standings=standings, caps=GeofenceSettings().caps(), clock=clock)

    async def prepare(self) -> None:
        """Register the outside producer."""
        raw = self.signing[ARCHIVE].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        await self.producers.register(ARCHIVE, raw)


class Course:
    """One case alone in the world. `is_past_crawler`: the photo lies in quarantine as if no crawler had asked.

    `events` are what the gates told of their decisions.
    """

    def __init__(self, case: Case, deployment: Deployment, *, is_past_crawler: bool = False) -> None:
        self._case, self._shared, self._clock = case, deployment, FakeClock(NOW)
        self._is_past_crawler = is_past_crawler
        self.events: list[ToldEvent] = []
        self._data = picture(case.photo, case.id)
        self._sha256 = hashlib.sha256(self._data).hexdigest()
        self._tables = DecisionTables(deployment.log, public=deployment.keys.public, clock=self._clock)
        self._gate = Gate(self._tables.fold, self._clock)
        self._fold(deployment.policy)
        for grant in grants_of(case, sha256=self._sha256):
            self._fold_grant(grant)
        if case.suppressed:
            key = deployment.identifiers.suppression_key(self._sha256)
            self._fold(_record(SuppressionAdded(suppression_key=key, added_at=NOW)))

    async def run(self) -> Ending:
        """Every step until one refuses."""
        sighting = await self._arrived()
        if isinstance(sighting, Ending):
            return sighting
        self._end("geofence")
        located = self._claimed(sighting) if self._case.entrance == "consent" else await self._located(sighting)
        if isinstance(located, Ending):
            return located
        self._end("consent")
        cleared = await self._cleared(located)
        if isinstance(cleared, Ending):
            return cleared
        self._end("embedding")
        open_to_faces = self._embedded(cleared)
        if isinstance(open_to_faces, Ending):
            return open_to_faces
        self._end("search")
        return self._searched(open_to_faces)

    async def _arrived(self) -> Sighting | Ending:
        case, blob = self._case, ""
        self._end("crawl")
        if case.entrance == "upload":
            return await self._sighting(UPLOAD, SourceKind.UPLOAD)
        if case.entrance == "producer":
            blob = await self._shared.quarantine.put_intake(ARCHIVE, self._sha256, self._data)
            return await self._sighting(ARCHIVE, SourceKind.PRODUCER, url=case.site.image_url, blob=blob)
        if case.entrance != "crawler" or self._is_past_crawler:
            return await self._unasked()
        return await self._crawled()

    async def _unasked(self) -> Sighting:
        """With what the page says and no gate before it."""
        site = self._case.site
        body = CaseSite(site, self._data).page
        told = read_page(body, url=site.page_url or site.image_url).evidence if body else ()
        told += self._shared.servers.told(ADDRESSES.get(site.server or ""))
        sighting = await self._sighting(CRAWLER, SourceKind.WEB_PAGE, url=site.moved_to or site.image_url)
        return sighting.model_copy(update={"page_url": site.page_url, "page_evidence": told})

    async def _crawled(self) -> Sighting | Ending:
        site, fetcher = self._case.site, CaseSite(self._case.site, self._data)
        visitor = Visitor(
            gate=self._gate,
            identifiers=self._shared.identifiers,
            fetcher=fetcher,
            rules=SiteRulesReader(fetcher=fetcher, agent=AGENT, clock=self._clock, keep_s=600),
            pace=Pace(clock=self._clock, host_delay_s=0),
            areas=self._shared.areas,
            servers=self._shared.servers,
            agent=AGENT,
            max_crawl_delay_s=30,
        )
        image, shown = site.image_url, BY_NO_PAGE
        if site.page_url is not None:
            page_visit = await visitor.visit(site.page_url, max_bytes=MAX_BYTES, is_page=True)
            if isinstance(page_visit, Stopped):
                return self._stopped(page_visit)
            page = read_page(page_visit.answer.body, url=page_visit.url)
            image, shown = (
                page.images[0],
                Shown(page_visit.url, page.evidence, seen_of_page(page_visit, agent=AGENT, now=self._clock.now())),
            )
        visited = await visitor.visit(image, shown=shown, max_bytes=MAX_BYTES)
        if isinstance(visited, Visited):
            visited = visitor.with_optouts(visited, shown, combine(image_optouts(visited.answer.body)).seen())
        if isinstance(visited, Stopped):
            return self._stopped(visited)
        if self._own not in {finding.grant.grant_id for finding in visited.opened}:
            return Ending("crawler", self._closed(Asset(SourceKind.WEB_PAGE, final_url=visited.url)))
        sighting = await self._sighting(CRAWLER, SourceKind.WEB_PAGE, url=visited.url)
        told = (*shown.told, *visited.server)
        return sighting.model_copy(update={"page_url": site.page_url, "page_evidence": told, "optouts": visited.optouts})

    def _stopped(self, stopped: Stopped) -> Ending:
        refused = Refused(SightingId("stopped"), None, CRAWLER)
        self.events += [
            refusal_event(
                refused,
                refusal,
                stage=Stage.CRAWLER,
                cause_id=self._case.id,
                policy_version=self._gate.policy.version,
                datasets=(self._shared.areas.version,),
                now=self._gate.now,
            )
            for refusal in stopped.refusals
        ]
        return Ending("crawler", stopped.rules)

    async def _sighting(self, producer: ProducerId, kind: SourceKind, *, url: str | None = None, blob: str = "") -> Sighting:
        image_id = self._shared.identifiers.image_id(self._data)
        sighting_id = self._shared.identifiers.sighting_id(final_url=url, image_id=image_id, producer=producer)
        return Sighting(
            sighting_id=sighting_id,
            image_id=image_id,
            producer=producer,
            source_kind=kind,
            blob=blob or await self._shared.quarantine.put(sighting_id, self._data),
            sha256=self._sha256,
            size_bytes=len(self._data),
            media_type="image/jpeg",
            final_url=url,
            upload_grant_id=GrantId(grant_id(self._case)) if kind is SourceKind.UPLOAD else None,
            fetched_at=self._clock.now(),
        )

    async def _located(self, sighting: Sighting) -> ImageLocated | Ending:
        shared = self._shared
        processor = GeofenceProcessor(
            gate=self._gate,
            quarantine=shared.quarantine,
            senders=shared.senders(self._clock),
            identifiers=shared.identifiers,
            areas=shared.areas,
            tables=self._tables,
            metrics=Metrics(CollectorRegistry()),
            catch_up_timeout_s=5,
        )
        event = Event(id=f"scraped-{self._case.id}", source="/assent/crawler", time=NOW, data=ImageScraped(sighting=sighting))
        signed = _stored(sign_record(encode(event), shared.signing[sighting.producer]))
        found = self._passed_on(await processor.handle(event, signed))
        if isinstance(found, tuple):
            return Ending("geofence", found)
        assert isinstance(found, ImageLocated)
        own = tuple(finding for finding in found.findings if finding.grant_id == self._own)
        return found.model_copy(update={"findings": own}) if own else Ending("geofence", self._closed(Asset.of(sighting)))

    @property
    def _own(self) -> GrantId:
        """The grant that the case is about. Those of the other people in the photo name it too, and open nothing of the case."""
        return GrantId(grant_id(self._case))

    def _closed(self, asset: Asset) -> tuple[str, ...]:
        """What keeps the case's own grant from what somebody else's opened."""
        if self._own not in {grant.grant_id for grant in self._gate.covering(asset)}:
            return (NO_GRANT,)
        places = [Jurisdiction(place) for place in self._case.lives]
        return self._gate.verdict(self._own, INGEST, candidates=places, asset=asset).rules

    def _claimed(self, sighting: Sighting) -> ImageLocated:
        """A finding for a grant that no geofence looked at, as somebody may put on the log."""
        places = tuple(Jurisdiction(place) for place in sorted(self._case.lives))
        finding = GrantFinding(grant_id=GrantId(grant_id(self._case)), revision=1, candidates=places, evidence=())
        return ImageLocated(sighting=sighting, findings=(finding,), policy_version="claimed", datasets=(self._shared.areas.version,))

    async def _cleared(self, located: ImageLocated) -> ImageCleared | Ending:
        processor = ConsentProcessor(gate=self._gate, tables=self._tables, quarantine=self._shared.quarantine, catch_up_timeout_s=5)
        event: Event[EventPayload] = Event(id=f"located-{self._case.id}", source="/assent/geofence", time=NOW, data=located)
        found = self._passed_on(await processor.handle(event, _stored(encode(event))))
        if isinstance(found, tuple):
            return Ending("consent", found)
        assert isinstance(found, ImageCleared)
        return found

    def _embedded(self, cleared: ImageCleared) -> list[Clearance] | Ending:
        """The gate again, and whether the grant says whose face it is, for the number of faces that the case tells."""
        asset = Asset.of(cleared.sighting)
        passed: list[Clearance] = []
        refused: set[str] = set()
        for clearance in cleared.clearances:
            verdict = self._gate.verdict(clearance.grant_id, INGEST, candidates=clearance.candidates, asset=asset)
            grant = self._gate.live(clearance.grant_id)
            drops = self._gate.drops_image_with_bystanders(clearance.candidates)
            faces = self._case.photo.faces
            rule = None if grant is None else faces_rule(bind(grant, asset), faces, drops_image_with_bystanders=drops)
            rules = {*verdict.rules, *(() if rule is None else (rule,))}
            refused |= rules
            passed += [] if rules else [clearance]
        return passed or Ending("embedder", tuple(sorted(refused)))

    def _searched(self, clearances: list[Clearance]) -> Ending:
        asked = self._case.asked
        basis = SELF if asked.recipient == "self" and not asked.caller else "gallery"
        caller = [Jurisdiction(place) for place in asked.caller]
        closed = client_gate(caller, basis=basis, policy=self._gate.policy, now=self._gate.now)
        refused: set[RuleId] = set()
        for clearance in clearances:
            verdict = self._gate.verdict(
                clearance.grant_id,
                DISCLOSURE,
                candidates=clearance.candidates,
                purpose=Purpose(asked.purpose),
                recipient=asked.recipient,
            )
            rules = {*verdict.rules, *(() if closed is None else (closed,))}
            if not rules:
                return Ending("search")
            refused |= rules
        return Ending("query", tuple(sorted(refused)))

    def _passed_on(self, outcome: Outcome) -> EventPayload | tuple[str, ...]:
        """The event that goes on to the next step, or the rules of every refusal."""
        events = () if isinstance(outcome, Ignore) else outcome.events
        self.events += events
        found = [event.data for event in events]
        on = [data for data in found if not isinstance(data, ImageRefused)]
        return on[0] if on else _rules(data for data in found if isinstance(data, ImageRefused))

    def _end(self, moment: Moment) -> None:
        ended = self._case.ended
        if ended is None or ended.before != moment:
            return
        if ended.how in ("expired", "member_expired"):
            self._clock.advance(timedelta(days=300).total_seconds())
        else:
            who = grant_id(self._case) if ended.how == "withdrawn" else f"n-{self._case.id}"
            ended_now = _event(GrantWithdrawn(grant_id=GrantId(who), withdrawn_at=self._clock.now()))
            self._fold(_stored(signed_by_registry(ended_now, self._shared.registry_key)))

    def _fold_grant(self, grant: dict[str, object]) -> None:
        """As it came over the log, so that a record which cannot be read is met as a decider meets it."""
        headers = {"specversion": "1.0", "id": "grant", "source": "/assent/registry", "type": GrantSnapshot.type, "time": NOW.isoformat()}
        named = (*((f"ce_{name}", value.encode()) for name, value in headers.items()), ("content-type", b"application/json"))
        record = Record(GrantSnapshot.topic.value, str(grant["grant_id"]).encode(), json.dumps(grant).encode(), named)
        self._fold(_stored(signed_by_registry(record, self._shared.registry_key)))

    def _fold(self, record: StoredRecord) -> None:
        self._tables.fold.apply(record)


def _rules(refusals: Iterable[ImageRefused]) -> tuple[str, ...]:
    return tuple(sorted({rule for refusal in refusals for rule in refusal.rules}))


def _signed_policy(key: Ed25519PrivateKey) -> StoredRecord:
    policy = read_policy(None)
    sha256 = hashlib.sha256(policy.document.encode()).hexdigest()
    published = PolicyPublished(
        version=policy.version,
        document=policy.document,
        sha256=sha256,
        signature=key.sign(sha256.encode()),
        key_id="policy",
        published_at=NOW,
    )
    return _record(published)


def _record(data: EventPayload) -> StoredRecord:
    return _stored(_event(data))


def _event(data: EventPayload) -> Record:
    return encode(Event(id=f"{data.type}/{data.key()}", source="/assent/registry", time=NOW, data=data))


def _stored(record: Record) -> StoredRecord:
    return StoredRecord(record.topic, 0, 0, 0, record.key, record.value, record.headers)
