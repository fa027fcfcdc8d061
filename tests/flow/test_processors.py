"""Every processor: the same event twice, a crash between emit and commit, a redelivery after the end; real parts, no runner."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from assent.deciding.gate import Gate
from assent.deciding.recorded import recorded_decisions
from assent.deciding.replay import replay
from assent.deciding.tables import DecisionTables
from assent.deployment.start_errors import StartError, start_error_line
from assent.events.envelope import Event, decode, encode, event_id
from assent.events.faces import FaceEmbedded
from assent.events.grants import SuppressionAdded
from assent.events.images import ImageLocated, ImageRefused, ImageScraped
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.events.topics import TOPICS, Topic
from assent.geofence.signers import Signers
from assent.ids import GrantId
from assent.intake.producers import CRAWLER
from assent.intake.signature import sign_record
from assent.keys.identifiers import ImageIds
from assent.stream.outcomes import ToldEvent
from assent.stream.processor import AfterBatch, BeforeBatch
from assent.stream.runner import Runner, RunnerSettings
from assent.stream.table import TableStaleError
from assent.testing.fake_clock import FakeClock
from assent.vectors.store import FacePoint, VectorStore
from services.geofence.app import GeofenceApp
from services.indexer.processor import FaceIndexer
from services.indexer.sweeper import Sweeper
from services.indexer.unwanted_faces import UnwantedFaces
from tests.flow.processor_bench import PHOTOS, STAGES, Bench, events_of, opened_bench
from tests.integration.stream_workbench import Seen, until
from tests.unit.c2pa_examples import Camera, certificate, key, signed
from tests.unit.policy_examples import policy_with, shipped
from tests.unit.rule_tables import least_basis

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened_bench(tmp_path) as made:
        yield made


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


async def shown_on(bench: Bench, page_url: str | None) -> ToldEvent:
    """What the geofence tells of one of the crawler's records, as it would be had this page shown the picture."""
    (first, *_) = await bench.records(Topic.IMAGES_SCRAPED)
    event = decode(first)
    assert isinstance(event.data, ImageScraped)
    sighting = event.data.sighting.model_copy(update={"page_url": page_url})
    changed = replace(event, id=f"{event.id}-{page_url}", data=ImageScraped(sighting=sighting))
    await bench.shared.log.append([sign_record(encode(changed), bench.shared.keys.producer_signing_key(CRAWLER))])
    (record,) = [record for record in await bench.records(Topic.IMAGES_SCRAPED) if decode(record).id == changed.id]
    geofence = bench.stages["geofence"]
    assert isinstance(geofence, BeforeBatch)
    await geofence.before_batch()
    (told,) = events_of(await geofence.handle(changed, record))
    return told


@pytest.mark.parametrize(
    ("page", "place", "rule"),
    [
        pytest.param("https://www.ville.montreal.qc.ca/ada/", "CA-QC", "QC-3", id="province"),
        pytest.param("https://ada.example.fr/", "FR", "EU-10", id="country"),
        pytest.param("https://[ada.example.fr/", "UNKNOWN", "X-1", id="unreadable"),
    ],
)
async def test_the_page_that_shows_a_picture_tells_where_it_is_published(bench: Bench, page: str, place: str, rule: str) -> None:
    assert isinstance((await shown_on(bench, None)).data, ImageLocated)
    refused = await shown_on(bench, page)
    assert isinstance(refused, Event)
    assert isinstance(refused.data, ImageRefused)
    assert place in refused.data.candidates
    assert rule in refused.data.rules
    (decision,) = recorded_decisions(refused)
    assert replay(decision, shipped()).is_same(decision)


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


def later_gate(bench: Bench, days: float, **entries: dict[str, Any]) -> Gate:
    """The gate so many days later, under the shipped policy with these entries changed."""
    fold = bench.shared.tables.fold
    fold.policy = policy_with(**entries)
    return Gate(fold, FakeClock(datetime.now(UTC) + timedelta(days=days)), ImageIds(bench.shared.keys))


TEN_DAYS = {"consent": {"last_interaction_cap_days": 10}}


async def test_what_nobody_was_heard_of_for_too_long_is_swept_out_of_both_stores_though_its_grant_goes_on(bench: Bench) -> None:
    for stage, topic in STAGES:
        await bench.run(stage, topic)
    (held,) = bench.subject.held()
    grant, shared = GrantId(held.grant_id), bench.shared
    for days, left in ((9.5, PHOTOS), (10.5, 0)):
        gate = later_gate(bench, days, CA_BC=TEN_DAYS)
        sweeper = Sweeper(
            store=shared.vectors,
            tables=shared.tables,
            gate=gate,
            unwanted=UnwantedFaces(store=shared.vectors, derivatives=shared.derivatives),
            clock=FakeClock(gate.now),
            erase_grace_s=300,
            catch_up_timeout_s=5.0,
        )
        await sweeper.sweep()
        assert gate.live(grant) is not None
        assert (await bench.vectors(), len(await shared.derivatives.list_grant(grant))) == (left, left)


@pytest.mark.parametrize(
    ("place", "rule"),
    [("CA_BC", "IL-1"), ("US_TX", "retention_over")],
    ids=["where she lives", "where the picture is not"],
)
async def test_what_nobody_was_heard_of_for_too_long_is_not_written(bench: Bench, place: str, rule: str) -> None:
    for stage, topic in STAGES[:3]:
        await bench.run(stage, topic)
    ledger = bench.shared.tables.ledger
    known = ledger.grant(GrantId(bench.subject.held()[0].grant_id))
    assert known is not None
    ledger.apply_grant(known.model_copy(update={"revision": known.revision + 1, "legal": (*known.legal, least_basis("US-TX"))}))
    indexer = indexer_over(bench, bench.shared.vectors, gate=later_gate(bench, 10.5, **{place: TEN_DAYS}))
    refused: list[ToldEvent] = []
    for record in await bench.records(Topic.FACES_EMBEDDED):
        refused += events_of(await indexer.handle(decode(record), record))
    assert [event.data.rules for event in refused if isinstance(event.data, ImageRefused)] == [(rule,)] * PHOTOS
    await indexer.after_batch([])
    assert (await bench.vectors(), pictures(bench)) == (0, [])


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


def indexer_over(bench: Bench, store: VectorStore, *, tables: DecisionTables | None = None, gate: Gate | None = None) -> FaceIndexer:
    shared = bench.shared
    return FaceIndexer(
        gate=gate or shared.gate,
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
