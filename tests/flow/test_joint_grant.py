"""A photo of two people who both said yes: both faces under one joint grant, which ends when either of them ends hers."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from assent.events.envelope import decode
from assent.events.images import ImageRefused
from assent.events.topics import Topic
from assent.ids import GrantId
from demo import photos
from demo.subject import Subject
from tests.flow.registry_house import GrantHouse, grant_house

pytestmark = pytest.mark.timeout(120)
PAIR, CROWD = "/both/pair.jpg", "/both/crowd.jpg"


def side_by_side(*pictures: bytes) -> bytes:
    opened = [Image.open(io.BytesIO(picture)) for picture in pictures]
    canvas = Image.new("RGB", (sum(picture.width for picture in opened), max(picture.height for picture in opened)))
    left = 0
    for picture in opened:
        canvas.paste(picture, (left, 0))
        left += picture.width
    buffer = io.BytesIO()
    canvas.save(buffer, format="JPEG", quality=90)
    return buffer.getvalue()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[GrantHouse]:
    pair = side_by_side(photos.portrait(), photos.portrait(photos.Look(light=1.2)))
    crowd = side_by_side(photos.portrait(), photos.portrait(), photos.portrait(photos.Look(light=1.1)))
    async with grant_house(tmp_path, {PAIR: pair, CROWD: crowd}) as made:
        yield made


async def joint(house: GrantHouse, path: str) -> tuple[GrantId, list[Subject]]:
    """Two people with grants of their own, and a joint grant over one picture."""
    people = [await house.person(), await house.person()]
    for person in people:
        await person.grant("own", house.request(person, [{"kind": "upload"}]), house.token)
    members = [person.grant_ids[0] for person in people]
    source = [{"kind": "image_url", "value": f"{house.site.origin}{path}"}]
    await people[0].grant("joint", house.request(people[0], source, mode="joint", member_grants=members), house.token)
    return GrantId(people[0].grant_ids[-1]), people


async def test_both_faces_are_kept_and_all_goes_when_one_withdraws(house: GrantHouse) -> None:
    grant, people = await joint(house, PAIR)
    await house.crawl()
    assert len(await house.world.store.ids_of_grant(grant)) == 2
    await people[1].withdraw(people[1].held()[0])
    shown = await house.ask("GET", f"/v1/grants/{grant}", headers={"Assent-Grant-Secret": people[0].held()[-1].secret})
    assert shown.body["state"] == "withdrawn"
    probe = await house.api.search(photos.portrait(), token=await people[0].token())
    assert (probe.status, probe.body["candidates"]) == (200, [])
    await house.erased(grant)
    await house.crawl()
    assert await house.world.store.ids_of_grant(grant) == []


async def test_more_faces_than_members_are_refused(house: GrantHouse) -> None:
    grant, _ = await joint(house, CROWD)
    await house.crawl()
    assert await house.world.store.ids_of_grant(grant) == []
    tail = await house.world.log.tail([Topic.IMAGES_REFUSED.value])
    refused = [decode(record).data for record in await tail.poll(timeout_s=5.0)]
    await tail.close()
    assert [data.rules for data in refused if isinstance(data, ImageRefused) and data.grant_id == grant] == [("bystander_present",)]


async def test_a_member_that_is_not_live_makes_no_joint_grant(house: GrantHouse) -> None:
    person = await house.person()
    await person.grant("own", house.request(person, [{"kind": "upload"}]), house.token)
    members = [person.grant_ids[0], "01900000-0000-7000-8000-000000000000"]
    source = [{"kind": "image_url", "value": f"{house.site.origin}{PAIR}"}]
    asked = await house.ask(
        "POST", "/v1/grants", token=house.token, json=house.request(person, source, mode="joint", member_grants=members)
    )
    assert (asked.status, asked.body["code"]) == (422, "X-3")


@pytest.mark.parametrize("asker", ["with two grants of her own", "who is not in the photo"])
async def test_a_joint_grant_takes_no_face_of_somebody_who_did_not_say_yes(house: GrantHouse, asker: str) -> None:
    """One person with two grants is not two people; and whoever is not in the photo must not hold its faces as hers."""
    people = [await house.person() for _ in range(3)]
    for person in (*people, people[0]):
        await person.grant(f"own {person.grant_ids}", house.request(person, [{"kind": "upload"}]), house.token)
    members = people[0].grant_ids if asker == "with two grants of her own" else [people[1].grant_ids[0], people[2].grant_ids[0]]
    source = [{"kind": "image_url", "value": f"{house.site.origin}{PAIR}"}]
    request = house.request(people[0], source, mode="joint", member_grants=members)
    asked = await house.ask("POST", "/v1/grants", token=house.token, json=request)
    assert (asked.status, asked.body["code"]) == (422, "X-3")
    await house.crawl()
    assert not [path for path in house.site.requests if PAIR in path]
