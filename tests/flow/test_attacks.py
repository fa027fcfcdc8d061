"""The product attacked from outside and from inside the log: no road may lead to a vector without a yes, to a face, or to a name."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import io
import json
import logging
import os
import resource
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import structlog
from aiohttp import web
from PIL import Image
from yarl import URL

from assent.consent.asset import Asset
from assent.consent.source_rules import SourceRuleError, checked_rule, matching_rule
from assent.events.envelope import Event, decode, encode
from assent.events.faces import FaceEmbedded
from assent.events.grants import SourceKindRule, SourceRule
from assent.events.images import Clearance, GrantFinding, ImageCleared, ImageLocated, ImageRefused, ImageScraped, Sighting, SourceKind
from assent.events.payload import EventPayload
from assent.events.record import Record, StoredRecord
from assent.events.topics import TOPICS, Topic
from assent.ids import GrantId, ImageId, Jurisdiction, ProducerId, SightingId, SubjectId
from assent.intake.stage_signatures import STAGE_HEADER
from assent.telemetry.logging import configure_logging
from demo import photos
from demo.command import demo_layout
from demo.embedded_world import EmbeddedWorld
from demo.producer import NAME, OutsideProducer
from demo.settled import settled
from demo.site import DemoSite
from demo.subject import Subject
from tests.flow.registry_house import GrantHouse

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
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

    def page(self, path: str, html: str) -> None:
        self.answers[path] = lambda request: web.Response(text=f"<html><head></head><body>{html}</body></html>", content_type="text/html")

    def picture(self, path: str, data: bytes = PORTRAIT, **headers: str) -> None:
        self.answers[path] = lambda request: web.Response(body=data, content_type="image/jpeg", headers=headers)

    def moved(self, path: str, target: str) -> None:
        self.answers[path] = lambda request: web.Response(status=302, headers={"Location": target})

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
        await self.house.world.log.append([encode(Event(os.urandom(16).hex(), "/forger", now, item)) for item in data])
        await settled(self.house.world.log)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def field_of(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Field]:
    folder, site = tmp_path_factory.mktemp("attacked"), HostileSite()
    await site.start()
    layout = demo_layout(folder, site)
    # What robots.txt says is asked for anew in every round.
    layout.changes["crawler"]["site_rules_s"] = 0.001
    world = EmbeddedWorld(layout, host="127.0.0.1", port=0, progress=lambda _: None)
    try:
        await world.start()
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            yield Field(GrantHouse(world, site), site, http, folder)
    finally:
        await world.stop()
        await site.stop()


async def sighting(field_of: Field, image: bytes, *, producer: str, **changes: Any) -> Sighting:
    """A sighting of these bytes, which lie where that producer's lie; the rest is what the forger claims."""
    digest, quarantine = hashlib.sha256(image).hexdigest(), field_of.house.world.system.shared.quarantine
    sighting_id = SightingId(os.urandom(16).hex())
    if producer in ("crawler", "upload"):
        blob = await quarantine.put(sighting_id, image)
    else:
        blob = await (await field_of.producer()).hand_in(image)
    claims: dict[str, Any] = {
        "sighting_id": sighting_id,
        "image_id": field_of.house.world.identifiers.image_id(image),
        "producer": ProducerId(producer),
        "source_kind": SourceKind.WEB_PAGE,
        "blob": blob,
        "sha256": digest,
        "size_bytes": len(image),
        "media_type": "image/jpeg",
        "fetched_at": datetime.now(UTC),
    }
    return Sighting(**claims | changes)


@dataclass(frozen=True, slots=True)
class Forgery:
    """What a forged record says: whose bytes, of which producer, and what it claims of the victim."""

    image: bytes = STRANGER
    producer: str = NAME
    revision: int = 2
    grant: str | None = None
    claims: Callable[[Field, Victim], dict[str, Any]] = lambda where, victim: {"final_url": f"{where.site.origin}{victim.folder}x.jpg"}


def as_upload(where: Field, victim: Victim) -> dict[str, Any]:
    return {"source_kind": SourceKind.UPLOAD, "upload_grant_id": victim.grant_id}


FORGERIES = {
    "her folder, by a producer's word": Forgery(),
    "an upload of hers": Forgery(claims=as_upload),
    "a grant that was never made": Forgery(grant=NOBODYS_GRANT),
    "a revision of the future": Forgery(revision=99),
    "the crawler's original under another's folder": Forgery(producer="crawler"),
    "an upload of another's": Forgery(producer="upload", claims=as_upload),
    "the closed place left out": Forgery(producer="crawler", image=MONTREAL),
}


@pytest.mark.parametrize("kind", ["located", "cleared"])
@pytest.mark.parametrize("name", FORGERIES)
async def test_a_record_that_no_stage_of_ours_wrote_becomes_no_vector(field_of: Field, name: str, kind: str) -> None:
    forgery = FORGERIES[name]
    victim = await field_of.victim(**({"kind": "upload"} if forgery.claims is as_upload else {}))
    seen = await sighting(field_of, forgery.image, producer=forgery.producer, **forgery.claims(field_of, victim))
    found: Any = {
        "grant_id": GrantId(forgery.grant or victim.grant_id),
        "revision": forgery.revision,
        "candidates": (CA_BC,),
        "evidence": (),
    }
    told: Any = {"sighting": seen, "policy_version": "1", "datasets": ()}
    before = await field_of.house.world.store.count()
    if kind == "located":
        await field_of.append(ImageLocated(findings=(GrantFinding(**found),), **told))
    else:
        await field_of.append(ImageCleared(clearances=(Clearance(**found),), **told))
    assert await field_of.held(victim.grant_id) == []
    assert await field_of.house.world.store.count() == before
    assert set(await field_of.dead(Topic(f"images.{kind}"))) == {"bad_signature"}


