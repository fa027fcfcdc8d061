"""What she takes out of a grant is told to nobody from the acknowledgement on, and goes; the rest of the grant stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from assent.ids import FaceId, GrantId
from demo import photos
from demo.api import JsonObject
from demo.subject import Subject
from tests.flow.registry_house import GrantHouse, grant_house
from tests.integration.stream_workbench import until

pytestmark = pytest.mark.timeout(120)
KEPT, TAKEN = "/kept/1.jpg", "/taken/1.jpg"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[GrantHouse]:
    pictures = {KEPT: photos.portrait(place=photos.VANCOUVER), TAKEN: photos.portrait(photos.Look(quality=70), place=photos.VANCOUVER)}
    async with grant_house(tmp_path, pictures, indexer={"sweep_every_s": 0.2}) as made:
        yield made


async def granted(house: GrantHouse) -> tuple[Subject, GrantId]:
    """A person with two photographs under one grant, both held."""
    person = await house.person()
    sources = [{"kind": "image_url", "value": f"{house.site.origin}{path}"} for path in (KEPT, TAKEN)]
    await person.grant("it", house.request(person, sources), house.token)
    await house.crawl()
    grant = GrantId(person.grant_ids[0])
    assert len(await house.world.store.ids_of_grant(grant)) == 2
    return person, grant


async def narrowed(house: GrantHouse, person: Subject, **what: list[str]) -> None:
    body: JsonObject = {"grant_secret": person.held()[0].secret, "expected_revision": 2, **what}
    answer = await house.ask("POST", f"/v1/grants/{person.grant_ids[0]}/narrow", json=body)
    assert answer.status == 200, answer.body


async def told(house: GrantHouse, person: Subject) -> list[str]:
    found = await house.api.search(photos.portrait(), token=await person.token())
    assert found.status == 200
    return [item["face_id"] for item in found.body["candidates"]]


async def test_a_source_that_was_taken_away_is_told_to_nobody_and_goes(house: GrantHouse) -> None:
    person, grant = await granted(house)
    assert len(await told(house, person)) == 2
    await narrowed(house, person, sources=[f"{house.site.origin}{TAKEN}"])
    (left,) = await told(house, person)

    async def is_gone() -> bool:
        held = await house.world.store.ids_of_grant(grant)
        return held == [left] and await house.world.derivatives.list_grant(grant) == [FaceId(left)]

    await until(is_gone)
    await house.crawl()
    assert await is_gone()
    assert await told(house, person) == [left]


async def test_storing_that_was_taken_away_leaves_nothing_stored(house: GrantHouse) -> None:
    person, grant = await granted(house)
    await narrowed(house, person, operations=["store"])

    async def is_gone() -> bool:
        return not await house.world.store.ids_of_grant(grant) and not await house.world.derivatives.list_grant(grant)

    await until(is_gone)


async def test_what_the_grant_does_not_name_is_not_told_to_be_out_of_it(house: GrantHouse) -> None:
    person, grant = await granted(house)
    for source in (f"{house.site.origin}/taken/", f"{house.site.origin}{TAKEN}".upper()):
        body: JsonObject = {"grant_secret": person.held()[0].secret, "expected_revision": 2, "sources": [source]}
        answer = await house.ask("POST", f"/v1/grants/{grant}/narrow", json=body)
        assert (answer.status, answer.body["code"]) == (422, "source_not_named")
    assert len(await told(house, person)) == 2
