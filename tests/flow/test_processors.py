"""Every processor: the same event twice, a crash between emit and commit, a redelivery after the end; real parts, no runner."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.serialization import Encoding

from assent.blobs.object_blob_store import open_blob_store
from assent.blobs.quarantine import Quarantine
from assent.deciding.tables import DecisionTables
from assent.deployment.build import open_shared
from assent.deployment.process import served_application
from assent.deployment.runner_service import RunnerService
from assent.deployment.shared import Shared
from assent.deployment.start_errors import StartError, start_error_line
from assent.events.envelope import Event, decode, encode, event_id
from assent.events.faces import FaceEmbedded
from assent.events.grants import SuppressionAdded
from assent.events.images import ImageLocated, ImageRefused, ImageScraped
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.events.topics import TOPICS, Topic
from assent.faces.prepare import prepare_embedded_pack
from assent.geofence.signers import Signers
from assent.ids import GrantId, ProducerId, SightingId
from assent.intake.producers import CRAWLER
from assent.intake.signature import sign_record
from assent.keys.cipher import DataKey
from assent.stream.outcomes import Ignore, Outcome, ToldEvent
from assent.stream.processor import AfterBatch, AfterCommit, BeforeBatch, Processor
from assent.stream.runner import Runner, RunnerSettings
from assent.stream.table import TableStaleError
from assent.testing.loopback_s3 import LoopbackS3
from assent.vectors.store import FacePoint, VectorStore
from demo.api import Addresses, DemoApi, JsonObject
from demo.command import demo_layout
from demo.control import show_control
from demo.photos import Look, portrait
from demo.producer import NAME, OutsideProducer
from demo.requests import fixture_grant
from demo.site import PORTRAITS, DemoSite
from demo.state import DemoState
from demo.subject import PORTRAITS_GRANT, Subject, portraits_request
from embedded.layout import EmbeddedLayout
from embedded.system import NEEDS
from services.consent.app import ConsentApp
from services.crawler.app import CrawlerApp
from services.embedder.app import EmbedderApp
from services.geofence.app import GeofenceApp
from services.indexer.app import IndexerApp
from services.indexer.processor import FaceIndexer
from services.registry.app import RegistryApp
from tests.integration.stream_workbench import Seen, until
from tests.unit.c2pa_examples import Camera, certificate, key, signed

pytestmark = pytest.mark.timeout(120)
PHOTOS = 3


@dataclass(slots=True)
class Bench:
    """Registry and crawler run; the four processors are called by hand."""

    shared: Shared
    layout: EmbeddedLayout
    api: DemoApi
    subject: Subject
    site: DemoSite
    stages: dict[str, Processor]

    async def records(self, topic: Topic) -> list[StoredRecord]:
        """Everything on a topic."""
        tail = await self.shared.log.tail([topic.value])
        found: list[StoredRecord] = []
        ends = await self.shared.log.end_offsets([topic.value])
        while len(found) < sum(ends.values()):
            found.extend(await tail.poll(timeout_s=1.0))
        await tail.close()
        return found

    async def run(self, stage: str, topic: Topic, *, commits: bool = True) -> list[ToldEvent]:
        """One pass over a topic: handle, append, and unless it crashes before, what comes after the commit."""
        processor, outputs, taken = self.stages[stage], list[ToldEvent](), list[Event[EventPayload]]()
        if isinstance(processor, BeforeBatch):
            await processor.before_batch()
        for record in await self.records(topic):
            event = decode(record)
            outputs.extend(events_of(await processor.handle(event, record)))
            taken.append(event)
        if outputs:
            await self.shared.log.append([encode(event) for event in outputs])
        if isinstance(processor, AfterBatch):
            await processor.after_batch(taken)
        if commits and isinstance(processor, AfterCommit):
            await processor.after_commit(taken)
        return outputs

    async def vectors(self) -> int:
        return await self.shared.vectors.count()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    site = DemoSite()
    site.photos = {path: photo for path, photo in site.photos.items() if path in {f"{PORTRAITS}{number}.jpg" for number in (1, 2, 3)}}
    await site.start()
    layout = demo_layout(tmp_path, site)
    prepare_embedded_pack(layout.model, progress=lambda _: None)
    async with open_shared(layout.registry(), service="test", needs=NEEDS, is_single_process=True) as shared:
        registry, crawler = RegistryApp(layout.registry(), shared), CrawlerApp(layout.crawler(), shared)
        server = TestServer(served_application(shared, registry, crawler, service="test"), host="127.0.0.1")
        await registry.start()
        await crawler.start()
        await server.start_server()
        url = f"http://127.0.0.1:{server.port}"
        async with DemoApi(Addresses(url, url, url)) as api:
            token, state = layout.operator_token.read_text().strip(), DemoState()
            subject = Subject(api, state)
            await subject.create(token)
            await show_control(api, site, token)
            request = portraits_request(state.subject_id, site, datetime.now(UTC))
            await subject.grant(PORTRAITS_GRANT, request, token)
            await api.need("POST", f"{url}/v1/crawls", token=token)
            apps = {
                "geofence": GeofenceApp(layout.geofence(), shared),
                "consent": ConsentApp(layout.consent(), shared),
                "embedder": EmbedderApp(layout.embedder(), shared),
                "indexer": IndexerApp(layout.indexer(), shared),
            }
            yield Bench(shared, layout, api, subject, site, {name: app.processor for name, app in apps.items()})
        await server.close()
        await crawler.stop()
        await registry.stop()
    await site.stop()


STAGES = (
    ("geofence", Topic.IMAGES_SCRAPED),
    ("consent", Topic.IMAGES_LOCATED),
    ("embedder", Topic.IMAGES_CLEARED),
    ("indexer", Topic.FACES_EMBEDDED),
)


def events_of(outcome: Outcome) -> Sequence[ToldEvent]:
    return () if isinstance(outcome, Ignore) else outcome.events


def names(events: Sequence[ToldEvent]) -> list[tuple[str, str, str]]:
    """What must be the same when the same is done again; times and nonces differ."""
    return [(event.id, event.data.type, event.data.key()) for event in events]


async def test_the_same_event_twice_gives_the_same_events_and_the_same_vectors(bench: Bench) -> None:
    for stage, topic in STAGES:
        first = await bench.run(stage, topic, commits=False)
        again = await bench.run(stage, topic, commits=False)
        # The second pass reads every input once; the duplicates it appended are read by the next stage.
        assert names(again)[: len(first)] == names(first), stage
        assert {name for name, _, _ in names(again)} == {name for name, _, _ in names(first)}, stage
    assert await bench.vectors() == PHOTOS


async def test_a_crash_between_emit_and_commit_loses_and_doubles_nothing(bench: Bench) -> None:
    """Each stage dies once after it wrote and before it committed, and does it all again."""
    for stage, topic in STAGES:
        await bench.run(stage, topic, commits=False)
        await bench.run(stage, topic)
    assert await bench.vectors() == PHOTOS
    assert await bench.records(Topic.IMAGES_REFUSED) == []
    assert not [path for path in (bench.layout.data / "blobs" / "quarantine").rglob("*") if path.is_file()]


async def test_a_redelivery_after_the_end_refuses_nothing_that_was_embedded(bench: Bench) -> None:
    """After a rebalance the new owner may read what was done: the originals are gone by then."""
    for stage, topic in STAGES:
        await bench.run(stage, topic)
    assert await bench.run("embedder", Topic.IMAGES_CLEARED) == []
    await bench.run("indexer", Topic.FACES_EMBEDDED)
    assert await bench.vectors() == PHOTOS


async def test_what_comes_again_and_passes_keeps_the_original_that_an_abandoned_batch_would_have_ended(bench: Bench) -> None:
    """Refused in a batch whose commit failed; then somebody says yes to it, and it comes again."""
    for held in bench.subject.held():
        await bench.subject.withdraw(held)
    assert len(await bench.run("geofence", Topic.IMAGES_SCRAPED, commits=False)) == PHOTOS
    token, other = bench.layout.operator_token.read_text().strip(), Subject(bench.api, DemoState())
    await other.create(token)
    await other.grant(PORTRAITS_GRANT, portraits_request(other.subject_id, bench.site, datetime.now(UTC)), token)
    for stage, topic in STAGES:
        await bench.run(stage, topic)
    assert await bench.vectors() == PHOTOS


class Slow:
    """The real geofence, whose first record takes as long as the test says."""

    name = "geofence"
    topics = (Topic.IMAGES_SCRAPED,)

    def __init__(self, inner: Processor) -> None:
        self._inner = inner
        self.entered, self.go_on = asyncio.Event(), asyncio.Event()

    async def handle(self, event: Event[EventPayload], record: StoredRecord) -> Outcome:
        self.entered.set()
        await self.go_on.wait()
        return await self._inner.handle(event, record)


async def test_a_stop_gives_the_batch_in_hand_the_seconds_of_the_service_s_setting(bench: Bench) -> None:
    slow = Slow(bench.stages["geofence"])
    service = RunnerService(slow, bench.shared, settings=RunnerSettings(drain_deadline_s=0.01), drain_deadline_s=30.0)
    await service.start()
    await slow.entered.wait()
    stopping = asyncio.create_task(service.stop())
    await asyncio.wait({stopping}, timeout=0.3)
    slow.go_on.set()
    await stopping
    assert sum((await bench.shared.log.committed("geofence", [Topic.IMAGES_SCRAPED.value])).values()) == PHOTOS


async def scraped_with(bench: Bench, data: bytes) -> tuple[Event[EventPayload], StoredRecord]:
    """One of the crawler's records, as it would be had it found these bytes instead."""
    (first, *_) = await bench.records(Topic.IMAGES_SCRAPED)
    event = decode(first)
    assert isinstance(event.data, ImageScraped)
    was, ids = event.data.sighting, bench.shared.identifiers
    image_id = ids.image_id(data)
    sighting_id = ids.sighting_id(final_url=was.final_url, image_id=image_id, producer=was.producer)
    blob = await bench.shared.quarantine.put(sighting_id, data)
    digest = hashlib.sha256(data).hexdigest()
    now = {"image_id": image_id, "sighting_id": sighting_id, "blob": blob, "sha256": digest, "size_bytes": len(data)}
    changed = replace(event, id=f"{event.id}-changed", data=ImageScraped(sighting=was.model_copy(update=now)))
    await bench.shared.log.append([sign_record(encode(changed), bench.shared.keys.producer_signing_key(CRAWLER))])
    (record,) = [record for record in await bench.records(Topic.IMAGES_SCRAPED) if decode(record).id == changed.id]
    return changed, record