async def test_a_vector_of_hers_is_not_given_to_another_by_a_changed_record(field_of: Field) -> None:
    """The sealed vector is genuine, so its seal holds; what stands beside it was changed."""
    (victim, face_id), thief = await field_of.pictured(), await field_of.victim()
    (genuine,) = [record for record in await field_of.records(Topic.FACES_EMBEDDED.value) if record.key == victim.grant_id.encode()]
    face = decode(genuine).data
    assert isinstance(face, FaceEmbedded)
    changes: list[dict[str, Any]] = [
        {"subject_id": SubjectId(thief.person.subject_id)},
        {"grant_id": thief.grant_id},
        {"revision": 99},
        {"candidates": (Jurisdiction("CA-ON"),)},
        {"image_id": ImageId("0" * 64)},
    ]
    await field_of.append(*[face.model_copy(update=change) for change in changes])
    record = encode(Event("another-id", "/forger", datetime.now(UTC), face.model_copy(update=changes[0])))
    await field_of.house.world.log.append(
        [replace(record, headers=(*record.headers, (STAGE_HEADER, genuine.header(STAGE_HEADER) or b"")))]
    )
    await settled(field_of.house.world.log)
    (facts,) = await field_of.house.world.store.retrieve([decode(genuine).data.face_id])  # type: ignore[attr-defined]
    assert (facts.subject_id, facts.grant_id, facts.image_id) == (victim.person.subject_id, victim.grant_id, face.image_id)
    assert await field_of.held(thief.grant_id) == []
    status, _ = await field_of.ask("GET", f"/v1/faces/{face_id}/picture", token=await thief.person.token())
    assert status == 404
    assert set(await field_of.dead(Topic.FACES_EMBEDDED)) == {"bad_signature"}


@pytest.mark.parametrize("whose", ["another producer's", "the crawler's", "a path"])
async def test_a_producer_that_names_foreign_bytes_is_a_dead_letter(field_of: Field, whose: str) -> None:
    producer, digest = await field_of.producer(), hashlib.sha256(STRANGER).hexdigest()
    blobs = {
        "another producer's": f"intake/rival/{digest}",
        "the crawler's": "quarantine/s-1",
        "a path": f"intake/{NAME}/../rival/{digest}",
    }
    seen = await sighting(field_of, STRANGER, producer=NAME, blob=blobs[whose])
    record = encode(Event("e-1", f"/{NAME}", datetime.now(UTC), ImageScraped(sighting=seen)))
    signature = producer.signed("e-1", seen.sighting_id, record.value or b"")
    before = (await field_of.dead(Topic.IMAGES_SCRAPED)).count("foreign_blob")
    await field_of.house.world.log.append([replace(record, headers=(*record.headers, ("assent-signature", signature)))])
    await settled(field_of.house.world.log)
    assert (await field_of.dead(Topic.IMAGES_SCRAPED)).count("foreign_blob") == before + 1


async def test_nobody_uploads_under_anothers_grant(field_of: Field) -> None:
    victim, thief = await field_of.victim(kind="upload"), await field_of.victim(kind="upload")
    path = f"/v1/grants/{victim.grant_id}/images"
    tries: list[dict[str, Any]] = [
        {},
        {"token": await thief.person.token()},
        {"token": field_of.house.token},
        {"headers": {"Assent-Grant-Secret": thief.secret}},
        {"headers": {"Assent-Grant-Secret": thief.secret}, "token": await thief.person.token()},
    ]
    assert [(await field_of.ask("POST", path, data=STRANGER, **attempt))[0] for attempt in tries] == [401, 403, 403, 403, 403]
    cookie = {"Cookie": f"assent_session={await thief.person.token()}", "Origin": field_of.url}
    assert (await field_of.ask("POST", f"/me/grants/{victim.grant_id}/images", headers=cookie, data=STRANGER))[0] == 403
    await settled(field_of.house.world.log)
    assert await field_of.held(victim.grant_id) == []


@pytest.mark.parametrize(
    "box",
    [
        {"x": 0, "y": 0, "width": 1, "height": 1},
        {"x": 0.9, "y": 0.9, "width": 0.05, "height": 0.05},
        {"x": 0.99, "y": 0.99, "width": 1, "height": 1},
        {"x": 0, "y": 0, "width": 1e-9, "height": 1e-9},
    ],
)
async def test_a_box_that_is_no_face_of_the_photo_makes_no_vector(field_of: Field, box: dict[str, float]) -> None:
    victim = await field_of.victim(kind="upload")
    headers = {"Assent-Grant-Secret": victim.secret, "Assent-Face-Box": json.dumps(box)}
    status, _ = await field_of.ask("POST", f"/v1/grants/{victim.grant_id}/images", headers=headers, data=photos.group())
    assert status in (202, 422)
    await settled(field_of.house.world.log)
    assert await field_of.held(victim.grant_id) == []


async def requested(field_of: Field, **binding: Any) -> tuple[Subject, dict[str, Any]]:
    """A grant that waits for its subject."""
    person = await field_of.house.person()
    request = field_of.house.request(
        person, [{"kind": "url_prefix", "value": f"{field_of.site.origin}/waits/", "only_me": True}], **binding
    )
    return person, await field_of.house.api.need("POST", f"{field_of.url}/v1/grants", token=field_of.house.token, json=request)


async def test_staff_says_yes_neither_over_the_interface_nor_on_the_page(field_of: Field) -> None:
    _, asked = await requested(field_of)
    yes = {"one_time_secret": asked["one_time_secret"], "notice_sha256": asked["notice_sha256"]}
    path = asked["grant_id"]
    for headers in (
        {"Authorization": f"Bearer {field_of.house.token}"},
        {"Cookie": f"assent_session={field_of.house.token}", "Origin": field_of.url},
    ):
        assert (await field_of.ask("POST", f"/v1/grants/{path}/confirm", json=yes, headers=headers))[0] == 403
        assert (await field_of.ask("POST", f"/confirm/{path}/yes", data=yes, headers=headers))[0] == 403
    shown = await field_of.house.ask("GET", f"/v1/grants/{path}", token=field_of.house.token)
    assert shown.body["state"] == "requested"


