"""The three routes of a producer: bytes in, signed events in either mode, outcomes of its own out; a refusal says why at once."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
import pytest_asyncio

from assent.deciding.outcome_remedies import remedy_of
from assent.ids import GrantId
from demo import photos
from demo.api import Answer, JsonObject
from demo.producer import NAME, OutsideProducer
from demo.settled import settled
from demo.site import PORTRAITS
from tests.flow.registry_house import GrantHouse, grant_house
from tests.integration.kafka_house import as_json, portraits, structured_event

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
STRUCTURED = "application/cloudevents+json"
IMAGE = photos.portrait(photos.Look(side=390))
OTHER, FEED, NEXT = "another-agency", "feed-agency", "next-agency"
FORGED = base64.b64encode(b"x" * 64).decode()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GrantHouse]:
    async with grant_house(tmp_path_factory.mktemp("house"), {f"{PORTRAITS}1.jpg": photos.portrait()}) as made:
        yield made


async def registered(house: GrantHouse, name: str = NAME) -> OutsideProducer:
    producer = OutsideProducer(house.api, name=name)
    await producer.register(house.token)
    return producer


@dataclass(frozen=True, slots=True)
class Post:
    """One request to /v1/events, and what it is answered."""

    event: JsonObject
    answered: tuple[int, str]
    content: str = STRUCTURED
    body: bytes | None = None
    headers: JsonObject = field(default_factory=dict)
    is_signed: bool = True


def event(name: str, /, **changes: object) -> JsonObject:
    return structured_event(NAME, IMAGE, event_id=name, **changes)


POSTS: dict[str, Post] = {
    "structured": Post(event("one"), (202, "")),
    "structured, spelt otherwise": Post(event("two"), (202, ""), content="Application/CloudEvents+json; charset=UTF-8"),
    "structured, with an extension": Post(event("three") | {"extension": "x"}, (202, "")),
    "a batch": Post(event("batch"), (415, "batched"), content="application/cloudevents-batch+json"),
    "a form": Post(event("form"), (415, "unknown_content"), content="application/x-www-form-urlencoded"),
    "no event": Post(event("none"), (422, "malformed"), body=b"{"),
    "a key twice": Post(event("twice"), (422, "malformed"), body=b'{"data": {}, "data": {}}'),
    "half a character": Post(event("half"), (422, "malformed"), body=as_json(event("half", sighting_id="\ud800"))),
    "half a character as an id": Post(event("half id"), (422, "malformed"), body=as_json(event("half id") | {"id": "\ud800"})),
    "no UTF-8 in a header": Post(event("latin"), (422, "malformed"), content="application/json", headers={"ce-id": "%FF"}),
    "a newer version": Post(event("newer") | {"type": "images.scraped.v2"}, (422, "unknown_type")),
    "another type of ours": Post(event("other") | {"type": "images.cleared.v1"}, (422, "wrong_topic")),
    "no source": Post(event("source") | {"source": ""}, (422, "bad_attributes")),
    "unsigned": Post(event("unsigned"), (403, "bad_signature"), is_signed=False),
    "no base64": Post(event("base"), (422, "bad_signature"), headers={"assent-signature": "%"}),
    "another's signature": Post(event("forged"), (403, "bad_signature"), headers={"assent-signature": FORGED}),
    "another producer": Post(event("foreign", producer=OTHER), (403, "foreign_producer")),
    "an upload": Post(event("upload", source_kind="upload"), (422, "AIA-3")),
    "another's blob": Post(event("blob", blob=f"intake/{OTHER}/{'0' * 64}"), (422, "foreign_blob")),
    "bytes never handed in": Post(structured_event(NAME, b"never", event_id="never"), (409, "no_blob")),
    "too long": Post(event("long") | {"extension": "x" * 300_000}, (413, "too_large")),
}


async def posted(house: GrantHouse, producer: OutsideProducer, post: Post) -> Answer:
    body = as_json(post.event) if post.body is None else post.body
    signature = producer.signed(post.event["id"], post.event["data"]["sighting"]["sighting_id"], body)
    signed = {"assent-signature": base64.b64encode(signature).decode()} if post.is_signed else {}
    headers = {"Content-Type": post.content, **signed, **post.headers}
    return await house.ask("POST", "/v1/events", token=producer.token, data=body, headers=headers)


async def test_every_event_is_taken_or_refused_with_its_cause(house: GrantHouse) -> None:
    producer = await registered(house)
    for name, post in POSTS.items():
        # Again each time: nobody has granted it, so the original goes as soon as the event before was looked at, which may be now.
        while True:
            handed_in = await put(house, producer, IMAGE)
            answer = await posted(house, producer, post)
            if answer.body.get("code") != "no_blob" or post.answered[1] == "no_blob":
                break
        assert (answer.status, answer.body.get("code", "")) == post.answered, name
        assert answer.status == 202 or answer.body["remedy"], name
        assert answer.status != 202 or answer.body["image_id"] == handed_in["image_id"]


async def test_binary_mode_is_read_with_its_percent_signs(house: GrantHouse) -> None:
    producer = await registered(house)
    await put(house, producer, IMAGE)
    told = event("an id with spaces")
    body = as_json(told["data"])
    signature = base64.b64encode(producer.signed(told["id"], told["id"], body)).decode()
    attributes = {f"ce-{name}": str(told[name]).replace(" ", "%20") for name in ("specversion", "id", "source", "type", "time")}
    headers = {"Content-Type": "application/json", "assent-signature": signature, **attributes}
    answer = await house.ask("POST", "/v1/events", token=producer.token, data=body, headers=headers)
    assert answer.status == 202
    wrong = await house.ask("POST", "/v1/events", token=producer.token, data=body, headers=headers | {"ce-id": "another"})
    assert (wrong.status, wrong.body["code"]) == (403, "bad_signature")


async def test_a_header_that_comes_twice_is_refused(house: GrantHouse) -> None:
    producer = await registered(house)
    pairs = [("Authorization", f"Bearer {producer.token}"), ("Content-Type", "application/json"), ("ce-id", "a"), ("ce-id", "b")]
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{house.registry}/v1/events", data=b"{}", headers=pairs) as response,
    ):
        assert (response.status, (await response.json())["code"]) == (422, "bad_attributes")


async def test_bytes_are_kept_under_their_own_digest_only(house: GrantHouse) -> None:
    producer = await registered(house)
    for digest, code in (("0" * 64, "wrong_digest"), ("0" * 63, "bad_digest"), ("A" * 64, "bad_digest")):
        refused = await house.ask("PUT", f"/v1/intake/{digest}", token=producer.token, data=IMAGE)
        assert (refused.status, refused.body["code"]) == (422, code)
    first, again = await put(house, producer, IMAGE), await put(house, producer, IMAGE)
    assert first == again
    assert first["size_bytes"] == len(IMAGE)


async def put(house: GrantHouse, producer: OutsideProducer, image: bytes) -> JsonObject:
    answer = await house.ask("PUT", f"/v1/intake/{hashlib.sha256(image).hexdigest()}", token=producer.token, data=image)
    assert answer.status == 201
    return answer.body


async def outcomes(house: GrantHouse, producer: OutsideProducer, *, after: int = 0) -> JsonObject:
    return await house.api.need("GET", f"{house.registry}/v1/outcomes?after={after}", token=producer.token)


async def test_the_feed_is_ones_own_and_says_what_can_be_done(house: GrantHouse) -> None:
    """One image of two is granted; each producer reads of its own images alone, in pages."""
    granted, uncovered = portraits(2)
    person = await house.person()
    source = {"kind": "asset_sha256", "value": hashlib.sha256(granted).hexdigest()}
    await person.grant("it", house.request(person, [source]), house.token)
    producer, other = await registered(house, FEED), await registered(house, OTHER)
    ids = [(await put(house, producer, image))["image_id"] for image in (granted, uncovered)]
    sightings = []
    for index, image in enumerate((granted, uncovered)):
        answer = await posted(house, producer, Post(structured_event(FEED, image, event_id=f"event-{index}"), (202, "")))
        sightings.append(answer.body["sighting_id"])
    await settled(house.world.log)
    feed = await told_by(house, producer, count=2)
    found = {row["image_id"]: (row["sighting_id"], row["outcome"], row["remedy"]) for row in feed["outcomes"]}
    assert found == {ids[0]: (sightings[0], "embedded", ""), ids[1]: (sightings[1], "unknown_place", remedy_of("unknown_place"))}
    assert remedy_of("unknown_place")
    first = feed["outcomes"][0]["sequence"]
    assert [row["sequence"] for row in (await outcomes(house, producer, after=first))["outcomes"]] == [feed["next"]]
    assert await outcomes(house, producer, after=feed["next"]) == {"outcomes": [], "next": feed["next"]}
    assert (await outcomes(house, other))["outcomes"] == []
    foreign = await house.ask("GET", f"/v1/outcomes?producer={FEED}", token=other.token)
    assert (foreign.status, foreign.body["code"]) == (403, "foreign_producer")
    for wrong in ("-1", "one", "9" * 40, "1_0", "٣"):
        refused = await house.ask("GET", f"/v1/outcomes?after={wrong}", token=producer.token)
        assert (refused.status, refused.body["code"]) == (422, "invalid"), wrong
    assert len(await house.world.store.ids_of_grant(GrantId(person.grant_ids[0]))) == 1


async def told_by(house: GrantHouse, producer: OutsideProducer, *, count: int) -> JsonObject:
    """The feed once it holds so many rows: the registry reads the log for itself."""
    async with asyncio.timeout(20):
        while True:
            feed = await outcomes(house, producer)
            if len(feed["outcomes"]) >= count:
                return feed
            await asyncio.sleep(0.1)


async def test_two_producers_that_use_one_event_id_do_not_hide_each_others_outcomes(house: GrantHouse) -> None:
    producers: list[tuple[str, OutsideProducer]] = [(name, await registered(house, name)) for name in (OTHER, NEXT)]
    image = photos.stranger()
    for name, producer in producers:
        await put(house, producer, image)
        answer = await posted(house, producer, Post(structured_event(name, image, event_id="the same id"), (202, "")))
        assert answer.status == 202
    for _, producer in producers:
        assert len((await told_by(house, producer, count=1))["outcomes"]) == 1
    await settled(house.world.log)
    blobs = house.world.system.shared.data / "blobs"
    assert [path for path in blobs.rglob("*") if path.is_file() and {OTHER, NEXT} & set(path.parts)] == []
