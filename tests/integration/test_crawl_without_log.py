"""The log is away while the crawler is at work: it asks the site for nothing more, stops in time, and loses nothing it acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from assent.deployment.build import open_shared
from assent.deployment.process import served_application
from assent.deployment.shared import Shared
from assent.events.envelope import decode
from assent.events.images import ImageScraped
from assent.events.topics import Topic
from assent.testing.face_pack import lend_pack
from assent.testing.kafka_broker import ApacheKafka
from demo import photos
from demo.api import Addresses, DemoApi
from demo.command import demo_layout
from demo.control import show_control
from demo.site import PORTRAITS, DemoSite, Photo
from demo.state import DemoState
from demo.subject import PORTRAITS_GRANT, Subject, portraits_request
from embedded.layout import EmbeddedLayout
from embedded.system import NEEDS
from services.crawler.app import CrawlerApp
from services.registry.app import RegistryApp
from tests.integration.stream_workbench import until, written
from tools.outside_programs import find_kafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]
PHOTOS = 12
CATCH_UP_S = 2.0
DRAIN_S = 3.0


@dataclass(slots=True)
class Ground:
    """A broker, a site that may be crawled, and what a crawler is built from."""

    broker: ApacheKafka
    site: DemoSite
    layout: EmbeddedLayout
    shared: Shared

    def crawler(self) -> CrawlerApp:
        return CrawlerApp(self.layout.crawler(), self.shared)

    async def scraped(self) -> list[str]:
        """The sighting of every image on the log."""
        found = [decode(record).data for record in await written(self.shared.log, Topic.IMAGES_SCRAPED.value)]
        return [data.sighting.sighting_id for data in found if isinstance(data, ImageScraped)]


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    jars = find_kafka()
    assert jars is not None
    site, portrait = DemoSite(), photos.portrait()
    pages = [f"{PORTRAITS}{number}.jpg" for number in range(1, PHOTOS + 1)]
    # The same face each time, never the same bytes.
    site.photos = {path: Photo(path, portrait + bytes(number)) for number, path in enumerate(pages)}
    await site.start()
    async with ApacheKafka(jars) as broker:
        plain = demo_layout(tmp_path, site)
        told = {"log_url": f"kafka://{broker.bootstrap_servers}", "catch_up_timeout_s": CATCH_UP_S, "drain_deadline_s": DRAIN_S}
        crawler = {"host_delay_s": 0.2, "recrawl_s": 3_600.0}
        layout = replace(plain, common={**plain.common, **told}, changes={**plain.changes, "crawler": crawler})
        lend_pack(layout.model)
        async with open_shared(layout.registry(), service="test", needs=NEEDS, is_single_process=True) as shared:
            registry = RegistryApp(layout.registry(), shared)
            server = TestServer(served_application(shared, registry, service="test"), host="127.0.0.1")
            await registry.start()
            await server.start_server()
            url = f"http://127.0.0.1:{server.port}"
            async with DemoApi(Addresses(url, url, url)) as api:
                token, state = layout.operator_token.read_text().strip(), DemoState()
                subject = Subject(api, state)
                await subject.create(token)
                await show_control(api, site, token)
                await subject.grant(PORTRAITS_GRANT, portraits_request(state.subject_id, site, datetime.now(UTC)), token)
                await shared.tables.catch_up(10)
                yield Ground(broker, site, layout, shared)
            await server.close()
            await registry.stop()
    await site.stop()


async def test_a_crawl_waits_for_the_log_stops_in_time_and_goes_on(ground: Ground) -> None:
    crawler = ground.crawler()
    await crawler.start()

    async def is_under_way() -> bool:
        return len(await ground.scraped()) >= 3

    await until(is_under_way, patience_s=30)
    before = await ground.scraped()
    ground.broker.pause()
    # What is in hand may end; then not one request more, however long the log is away.
    await asyncio.sleep(CATCH_UP_S + 1.0)
    asked = ground.site.requests.total()
    await asyncio.sleep(2.0)
    assert ground.site.requests.total() == asked
    assert ground.site.photos_fetched(PORTRAITS) < PHOTOS
    assert crawler.is_alive
    began = time.monotonic()
    await crawler.stop()
    assert time.monotonic() - began < DRAIN_S + 2.0
    ground.broker.resume()
    again = ground.crawler()
    await again.start()

    async def is_whole() -> bool:
        return len(set(await ground.scraped())) == PHOTOS

    await until(is_whole, patience_s=45)
    assert set(before) <= set(await ground.scraped())
    await again.stop()
