"""Outside producers: what they hand in is judged by its bytes; nothing that they say of it is taken for consent or for a place."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assent.events.envelope import Event, decode, encode
from assent.events.evidence import Connector, EvidenceKind
from assent.events.images import ImageRefused, ImageScraped, Sighting, SourceKind
from assent.events.record import Record
from assent.events.topics import Topic
from assent.ids import GrantId, ImageId, ProducerId, SightingId
from assent.intake.signature import SIGNATURE_HEADER
from demo import photos
from demo.api import JsonObject, StoryCallError
from demo.producer import NAME, OutsideProducer
from demo.settled import settled
from demo.site import PORTRAITS
from demo.subject import Subject
from tests.flow.registry_house import GrantHouse, grant_house

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[GrantHouse]:
    async with grant_house(tmp_path, {f"{PORTRAITS}1.jpg": photos.portrait()}) as made:
        yield made


async def registered(house: GrantHouse) -> OutsideProducer:
    producer = OutsideProducer(house.api)
    await producer.register(house.token)
    return producer


async def granted(house: GrantHouse, source: JsonObject) -> Subject:
    person = await house.person()
    await person.grant("it", house.request(person, [source]), house.token)
    return person


async def refusals(house: GrantHouse) -> list[ImageRefused]:
    tail = await house.world.log.tail([Topic.IMAGES_REFUSED.value])
    found = [decode(record).data for record in await tail.poll(timeout_s=3.0)]
    await tail.close()
    return [data for data in found if isinstance(data, ImageRefused)]


def own_folder(house: GrantHouse) -> JsonObject:
    return {"kind": "url_prefix", "value": f"{house.site.origin}{PORTRAITS}", "only_me": True}


async def test_a_strangers_photo_does_not_come_under_her_folder_because_a_producer_says_so(house: GrantHouse) -> None:
    person, producer = await granted(house, own_folder(house)), await registered(house)
    await producer.offer(photos.stranger(), now=datetime.now(UTC), final_url=f"{house.site.origin}{PORTRAITS}stranger.jpg")
    await settled(house.world.log)
    assert await house.world.store.ids_of_grant(GrantId(person.grant_ids[0])) == []
    assert {"no_grant"} <= {rule for data in await refusals(house) for rule in data.rules}


@pytest.mark.parametrize("kind", [SourceKind.WEB_PAGE, SourceKind.UPLOAD])
async def test_a_producer_that_calls_itself_something_else_stays_a_producer(house: GrantHouse, kind: SourceKind) -> None:
    """Signed with its own key and put on the log past the intake: no fetch of ours, and no upload of hers."""
    source = own_folder(house) if kind is SourceKind.WEB_PAGE else {"kind": "upload"}
    person, producer = await granted(house, source), await registered(house)
    image = photos.stranger()
    claims: dict[str, Any] = {"source_kind": kind, "final_url": f"{house.site.origin}{PORTRAITS}x.jpg"}
    if kind is SourceKind.UPLOAD:
        claims["upload_grant_id"] = GrantId(person.grant_ids[0])
    await house.world.log.append([signed_record(producer, await producer.hand_in(image), image, claims)])
    await settled(house.world.log)
    assert await house.world.store.count() == 0
    assert [data.rules for data in await refusals(house)] != []


async def test_what_a_grant_names_by_its_bytes_is_embedded_once_whoever_hands_it_in(house: GrantHouse) -> None:
    image = photos.portrait(photos.Look(side=400))
    source: JsonObject = {"kind": "asset_sha256", "value": hashlib.sha256(image).hexdigest()}
    person, producer = await granted(house, source), await registered(house)
    for _ in range(2):
        await producer.offer(image, now=datetime.now(UTC))
        await settled(house.world.log)
    assert len(await house.world.store.ids_of_grant(GrantId(person.grant_ids[0]))) == 1


async def test_where_a_producer_says_that_a_picture_is_shown_may_close_and_never_opens(house: GrantHouse) -> None:
    """A page of Quebec refuses what the grant names by its bytes; whatever it names, it has no weight to make a place known."""
    image = photos.portrait(photos.Look(side=400))
    source: JsonObject = {"kind": "asset_sha256", "value": hashlib.sha256(image).hexdigest()}
    person, producer = await granted(house, source), await registered(house)
    claims: dict[str, Any] = {"source_kind": SourceKind.PRODUCER, "page_url": "https://www.ville.montreal.qc.ca/ada/"}
    await house.world.log.append([signed_record(producer, await producer.hand_in(image), image, claims)])
    await settled(house.world.log)
    (refused,) = await refusals(house)
    assert (refused.grant_id, "CA-QC" in refused.candidates, "QC-3" in refused.rules) == (person.grant_ids[0], True, True)
    told = [item for item in refused.evidence if item.connector is Connector.PUBLICATION]
    assert {(item.kind, item.allow_weight) for item in told} == {(EvidenceKind.PROVINCE_DOMAIN, 0.0), (EvidenceKind.URL_WORDS, 0.0)}


class BytesGoInBetween(OutsideProducer):
    """Its first PUTs are as if the bytes had been done with before the event that names them came."""

    left = 1

    async def hand_in(self, image: bytes) -> str:
        self.left -= 1
        return await super().hand_in(image) if self.left < 0 else f"intake/{NAME}/{hashlib.sha256(image).hexdigest()}"


async def test_an_event_whose_answer_was_lost_is_sent_again_with_its_bytes_and_does_nothing_twice(house: GrantHouse) -> None:
    image = photos.portrait(photos.Look(side=400))
    source: JsonObject = {"kind": "asset_sha256", "value": hashlib.sha256(image).hexdigest()}
    person, producer = await granted(house, source), BytesGoInBetween(house.api)
    await producer.register(house.token)
    at = datetime.now(UTC)
    for producer.left in (0, 1):
        await producer.offer(image, now=at)
        await settled(house.world.log)
        assert len(await house.world.store.ids_of_grant(GrantId(person.grant_ids[0]))) == 1
    producer.left = 9
    with pytest.raises(StoryCallError, match="PUT them to /v1/intake/SHA256, then send the event again"):
        await producer.offer(image, now=at)


def signed_record(producer: OutsideProducer, blob: str, image: bytes, claims: dict[str, Any]) -> Record:
    now, digest = datetime.now(UTC), hashlib.sha256(image).hexdigest()
    sighting = Sighting(
        **{
            "sighting_id": SightingId("a-producers-own-id"),
            "image_id": ImageId(digest),
            "producer": ProducerId(NAME),
            "blob": blob,
            "sha256": digest,
            "size_bytes": len(image),
            "media_type": "image/jpeg",
            "fetched_at": now,
        }
        | claims
    )
    record = encode(Event("an-event", f"/{NAME}", now, ImageScraped(sighting=sighting)))
    signature = producer.signed("an-event", sighting.sighting_id, record.value or b"")
    return Record(record.topic, record.key, record.value, (*record.headers, (SIGNATURE_HEADER, signature)))
