"""One face seen on several pages: what each of them says of places counts, in whatever order they came and however often."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from aiohttp import web

from assent.events.envelope import decode
from assent.events.faces import FaceEmbedded
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.ids import FaceId, GrantId
from assent.vectors.store import PointFacts
from demo import photos
from demo.settled import settled
from demo.subject import Subject
from services.indexer.processor import FaceIndexer
from tests.flow.attack_house import Field

pytestmark = [pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]
BOTH = ("CA-AB", "CA-BC")
PLAIN = photos.portrait()


async def granted(field_of: Field, name: str) -> tuple[Subject, GrantId]:
    """Somebody whose grant covers two folders, in British Columbia and in Alberta."""
    person = await field_of.house.person()
    folders = [f"{field_of.site.origin}/{name}/{folder}/" for folder in ("alberta", "plain")]
    asked = field_of.house.request(person, [{"kind": "url_prefix", "value": folder, "only_me": True} for folder in folders])
    asked["legal"].append(asked["legal"][0] | {"jurisdiction": "CA-AB"})
    asked["geographic_scope"] = {kind: ["CA-BC", "CA-AB"] for kind in asked["geographic_scope"]}
    await person.grant("it", asked, field_of.house.token)
    return person, GrantId(person.grant_ids[0])


def shown(field_of: Field, name: str, folder: str, data: bytes) -> None:
    """The page of that folder shows the picture; one of them says that it is in Alberta."""
    path = f"/{name}/{folder}/"
    head = '<meta name="geo.region" content="CA-AB">' if folder == "alberta" else ""
    html = f'<html><head>{head}</head><body><img src="{path}1.jpg"></body></html>'
    field_of.site.answers[path] = lambda request: web.Response(text=html, content_type="text/html")
    field_of.site.picture(f"{path}1.jpg", data)


async def facts(field_of: Field, grant: GrantId) -> PointFacts:
    held = await field_of.held(grant)
    (found,) = await field_of.house.world.store.retrieve([FaceId(face) for face in held])
    return found


@pytest.mark.parametrize("order", [("alberta", "plain"), ("plain", "alberta")], ids=["Alberta first", "Alberta last"])
async def test_a_face_lies_wherever_one_of_its_pages_says(field_of: Field, order: tuple[str, str]) -> None:
    name = "-".join(order)
    data = photos.portrait(photos.Look(quality=len(name) + 60 + (order[0] == "plain")))
    _, grant = await granted(field_of, name)
    for folder in order:
        shown(field_of, name, folder, data)
        await field_of.house.crawl()
    found = await facts(field_of, grant)
    assert (found.jurisdictions, len(found.fetched)) == (BOTH, 2)


async def embedded(field_of: Field, grant: GrantId) -> list[StoredRecord]:
    records = await field_of.records(Topic.FACES_EMBEDDED.value)
    return [record for record in records if isinstance(face := decode(record).data, FaceEmbedded) and face.grant_id == grant]


def indexer(field_of: Field) -> FaceIndexer:
    shared = field_of.shared
    return FaceIndexer(
        gate=shared.gate,
        tables=shared.tables,
        store=shared.vectors,
        derivatives=shared.derivatives,
        grant_keys=shared.grant_keys,
        model_digest=shared.model_digest,
        metrics=shared.metrics,
        catch_up_timeout_s=5.0,
    )


async def index(field_of: Field, batches: Sequence[Sequence[StoredRecord]]) -> None:
    for batch in batches:
        work = indexer(field_of)
        await work.before_batch()
        for record in batch:
            await work.handle(decode(record), record)
        await work.after_batch([decode(record) for record in batch])


async def test_order_batches_and_redelivery_give_one_result(field_of: Field) -> None:
    _, grant = await granted(field_of, "order")
    data = photos.portrait(photos.Look(quality=51))
    for folder in ("plain", "alberta"):
        shown(field_of, "order", folder, data)
        await field_of.house.crawl()
    first, second = await embedded(field_of, grant)
    store = field_of.shared.vectors
    ways = [
        [[first], [second]],
        [[second], [first]],
        [[first, second]],
        [[second, first]],
        [[first, second], [first]],
        [[first], [second]] * 2,
    ]
    addresses = {one.address for one in (await facts(field_of, grant)).fetched}
    for way in ways:
        await store.delete([FaceId(face) for face in await field_of.held(grant)])
        await index(field_of, way)
        found = await facts(field_of, grant)
        assert (found.jurisdictions, {one.address for one in found.fetched}) == (BOTH, addresses)


async def test_a_stop_of_a_place_withholds_the_face_whichever_page_came_last(field_of: Field) -> None:
    """Last in this file: the stop stays in force."""
    person, grant = await granted(field_of, "stopped")
    for folder in ("alberta", "plain"):
        shown(field_of, "stopped", folder, PLAIN)
        await field_of.house.crawl()
    probe, token = photos.portrait(photos.Look(light=1.1)), await person.token()
    told = await field_of.house.api.search(probe, token=token)
    assert (told.status, [item["face_id"] for item in told.body["candidates"]]) == (200, await field_of.held(grant))
    stop = {"places": ["CA-AB"], "because": "Order P2021-12"}
    status, _ = await field_of.ask("POST", "/v1/policy/stops", token=field_of.house.token, json=stop)
    assert status < 300
    await settled(field_of.house.world.log)
    told = await field_of.house.api.search(probe, token=token)
    assert (told.status, told.body["candidates"]) == (200, [])