async def test_a_one_time_secret_says_yes_once_however_often_it_is_sent(field_of: Field) -> None:
    _, asked = await requested(field_of)
    yes = {"one_time_secret": asked["one_time_secret"], "notice_sha256": asked["notice_sha256"]}
    path = f"/v1/grants/{asked['grant_id']}/confirm"
    answers = await asyncio.gather(*(field_of.ask("POST", path, json=yes) for _ in range(8)))
    assert [status for status, _ in answers].count(200) == 1, answers
    assert {status for status, _ in answers} <= {200, 409}
    assert (await field_of.ask("POST", path, json=yes))[0] == 409
    assert (await field_of.ask("POST", f"/v1/grants/{asked['grant_id']}/refuse", json={"one_time_secret": asked["one_time_secret"]}))[
        0
    ] == 409
    assert (await field_of.ask("POST", f"/v1/grants/{asked['grant_id']}/session", json={"grant_secret": asked["one_time_secret"]}))[
        0
    ] == 403


async def test_what_was_imported_in_bulk_is_not_even_asked_for(field_of: Field) -> None:
    person = await field_of.house.person()
    field_of.site.page("/bulk/", '<img src="1.jpg">')
    field_of.site.picture("/bulk/1.jpg")
    request = field_of.house.request(person, [{"kind": "url_prefix", "value": f"{field_of.site.origin}/bulk/", "only_me": True}])
    status, body = await field_of.ask(
        "POST", "/v1/grants/bulk", token=field_of.house.token, json={"grants": [request, request | {"state": "given"}]}
    )
    assert status in (200, 422)
    if status == 422:
        _, body = await field_of.ask("POST", "/v1/grants/bulk", token=field_of.house.token, json={"grants": [request]})
    assert [item["requested"]["state"] for item in body["results"]] == ["requested"]
    await field_of.house.crawl()
    assert not [path for path in field_of.site.requests if "/bulk/" in path]


async def test_a_joint_grant_over_a_folder_takes_no_strangers(field_of: Field) -> None:
    """Two people share an album; a photo of one stranger in it has fewer faces than the grant has members."""
    members = [await field_of.victim(kind="upload"), await field_of.victim(kind="upload")]
    field_of.site.page("/shared/", '<img src="1.jpg">')
    field_of.site.picture("/shared/1.jpg", STRANGER)
    source = {"kind": "url_prefix", "value": f"{field_of.site.origin}/shared/"}
    person, binding = members[0].person, {"mode": "joint", "member_grants": [member.grant_id for member in members]}
    await person.grant("joint", field_of.house.request(person, [source], **binding), field_of.house.token)
    await field_of.house.crawl()
    assert await field_of.held(GrantId(person.grant_ids[-1])) == []
    assert "bystander_possible" in await field_of.rules(GrantId(person.grant_ids[-1]))


async def test_a_joint_grant_with_a_member_that_ended_opens_nothing(field_of: Field) -> None:
    members = [await field_of.victim(kind="upload"), await field_of.victim(kind="upload")]
    field_of.site.picture("/two/1.jpg", STRANGER)
    source = {"kind": "image_url", "value": f"{field_of.site.origin}/two/1.jpg"}
    person, binding = members[0].person, {"mode": "joint", "member_grants": [member.grant_id for member in members]}
    request = field_of.house.request(person, [source], **binding)
    await person.grant("joint", request, field_of.house.token)
    waiting = await field_of.house.api.need("POST", f"{field_of.url}/v1/grants", token=field_of.house.token, json=request)
    await members[1].person.withdraw(members[1].person.held()[0])
    yes = {"one_time_secret": waiting["one_time_secret"], "notice_sha256": waiting["notice_sha256"]}
    assert (await field_of.ask("POST", f"/v1/grants/{waiting['grant_id']}/confirm", json=yes))[0] == 422
    await field_of.house.crawl()
    assert await field_of.held(GrantId(person.grant_ids[-1])) == []
    assert not [path for path in field_of.site.requests if "/two/" in path]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("url_prefix", "https://host.example/"),
        ("url_prefix", "https://host.example"),
        ("url_prefix", "https://host.example/*"),
        ("url_prefix", "https://*.example/ada/"),
        ("url_prefix", "https://host.example/ada/.."),
        ("url_prefix", "https://host.example/ada/%2e%2e/"),
        ("url_prefix", "https://host.example//"),
        ("url_prefix", "https://host.example/ada/?all"),
        ("url_prefix", "https://user@host.example/ada/"),
        ("url_prefix", "file:///home/"),
        ("url_prefix", "https://host.example/%2f/"),
        ("url_prefix", "https://0x7f.1/ada/"),
        ("image_url", "https://host.example/%252e%252e/x.jpg"),
        ("image_url", "javascript:alert(1)"),
        ("account", "*@host.example"),
        ("account", "@host.example"),
        ("asset_sha256", "*"),
        ("asset_sha256", "0" * 63),
    ],
)
async def test_a_source_that_means_more_than_one_place_is_refused(kind: str, value: str) -> None:
    with pytest.raises(SourceRuleError):
        checked_rule(SourceRule(kind=SourceKindRule(kind), value=value))


