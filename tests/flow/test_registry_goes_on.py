"""What is broken of one producer or one grant stops neither the registry nor anybody else: the registry takes the withdrawals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from assent.deployment.build import open_blobs
from assent.ids import GrantId, ProducerId
from assent.keys.grant_keys import KeyNotFoundError
from assent.stream.event_log import UnknownTopicError
from demo import photos
from demo.api import JsonObject, StoryCallError
from demo.site import PORTRAITS
from demo.state import HeldGrant
from services.registry.grant_record import Grant
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


async def with_a_grant(house: GrantHouse) -> HeldGrant:
    person = await house.person()
    await person.grant("own", house.request(person, UPLOAD), house.token)
    return person.held()[0]


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


async def test_a_broker_that_knows_no_topic_for_a_moment_ends_no_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same answer to what the registry reads by itself."""
    log = LogSwitch()
    async with grant_house(tmp_path, {f"{PORTRAITS}1.jpg": photos.portrait()}, opener=log.opener) as house:
        held = await with_a_grant(house)
        asked: list[object] = []

        async def knows_none(topics: object) -> None:
            asked.append(topics)
            raise UnknownTopicError("a topic was never created")

        monkeypatch.setattr(log, "end_offsets", knows_none, raising=False)
        await house.world.system.registry.registry.rounds.once()
        assert asked
        monkeypatch.undo()
        assert (await withdrawn(house, held)).status == 200
        assert house.world.failure() is None


async def test_a_grant_that_no_record_holds_is_not_asked_for(house: GrantHouse) -> None:
    """Her yes to it could be told to nobody."""
    held, person = await with_a_grant(house), await house.person()
    sources: list[JsonObject] = [{"kind": "image_url", "value": f"https://site.example/{'a' * 2000}{number}"} for number in range(500)]
    asked = await house.ask("POST", "/v1/grants", token=house.token, json=house.request(person, sources))
    assert (asked.status, asked.body["code"]) == (422, "grant_too_large")
    await house.world.system.registry.registry.rounds.once()
    assert house.world.failure() is None
    assert (await withdrawn(house, held)).status == 200


async def test_a_grant_that_outgrew_the_log_stops_no_other(house: GrantHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a release wrote it that asked for no end to its sources: neither her end nor anybody else's rests on telling it."""
    monkeypatch.setattr("services.registry.grants.MAX_ASKED_BYTES", 10**9)
    registry, person = house.world.system.registry.registry, await house.person()
    sources: list[JsonObject] = [{"kind": "image_url", "value": f"https://site.example/{'a' * 2000}{number}"} for number in range(500)]
    with pytest.raises(StoryCallError, match="500"):
        await person.grant("own", house.request(person, sources), house.token)
    held = await with_a_grant(house)
    await registry.store.write(lambda database: database.execute("INSERT OR REPLACE INTO control_changes VALUES (1, 1000)"))
    await registry.rounds.once()
    await registry.store.write(lambda database: database.execute("UPDATE grants SET published_revision = 0"))
    await registry.rounds.once()
    rows = await registry.store.read(lambda database: database.execute("SELECT grant_id, published_revision FROM grants").fetchall())
    assert {row[0] for row in rows if row[1]} == {held.grant_id}
    assert house.world.failure() is None
    assert (await withdrawn(house, held)).status == 200


async def test_a_record_that_cannot_be_opened_leaves_her_the_page_on_which_she_withdraws(house: GrantHouse) -> None:
    registry = house.world.system.registry.registry
    person = await house.person()
    await person.grant("own", house.request(person, UPLOAD), house.token)
    held, token = person.held()[0], await person.token()
    await registry.store.write(lambda database: database.execute("UPDATE revisions SET sealed = x'00'"))
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"{house.registry}/me", headers={"Cookie": f"assent_session={token}"}) as page,
    ):
        assert f"/me/grants/{held.grant_id}/withdraw" in await page.text()
    shown = await house.ask("GET", f"/v1/grants/{held.grant_id}", headers={"Assent-Grant-Secret": held.secret})
    assert (shown.status, shown.body["state"], shown.body["record"]) == (200, "given", None)
    assert (await withdrawn(house, held)).status == 200


async def test_a_key_that_is_missing_keeps_no_proof_from_reaching_other_grants(house: GrantHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many of them as are looked at in one round."""
    monkeypatch.setattr("services.registry.control_watch.GRANTS_A_ROUND", 1)
    registry = house.world.system.registry.registry
    broken, other = sorted([(await with_a_grant(house)).grant_id, (await with_a_grant(house)).grant_id])
    record = registry.grants.record

    async def without_its_key(grant_id: GrantId) -> Grant:
        if grant_id == broken:
            raise KeyNotFoundError("no key of this grant")
        return await record(grant_id)

    monkeypatch.setattr(registry.grants, "record", without_its_key)
    await registry.store.write(lambda database: database.execute("INSERT OR REPLACE INTO control_changes VALUES (1, 1000)"))

    async def other_is_looked_at() -> bool:
        await registry.rounds.once()
        rows = await registry.store.read(lambda database: database.execute("SELECT grant_id, control_seen FROM grants").fetchall())
        seen = {row[0]: row[1] for row in rows}
        assert seen[broken] < 1000, "a key store may get its key back"
        return bool(seen[other] == 1000)

    await until(other_is_looked_at, patience_s=10)
