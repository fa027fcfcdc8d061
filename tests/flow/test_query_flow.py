"""The flow and explain over HTTP: each caller sees what is hers to see, live, and again after a restart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from assent.deciding.fold import DECISION_TOPICS
from assent.events.images import ImageScraped
from assent.identity.principal import Role
from assent.ids import FaceId, GrantId, SubjectId
from assent.testing.face_pack import encoded, one_face
from tests.flow.query_house import QueryHouse, image_id_of, query_house, until
from tests.unit.grant_examples import grant
from tests.unit.test_query_flow import refused, sighting

PHOTO = encoded(one_face())
HERS, OTHERS = GrantId("g-1"), GrantId("g-2")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[QueryHouse]:
    async with query_house(tmp_path, max_streams=2) as found:
        await found.policy()
        yield found


@pytest.fixture
async def face(house: QueryHouse) -> FaceId:
    """Her face from PHOTO, the same bytes refused for somebody else's grant, and one image that nobody granted."""
    hers = grant(HERS)
    await house.give(hers)
    await house.give(grant(OTHERS, subject_id=SubjectId("s-2")))
    face_id = await house.embed(hers, one_face(), PHOTO)
    await house.append(ImageScraped(sighting=sighting()))
    await house.append(refused(2, grant_id=OTHERS).model_copy(update={"image_id": image_id_of(house, PHOTO)}))
    await house.append(refused(3, grant_id=None))
    return face_id