@pytest.mark.parametrize(
    "url",
    [
        "https://h.example/ada/../bob/x.jpg",
        "https://h.example/ada/%2e%2e/bob/x.jpg",
        "https://h.example/ada/..%2fbob/x.jpg",
        "https://h.example/ada%2f../bob/x.jpg",
        "https://h.example/ada/%252e%252e/bob/x.jpg",
        "https://h.example/ada/..\\bob/x.jpg",
        "https://h.example/ada/.%2e/bob/x.jpg",
        "https://h.example/ada/..;/bob/x.jpg",
        "https://h.example/ada",
        "https://h.example/adamant/x.jpg",
        "https://h.example/Ada/x.jpg",
        "https://h.example:8443/ada/x.jpg",
        "https://h.example@evil.example/ada/x.jpg",
        "https://evil.example/h.example/ada/x.jpg",
        "https://evil.example/?https://h.example/ada/x.jpg",
        "https://evil.example/#h.example/ada/x.jpg",
        "https://sub.h.example/ada/x.jpg",
        "//h.example/ada/x.jpg",
    ],
)
async def test_no_spelling_of_a_place_outside_a_folder_falls_inside(url: str) -> None:
    rule = checked_rule(SourceRule(kind=SourceKindRule.URL_PREFIX, value="https://h.example/ada/"))
    seen: dict[str, Any] = {"sighting_id": "s", "image_id": "i", "producer": "crawler", "source_kind": "web_page", "blob": "b"}
    rest: dict[str, Any] = {"sha256": "0" * 64, "size_bytes": 1, "media_type": "image/jpeg", "fetched_at": datetime.now(UTC)}
    assert matching_rule([rule], Asset.of(Sighting(**seen, **rest, final_url=url))) is None


async def test_nothing_of_her_is_seen_after_her_withdrawal_by_what_was_opened_before(field_of: Field) -> None:
    victim, face_id = await field_of.pictured()
    token, picture = await victim.person.token(), f"/v1/faces/{face_id}/picture"
    cookie = {"Cookie": f"assent_session={token}", "Origin": field_of.url}
    bearer = {"Authorization": f"Bearer {token}"}
    async with field_of.http.get(f"{field_of.url}{picture}", headers=bearer) as shown:
        assert (shown.status, shown.headers["Cache-Control"]) == (200, "no-store")
        assert not {"ETag", "Last-Modified", "Expires"} & shown.headers.keys()
    assert face_id in (await field_of.ask("GET", "/", headers=cookie))[1]
    withdrawn = (await field_of.ask("GET", "/v1/flow", token=token))[1]["gates"]["withdrawn"]
    async with field_of.http.get(f"{field_of.url}/v1/flow/stream", headers=bearer) as stream:
        assert face_id in (await stream.content.readline()).decode()
        await victim.person.withdraw(victim.person.held()[0])
        told = ""
        while f'"withdrawn": {withdrawn + 1}' not in told:
            told = (await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 20)).decode()
        assert face_id not in told
    conditional = {"If-None-Match": "*", "If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT", "Range": "bytes=0-9"}
    assert (await field_of.ask("GET", picture, token=token, headers=conditional))[0] == 404
    assert (await field_of.ask("HEAD", picture, token=token))[0] == 404
    found = (await field_of.house.api.search(PORTRAIT, token=token)).body
    assert (found["candidates"], found["gallery_faces"]) == ([], 0)
    form = aiohttp.FormData()
    form.add_field("image", photos.portrait(photos.Look(quality=60 + field_of.count), place=photos.VANCOUVER), filename="p.jpg")
    assert face_id not in json.dumps((await field_of.ask("POST", "/v1/explain", token=token, data=form))[1])
    for path in ("/", "/search", "/me", "/v1/flow"):
        assert face_id not in json.dumps((await field_of.ask("GET", path, headers=cookie))[1]), path


async def test_nobody_else_sees_a_face_and_the_answer_is_that_for_no_face(field_of: Field) -> None:
    (_, face_id), thief = await field_of.pictured(), await field_of.victim()
    searcher = await minted(field_of, roles=["searcher"], org="agency", jurisdictions=["CA-BC"], purposes=["gallery_search"])
    for token in (await thief.person.token(), searcher):
        answers = [
            await field_of.ask("GET", f"/v1/faces/{name}/picture", token=token) for name in (face_id, NOBODYS_GRANT, "..%2F..%2Fx", "%00")
        ]
        assert {without_id(answer) for answer in answers} == {without_id(answers[0])}
        assert answers[0][0] == 404
    for role in ("operator", "privacy_officer", "auditor"):
        token = await minted(field_of, roles=[role], org="house")
        assert (await field_of.ask("GET", f"/v1/faces/{face_id}/picture", token=token))[0] == 403
        assert face_id not in json.dumps((await field_of.ask("GET", "/v1/flow", token=token))[1])


async def minted(field_of: Field, **wanted: Any) -> str:
    body = {"name": "somebody", "lifetime_s": 600} | wanted
    return str((await field_of.house.api.need("POST", f"{field_of.url}/v1/tokens", token=field_of.house.token, json=body))["token"])


def without_id(answer: tuple[int, Any]) -> str:
    """Status and body without what is different for every request."""
    status, body = answer
    return f"{status} {json.dumps({key: value for key, value in body.items() if key != 'request_id'} if isinstance(body, dict) else body)}"


async def test_nobody_searches_in_the_name_of_self(field_of: Field) -> None:
    """`self` needs no listing among a grant's recipients, so no organisation may be called that."""
    wanted = {"name": "x", "roles": ["searcher"], "jurisdictions": ["CA-BC"], "purposes": ["gallery_search"]}
    for org in ("self", " Self "):
        status, body = await field_of.ask("POST", "/v1/tokens", token=field_of.house.token, json=wanted | {"org": org})
        assert (status, body["code"]) == (422, "unmintable")


