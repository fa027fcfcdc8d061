"""Registry and crawler as they run, and the four processors between them to be called by hand, stage by stage."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiohttp.test_utils import TestServer

from assent.deployment.build import open_shared
from assent.deployment.process import served_application
from assent.deployment.shared import Shared
from assent.events.envelope import Event, decode, encode
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.stream.outcomes import Ignore, Outcome, ToldEvent
from assent.stream.processor import AfterBatch, AfterCommit, BeforeBatch, Processor
from assent.testing.face_pack import lend_pack
from demo.api import Addresses, DemoApi
from demo.command import demo_layout
from demo.control import show_control
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
from services.registry.app import RegistryApp

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


@asynccontextmanager
async def opened_bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Three photos were crawled under her grant, and nothing has looked at them yet."""
    site = DemoSite()
    site.photos = {path: photo for path, photo in site.photos.items() if path in {f"{PORTRAITS}{number}.jpg" for number in (1, 2, 3)}}
    await site.start()
    layout = demo_layout(tmp_path, site)
    lend_pack(layout.model)
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