async def got(house: QueryHouse, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    async with house.client.get(path, headers=headers or {}) as response:
        return response.status, await response.json()


async def test_a_subject_sees_the_items_of_her_own_grants_and_her_own_face(house: QueryHouse, face: FaceId) -> None:
    status, body = await got(house, "/v1/flow", house.token(Role.SUBJECT))
    assert status == 200
    assert body["gates"] == {"scraped": 1, "located": 0, "cleared": 0, "refused": 2, "embedded": 1, "withdrawn": 0}
    assert body["refused"] == [{"stage": "geofence", "outcome": "unknown_place", "count": 2}]
    (item,) = body["decisions"]
    assert (item["face_id"], item["stage"], item["outcome"]) == (face, "embedder", "embedded")
    _, hers = await got(house, "/v1/flow", house.token(Role.SUBJECT, subject_id="s-2"))
    assert [item["rules"] for item in hers["decisions"]] == [["X-1"]]


async def test_staff_sees_every_item_and_nobodys_face(house: QueryHouse, face: FaceId) -> None:
    for role in (Role.OPERATOR, Role.PRIVACY_OFFICER, Role.AUDITOR):
        _, body = await got(house, "/v1/flow", house.token(role))
        assert [item["outcome"] for item in body["decisions"]] == ["unknown_place", "unknown_place", "embedded"]
        assert {item["face_id"] for item in body["decisions"]} == {None}
        assert all(len(item["sighting"]) <= 12 for item in body["decisions"])
        text = json.dumps(body)
        for trace in (face, "grant_id", "secret.example", "raw-caption", image_id_of(house, PHOTO)):
            assert trace not in text
    assert body["decisions"][0]["words"] == ["where this was taken or lives is not known, and unknown is closed"]


async def test_after_her_withdrawal_her_face_is_no_longer_named_even_to_her(house: QueryHouse, face: FaceId) -> None:
    await house.withdraw(HERS)
    await house.settled()
    _, body = await got(house, "/v1/flow", house.token(Role.SUBJECT))
    assert [(item["outcome"], item["face_id"]) for item in body["decisions"]] == [("embedded", None)]
    assert body["gates"]["withdrawn"] == 1


def faces(body: Any) -> list[str | None]:
    return [item["face_id"] for item in body["decisions"]]


async def test_no_flow_begun_after_a_withdrawal_names_her_face_however_late_the_ledger_reads(house: QueryHouse, face: FaceId) -> None:
    """The ledger's own follower is slow, the flow's is not: first answer, first event and the event of the withdrawal itself."""
    headers = house.token(Role.SUBJECT)
    async with house.client.get("/v1/flow/stream", headers=headers) as before:
        assert [faces(body) for body in await events(before, 1)] == [[face]]
        house.log.late = frozenset(topic.value for topic in DECISION_TOPICS)
        await house.withdraw(HERS)
        assert faces((await got(house, "/v1/flow", headers))[1]) == [None]
        await house.give(grant(GrantId("g-3")))
        async with house.client.get("/v1/flow/stream", headers=headers) as after:
            assert [faces(body) for body in await events(after, 1)] == [[None]]
        assert [faces(body) for body in await events(before, 1)] == [[None]]


async def test_a_stream_is_not_told_of_her_face_by_the_withdrawal_that_ends_it(house: QueryHouse, face: FaceId) -> None:
    """The flow reads the withdrawal first and wakes the stream; the ledger must have read it too before anything is told."""
    async with house.client.get("/v1/flow/stream", headers=house.token(Role.SUBJECT)) as response:
        assert [faces(body) for body in await events(response, 1)] == [[face]]
        house.log.late = frozenset(topic.value for topic in DECISION_TOPICS)
        await house.withdraw(HERS)
        (body,) = await events(response, 1)
        assert (body["gates"]["withdrawn"], faces(body)) == (1, [None])


@pytest.mark.parametrize("path", ["/v1/flow", "/v1/flow/stream", "/"])
async def test_a_flow_that_cannot_be_proved_fresh_is_not_shown(tmp_path: Path, path: str) -> None:
    async with query_house(tmp_path, catch_up_timeout_s=0.2) as house:
        await house.policy()
        house.log.is_silent = True
        async with house.client.get(path, headers=house.token(Role.OPERATOR)) as response:
            assert response.status == 503
        house.log.is_silent = False
        async with house.client.get(path, headers=house.token(Role.OPERATOR)) as response:
            assert response.status == 200


async def test_a_stream_ends_when_it_can_no_longer_be_proved_fresh(tmp_path: Path) -> None:
    async with query_house(tmp_path, catch_up_timeout_s=0.2) as house:
        await house.policy()
        async with house.client.get("/v1/flow/stream", headers=house.token(Role.OPERATOR)) as response:
            await events(response, 1)
            house.log.is_silent = True
            await house.append(refused(7, grant_id=None))
            async with asyncio.timeout(10):
                assert b"data" not in await response.content.read()


@pytest.mark.parametrize(("role", "status"), [(None, 401), (Role.SEARCHER, 403), (Role.PRODUCER, 403)])
@pytest.mark.parametrize("path", ["/v1/flow", "/v1/flow/stream"])
async def test_the_flow_is_not_for_everybody(house: QueryHouse, path: str, role: Role | None, status: int) -> None:
    assert (await got(house, path, house.token(role) if role else None))[0] == status


async def test_explain_answers_each_sighting_and_grant_in_words(house: QueryHouse, face: FaceId) -> None:
    status, body = await house.ask("/v1/explain", house.token(Role.OPERATOR), image=PHOTO)
    assert (status, body["image"]) == (200, image_id_of(house, PHOTO)[:12])
    embedded, no = body["decisions"]
    assert (embedded["grant_id"], embedded["outcome"], embedded["candidates"]) == (HERS, "embedded", ["CA-BC"])
    assert (no["grant_id"], no["stage"], no["rules"], no["policy_version"]) == (OTHERS, "geofence", ["X-1"], "1")
    assert no["evidence"] == [
        {"kind": "caption", "connector": "shown", "jurisdictions": ["CA-BC"], "deny_weight": 0.3, "allow_weight": 0.1, "is_invalid": False}
    ]
    assert no["remedies"] == ["State the residence in the grant, or keep the place in the photo."]
    _, french = await house.ask("/v1/explain?lang=fr", house.token(Role.OPERATOR), image=PHOTO)
    assert "l'inconnu est fermé" in french["decisions"][1]["words"][0]


async def test_explain_tells_a_subject_about_her_own_grants_alone(house: QueryHouse, face: FaceId) -> None:
    _, body = await house.ask("/v1/explain", house.token(Role.SUBJECT), image=PHOTO)
    assert [item["grant_id"] for item in body["decisions"]] == [HERS]
    _, body = await house.ask("/v1/explain", house.token(Role.SUBJECT), image=PHOTO + b"x")
    assert body["decisions"] == []
    for role, status in ((None, 401), (Role.SEARCHER, 403), (Role.AUDITOR, 403)):
        assert (await house.ask("/v1/explain", house.token(role) if role else None, image=PHOTO))[0] == status
    assert (await house.ask("/v1/explain", house.token(Role.SUBJECT)))[1]["code"] == "no_picture"


async def test_counts_and_decisions_survive_a_restart(tmp_path: Path) -> None:
    async with query_house(tmp_path) as house:
        await house.policy()
        await house.append(ImageScraped(sighting=sighting()), event="one")
        await house.append(refused(), event="two")
        _, before = await got(house, "/v1/flow", house.token(Role.OPERATOR))
    async with query_house(tmp_path) as house:
        await house.append(refused(), event="two")  # a redelivery
        _, after = await got(house, "/v1/flow", house.token(Role.OPERATOR))
    assert before["gates"]["refused"] == 1
    assert after == before


async def events(response: Any, count: int) -> list[Any]:
    found: list[Any] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            line = (await response.content.readline()).decode()
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
    return found


async def test_the_stream_tells_at_once_and_whenever_something_happens(house: QueryHouse, face: FaceId) -> None:
    async with house.client.get("/v1/flow/stream", headers=house.token(Role.SUBJECT)) as response:
        assert response.content_type == "text/event-stream"
        assert [len(item["decisions"]) for item in await events(response, 1)] == [1]
        await house.append(refused(5, grant_id=HERS))
        await house.append(refused(6, grant_id=OTHERS))
        (after,) = await events(response, 1)
        assert [item["outcome"] for item in after["decisions"]] == ["unknown_place", "embedded"]
        assert after["gates"]["refused"] == 4


async def test_streams_are_bounded_and_given_back(house: QueryHouse) -> None:
    headers = house.token(Role.OPERATOR)
    for _ in range(3):
        first = await house.client.get("/v1/flow/stream", headers=headers)
        second = await house.client.get("/v1/flow/stream", headers=headers)
        await events(first, 1)
        await events(second, 1)
        assert (await got(house, "/v1/flow/stream", headers))[0] == 503
        first.close()
        second.close()
        # The server finds out when it writes.
        await house.append(refused())
        await house.append(refused())
        await until_free(house, headers)


async def until_free(house: QueryHouse, headers: dict[str, str]) -> None:
    async with asyncio.timeout(10):
        while True:
            await house.append(refused())
            both = [await house.client.get("/v1/flow/stream", headers=headers) for _ in range(2)]
            statuses = {response.status for response in both}
            for response in both:
                response.close()
            if statuses == {200}:
                return


async def test_streams_end_with_the_service_and_leave_no_task_behind(tmp_path: Path) -> None:
    async with asyncio.timeout(15), query_house(tmp_path) as house:
        await house.policy()
        before = len(asyncio.all_tasks())
        response = await house.client.get("/v1/flow/stream", headers=house.token(Role.OPERATOR))
        await events(response, 1)
        for number in range(5):
            await house.append(refused(number))
        await events(response, 1)
        # One task serves the connection; none is made per event.
        assert len(asyncio.all_tasks()) <= before + 2
        await house.client.server.close()
        assert await response.content.read() is not None
    await until(lambda: len(asyncio.all_tasks()) == 1)
