"""What is broken of one producer or one grant stops neither the registry nor anybody else: the registry takes the withdrawals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from assent.deployment.build import open_blobs
from assent.ids import GrantId, ProducerId
from assent.stream.event_log import UnknownTopicError
from demo import photos
from demo.api import JsonObject
from demo.site import PORTRAITS
from services.registry.outcome_table import sightings_of
from tests.flow.registry_house import GrantHouse, grant_house
from tests.flow.switched_log import LogSwitch
from tests.flow.test_stores_away import until, withdrawn

pytestmark = pytest.mark.timeout(120)
UPLOAD: list[JsonObject] = [{"kind": "upload"}]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[GrantHouse]:
    async with grant_house(tmp_path, {f"{PORTRAITS}1.jpg": photos.portrait()}) as made:
        yield made


async def test_a_standing_that_cannot_be_read_suspends_that_producer_alone(house: GrantHouse, tmp_path: Path) -> None:
    await open_blobs(f"file:{tmp_path / 'blobs'}").put("standings/somebody", b'{"is_suspended": false, "of_a_later_release": 1}')
    standings = house.world.system.shared.standings
    told = await standings.of(ProducerId("somebody"))
    assert told is not None
    assert told.is_suspended
    assert await standings.of(ProducerId("another")) is None
    await house.world.system.registry.registry.rounds.once()
    assert house.world.failure() is None


async def test_a_record_that_cannot_be_opened_stops_no_other_grant(house: GrantHouse) -> None:
    registry = house.world.system.registry.registry
    broken = await house.person()
    await broken.grant("own", house.request(broken, UPLOAD), house.token)
    other = await house.person()
    await other.grant("own", house.request(other, UPLOAD), house.token)
    ids = [person.held()[0].grant_id for person in (broken, other)]
    await registry.store.write(lambda database: database.execute("UPDATE revisions SET sealed = x'00' WHERE grant_id = ?", (ids[0],)))
    await registry.store.write(lambda database: database.execute("UPDATE grants SET published_revision = 0"))

    async def other_is_published() -> bool:
        rows = await registry.store.read(
            lambda database: database.execute("SELECT published_revision FROM grants WHERE grant_id = ?", (ids[1],)).fetchall()
        )
        return bool(rows[0][0] > 0)

    await until(other_is_published)
    assert house.world.failure() is None
    assert (await withdrawn(house, broken.held()[0])).status == 200, "her end needs no record"


async def test_a_photo_that_is_overtaken_by_her_withdrawal_does_not_stay(house: GrantHouse, tmp_path: Path) -> None:
    """She withdraws after her photo was taken for hers and before it lies in quarantine."""
    registry = house.world.system.registry.registry
    person = await house.person()
    await person.grant("own", house.request(person, UPLOAD), house.token)
    held = person.held()[0]
    reached, ended = asyncio.Event(), asyncio.Event()
    quarantine = house.world.system.shared.quarantine
    put = quarantine.put

    async def slow(*arguments: object, **options: object) -> object:
        reached.set()
        await ended.wait()
        return await put(*arguments, **options)  # type: ignore[arg-type]

    quarantine.put = slow  # type: ignore[method-assign,assignment]  # a slow disk
    headers = {"Assent-Grant-Secret": held.secret, "Content-Type": "image/jpeg"}
    sending = asyncio.create_task(house.ask("POST", f"/v1/grants/{held.grant_id}/images", data=photos.portrait(), headers=headers))
    await reached.wait()
    assert (await withdrawn(house, held)).status == 200
    ended.set()
    assert (await sending).status == 409
    assert not await registry.store.read(lambda database: sightings_of(database, GrantId(held.grant_id)))
    assert not list((tmp_path / "blobs").glob("quarantine/*"))


async def test_a_broker_that_knows_no_topic_for_a_moment_is_one_that_is_away(tmp_path: Path) -> None:
    """As Apache Kafka tells it right after a start on its data."""
    log = LogSwitch()
    async with grant_house(tmp_path, {f"{PORTRAITS}1.jpg": photos.portrait()}, opener=log.opener) as house:
        person = await house.person()
        await person.grant("own", house.request(person, UPLOAD), house.token)
        held = person.held()[0]
        log.trouble, log.refuses = UnknownTopicError("images.scraped"), lambda record: True
        headers = {"Assent-Grant-Secret": held.secret, "Content-Type": "image/jpeg"}
        refused = await house.ask("POST", f"/v1/grants/{held.grant_id}/images", data=photos.portrait(), headers=headers)
        assert (refused.status, refused.body["code"]) == (503, "log_unavailable")
        assert (await withdrawn(house, held)).body["code"] == "log_unavailable"
        log.refuses = lambda record: False

        async def is_answered() -> bool:
            return (await withdrawn(house, held)).status == 200

        await until(is_answered)
        assert house.world.failure() is None
