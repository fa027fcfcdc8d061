"""A photo of two people who both said yes: both faces under one joint grant, which ends when either of them ends hers."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from assent.events.envelope import decode
from assent.events.images import ImageRefused
from assent.events.topics import Topic
from assent.ids import GrantId
from demo import photos
from demo.settled import settled
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
    async with grant_house(tmp_path, {PAIR: pair, CROWD: crowd}, indexer={"sweep_every_s": 0.2}) as made:
        yield made


def at(house: GrantHouse, path: str) -> dict[str, str]:
    return {"kind": "image_url", "value": f"{house.site.origin}{path}"}


async def joint(house: GrantHouse, path: str, *others: dict[str, str]) -> tuple[GrantId, list[Subject]]:
    """Two people with grants of their own, and a joint grant over one picture. The grant of each names it too; with `others`, that of the
    second names those instead.
    """
    people, source = [await house.person(), await house.person()], at(house, path)
    for person, named in zip(people, ([source], list(others) or [source]), strict=True):
        await person.grant("own", house.request(person, [{"kind": "upload"}, *named]), house.token)
    members = [person.grant_ids[0] for person in people]
    await people[0].grant("joint", house.request(people[0], [source], mode="joint", member_grants=members), house.token)
    return GrantId(people[0].grant_ids[-1]), people


async def rules(house: GrantHouse, grant: GrantId) -> list[tuple[str, ...]]:
    """What refused pictures under this grant, in the order of the log's partitions."""
    tail = await house.world.log.tail([Topic.IMAGES_REFUSED.value])
    refused = [decode(record).data for record in await tail.poll(timeout_s=5.0)]
    await tail.close()
    return [data.rules for data in refused if isinstance(data, ImageRefused) and data.grant_id == grant]


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
    assert await rules(house, grant) == [("bystander_present",)]


async def test_a_picture_that_one_of_them_did_not_name_is_not_kept(house: GrantHouse) -> None:
    """She said yes to photos that she sends herself, and to another picture; one of the two cannot name this one for her."""
    grant, _ = await joint(house, PAIR, at(house, CROWD))
    await house.crawl()
    assert await house.world.store.ids_of_grant(grant) == []
    assert await rules(house, grant) == [("source_not_covered",)]


async def test_what_one_of_them_takes_out_of_her_own_grant_goes_from_the_joint_one(house: GrantHouse) -> None:
    grant, people = await joint(house, PAIR)
    await house.crawl()
    assert len(await house.world.store.ids_of_grant(grant)) == 2
    secret = people[1].held()[0].secret
    body = {"grant_secret": secret, "expected_revision": 2, "sources": [at(house, PAIR)["value"]]}
    narrowed = await house.ask("POST", f"/v1/grants/{people[1].grant_ids[0]}/narrow", json=body)
    assert narrowed.status == 200, narrowed.body
    await house.erased(grant)
    assert await house.world.derivatives.list_grant(grant) == []
    shown = await house.ask("GET", f"/v1/grants/{grant}", headers={"Assent-Grant-Secret": people[0].held()[-1].secret})
    assert shown.body["state"] == "given"
    await house.crawl()
    assert await house.world.store.ids_of_grant(grant) == []


async def test_a_photo_that_the_holder_sends_needs_the_word_of_the_other_for_its_very_bytes(house: GrantHouse) -> None:
    people, photo = [await house.person(), await house.person()], photos.portrait()
    digest = {"kind": "asset_sha256", "value": hashlib.sha256(photo).hexdigest()}
    await people[0].grant("own", house.request(people[0], [{"kind": "upload"}]), house.token)
    for name, named in (("file", [{"kind": "upload"}, digest]), ("own", [{"kind": "upload"}])):
        await people[1].grant(name, house.request(people[1], named), house.token)
    held = []
    for other in people[1].grant_ids:
        members = [people[0].grant_ids[0], other]
        await people[0].grant("joint", house.request(people[0], [{"kind": "upload"}], mode="joint", member_grants=members), house.token)
        joined = people[0].held()[-1]
        headers = {"Assent-Grant-Secret": joined.secret, "Content-Type": "image/jpeg"}
        sent = await house.ask("POST", f"/v1/grants/{joined.grant_id}/images", data=photo, headers=headers)
        assert sent.status == 202, sent.body
        await settled(house.world.log)
        held.append(len(await house.world.store.ids_of_grant(GrantId(joined.grant_id))))
    assert held == [1, 0]


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


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("Pictures of several people", "asked for, not in force", "in force", "ended", "the photo at the address")),
        ("fr", ("Photos de plusieurs personnes", "demandée, pas en vigueur", "en vigueur", "terminée", "la photo à l&#39;adresse")),
    ],
    ids=["English", "French"],
)
async def test_her_page_lists_the_joint_grants_that_rest_on_hers_and_where_their_pictures_come_from(
    house: GrantHouse, lang: str, words: tuple[str, ...]
) -> None:
    """Also of the one who holds none of them, from the moment it is asked for."""
    grant, people = await joint(house, PAIR)
    title, is_asked, is_live, is_over, photo = words
    source = at(house, CROWD)
    request = house.request(people[0], [source], mode="joint", member_grants=[person.grant_ids[0] for person in people])
    asked = await house.ask("POST", "/v1/grants", token=house.token, json=request)
    assert asked.status == 201, asked.body

    async def listed(person: Subject) -> str:
        cookie = {"Cookie": f"assent_session={await person.token()}"}
        async with aiohttp.ClientSession() as http, http.get(f"{house.registry}/me?lang={lang}", headers=cookie) as answer:
            page = await answer.text()
        return page.partition('<ul class="joints">')[2].partition("</ul></li></ul>")[0] if title in page else ""

    for person in people:
        shown = await listed(person)
        assert f"<code>{grant}</code>, {is_live}<ul><li>{photo} <code>{at(house, PAIR)['value']}</code>" in shown
        assert f"<code>{asked.body['grant_id']}</code>, {is_asked}<ul><li>{photo} <code>{source['value']}</code>" in shown
    await people[1].withdraw(people[1].held()[0])
    assert f"<code>{grant}</code>, {is_over}" in await listed(people[0])
