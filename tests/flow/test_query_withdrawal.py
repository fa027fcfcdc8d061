"""A withdrawal cannot be overtaken: whatever comes between question and answer, nobody is told of a person who has said no."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from assent.events.disclosures import SearchAnswered
from assent.events.grants import GrantSnapshot, Purpose
from assent.events.topics import Topic
from assent.identity.principal import Role
from assent.ids import FaceId, GrantId
from assent.telemetry import metrics as declared
from assent.testing.face_pack import encoded, one_face
from tests.flow.files_below import files_below
from tests.flow.query_house import ORG, QueryHouse, query_house, stranger, until
from tests.unit.grant_examples import grant

PHOTO = encoded(one_face())
PROBE = encoded(one_face()[20:400, 60:460], quality=80)
G = GrantId("g-1")
PURPOSES = (Purpose.SELF_SEARCH, Purpose.GALLERY_SEARCH)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[QueryHouse]:
    async with query_house(tmp_path, catch_up_timeout_s=0.5) as found:
        await found.policy("CA-BC")
        yield found


@pytest.fixture
def hers() -> GrantSnapshot:
    return grant(purposes=PURPOSES, recipients=(ORG,))


@pytest.fixture
async def face(house: QueryHouse, hers: GrantSnapshot) -> FaceId:
    await house.give(hers)
    return await house.embed(hers, one_face(), PHOTO)


async def picture(house: QueryHouse, face: str, headers: dict[str, str] | None) -> tuple[int, bytes]:
    async with house.client.get(f"/v1/faces/{face}/picture", headers=headers or {}) as response:
        assert "no-store" in response.headers["Cache-Control"]
        return response.status, await response.read()


def files_with(mark: bytes, folder: Path) -> list[Path]:
    return [path for path, contents in files_below(folder).items() if mark in contents]


async def withdraw(house: QueryHouse) -> None:
    await house.withdraw(G)


async def test_withdrawn_between_search_and_answer_she_is_withheld(house: QueryHouse, face: FaceId) -> None:
    headers = house.token(Role.SUBJECT)
    house.store.meanwhile = lambda: withdraw(house)
    status, body = await house.ask("/v1/search", headers, basis="self", image=PROBE)
    assert (status, body["candidates"]) == (200, [])
    (record,) = await house.disclosures()
    assert record["faces"] == []
    assert house.metrics.value(declared.SEARCHES, basis="self", outcome="empty") == 1


async def test_an_empty_answer_looks_the_same_whether_nobody_matched_or_she_was_withheld(house: QueryHouse, face: FaceId) -> None:
    headers = house.token(Role.SUBJECT)
    _, nobody = await house.ask("/v1/search", headers, basis="self", image=stranger())
    house.store.meanwhile = lambda: withdraw(house)
    _, withheld = await house.ask("/v1/search", headers, basis="self", image=PROBE)
    assert nobody["candidates"] == []
    assert {**nobody, "query_id": ""} == {**withheld, "query_id": ""}


async def test_a_gallery_search_ends_when_the_probes_own_grant_ends_meanwhile(house: QueryHouse, face: FaceId) -> None:
    other = grant("g-2", purposes=PURPOSES, recipients=(ORG,))
    await house.give(other)
    await house.embed(other, one_face()[20:400, 60:460], PROBE)
    searcher = house.token(Role.SEARCHER)
    assert len((await house.ask("/v1/search", searcher, basis="gallery", face_id=face))[1]["candidates"]) == 2
    house.store.meanwhile = lambda: withdraw(house)
    status, body = await house.ask("/v1/search", searcher, basis="gallery", face_id=face)
    assert (status, body["candidates"]) == (200, [])
    assert (await house.ask("/v1/search", searcher, basis="gallery", face_id=face))[0] == 403


async def test_a_place_that_closes_between_search_and_answer_closes_the_answer(house: QueryHouse, face: FaceId) -> None:
    house.store.meanwhile = house.policy
    _, body = await house.ask("/v1/search", house.token(Role.SEARCHER), basis="gallery", face_id=face)
    assert body["candidates"] == []


async def test_stale_tables_hold_every_answer(house: QueryHouse, face: FaceId) -> None:
    headers = house.token(Role.SUBJECT)
    house.log.is_silent = True
    status, body = await house.ask("/v1/search", headers, basis="self", image=PROBE)
    assert (status, body["code"]) == (503, "not_ready")
    assert (await picture(house, face, headers))[0] == 503
    assert (await house.ask("/v1/explain", headers, image=PHOTO))[0] == 503
    assert house.metrics.value(declared.CATCH_UP_TIMEOUTS) == 3
    assert house.metrics.value(declared.SEARCHES, basis="unknown", outcome="held") == 1
    house.log.is_silent = False
    assert (await house.ask("/v1/search", headers, basis="self", image=PROBE))[0] == 200


async def test_tables_that_go_stale_between_search_and_answer_hold_it(house: QueryHouse, face: FaceId) -> None:
    async def silence() -> None:
        house.log.is_silent = True

    house.store.meanwhile = silence
    status, body = await house.ask("/v1/search", house.token(Role.SUBJECT), basis="self", image=PROBE)
    assert (status, "candidates" in body) == (503, False)
    assert await house.disclosures() == []


async def test_before_a_policy_was_published_nothing_is_answered(tmp_path: Path) -> None:
    async with query_house(tmp_path) as house:
        assert not house.app.is_ready
        assert (await house.ask("/v1/search", house.token(Role.SUBJECT), basis="self", image=PROBE))[0] == 503


async def test_a_disclosure_that_cannot_be_recorded_is_not_made(house: QueryHouse, face: FaceId) -> None:
    house.log.refuses = frozenset({Topic.DISCLOSURES.value})
    status, body = await house.ask("/v1/search", house.token(Role.SUBJECT), basis="self", image=PROBE)
    assert (status, "candidates" in body, face in str(body)) == (503, False, False)
    status, shown = await picture(house, face, house.token(Role.SEARCHER))
    assert (status, b"JFIF" in shown) == (503, False)
    assert house.metrics.value(declared.DISCLOSURE_RECORD_FAILURES, error="LogUnavailableError") == 2
    assert house.metrics.value(declared.DISCLOSURES, outcome="answered") is None


async def test_a_picture_goes_to_her_and_to_whom_she_allowed_and_to_nobody_else(house: QueryHouse, face: FaceId) -> None:
    status, shown = await picture(house, face, house.token(Role.SUBJECT))
    assert (status, shown[:3]) == (200, b"\xff\xd8\xff")
    assert await house.disclosures() == []
    assert (await picture(house, face, house.token(Role.SEARCHER)))[0] == 200
    (record,) = await house.disclosures()
    assert (record["basis"], record["faces"]) == ("gallery", [{"face_id": face, "grant_id": G}])
    assert (await picture(house, face, None))[0] == 401
    assert (await picture(house, face, house.token(Role.OPERATOR)))[0] == 403
    forbidden = [
        await picture(house, face, house.token(Role.SUBJECT, subject_id="s-2")),
        await picture(house, face, house.token(Role.SEARCHER, org="Other")),
        await picture(house, face, house.token(Role.SEARCHER, jurisdictions=("CA-AB",))),
        await picture(house, face, house.token(Role.SEARCHER, purposes=(Purpose.VERIFY,))),
        await picture(house, "01890000-0000-7000-8000-000000000000", house.token(Role.SUBJECT)),
        await picture(house, "no-id", house.token(Role.SUBJECT)),
    ]
    assert {status for status, _ in forbidden} == {404}
    assert len({body.split(b"request_id")[0] for _, body in forbidden}) == 1
    assert len(await house.disclosures()) == 1


@pytest.mark.parametrize("role", [Role.SUBJECT, Role.SEARCHER])
async def test_withdrawn_while_the_picture_is_read_it_is_not_shown(house: QueryHouse, face: FaceId, role: Role) -> None:
    headers = house.token(role)
    house.pictures.meanwhile = lambda: withdraw(house)
    assert (await picture(house, face, headers))[0] == 404
    house.pictures.meanwhile = None
    assert (await picture(house, face, headers))[0] == 404
    assert await house.disclosures() == []


async def test_a_withdrawal_is_measured_and_takes_the_key_out_of_memory(house: QueryHouse, face: FaceId) -> None:
    assert (await picture(house, face, house.token(Role.SUBJECT)))[0] == 200
    assert house.metrics.value(declared.WITHDRAWAL_UNDISCLOSABLE, service="query") is None
    await house.withdraw(G)
    await until(lambda: house.metrics.value(declared.WITHDRAWAL_UNDISCLOSABLE, service="query") == 1)
    await until(lambda: house.metrics.value(declared.WITHDRAWAL_OLDEST_UNAPPLIED_AGE, service="query") == 0)
    assert house.metrics.value(declared.DISCLOSURES_AFTER_WITHDRAWAL) == 0


async def test_racing_withdrawals_never_meet_an_answer_begun_after_them(house: QueryHouse) -> None:
    headers = house.token(Role.SUBJECT)
    for number in range(20):
        hers = grant(f"g-race-{number}")
        await house.give(hers)
        face = await house.embed(hers, one_face(), PHOTO + bytes([number]))
        answers = [asyncio.create_task(house.ask("/v1/search", headers, basis="self", image=PROBE)) for _ in range(3)]
        await asyncio.sleep(0)
        await house.withdraw(hers.grant_id)
        begun_after = [house.ask("/v1/search", headers, basis="self", image=PROBE), picture(house, face, headers)]
        search, shown = await asyncio.gather(*begun_after)
        assert face not in str(search[1])
        assert shown[0] == 404
        await asyncio.gather(*answers)
    assert house.metrics.value(declared.DISCLOSURES_AFTER_WITHDRAWAL) == 0


async def test_every_answer_names_the_offsets_it_was_judged_at(house: QueryHouse, face: FaceId) -> None:
    await house.ask("/v1/search", house.token(Role.SUBJECT), basis="self", image=PROBE)
    (record,) = await house.disclosures()
    offsets = SearchAnswered.model_validate(record).ledger_offsets
    assert sum(offset for at, offset in offsets.items() if at.startswith("grants/")) == 1
    assert {at.split("/")[0] for at in offsets} == {"grants", "withdrawals", "policies", "suppressions", "optouts"}


async def test_the_probe_leaves_no_trace(house: QueryHouse, face: FaceId, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mark = b"a mark inside the probe that is found nowhere else"
    probe = PROBE + mark
    assert (await house.ask("/v1/search", house.token(Role.SUBJECT), basis="self", image=probe))[0] == 200
    await house.store.flush()
    assert files_with(mark, tmp_path) == []
    assert mark.decode() not in "".join(capfd.readouterr())