async def test_whether_a_grant_exists_is_told_to_nobody_else(field_of: Field) -> None:
    victim, thief = await field_of.victim(kind="upload"), await field_of.victim(kind="upload")
    token, wrong = await thief.person.token(), thief.secret
    cookie = {"Cookie": f"assent_session={token}", "Origin": field_of.url}
    box = {"x": 0, "y": 0, "width": 0.5, "height": 0.5}
    tries: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/v1/grants/{}", {}),
        ("GET", "/v1/grants/{}", {"token": token}),
        ("GET", "/v1/grants/{}", {"headers": {"Assent-Grant-Secret": wrong}}),
        ("POST", "/v1/grants/{}/images", {"token": token, "data": STRANGER}),
        ("POST", "/v1/grants/{}/confirm", {"json": {"one_time_secret": wrong, "notice_sha256": "0" * 64}}),
        ("POST", "/v1/grants/{}/refuse", {"json": {"one_time_secret": wrong}}),
        ("POST", "/v1/grants/{}/session", {"json": {"grant_secret": wrong}}),
        ("POST", "/v1/grants/{}/withdraw", {"json": {"grant_secret": wrong}}),
        ("POST", "/v1/grants/{}/narrow", {"json": {"grant_secret": wrong, "expected_revision": 2}}),
        ("POST", "/v1/grants/{}/regions", {"json": {"grant_secret": wrong, "asset_sha256": "0" * 64, "box": box}}),
        ("POST", "/v1/grants/{}/revoke", {"token": token}),
        ("GET", "/confirm/{}?secret=" + wrong, {}),
        ("GET", "/confirm/{}?secret=%ED%A0%80%FF" + "x" * 20, {}),
        ("POST", "/confirm/{}/yes", {"data": {"one_time_secret": wrong, "notice_sha256": "0" * 64}}),
        ("POST", "/me/grants/{}/withdraw", {"headers": cookie}),
        ("POST", "/me/grants/{}/images", {"headers": cookie, "data": STRANGER}),
        ("POST", "/login", {"data": {"grant_id": "{}", "grant_secret": wrong}}),
    ]
    for method, path, options in tries:
        told = []
        for grant_id in (victim.grant_id, NOBODYS_GRANT):
            sent = options | ({"data": {**options["data"], "grant_id": grant_id}} if path == "/login" else {})
            answer = await field_of.ask(method, path.format(grant_id), **sent)
            told.append(without_id(answer).replace(grant_id, "ID"))
            assert 400 <= answer[0] < 500 or path == "/me" or answer[0] == 303, (method, path, answer)
        assert told[0] == told[1], (method, path)
    for path in ("/v1/receipts/{}", "/v1/erasures/{}"):
        assert (await field_of.ask("GET", path.format(NOBODYS_GRANT)))[0] == (await field_of.ask("GET", path.format("x")))[0]


async def test_a_secret_that_is_no_text_is_a_wrong_secret_whether_the_grant_exists_or_not(field_of: Field) -> None:
    """Bytes that are no UTF-8 must not fail in one case and be compared in the other."""
    victim = await field_of.victim(kind="upload")
    for header in ("Assent-Grant-Secret", "Assent-Face-Box"):
        for method, path in (("GET", "/v1/grants/{}"), ("POST", "/v1/grants/{}/images")):
            told = []
            for grant_id in (victim.grant_id, NOBODYS_GRANT):
                head = f"{method} {path.format(grant_id)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n{header}: "
                told.append((await raw(field_of, head.encode() + b"\xff" * 20 + b"\r\n\r\n"))[0])
            assert told[0] == told[1] < 500, (header, method, told)


async def test_a_login_code_that_was_used_looks_like_one_that_never_was(field_of: Field) -> None:
    body = {"name": "ann", "roles": ["auditor"], "org": "house"}
    code = (await field_of.house.api.need("POST", f"{field_of.url}/v1/login-codes", token=field_of.house.token, json=body))["code"]
    answers = await asyncio.gather(*(field_of.ask("GET", f"/login?code={code}") for _ in range(4)))
    assert sorted(status for status, _ in answers) == [303, 403, 403, 403]
    used, never = await field_of.ask("GET", f"/login?code={code}"), await field_of.ask("GET", "/login?code=" + "x" * 43)
    assert used == never
    assert (await field_of.ask("GET", "/login?code=%FF%ED%A0%80"))[0] == 403


STAFF_ONLY = {
    ("POST", "/v1/subjects"): {"operator", "producer"},
    ("POST", "/v1/grants"): {"operator", "producer"},
    ("POST", "/v1/grants/bulk"): {"operator", "producer"},
    ("POST", "/v1/grants/x/revoke"): {"privacy_officer"},
    ("GET", "/v1/grants/x"): {"operator", "privacy_officer"},
    ("POST", "/v1/tokens"): {"operator"},
    ("POST", "/v1/login-codes"): {"operator"},
    ("POST", "/v1/producers"): {"operator"},
    ("PUT", f"/v1/intake/{'0' * 64}"): {"producer"},
    ("POST", "/v1/events"): {"producer"},
    ("GET", "/v1/outcomes"): {"producer"},
    ("POST", "/v1/crawls"): {"operator"},
    ("POST", "/v1/search"): {"subject", "searcher"},
    ("POST", "/v1/verify"): {"subject", "searcher"},
    ("GET", "/v1/flow"): {"operator", "privacy_officer", "auditor", "subject"},
    ("GET", "/v1/flow/stream"): {"operator", "privacy_officer", "auditor", "subject"},
    ("POST", "/v1/explain"): {"operator", "privacy_officer", "subject"},
    ("GET", "/me"): {"subject"},
    ("GET", "/search"): {"subject", "searcher"},
    ("POST", "/search"): {"subject", "searcher"},
}


async def test_each_route_is_closed_to_every_other_role_and_to_nobody(field_of: Field) -> None:
    place = {"jurisdictions": ["CA-BC"], "purposes": ["gallery_search"], "producer_id": NAME}
    tokens = {
        role: await minted(field_of, roles=[role], org="x", **place)
        for role in ("operator", "privacy_officer", "auditor", "searcher", "producer")
    }
    tokens["subject"] = await (await field_of.victim()).person.token()
    for (method, path), allowed in STAFF_ONLY.items():
        for role in tokens.keys() - allowed:
            status, _ = await field_of.ask(method, path, token=tokens[role])
            assert status == 403, (method, path, role)
        for token in (None, "x", f"{tokens['operator']}x", unsigned(tokens["subject"])):
            status, _ = await field_of.ask(method, path, token=token)
            assert status in (401, 303), (method, path, token)


