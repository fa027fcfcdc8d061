"""What nobody foresaw at one grant, and times that no reader takes: the withdrawals, expiries and receipts of all others go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assent.events.grants import GrantState
from assent.ids import GrantId
from demo import photos
from demo.api import JsonObject
from demo.site import PORTRAITS
from demo.state import HeldGrant
from services.registry.grant_table import GrantRow, grant_row
from tests.flow.registry_house import GrantHouse, grant_house
from tests.flow.switched_store import KeyStoreSwitch
from tests.flow.test_stores_away import metric, until, withdrawn

pytestmark = pytest.mark.timeout(180)
PAGES = {f"{PORTRAITS}1.jpg": photos.portrait()}
SOON = {"sweep_every_s": 0.2, "erase_grace_s": 1.0}
UPLOAD: list[JsonObject] = [{"kind": "upload"}]
FIRST_DAY = "0001-01-01T00:00:00.000000+00:00"
LAST_DAY = "9999-12-31T23:59:59.000000+00:00"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[GrantHouse]:
    async with grant_house(tmp_path, PAGES, indexer=SOON) as made:
        yield made


async def given(house: GrantHouse) -> HeldGrant:
    person = await house.person()
    await person.grant("own", house.request(person, UPLOAD), house.token)
    return person.held()[0]


async def by_hand(house: GrantHouse, statement: str, *values: str) -> None:
    await house.world.system.registry.registry.store.write(lambda database: database.execute(statement, values))


async def row_of(house: GrantHouse, held: HeldGrant) -> GrantRow:
    row = await house.world.system.registry.registry.store.read(lambda database: grant_row(database, GrantId(held.grant_id)))
    assert row is not None
    return row


async def is_proven(house: GrantHouse, held: HeldGrant) -> bool:
    """Both receipts are there."""
    row = await house.ask("GET", f"/v1/grants/{held.grant_id}", headers={"Assent-Grant-Secret": held.secret})
    if row.body["erasure_id"] is None:
        return False
    return len((await house.ask("GET", f"/v1/erasures/{row.body['erasure_id']}")).body["receipts"]) == 2


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def test_what_is_no_time_of_ours_narrows_nothing(house: GrantHouse) -> None:
    held = await given(house)
    for no_time in ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", 1_800_000_000):
        body = {"grant_secret": held.secret, "expected_revision": 2, "expires_at": no_time}
        assert (await house.ask("POST", f"/v1/grants/{held.grant_id}/narrow", json=body)).status == 422
    assert (await row_of(house, held)).revision == 2
    assert (await withdrawn(house, held)).status == 200


@pytest.mark.parametrize("end", ["0001-01-02T00:00:00+14:00", "2020-01-01T00:00:00Z"], ids=["long ago", "past"])
async def test_an_end_that_has_passed_is_a_withdrawal_and_no_narrowing(house: GrantHouse, end: str) -> None:
    held = await given(house)
    body = {"grant_secret": held.secret, "expected_revision": 2, "expires_at": end}
    answer = await house.ask("POST", f"/v1/grants/{held.grant_id}/narrow", json=body)
    assert (answer.status, answer.body["code"], answer.body["remedy"]) == (422, "nothing_left", "Withdraw it instead.")
    assert (await row_of(house, held)).revision == 2


async def test_a_grant_can_be_shortened_to_a_moment_that_comes(house: GrantHouse) -> None:
    held = await given(house)
    body = {"grant_secret": held.secret, "expected_revision": 2, "expires_at": soon(2.0)}
    assert (await house.ask("POST", f"/v1/grants/{held.grant_id}/narrow", json=body)).status == 200

    async def has_ended() -> bool:
        return (await row_of(house, held)).state is GrantState.EXPIRED

    await until(has_ended)


@pytest.mark.parametrize("day", [FIRST_DAY, LAST_DAY], ids=["first day", "last day"])
async def test_a_row_whose_end_no_reader_takes_ends_as_any_other(house: GrantHouse, day: str) -> None:
    """As a release wrote it that took such a time. What goes on the log is the nearest one that is read."""
    broken, other = await given(house), await given(house)
    await by_hand(house, "UPDATE grants SET expires_at = ? WHERE grant_id = ?", day, broken.grant_id)
    if day == LAST_DAY:
        assert (await withdrawn(house, broken)).status == 200
    assert (await withdrawn(house, other)).status == 200

    async def all_is_proven() -> bool:
        return await is_proven(house, broken) and await is_proven(house, other)

    await until(all_is_proven)
    ended = (await row_of(house, broken)).ended()
    assert ended is not None
    assert ended.expires_at.year in (1, 9999)
    assert house.world.failure() is None


async def test_a_folder_that_holds_such_an_ending_works_again(tmp_path: Path) -> None:
    """Half way through, its emptied snapshot written as an older release did; then the release with the mend is started on it."""
    keys = KeyStoreSwitch()
    async with grant_house(tmp_path, PAGES, opener=keys.opener, indexer=SOON) as house:
        broken, other, later = [await given(house) for _ in range(3)]
        keys.is_away = True
        assert [(await withdrawn(house, held)).status for held in (broken, other)] == [503, 503]
        old = (await row_of(house, broken)).ended()
        assert old is not None
        told = old.model_dump_json().replace(old.expires_at.isoformat().replace("+00:00", "Z"), "0001-01-01T00:00:00Z")
        assert "0001-01-01" in told
        await by_hand(house, "UPDATE grants SET ended_wire = ?, expires_at = ? WHERE grant_id = ?", told, FIRST_DAY, broken.grant_id)
        assert house.world.failure() is None
    keys.is_away = False
    async with grant_house(tmp_path, PAGES, opener=keys.opener, indexer=SOON) as house:
        assert (await withdrawn(house, later)).status == 200

        async def all_is_proven() -> bool:
            return all([await is_proven(house, held) for held in (broken, other, later)])

        await until(all_is_proven)
        assert [await house.world.system.shared.grant_keys.is_destroyed(GrantId(held.grant_id)) for held in (broken, other)] == [True] * 2
        assert house.world.failure() is None


FAULTS: dict[str, tuple[str, str]] = {
    "nothing is left of what is told of its end": ("UPDATE grants SET ended_wire = NULL WHERE grant_id = ?", "endings"),
    "its commitment is none": (
        "UPDATE erasures SET grant_commitment = 'none', points_commitment = 'none' WHERE grant_id = ?",
        "receipts",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_an_ending_that_can_never_be_finished_keeps_nobody_elses(tmp_path: Path, name: str) -> None:
    statement, stage = FAULTS[name]
    keys = KeyStoreSwitch()
    async with grant_house(tmp_path, PAGES, opener=keys.opener, indexer=SOON) as house:
        broken, other, third = [await given(house) for _ in range(3)]
        keys.is_away = True
        assert (await withdrawn(house, broken)).status == 503
        await by_hand(house, statement, broken.grant_id)
        assert (await withdrawn(house, other)).status == 503
        keys.is_away = False
    async with grant_house(tmp_path, PAGES, opener=keys.opener, indexer=SOON) as house:

        async def others_are_proven() -> bool:
            return await is_proven(house, other) and await is_proven(house, third)

        assert (await withdrawn(house, third)).status == 200
        await until(others_are_proven)

        async def is_counted() -> bool:
            return (metric(house, "assent_grant_faults_total", stage=stage) or 0) > 0

        await until(is_counted)
        assert not await is_proven(house, broken)
        assert house.world.failure() is None


async def test_a_grant_that_cannot_be_ended_lets_all_others_expire(house: GrantHouse) -> None:
    broken, other = await given(house), await given(house)
    await by_hand(house, "DELETE FROM revisions WHERE grant_id = ?", broken.grant_id)
    await by_hand(house, "UPDATE grants SET expires_at = ? WHERE grant_id = ?", soon(-9.0), broken.grant_id)
    await by_hand(house, "UPDATE grants SET expires_at = ? WHERE grant_id = ?", soon(-5.0), other.grant_id)

    async def other_has_expired() -> bool:
        return (await row_of(house, other)).state is GrantState.EXPIRED and await is_proven(house, other)

    await until(other_has_expired)
    assert (metric(house, "assent_grant_faults_total", stage="expiry") or 0) > 0
    assert house.world.failure() is None
