"""Answers and ends of one grant that arrive at the same moment: her end is never refused, and every secret handed out is good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from assent.events.topics import Topic
from assent.ids import GrantId
from assent.receipts.commitment import commit
from demo import photos
from demo.api import Answer, JsonObject
from demo.site import PORTRAITS
from demo.state import HeldGrant
from demo.subject import Subject
from services.registry.erasure_table import erasure_of
from tests.flow.registry_house import GrantHouse, grant_house
from tests.flow.switched_log import LogSwitch
from tests.flow.test_stores_away import withdrawn

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
UPLOAD: list[JsonObject] = [{"kind": "upload"}]
LOG = LogSwitch()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GrantHouse]:
    pages = {f"{PORTRAITS}1.jpg": photos.portrait()}
    async with grant_house(tmp_path_factory.mktemp("house"), pages, opener=LOG.opener) as made:
        yield made


async def granted(house: GrantHouse, *, mode: str = "single_face") -> tuple[Subject, HeldGrant]:
    person = await house.person()
    await person.grant("own", house.request(person, UPLOAD, mode=mode), house.token)
    return person, person.held()[0]


async def asked(house: GrantHouse) -> JsonObject:
    """A request that waits for an answer."""
    person = await house.person()
    return await house.api.need("POST", f"{house.registry}/v1/grants", token=house.token, json=house.request(person, UPLOAD))


async def answered_yes(house: GrantHouse, request: JsonObject, *, after_s: float = 0.0) -> Answer:
    await asyncio.sleep(after_s)
    yes = {"one_time_secret": request["one_time_secret"], "notice_sha256": request["notice_sha256"]}
    return await house.ask("POST", f"/v1/grants/{request['grant_id']}/confirm", json=yes)


async def state(house: GrantHouse, grant_id: str) -> str:
    return str((await house.ask("GET", f"/v1/grants/{grant_id}", token=house.token)).body["state"])


async def expired(house: GrantHouse, held: HeldGrant) -> None:
    """Her term is over, though no round saw it yet."""
    past = "2020-01-01T00:00:00.000000+00:00"
    await house.world.system.registry.registry.store.write(
        lambda database: database.execute("UPDATE grants SET expires_at = ? WHERE grant_id = ?", (past, held.grant_id))
    )


async def test_two_members_of_a_joint_grant_end_theirs_at_once(house: GrantHouse) -> None:
    for _ in range(4):
        first, second = await granted(house), await granted(house)
        members = [first[1].grant_id, second[1].grant_id]
        await first[0].grant("joint", house.request(first[0], UPLOAD, mode="joint", member_grants=members), house.token)
        joint = next(held.grant_id for held in first[0].held() if held.grant_id not in members)
        answers = await asyncio.gather(withdrawn(house, first[1]), withdrawn(house, second[1]))
        assert [answer.status for answer in answers] == [200, 200]
        assert {await state(house, grant_id) for grant_id in (*members, joint)} == {"withdrawn"}


async def test_one_withdrawal_sent_twice_at_once(house: GrantHouse) -> None:
    for _ in range(4):
        _, held = await granted(house)
        answers = await asyncio.gather(withdrawn(house, held), withdrawn(house, held))
        assert [answer.status for answer in answers] == [200, 200]
        assert answers[0].body == answers[1].body
        assert answers[0].body["opening"]


async def test_her_withdrawal_wins_over_a_change_of_hers(house: GrantHouse) -> None:
    """A face is marked while she withdraws: whichever comes first, the end is answered with 200."""
    box = {"x": 0.1, "y": 0.1, "width": 0.2, "height": 0.2}
    for _ in range(6):
        _, held = await granted(house, mode="region")
        marks = [
            house.ask(
                "POST",
                f"/v1/grants/{held.grant_id}/regions",
                json={"grant_secret": held.secret, "asset_sha256": f"{number}" * 64, "box": box},
            )
            for number in range(3)
        ]
        *_, end = await asyncio.gather(*marks, withdrawn(house, held))
        assert end.status == 200
        assert await state(house, held.grant_id) == "withdrawn"


async def test_a_term_that_ends_while_she_withdraws(house: GrantHouse) -> None:
    registry = house.world.system.registry.registry
    for _ in range(4):
        _, held = await granted(house)
        await expired(house, held)
        _, end, _ = await asyncio.gather(registry.rounds.expire(), withdrawn(house, held), registry.rounds.expire())
        assert end.status == 200
        assert house.world.failure() is None


async def test_every_secret_of_a_yes_that_was_sent_several_times_ends_the_grant(house: GrantHouse) -> None:
    for _ in range(4):
        request = await asked(house)
        answers = await asyncio.gather(*(answered_yes(house, request, after_s=number * 0.004) for number in range(6)))
        assert {answer.status for answer in answers} <= {200, 409}
        secrets = [answer.body["grant_secret"] for answer in answers if answer.status == 200]
        assert len(secrets) == 1
        held = HeldGrant(grant_id=request["grant_id"], secret=secrets[0])
        assert (await withdrawn(house, held)).status == 200


async def test_a_no_after_a_yes_that_did_not_reach_the_log_ends_the_grant(house: GrantHouse) -> None:
    request = await asked(house)
    LOG.refuses = lambda record: record.topic == Topic.GRANTS
    assert (await answered_yes(house, request)).status == 503
    LOG.refuses = lambda record: False
    no = await house.ask("POST", f"/v1/grants/{request['grant_id']}/refuse", json={"one_time_secret": request["one_time_secret"]})
    assert no.status == 200
    assert await state(house, request["grant_id"]) == "withdrawn"
    assert (await answered_yes(house, request)).status == 409
    await house.world.system.shared.tables.catch_up(5)
    assert house.world.system.shared.gate.live(GrantId(request["grant_id"])) is None


async def test_an_opening_that_opens_nothing_is_not_told(house: GrantHouse) -> None:
    """Her key was lost before she withdrew, so the receipts rest on another salt than the one that was sealed for her."""
    _, held = await granted(house)
    grant_id = GrantId(held.grant_id)
    registry = house.world.system.registry.registry
    shared = house.world.system.shared
    await shared.grant_keys.destroy(grant_id)
    answer = await withdrawn(house, held)
    erasure = await registry.store.read(lambda database: erasure_of(database, grant_id))
    assert answer.status == 200
    assert erasure is not None
    opening = answer.body["opening"]
    assert opening is None or commit("grant", grant_id, salt=bytes.fromhex(opening["salt"])) == erasure.grant_commitment