def unsigned(token: str) -> str:
    """The same claims under the algorithm `none`."""
    return f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{token.split('.')[1]}."


async def test_a_foreign_page_changes_nothing_with_her_session(field_of: Field) -> None:
    victim = await field_of.victim(kind="upload")
    session = f"assent_session={await victim.person.token()}"
    own, port = field_of.url, field_of.url.rpartition(":")[2]
    foreign = [
        None,
        "null",
        "http://evil.example",
        f"http://evil.example:{port}",
        f"{own}.evil.example",
        "http://127.0.0.1:1",
        "http://127.0.0.1",
        "",
    ]
    for origin in foreign:
        headers = {"Cookie": session} | ({} if origin is None else {"Origin": origin})
        for path in (
            f"/me/grants/{victim.grant_id}/withdraw",
            f"/me/grants/{victim.grant_id}/images",
            "/search",
            "/v1/search",
            "/v1/explain",
        ):
            assert (await field_of.ask("POST", path, headers=headers, data=b"x"))[0] == 403, (origin, path)
        if origin is not None:
            form = {"grant_id": victim.grant_id, "grant_secret": victim.secret}
            assert (await field_of.ask("POST", "/login", headers={"Origin": origin}, data=form))[0] == 403, origin
    shown = await field_of.house.ask("GET", f"/v1/grants/{victim.grant_id}", headers={"Assent-Grant-Secret": victim.secret})
    assert shown.body["state"] == "given"


async def test_a_session_cookie_is_kept_from_scripts_and_other_sites(field_of: Field) -> None:
    victim = await field_of.victim()
    form = {"grant_id": victim.grant_id, "grant_secret": victim.secret}
    async with field_of.http.post(f"{field_of.url}/login", data=form, headers={"Origin": field_of.url}, allow_redirects=False) as answer:
        (cookie,) = answer.headers.getall("Set-Cookie")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=3600"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


