"""The whole product in one process, a hostile site and people with grants, for tests that attack it; it defends nothing by itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from assent.deployment.shared import Shared
from assent.events.envelope import Event, decode, encode
from assent.events.images import ImageRefused
from assent.events.payload import EventPayload
from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic
from assent.ids import GrantId, Jurisdiction
from assent.telemetry import metrics as declared
from assent.testing.face_pack import lend_pack
from demo import photos
from demo.command import demo_layout
from demo.control import show_control
from demo.embedded_world import EmbeddedWorld, Opener
from demo.producer import NAME, OutsideProducer
from demo.settled import settled
from demo.site import DemoSite
from demo.subject import Subject
from embedded.system import open_system
from tests.flow.registry_house import GrantHouse

NOBODYS_GRANT = "01900000-0000-7000-8000-000000000000"
CA_BC = Jurisdiction("CA-BC")
STRANGER, MONTREAL = photos.stranger(), photos.portrait(photos.Look(side=400), place=photos.MONTREAL)
PORTRAIT = photos.portrait(place=photos.VANCOUVER)


class HostileSite(DemoSite):
    """Serves what a test puts there, by the path as it was asked for; everything else is not found."""

    def __init__(self) -> None:
        super().__init__()
        self.photos = {}
        self.answers: dict[str, Callable[[web.Request], web.Response]] = {}
        self.control_answer: Callable[[web.Request], web.Response] | None = None

    def page(self, path: str, html: str) -> None:
        self.answers[path] = lambda request: web.Response(text=f"<html><head></head><body>{html}</body></html>", content_type="text/html")

    def picture(self, path: str, data: bytes = PORTRAIT, **headers: str) -> None:
        self.answers[path] = lambda request: web.Response(body=data, content_type="image/jpeg", headers=headers)

    def moved(self, path: str, target: str) -> None:
        self.answers[path] = lambda request: web.Response(status=302, headers={"Location": target})

    async def _control(self, request: web.Request) -> web.Response:
        return await super()._control(request) if self.control_answer is None else self.control_answer(request)

    async def _serve(self, request: web.Request) -> web.Response:
        asked = f"{request.host.split(':')[0]}{request.raw_path}"
        self.requests[asked] += 1
        found = self.answers.get(asked) or self.answers.get(request.raw_path)
        if found is None:
            raise web.HTTPNotFound(text="nothing")
        return found(request)


@dataclass(slots=True)
class Victim:
    """Somebody with a folder of her own on the site and one grant over it."""

    person: Subject
    folder: str
    secret: str

    @property
    def grant_id(self) -> GrantId:
        return GrantId(self.person.grant_ids[0])


@dataclass(slots=True)
class Field:
    """Where it is fought: the whole product in one process, a site, and a client without a name."""

    house: GrantHouse
    site: HostileSite
    http: aiohttp.ClientSession
    data: Path
    count: int = 0
    producers: dict[str, OutsideProducer] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.house.registry

    async def victim(self, **source: Any) -> Victim:
        """A new person; without a source of her own, with the statement that only she is in her folder."""
        self.count += 1
        folder, person = f"/her{self.count}/", await self.house.person()
        named = {"kind": "url_prefix", "value": f"{self.site.origin}{folder}", "only_me": True} | source
        await person.grant("it", self.house.request(person, [named]), self.house.token)
        return Victim(person, folder, person.held()[0].secret)

    async def pictured(self) -> tuple[Victim, str]:
        """Somebody of whom one face is held, and its id."""
        victim = await self.victim()
        self.site.page(victim.folder, f'<img src="{victim.folder}1.jpg">')
        self.site.picture(f"{victim.folder}1.jpg", photos.portrait(photos.Look(quality=60 + self.count), place=photos.VANCOUVER))
        await self.house.crawl()
        (face_id,) = await self.house.world.store.ids_of_grant(victim.grant_id)
        return victim, face_id

    async def producer(self) -> OutsideProducer:
        if NAME not in self.producers:
            self.producers[NAME] = OutsideProducer(self.house.api)
            await self.producers[NAME].register(self.house.token)
        return self.producers[NAME]

    async def ask(self, method: str, path: str, *, token: str | None = None, **options: Any) -> tuple[int, Any]:
        """Status and body; the path goes out as it is written."""
        headers = options.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        url = URL(f"{self.url}{path}", encoded=True)
        async with self.http.request(method, url, headers=headers, allow_redirects=False, **options) as answer:
            text = await answer.text(errors="replace")
            return answer.status, json.loads(text) if text and answer.content_type == "application/json" else text

    async def held(self, grant_id: GrantId) -> list[str]:
        return list(await self.house.world.store.ids_of_grant(grant_id))

    async def records(self, *topics: str) -> list[StoredRecord]:
        """Everything that lies on these topics."""
        log = self.house.world.log
        tail, found = await log.tail(list(topics)), list[StoredRecord]()
        missing = sum((await log.end_offsets(list(topics))).values())
        while len(found) < missing and (some := await tail.poll(timeout_s=2.0)):
            found.extend(some)
        await tail.close()
        return found

    async def dead(self, topic: Topic) -> list[str]:
        """The causes of dead letters of a topic."""
        return [json.loads(record.value or b"{}")["cause"] for record in await self.records(topic.dead_letters)]

    async def rules(self, grant_id: GrantId | None, sighting_id: str | None = None) -> set[str]:
        found = [decode(record).data for record in await self.records(Topic.IMAGES_REFUSED.value)]
        mine = [data for data in found if isinstance(data, ImageRefused) and data.grant_id == grant_id]
        return {rule for data in mine if sighting_id in (None, data.sighting_id) for rule in data.rules}

    async def append(self, *data: EventPayload) -> None:
        """Put on the log by somebody who may write to it and has no key of ours."""
        now = datetime.now(UTC)
        await self.put(*[encode(Event(os.urandom(16).hex(), "/forger", now, item)) for item in data])

    async def put(self, *records: Record) -> None:
        """Put on the log as they are; every stage and every table has read them."""
        await self.house.world.log.append(list(records))
        await settled(self.house.world.log)
        await self.shared.tables.catch_up(10)

    @property
    def shared(self) -> Shared:
        return self.house.world.system.shared

    def unreadable(self, topic: Topic) -> float:
        """How many records of a table were counted as unreadable or not signed."""
        return self.shared.metrics.value(declared.TABLE_UNREADABLE, table=topic.value) or 0.0


@asynccontextmanager
async def attacked(folder: Path, *, opener: Opener = open_system, **indexer: Any) -> AsyncIterator[Field]:
    """The product over this folder; `indexer` are settings of that service."""
    site = HostileSite()
    await site.start()
    layout = demo_layout(folder, site)
    # What robots.txt says is asked for anew in every round.
    layout.changes["crawler"]["site_rules_s"] = 0.001
    layout.changes["indexer"] |= indexer
    layout.common["traces_file"] = traces_of(folder)
    lend_pack(layout.model)
    world = EmbeddedWorld(layout, host="127.0.0.1", port=0, progress=lambda _: None, opener=opener)
    try:
        await world.start()
        await show_control(world.api, site, world.operator_token)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            yield Field(GrantHouse(world, site), site, http, folder)
    finally:
        await world.stop()
        await site.stop()


def traces_of(folder: Path) -> Path:
    """The file of spans, beside the folder of the product."""
    return folder.with_name(f"{folder.name}-traces.jsonl")


async def minted(field_of: Field, **wanted: Any) -> str:
    body = {"name": "somebody", "lifetime_s": 600} | wanted
    return str((await field_of.house.api.need("POST", f"{field_of.url}/v1/tokens", token=field_of.house.token, json=body))["token"])


def without_id(answer: tuple[int, Any]) -> str:
    """Status and body without what is different for every request."""
    status, body = answer
    return f"{status} {json.dumps({key: value for key, value in body.items() if key != 'request_id'} if isinstance(body, dict) else body)}"


async def raw(field_of: Field, request: bytes, *, timeout_s: float = 10.0) -> tuple[int, bytes]:
    """Status and everything that was answered to these very bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(field_of.url.rpartition(":")[2]))
    try:
        writer.write(request)
        await writer.drain()
        answer = await asyncio.wait_for(reader.read(), timeout_s)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return int(answer.split(b" ", 2)[1]), answer
