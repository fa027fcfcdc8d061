"""Stores that go away while a grant ends, and come back: nothing is reported that was not done, and nothing has to be started anew."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from assent.deployment.build import open_blobs
from assent.deployment.start_errors import StartError
from assent.ids import GrantId
from assent.receipts.verify import read_public_key, read_receipt, verify_receipt
from demo import photos
from demo.api import Answer, JsonObject
from demo.site import PORTRAITS
from demo.state import HeldGrant
from demo.subject import Subject
from tests.flow.registry_house import GrantHouse, grant_house
from tests.flow.switched_store import KeyStoreSwitch

pytestmark = pytest.mark.timeout(180)
PAGES = {f"{PORTRAITS}1.jpg": photos.portrait()}


@pytest.fixture
def keys() -> KeyStoreSwitch:
    return KeyStoreSwitch()


@pytest.fixture
async def house(tmp_path: Path, keys: KeyStoreSwitch) -> AsyncIterator[GrantHouse]:
    async with grant_house(tmp_path, PAGES, opener=keys.opener, indexer={"sweep_every_s": 0.2, "erase_grace_s": 2.0}) as made:
        yield made


async def until(check: Callable[[], Awaitable[bool]], *, patience_s: float = 30.0) -> None:
    async with asyncio.timeout(patience_s):
        while not await check():  # noqa: ASYNC110  what is asked tells nobody
            await asyncio.sleep(0.1)


async def shown(house: GrantHouse) -> tuple[Subject, HeldGrant]:
    """Somebody whose page was collected: one vector, one picture."""
    person = await house.person()
    source: JsonObject = {"kind": "url_prefix", "value": f"{house.site.origin}{PORTRAITS}", "only_me": True}
    await person.grant("page", house.request(person, [source]), house.token)
    held = person.held()[0]
    await house.crawl()
    assert len(await house.world.store.ids_of_grant(GrantId(held.grant_id))) == 1
    assert len(await house.world.derivatives.list_grant(GrantId(held.grant_id))) == 1
    return person, held


async def withdrawn(house: GrantHouse, held: HeldGrant, secret: str | None = None) -> Answer:
    return await house.ask("POST", f"/v1/grants/{held.grant_id}/withdraw", json={"grant_secret": secret or held.secret})


async def progress(house: GrantHouse, erasure_id: str) -> set[tuple[str, str]]:
    answer = await house.ask("GET", f"/v1/erasures/{erasure_id}")
    return {(item["store"], item["level"]) for item in answer.body["progress"]}


def metric(house: GrantHouse, name: str, **labels: str) -> float | None:
    return house.world.system.shared.metrics.registry.get_sample_value(name, labels)


async def test_pictures_wait_for_their_store_and_vectors_do_not(house: GrantHouse, tmp_path: Path) -> None:
    person, held = await shown(house)
    blobs, away = tmp_path / "blobs", tmp_path / "blobs-away"
    blobs.rename(away)
    erasure = await person.withdraw(held)

    async def vectors_are_gone() -> bool:
        return {("vectors", "logical"), ("vectors", "physical")} <= await progress(house, erasure)

    await until(vectors_are_gone)
    assert not {item for item in await progress(house, erasure) if item[0] == "derivatives"}
    assert house.world.failure() is None
    assert list((away / "grants" / held.grant_id).iterdir()), "nothing of it was touched"
    away.rename(blobs)

    async def everything_is_gone() -> bool:
        answer = await house.ask("GET", f"/v1/erasures/{erasure}")
        return bool(answer.body["status"] == "physically_erased")

    await until(everything_is_gone)
    assert not await house.world.derivatives.list_grant(GrantId(held.grant_id))
    assert house.world.failure() is None


async def test_a_picture_that_a_restore_brought_back_is_swept_and_hers_that_lives_is_not(house: GrantHouse, tmp_path: Path) -> None:
    _, living = await shown(house)
    person, held = await shown(house)
    blobs = open_blobs(f"file:{tmp_path / 'blobs'}")
    kept = {entry.key: await blobs.get(entry.key) async for entry in blobs.list(f"grants/{held.grant_id}")}
    assert len(kept) == 1
    erasure = await person.withdraw(held)

    async def erased() -> bool:
        return ("derivatives", "physical") in await progress(house, erasure)

    await until(erased)
    # What a restore from before the withdrawal does.
    for key, data in kept.items():
        await blobs.put(key, data)
    seen: list[float] = []

    async def swept() -> bool:
        seen.append(metric(house, "assent_pictures_without_grant") or 0.0)
        return not [entry.key async for entry in blobs.list(f"grants/{held.grant_id}")] and max(seen) == 1.0

    await until(swept)
    assert len([entry.key async for entry in blobs.list(f"grants/{living.grant_id}")]) == 1

    async def nothing_is_left() -> bool:
        return metric(house, "assent_pictures_without_grant") == 0.0

    await until(nothing_is_left)
    assert (metric(house, "assent_picture_sweep_last_completed_timestamp_seconds") or 0) > 0


async def opened(house: GrantHouse, erasure: str, opening: JsonObject) -> list[str | None]:
    """Which grant each receipt of the erasure is about, as whoever holds the opening can show offline."""
    key = read_public_key((await house.ask("GET", "/v1/keys/receipts")).body["public_key_pem"].encode())
    ids = (await house.ask("GET", f"/v1/erasures/{erasure}")).body["receipts"]
    found: list[str | None] = []
    for receipt in ids:
        answer = await house.ask("GET", f"/v1/receipts/{receipt}")
        document = read_receipt(json.dumps(answer.body).encode())
        assert verify_receipt(document, key).grant_id is None
        verified = verify_receipt({**document, "opening": opening}, key)
        assert verified.level == "logical" or verified.key_fingerprint, "the key is named although its store was away at the end"
        found.append(verified.grant_id)
    return found


async def test_a_withdrawal_that_was_answered_503_gives_everything_when_it_is_asked_again(
    house: GrantHouse, keys: KeyStoreSwitch, tmp_path: Path
) -> None:
    """The key store is away from before the start on, so that no key and no record is in memory."""
    _, held = await shown(house)
    keys.is_away = True
    await house.world.restart()
    assert house.world.failure() is None
    refused = await withdrawn(house, held)
    assert (refused.status, refused.body["code"]) == (503, "key_store_unavailable")
    grant = GrantId(held.grant_id)
    await house.world.system.shared.tables.catch_up(5)
    assert house.world.system.shared.tables.ledger.ended_at(grant) is not None, "it counts all the same"
    keys.is_away = False

    async def is_answered() -> bool:
        return (await withdrawn(house, held)).status == 200

    await until(is_answered)
    answer = await withdrawn(house, held)
    opening: Any = answer.body["opening"]
    assert opening["grant_id"] == held.grant_id
    assert (await withdrawn(house, held, "x" * 43)).status == 403

    async def proved() -> bool:
        return len((await house.ask("GET", f"/v1/erasures/{answer.body['erasure_id']}")).body["receipts"]) == 2

    await until(proved)
    assert await opened(house, answer.body["erasure_id"], opening) == [held.grant_id] * 2
    await house.world.restart()
    assert (await withdrawn(house, held)).body == answer.body, "as often as she asks, and after a restart"
    stored = b"".join(path.read_bytes() for path in (tmp_path / "registry").iterdir())
    assert bytes.fromhex(opening["salt"]) not in stored
    assert opening["salt"].encode() not in stored


async def test_a_key_store_that_does_not_even_fail_keeps_neither_a_start_nor_a_withdrawal_waiting(
    house: GrantHouse, keys: KeyStoreSwitch
) -> None:
    _, first = await shown(house)
    _, second = await shown(house)
    keys.is_silent = True
    assert (await withdrawn(house, first)).body["code"] == "key_store_unavailable"
    await house.world.restart()
    assert house.world.failure() is None
    assert (await withdrawn(house, second)).body["code"] == "key_store_unavailable"
    ledger = house.world.system.shared.tables
    await ledger.catch_up(5)
    assert all(ledger.ledger.ended_at(GrantId(held.grant_id)) is not None for held in (first, second))
    keys.is_silent = False

    async def are_answered() -> bool:
        return [(await withdrawn(house, held)).status for held in (first, second)] == [200, 200]

    await until(are_answered)


async def test_a_registry_starts_with_an_unfinished_ending_and_takes_the_next_while_the_key_store_is_away(
    house: GrantHouse, keys: KeyStoreSwitch
) -> None:
    _, first = await shown(house)
    _, second = await shown(house)
    keys.is_away = True
    assert (await withdrawn(house, first)).status == 503
    await house.world.restart()
    assert house.world.failure() is None
    assert (await withdrawn(house, second)).status == 503
    person = await house.person()
    asked = await house.api.need("POST", f"{house.registry}/v1/grants", token=house.token, json=house.request(person, [{"kind": "upload"}]))
    yes = {"one_time_secret": asked["one_time_secret"], "notice_sha256": asked["notice_sha256"]}
    assert (await house.ask("POST", f"/v1/grants/{asked['grant_id']}/confirm", json=yes)).status == 503
    ledger = house.world.system.shared.tables
    await ledger.catch_up(5)
    for held in (first, second):
        assert ledger.ledger.ended_at(GrantId(held.grant_id)) is not None

    async def is_counted() -> bool:
        return metric(house, "assent_erasures_pending", level="physical") == 2.0

    await until(is_counted)
    await house.world.restart()
    keys.is_away = False

    async def are_shredded() -> bool:
        keyring = house.world.system.shared.grant_keys
        return all([await keyring.is_destroyed(GrantId(held.grant_id)) for held in (first, second)])

    await until(are_shredded)
    assert (await house.ask("POST", f"/v1/grants/{asked['grant_id']}/confirm", json=yes)).status == 200
    answers = [await withdrawn(house, held) for held in (first, second)]
    assert [answer.status for answer in answers] == [200, 200]
    assert all(answer.body["opening"] for answer in answers)


async def test_a_product_whose_disk_is_not_mounted_does_not_start_on_an_empty_one(tmp_path: Path) -> None:
    async with grant_house(tmp_path, PAGES) as house:
        _, held = await shown(house)
        await house.world.stop()
        for store in ("grant-keys", "blobs"):
            place, away = tmp_path / store, tmp_path / f"{store}-away"
            place.rename(away)
            place.mkdir()
            with pytest.raises(StartError, match=rf"_url: {re.escape(str(place))} is not the "):
                await house.world.start()
            assert not list(place.iterdir())
            place.rmdir()
            away.rename(place)
        await house.world.start()
        assert len(await house.world.derivatives.list_grant(GrantId(held.grant_id))) == 1