async def test_a_signed_position_counts_as_signed_under_the_authorities_of_the_operator_s_file(bench: Bench, tmp_path: Path) -> None:
    own = certificate(key(2), key(2), subject="camera", issuer="camera", valid_until=datetime(2100, 1, 1, tzinfo=UTC))
    authority = tmp_path / "signers.pem"
    authority.write_bytes(own.public_bytes(Encoding.PEM))
    event, record = await scraped_with(bench, signed(camera=Camera(chain=(own,))))
    told: list[tuple[set[str], tuple[str, ...]]] = []
    for signers_file in (authority, None):
        settings = bench.layout.geofence().model_copy(update={"signers_file": signers_file})
        geofence = GeofenceApp(settings, bench.shared).processor
        assert isinstance(geofence, BeforeBatch)
        await geofence.before_batch()
        (answer,) = events_of(await geofence.handle(event, record))
        assert isinstance(answer.data, ImageLocated)
        (finding,) = answer.data.findings
        told.append(({item.kind.value for item in finding.evidence}, answer.data.datasets))
    assert told[0][0] - told[1][0] == {"signed_gps"}
    assert told[1][0] - told[0][0] == {"exif_gps"}
    assert set(told[0][1]) - set(told[1][1]) == {Signers.from_pem(authority.read_bytes()).version}


