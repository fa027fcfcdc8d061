"""One ending that cannot go on, because its key or its partition cannot be had: those of everybody else go on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from assent.blobs.store import BlobStoreUnavailableError
from assent.events.topics import Topic
from assent.ids import GrantId
from demo import photos
from demo.site import PORTRAITS
from demo.state import HeldGrant
from services.registry.schema import FILE, FOLDER
from tests.flow.registry_house import GrantHouse, grant_house
from tests.flow.switched_log import LogSwitch
from tests.flow.switched_store import KeyStoreSwitch
from tests.flow.test_stores_away import progress, shown, until, withdrawn

pytestmark = pytest.mark.timeout(180)
PAGES = {f"{PORTRAITS}1.jpg": photos.portrait()}
SOON = {"sweep_every_s": 0.2, "erase_grace_s": 2.0}


class OneKeptKey(KeyStoreSwitch):
    """A key store that refuses to delete one object, as under a legal hold, and serves all others."""

    kept: str | None = None

    async def delete(self, key: str) -> None:
        if self.kept is not None and self.kept in key:
            raise BlobStoreUnavailableError("access denied")
        await super().delete(key)


async def is_shredded(house: GrantHouse, held: HeldGrant) -> bool:
    return await house.world.system.shared.grant_keys.is_destroyed(GrantId(held.grant_id))


async def test_a_key_that_cannot_be_destroyed_keeps_nobody_elses(tmp_path: Path) -> None:
    keys = OneKeptKey()
    async with grant_house(tmp_path, PAGES, opener=keys.opener, indexer=SOON) as house:
        _, first = await shown(house)
        _, second = await shown(house)
        keys.kept = first.grant_id
        assert (await withdrawn(house, first)).body["code"] == "key_store_unavailable"

        async def second_is_answered() -> bool:
            return (await withdrawn(house, second)).status == 200

        await until(second_is_answered)
        assert await is_shredded(house, second)
        assert not await is_shredded(house, first)

        async def second_is_gone() -> bool:
            return not await house.world.store.ids_of_grant(GrantId(second.grant_id))

        await until(second_is_gone)
        keys.kept = None

        async def first_is_shredded() -> bool:
            return await is_shredded(house, first)

        await until(first_is_shredded)


async def test_the_registry_tells_physical_only_when_its_file_holds_nothing(tmp_path: Path) -> None:
    """Also while another ending stands still."""
    keys = OneKeptKey()
    async with grant_house(tmp_path, PAGES, opener=keys.opener, indexer=SOON) as house:
        _, first = await shown(house)
        _, second = await shown(house)
        face = next(iter(await house.world.store.ids_of_grant(GrantId(first.grant_id))))

        def holds_the_face() -> bool:
            return any(str(face).encode() in path.read_bytes() for path in (tmp_path / "registry").iterdir())

        assert holds_the_face()
        keys.is_away = True
        assert (await withdrawn(house, first)).status == 503
        assert (await withdrawn(house, second)).status == 503
        keys.kept, keys.is_away = second.grant_id, False

        async def first_is_answered() -> bool:
            return (await withdrawn(house, first)).status == 200

        await until(first_is_answered)
        erasure = (await withdrawn(house, first)).body["erasure_id"]

        async def is_told() -> bool:
            return ("registry", "physical") in await progress(house, erasure)

        await until(is_told)
        assert not holds_the_face()


async def test_one_partition_of_the_withdrawals_away_holds_only_its_own(tmp_path: Path) -> None:
    log = LogSwitch()
    async with grant_house(tmp_path, PAGES, opener=log.opener) as house:
        held = []
        for _ in range(3):
            person = await house.person()
            await person.grant("own", house.request(person, [{"kind": "upload"}]), house.token)
            held.append(person.held()[0])
        away = held[0].grant_id.encode()
        log.refuses = lambda record: record.topic == Topic.WITHDRAWALS and record.key == away
        assert (await withdrawn(house, held[0])).body["code"] == "log_unavailable"
        assert [(await withdrawn(house, each)).status for each in held[1:]] == [200, 200]
        assert [await is_shredded(house, each) for each in held] == [False, True, True]
        log.refuses = lambda record: False

        async def is_answered() -> bool:
            return (await withdrawn(house, held[0])).status == 200

        await until(is_answered)
        assert await is_shredded(house, held[0])


async def test_nothing_is_told_of_rows_that_another_reader_keeps_in_the_file(tmp_path: Path) -> None:
    """As a copy of the file is made while the registry runs."""
    async with grant_house(tmp_path, PAGES, indexer=SOON) as house:
        _, held = await shown(house)
        reader = sqlite3.connect(f"{(tmp_path / FOLDER / FILE).as_uri()}?mode=ro", uri=True, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM held_faces").fetchone()
        assert (await withdrawn(house, held)).status == 503, "it counts, and what is left of it goes on"
        erasure = (await house.ask("GET", f"/v1/grants/{held.grant_id}", headers={"Assent-Grant-Secret": held.secret})).body["erasure_id"]

        async def vectors_are_gone() -> bool:
            return not await house.world.store.ids_of_grant(GrantId(held.grant_id))

        await until(vectors_are_gone)
        told = await progress(house, erasure)
        assert ("registry", "logical") in told
        assert ("registry", "physical") not in told
        reader.close()

        async def is_answered() -> bool:
            return (await withdrawn(house, held)).status == 200

        await until(is_answered)

        async def is_told() -> bool:
            return ("registry", "physical") in await progress(house, erasure)

        await until(is_told)