@pytest.mark.parametrize("folder", ["portal", "console"])
async def test_no_path_leads_out_of_the_static_files(field_of: Field, folder: str) -> None:
    names = [
        "../portal.py",
        "..%2fportal.py",
        "%2e%2e/portal.py",
        "..%5cportal.py",
        "portal.css%00.py",
        "portal.css/../../portal.py",
        "/etc/passwd",
    ]
    names += ["%2fetc%2fpasswd", "....//portal.py", "portal.css%20", "", "."]
    for name in names:
        status, body = await raw(field_of, f"GET /{folder}/{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert status in (400, 404), name
        assert b"import" not in body
        assert b"root:" not in body


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


async def test_nothing_that_is_sent_becomes_a_header_or_a_tag(field_of: Field) -> None:
    tried = "%0d%0aSet-Cookie:%20assent_session=forged%0d%0a%0d%0a%3Cscript%3Ealert(1)%3C/script%3E"
    for path in (
        f"/login?code={tried}",
        f"/login?lang={tried}",
        f"/confirm/{tried}",
        f"/confirm/x?secret={tried}",
        f"/?lang={tried}",
        f"/me?x={tried}",
    ):
        status, answer = await raw(field_of, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"forged" not in head, path
        assert b"<script>alert" not in body, path
        assert status < 500, path
    hostile = b'GET /login HTTP/1.1\r\nHost: x"><script>alert(1)</script>\r\nConnection: close\r\n\r\n'
    assert b"<script>alert" not in (await raw(field_of, hostile))[1]


async def test_a_form_without_end_is_cut_off_before_anybody_is_known(field_of: Field) -> None:
    """Neither parts nor their headers nor fields add up in memory; nobody had to say who she is."""
    for path, head in (
        (f"/v1/grants/{NOBODYS_GRANT}/images", ""),
        ("/v1/search", f"Authorization: Bearer {await (await field_of.victim()).person.token()}\r\n"),
    ):
        sent = await drip(field_of, path, head, b'--b\r\nContent-Disposition: form-data; name="%d"\r\n\r\nx\r\n', most_bytes=40_000_000)
        assert sent < 10_000_000, path


async def drip(field_of: Field, path: str, head: str, part: bytes, *, most_bytes: int) -> int:
    """Send numbered parts until the other side answers; how many bytes it took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(field_of.url.rpartition(":")[2]))
    length = f"Content-Length: {most_bytes * 10}\r\n"
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\n{head}Content-Type: multipart/form-data; boundary=b\r\n{length}\r\n".encode())
    answered, sent = asyncio.create_task(reader.readline()), 0
    try:
        while sent < most_bytes and not answered.done():
            block = b"".join(part % (sent + number) for number in range(1_000))
            writer.write(block)
            sent += len(block)
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(writer.drain(), 5)
            await asyncio.sleep(0)
        status = (await asyncio.wait_for(answered, 5)).split(b" ")[1]
        assert status in (b"400", b"401", b"403", b"413", b"422"), status
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return sent


async def test_bodies_that_never_end_keep_nobody_else_waiting(field_of: Field) -> None:
    head = b"POST /v1/grants/x/images HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: 1000000\r\n\r\nslow"
    slow = [await asyncio.open_connection("127.0.0.1", int(field_of.url.rpartition(":")[2])) for _ in range(40)]
    for _, writer in slow:
        writer.write(head)
    victim = await field_of.victim()
    await asyncio.wait_for(victim.person.withdraw(victim.person.held()[0]), 5)
    for _, writer in slow:
        writer.close()
    huge = b"POST /v1/grants/x/confirm HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n{"
    reader, writer = await asyncio.open_connection("127.0.0.1", int(field_of.url.rpartition(":")[2]))
    writer.write(huge)
    assert b" 413 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    bomb = gzip.compress(bytes(50_000_000))
    status, _ = await field_of.ask("POST", "/v1/grants/x/confirm", data=bomb, headers={"Content-Encoding": "gzip"})
    assert status == 413


async def crawled(field_of: Field, html: str, *, folder: str = "") -> Victim:
    """A person whose folder has this page on it, after a round of the crawler; `FOLDER` stands for its path."""
    victim = await field_of.victim()
    field_of.site.requests.clear()
    field_of.site.page(victim.folder, html.replace("FOLDER", victim.folder))
    await field_of.house.crawl()
    return victim


async def test_a_page_of_hers_does_not_lead_out_of_her_folder(field_of: Field) -> None:
    """Whatever a page may write: an image outside every grant is not even asked for."""
    site, port = field_of.site, field_of.site.port
    outside = ["/secret/1.jpg", "/secret/2.jpg", "/secret/3.jpg", "/secret/4.jpg", "/secret/5.jpg", "/secret/6.jpg", "/secret/7.jpg"]
    for path in outside:
        site.picture(path, STRANGER)
    victim = await crawled(
        field_of,
        f"""<base href="//127.0.0.1:{port}/secret/"><img src="1.jpg"><img src="http://127.0.0.1:{port}/secret/2.jpg">
        <img srcset="FOLDER../secret/3.jpg 1x, /secret/4.jpg 2x,/secret/5.jpg"><picture><source srcset="  /secret/6.jpg 100w ,"></picture>
        <img src="FOLDER%2e%2e/secret/7.jpg"><img src="FOLDER..%2fsecret/1.jpg"><img src="FOLDER..;/secret/1.jpg">
        <img src="file:///etc/passwd"><img src="data:image/png;base64,AAAA"><img src="//localhost:{port}/secret/1.jpg">
        <img src="http://127.0.0.1:{port}@evil.example/1.jpg"><img src="javascript:1"><img src="\\\\127.0.0.1\\secret\\1.jpg">
        <a href="/secret/">x</a><a href="FOLDER../secret/">x</a>""",
    )
    assert not [path for path in site.requests if "secret" in path or "passwd" in path]
    assert await field_of.held(victim.grant_id) == []
    site.page(victim.folder, "<base href='file:///etc/'><base href='/x/'><img src='passwd'>")
    await field_of.house.crawl()
    assert not [path for path in site.requests if "passwd" in path]


async def test_no_redirect_leads_out_of_her_folder(field_of: Field) -> None:
    """Another folder, another port of this machine, another scheme, another host, round in circles: each hop is judged anew."""
    knocks: list[str] = []
    other = await asyncio.start_server(lambda reader, writer: knocks.append("x") or writer.close(), "127.0.0.1", 0)  # type: ignore[func-returns-value]
    closed = f"127.0.0.1:{other.sockets[0].getsockname()[1]}"
    site, port = field_of.site, field_of.site.port
    site.picture("/away/1.jpg", STRANGER)
    to = [
        "/away/1.jpg",
        f"//{closed}/1.jpg",
        f"http://{closed}/1.jpg",
        "file:///etc/passwd",
        f"ftp://127.0.0.1:{port}/",
        "../away/1.jpg",
        "%2e%2e/away/1.jpg",
    ]
    to += [
        f"http://localhost:{port}/away/1.jpg",
        "gopher://x/",
        "http://[::1]/",
        "http://0x7f000001/",
        "http://169.254.169.254/latest",
        "",
        "\\\\x",
    ]
    victim = await field_of.victim()
    site.requests.clear()
    for number, target in enumerate(to):
        site.moved(f"{victim.folder}{number}.jpg", target)
    site.moved(f"{victim.folder}round.jpg", f"{victim.folder}round.jpg")
    images = "".join(f'<img src="{number}.jpg">' for number in (*range(len(to)), "round"))
    site.page(victim.folder, images)
    await field_of.house.crawl()
    other.close()
    assert knocks == []
    assert not [path for path in site.requests if "away" in path]
    assert sum(count for path, count in site.requests.items() if "round" in path) <= 5
    assert await field_of.held(victim.grant_id) == []


async def test_a_granted_folder_on_a_closed_address_is_not_connected_to(field_of: Field) -> None:
    """A grant names a place of this machine; the crawler judges the address that it would connect to."""
    knocks: list[str] = []
    other = await asyncio.start_server(lambda reader, writer: knocks.append("x") or writer.close(), "127.0.0.1", 0)  # type: ignore[func-returns-value]
    port = other.sockets[0].getsockname()[1]
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"127.1:{port}", f"[::ffff:127.0.0.1]:{port}"):
        person = await field_of.house.person()
        source = {"kind": "url_prefix", "value": f"http://{host}/ada/", "only_me": True}
        with contextlib.suppress(Exception):
            await person.grant("it", field_of.house.request(person, [source]), field_of.house.token)
    await field_of.house.crawl()
    other.close()
    assert knocks == []


@pytest.mark.parametrize(
    "target", ["//127.0.0.1:PORT/robots.txt", "http://127.0.0.1:PORT/free.txt", "file:///robots.txt", "ftp://localhost:PORT/r"]
)
async def test_another_hosts_robots_txt_is_not_this_hosts_word(field_of: Field, target: str) -> None:
    """A robots.txt that points elsewhere leaves the host closed; `localhost` is another host than 127.0.0.1."""
    site = field_of.site
    site.moved("localhost/robots.txt", target.replace("PORT", str(site.port)))
    site.answers["127.0.0.1/free.txt"] = lambda request: web.Response(text="User-agent: *\nAllow: /\n")
    site.picture("/robots/1.jpg")
    victim = await field_of.victim(kind="image_url", value=f"http://localhost:{site.port}/robots/1.jpg")
    site.requests.clear()
    await field_of.house.crawl()
    assert not [path for path in site.requests if "/robots/1.jpg" in path]
    assert await field_of.rules(victim.grant_id) == {"robots_disallow"}


async def test_a_bomb_is_not_unpacked(field_of: Field) -> None:
    """200 MB of zeros in 200 KB, as a page and as a picture."""
    bomb = gzip.compress(bytes(200_000_000), compresslevel=6)
    victim = await field_of.victim()
    packed = web.Response
    field_of.site.answers[victim.folder] = lambda request: packed(body=bomb, content_type="text/html", headers={"Content-Encoding": "gzip"})
    picture = await field_of.victim(kind="image_url", value=f"{field_of.site.origin}/bomb.jpg")
    field_of.site.answers["/bomb.jpg"] = lambda request: packed(body=bomb, content_type="image/jpeg", headers={"Content-Encoding": "gzip"})
    before = peak_kb()
    await field_of.house.crawl()
    assert peak_kb() - before < 100_000
    assert await field_of.rules(picture.grant_id) == {"image_too_large"}


def peak_kb() -> int:
    """The most memory this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


CANARY = "KanarienvogelQ7"
MAY_HOLD_URLS = {Topic.IMAGES_SCRAPED.value, Topic.IMAGES_LOCATED.value, Topic.IMAGES_CLEARED.value}


def with_comment(data: bytes) -> bytes:
    """The picture with a name in its EXIF, its comment and its XMP."""
    picture, out = Image.open(io.BytesIO(data)), io.BytesIO()
    exif = picture.getexif()
    exif[0x010E] = exif[0x013B] = f"{CANARY} Exif"
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><dc xmlns="x">{CANARY}</dc></x:xmpmeta>'.encode()
    picture.save(out, format="JPEG", exif=exif, comment=CANARY.encode(), xmp=xmp)
    return out.getvalue()


async def test_what_pages_and_pictures_say_stands_on_the_image_topics_alone(field_of: Field) -> None:
    """A name in path, title, alt text, place, EXIF, form, token and URL; of pictures that pass, are refused, or are dead."""
    site, stderr, root, before = field_of.site, io.StringIO(), logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    victim = await field_of.victim()
    site.picture(f"{victim.folder}{CANARY}.jpg", with_comment(photos.portrait(photos.Look(quality=71), place=photos.VANCOUVER)))
    site.picture(f"{victim.folder}{CANARY}-refused.jpg", with_comment(MONTREAL))
    site.picture(f"{victim.folder}{CANARY}-noai.jpg", with_comment(PORTRAIT), **{"X-Robots-Tag": f"noai, {CANARY}"})
    site.moved(f"{victim.folder}{CANARY}-moved.jpg", f"/{CANARY}/x.jpg")
    names = (CANARY, f"{CANARY}-refused", f"{CANARY}-noai", f"{CANARY}-moved")
    site.page(victim.folder, f'<title>{CANARY}</title><a href="2">' + "".join(f'<img alt="{CANARY}" src="{name}.jpg">' for name in names))
    site.page(f"{victim.folder}2", f'<meta name="geo.region" content="CA-{CANARY}"><img alt="{CANARY}" src="{CANARY}-where.jpg">')
    site.picture(f"{victim.folder}{CANARY}-where.jpg", with_comment(PORTRAIT))
    try:
        with contextlib.redirect_stderr(stderr):
            configure_logging("attacked", level=logging.DEBUG)
            await field_of.house.crawl()
            await spoken(field_of, victim)
    finally:
        structlog.configure(**before)
        root.handlers[:] = handlers
        root.setLevel(level)
    assert len(await field_of.held(victim.grant_id)) == 1
    assert await field_of.rules(victim.grant_id) >= {"QC-3", "optout_signal"}
    assert CANARY not in stderr.getvalue()
    assert CANARY not in (await field_of.ask("GET", "/metrics"))[1]
    topics = [name for topic in TOPICS for name in (topic.value, topic.dead_letters)]
    spread = {record.topic for record in await field_of.records(*topics) if CANARY.encode() in everything_in(record)}
    assert Topic.IMAGES_SCRAPED.value in spread
    assert spread <= MAY_HOLD_URLS
    files = [path for path in field_of.data.rglob("*") if path.is_file() and not path.name.startswith("log.sqlite3")]
    assert [path for path in files if CANARY.encode() in path.read_bytes() or CANARY in str(path)] == []


def everything_in(record: StoredRecord) -> bytes:
    return b"".join((record.key, record.value or b"", *(value for _, value in record.headers)))


async def spoken(field_of: Field, victim: Victim) -> None:
    """The name in everything else that somebody may send, and a record that cannot be read."""
    token = await victim.person.token()
    for path in (
        f"/{CANARY}",
        f"/v1/grants/{CANARY}",
        f"/confirm/{CANARY}?secret={CANARY}",
        f"/login?code={CANARY}",
        f"/v1/faces/{CANARY}/picture",
    ):
        await field_of.ask("GET", path, token=token, headers={"User-Agent": CANARY, "traceparent": CANARY})
    await field_of.ask("POST", "/v1/grants", token=field_of.house.token, json={CANARY: CANARY})
    await field_of.ask("POST", f"/v1/grants/{CANARY}/session", json={"grant_secret": CANARY * 2})
    await field_of.ask(CANARY, "/")
    form = aiohttp.FormData({"basis": "self", "purpose": CANARY, CANARY: CANARY})
    form.add_field("image", with_comment(PORTRAIT), filename=f"{CANARY}.jpg")
    await field_of.ask("POST", "/v1/search", token=token, data=form)
    unreadable = Record(Topic.IMAGES_CLEARED.value, CANARY.encode(), f'{{"{CANARY}": 1}}'.encode(), (("ce_id", CANARY.encode()),))
    await field_of.house.world.log.append([unreadable])
    producer = await field_of.producer()
    await producer.offer(with_comment(STRANGER), now=datetime.now(UTC), final_url=f"https://host.example/{CANARY}.jpg")
    await settled(field_of.house.world.log)