@pytest.mark.parametrize(("content", "said"), [(None, "cannot be read"), (b"no certificate", "BEGIN CERTIFICATE")])
async def test_a_file_of_authorities_that_cannot_be_used_ends_the_start_in_one_line(
    bench: Bench, tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "signers.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StartError) as raised:
        GeofenceApp(bench.layout.geofence().model_copy(update={"signers_file": path}), bench.shared)
    line = start_error_line(raised.value)
    assert said in line
    assert str(path) in line
    assert "\n" not in line


@pytest.mark.parametrize("after", [name for name, _ in STAGES[:3]])
async def test_a_withdrawal_between_two_stages_ends_what_is_on_its_way(bench: Bench, after: str) -> None:
    """Whatever stood before the withdrawal, the next stage refuses, and no vector comes of it."""
    done = [name for name, _ in STAGES].index(after) + 1
    for stage, topic in STAGES[:done]:
        await bench.run(stage, topic)
    for held in bench.subject.held():
        await bench.subject.withdraw(held)
    for stage, topic in STAGES[done:]:
        await bench.run(stage, topic)
    assert await bench.vectors() == 0
    refused = [decode(record).data for record in await bench.records(Topic.IMAGES_REFUSED)]
    rules = {rule for data in refused if isinstance(data, ImageRefused) for rule in data.rules}
    assert rules == {"grant_withdrawn"}
    assert len({data.sighting_id for data in refused if isinstance(data, ImageRefused)}) == PHOTOS


@pytest.mark.parametrize("after", ["", *[name for name, _ in STAGES[:2]]])
async def test_a_suppression_stops_what_is_on_its_way_to_the_embedder(bench: Bench, after: str) -> None:
    """Checked before the fetch and again before the face is looked for: the grant is live, and these bytes must not come back."""
    done = [name for name, _ in STAGES].index(after) + 1 if after else 0
    for stage, topic in STAGES[:done]:
        await bench.run(stage, topic)
    for record in await bench.records(Topic.IMAGES_SCRAPED):
        scraped = decode(record).data
        assert isinstance(scraped, ImageScraped)
        key = bench.shared.identifiers.suppression_key(scraped.sighting.sha256)
        asked = SuppressionAdded(suppression_key=key, added_at=bench.shared.clock.now())
        await bench.shared.log.append([encode(Event(event_id(key), "/test", asked.added_at, asked))])
    for stage, topic in STAGES[done:]:
        await bench.run(stage, topic)
    assert await bench.vectors() == 0
    refused = [decode(record).data for record in await bench.records(Topic.IMAGES_REFUSED)]
    assert [data.rules for data in refused if isinstance(data, ImageRefused)] == [("suppressed",)] * PHOTOS
    assert not [path for area in ("quarantine", "grants") for path in (bench.layout.data / "blobs" / area).rglob("*") if path.is_file()]


@pytest.mark.parametrize("before", ["geofence", "embedder"])
async def test_an_original_that_is_gone_is_refused_by_its_rule(bench: Bench, before: str) -> None:
    """Quarantine was swept before a stage came to read the picture."""
    for stage, topic in STAGES[:3]:
        if stage == before:
            for record in await bench.records(Topic.IMAGES_SCRAPED):
                scraped = decode(record).data
                assert isinstance(scraped, ImageScraped)
                await bench.shared.quarantine.delete(scraped.sighting.sighting_id)
        await bench.run(stage, topic)
    refused = [decode(record).data for record in await bench.records(Topic.IMAGES_REFUSED)]
    assert [data.rules for data in refused if isinstance(data, ImageRefused)] == [("quarantine_expired",)] * PHOTOS
    assert await bench.records(Topic.FACES_EMBEDDED) == []


async def test_bytes_that_went_between_the_answer_and_their_turn_are_told_of_and_taken_when_they_are_offered_anew(bench: Bench) -> None:
    """An outside producer's bytes lie under their digest: an earlier sighting of the same bytes may end while the next one waits."""
    image, now, producer = portrait(Look(side=400)), datetime.now(UTC), OutsideProducer(bench.api)
    digest, token = hashlib.sha256(image).hexdigest(), bench.layout.operator_token.read_text().strip()
    sources: list[JsonObject] = [{"kind": "asset_sha256", "value": digest}]
    asked = fixture_grant(bench.subject.subject_id, sources, binding={"mode": "single_face"}, now=now)
    await bench.subject.grant("handed in", asked, token)
    await producer.register(token)
    outcomes = f"{bench.api.addresses.registry}/v1/outcomes"

    async def is_told() -> bool:
        told = (await bench.api.need("GET", outcomes, token=producer.token))["outcomes"]
        return [row["outcome"] for row in told] == ["unreadable_image"]

    await producer.offer(image, now=now)
    await bench.shared.quarantine.discard(
        f"intake/{NAME}/{digest}", producer=ProducerId(NAME), sighting_id=SightingId("of the earlier sighting")
    )
    await bench.run("geofence", Topic.IMAGES_SCRAPED)
    await until(is_told)
    await producer.offer(image, now=now)
    for stage, topic in STAGES:
        await bench.run(stage, topic)
    assert await bench.vectors() == PHOTOS + 1


async def test_an_original_that_cannot_be_deleted_is_told_by_its_age_and_keeps_nobody_else_s(bench: Bench) -> None:
    """The first one that the sweep comes to is locked in the object store; an outside producer's would come after it."""
    service = LoopbackS3()
    server = TestServer(service.application(), host="127.0.0.1")
    await server.start_server()
    options = {"endpoint": f"http://127.0.0.1:{server.port}", "region": "test", "client_options": {"allow_http": True}}
    credentials = {"access_key_id": "test", "secret_access_key": "test"}
    quarantine = Quarantine(open_blob_store("s3://bucket", s3_options=options | credentials), DataKey(bytes(32)))
    await quarantine.put(SightingId("locked"), b"x")
    await quarantine.put_intake(ProducerId(NAME), hashlib.sha256(b"x").hexdigest(), b"x")
    long_ago = datetime.now(UTC) - timedelta(hours=3)
    service.objects = {key: (data, long_ago) for key, (data, _) in service.objects.items()}
    service.locked = {"quarantine/locked"}
    crawler = CrawlerApp(bench.layout.crawler(), replace(bench.shared, quarantine=quarantine))
    await crawler.start()

    def oldest_s() -> float:
        return bench.shared.metrics.registry.get_sample_value("assent_quarantine_oldest_age_seconds") or 0.0

    await until(lambda: service.objects.keys() == service.locked)
    await until(lambda: oldest_s() > 7200)
    await crawler.stop()
    await server.close()


async def test_storing_taken_away_before_the_write_leaves_neither_vector_nor_picture(bench: Bench) -> None:
    """The grant goes on, so nothing that ends a grant would ever delete the pictures that the embedder had put there."""
    for stage, topic in STAGES[:3]:
        await bench.run(stage, topic)
    (held,) = bench.subject.held()
    grant = GrantId(held.grant_id)
    assert len(await bench.shared.derivatives.list_grant(grant)) == PHOTOS
    taken = {"grant_secret": held.secret, "expected_revision": 2, "operations": ["store"]}
    await bench.api.need("POST", f"{bench.api.addresses.registry}/v1/grants/{grant}/narrow", json=taken)
    await bench.run("indexer", Topic.FACES_EMBEDDED)
    assert await bench.vectors() == 0
    assert await bench.shared.derivatives.list_grant(grant) == []


async def test_a_withdrawal_during_the_write_takes_the_vector_back(bench: Bench) -> None:
    """Between handling and the commit: the indexer catches up after its write and deletes by id."""
    for stage, topic in STAGES[:3]:
        await bench.run(stage, topic)
    indexer = bench.stages["indexer"]
    assert isinstance(indexer, BeforeBatch)
    assert isinstance(indexer, AfterBatch)
    await indexer.before_batch()
    taken = []
    for record in await bench.records(Topic.FACES_EMBEDDED):
        taken.append(decode(record))
        await indexer.handle(taken[-1], record)
    for held in bench.subject.held():
        await bench.subject.withdraw(held)
    await indexer.after_batch(taken)
    assert await bench.vectors() == 0
    assert bench.shared.metrics.registry.get_sample_value("assent_vector_writes_overtaken_total") == PHOTOS


async def test_a_suppression_during_the_write_takes_vector_and_picture_back(bench: Bench) -> None:
    """The grants go on, so no erasure ever comes for the pictures, and without its vector no sweep would find one."""
    for stage, topic in STAGES[:3]:
        await bench.run(stage, topic)
    indexer = indexer_over(bench, bench.shared.vectors)
    await indexer.before_batch()
    for record in await bench.records(Topic.FACES_EMBEDDED):
        face = decode(record).data
        assert isinstance(face, FaceEmbedded)
        await indexer.handle(decode(record), record)
        asked = SuppressionAdded(suppression_key=face.image_id, added_at=bench.shared.clock.now(), image_id=face.image_id)
        await bench.shared.log.append([encode(Event(event_id(face.image_id), "/test", asked.added_at, asked))])
    assert (await bench.vectors(), len(pictures(bench))) == (0, PHOTOS)
    await indexer.after_batch([])
    assert (await bench.vectors(), pictures(bench)) == (0, [])


def pictures(bench: Bench) -> list[Path]:
    return [path for path in (bench.layout.data / "blobs" / "grants").rglob("*") if path.is_file()]


class PausedStore:
    """The real store; its writes wait until the test lets them through, as those of a process that is stopped do."""

    def __init__(self, inner: VectorStore) -> None:
        self._inner = inner
        self.is_asked, self.may_go_on = asyncio.Event(), asyncio.Event()
        self.written = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def upsert(self, points: Sequence[FacePoint]) -> None:
        self.is_asked.set()
        await self.may_go_on.wait()
        await self._inner.upsert(points)
        self.written += len(points)


def indexer_over(bench: Bench, store: VectorStore, *, tables: DecisionTables | None = None) -> FaceIndexer:
    shared = bench.shared
    return FaceIndexer(
        gate=shared.gate,
        tables=tables or shared.tables,
        store=store,
        derivatives=shared.derivatives,
        grant_keys=shared.grant_keys,
        model_digest=shared.model_digest,
        metrics=shared.metrics,
        catch_up_timeout_s=5.0,
    )


class Tables:
    """The real tables, which cannot be caught up while the test says so."""

    def __init__(self, inner: DecisionTables) -> None:
        self._inner = inner
        self.is_stale = False

    async def catch_up(self, timeout_s: float) -> None:
        if self.is_stale:
            raise TableStaleError("the log does not say where it ends")
        await self._inner.catch_up(timeout_s)


async def test_a_second_look_that_failed_is_made_up_for_before_the_next_batch(bench: Bench) -> None:
    """The record comes back and is refused; what it wrote the first time must not stay until a sweep."""
    for stage, topic in STAGES[:3]:
        await bench.run(stage, topic)
    tables = Tables(bench.shared.tables)
    indexer = indexer_over(bench, bench.shared.vectors, tables=cast(DecisionTables, tables))
    await indexer.before_batch()
    for record in await bench.records(Topic.FACES_EMBEDDED):
        await indexer.handle(decode(record), record)
    for held in bench.subject.held():
        await bench.subject.withdraw(held)
    await bench.shared.tables.catch_up(5.0)
    tables.is_stale = True
    with pytest.raises(TableStaleError):
        await indexer.after_batch([])
    assert await bench.vectors() == PHOTOS
    tables.is_stale = False
    await indexer.before_batch()
    assert await bench.vectors() == 0


async def test_an_indexer_that_comes_back_after_the_erasure_leaves_no_vector(bench: Bench) -> None:
    """It was paused in its write; another took its partitions, she withdrew, everything was deleted; then it goes on writing."""
    for stage, topic in STAGES[:3]:
        await bench.run(stage, topic)
    log, store, grants = bench.shared.log, bench.shared.vectors, bench.subject.held()
    paused, seen = PausedStore(store), Seen()
    settings = RunnerSettings(poll_s=0.05, drain_deadline_s=0.1, watch_every_s=0.1)

    def member(name: str, over: VectorStore) -> Runner:
        return Runner(log, indexer_over(bench, over), member=name, clock=bench.shared.clock, observer=seen, settings=settings)

    zombie = member("m", cast(VectorStore, paused))
    running = asyncio.create_task(zombie.run())
    await paused.is_asked.wait()
    # Of two members the first by name has the lower half of the partitions: the new one is to get hers.
    (partition,) = {record.partition for record in await bench.records(Topic.FACES_EMBEDDED)}
    owner = member("a" if partition < TOPICS[Topic.FACES_EMBEDDED].partitions // 2 else "z", store)
    owning = asyncio.create_task(owner.run())

    async def is_indexed() -> bool:
        done = await log.committed("indexer", [Topic.FACES_EMBEDDED.value])
        return await bench.vectors() == PHOTOS and done == await log.end_offsets([Topic.FACES_EMBEDDED.value])

    await until(is_indexed)
    for held in grants:
        await bench.subject.withdraw(held)
        await store.delete(await store.ids_of_grant(GrantId(held.grant_id)))
    assert await bench.vectors() == 0
    assert paused.written == 0
    paused.may_go_on.set()
    await until(lambda: seen.failed_commits == 1)
    assert paused.written == PHOTOS
    assert await bench.vectors() == 0
    assert bench.shared.metrics.registry.get_sample_value("assent_vector_writes_overtaken_total") == PHOTOS
    for runner in (zombie, owner):
        runner.stop()
    await asyncio.gather(running, owning)
