"""Originals between the processors: each goes when its sighting ends, not before, and none keeps another."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from assent.blobs.object_blob_store import open_blob_store
from assent.blobs.quarantine import Quarantine
from assent.deployment.runner_service import RunnerService
from assent.events.envelope import Event
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.ids import ProducerId, SightingId
from assent.keys.cipher import DataKey
from assent.stream.outcomes import Outcome
from assent.stream.processor import Processor
from assent.stream.runner import RunnerSettings
from assent.testing.loopback_s3 import LoopbackS3
from demo.api import JsonObject
from demo.photos import Look, portrait
from demo.producer import NAME, OutsideProducer
from demo.requests import fixture_grant
from demo.state import DemoState
from demo.subject import PORTRAITS_GRANT, Subject, portraits_request
from services.crawler.app import CrawlerApp
from tests.flow.processor_bench import PHOTOS, STAGES, Bench, opened_bench
from tests.integration.stream_workbench import until

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened_bench(tmp_path) as made:
        yield made


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

    # It crawls too: what it fetched just now stays.
    await until(lambda: not any(key.startswith("intake/") for key in service.objects))
    await until(lambda: oldest_s() > 7200)
    await crawler.stop()
    await server.close()
