"""Once she confirmed a face as hers, a new one that does not agree with it is dropped; nothing else changes, and it ends as it began."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assent.deciding.recorded import recorded_decisions
from assent.deciding.replay import replay
from assent.events.envelope import Event, decode, encode
from assent.events.grants import WITH_REFERENCE, GrantSnapshot
from assent.events.payload import EventPayload
from assent.events.topics import Topic
from assent.faces.chosen_threshold import NoThresholdError
from assent.ids import FaceId, GrantId
from assent.intake.registry_signature import signed_by_registry
from assent.keys.signing_keys import SigningKeys
from demo import photos
from demo.api import JsonObject
from demo.settled import settled
from services.embedder.app import EmbedderApp
from services.embedder.processor import EmbedderProcessor
from services.embedder.settings import EmbedderSettings
from tests.flow.late_embedder import Held
from tests.flow.reference_house import Her, her, refusals
from tests.flow.registry_house import GrantHouse, grant_house
from tests.integration.stream_workbench import until

pytestmark = pytest.mark.timeout(180)
FOLDER = "/her/"
ALIKE, OTHER = f"{FOLDER}alike.jpg", f"{FOLDER}other.jpg"
FIRST, SECOND, THIRD = photos.portrait(), photos.portrait(photos.Look(margin=60, quality=75)), photos.portrait(photos.Look(angle=8.0))
STRANGER, ANOTHER = photos.stranger(), photos.stranger_without_place()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[GrantHouse]:
    async with grant_house(tmp_path, {ALIKE: SECOND, OTHER: STRANGER}, indexer={"sweep_every_s": 0.2}) as made:
        yield made


def processor(house: GrantHouse) -> EmbedderProcessor:
    app = house.world.system.apps["embedder"]
    assert isinstance(app, EmbedderApp)
    assert isinstance(app.processor, EmbedderProcessor)
    return app.processor


async def confirmed(house: GrantHouse) -> Her:
    """Somebody who sent one photo of hers and confirmed it."""
    person = await her(house)
    await person.send(FIRST)
    await person.confirm(await person.only_face())
    return person


async def test_a_strangers_picture_is_dropped_once_she_confirmed_her_face(house: GrantHouse) -> None:
    person = await confirmed(house)
    reference = await person.only_face()
    await person.send(STRANGER)
    assert await person.rules() == ["not_the_subject"]
    assert (await person.faces(), await person.pictures()) == ([reference], [reference])
    (refused,) = await refusals(house)
    assert (refused.stage, refused.outcome) == ("embedder", "not_the_subject")
    await person.send(SECOND)
    await person.send(THIRD)
    assert len(await person.faces()) == 3
    assert len(processor(house).subjects) == 0, "no template of a reference outlives its batch"
    assert house.world.failure() is None


async def test_what_is_held_stays_and_what_comes_again_is_not_new(house: GrantHouse) -> None:
    person = await her(house, {"kind": "url_prefix", "value": f"{house.site.origin}{FOLDER}", "only_me": True}, {"kind": "upload"})
    house.site.photos.pop(OTHER, None)
    await person.send(FIRST)
    reference = await person.only_face()
    await person.send(STRANGER)
    held = await person.faces()
    assert len(held) == 2, "before she confirmed any, a grant for uploads takes the face that she sent"
    await person.confirm(reference)
    await person.send(STRANGER)
    assert await person.rules() == []
    assert sorted(await person.faces()) == sorted(held)
    await person.send(ANOTHER)
    assert await person.rules() == ["not_the_subject"]


async def test_a_crawl_brings_in_her_alone(house: GrantHouse) -> None:
    sources = [{"kind": "image_url", "value": f"{house.site.origin}{path}"} for path in (ALIKE, OTHER)]
    person = await her(house, {"kind": "upload"}, *sources)
    await person.send(FIRST)
    await person.confirm(await person.only_face())
    await house.crawl()
    assert await person.rules() == ["not_the_subject"]
    assert len(await person.faces()) == 2
    await person.take_back()
    await house.crawl()
    assert len(await person.faces()) == 3, "taken back, the same picture comes in as before"


async def test_it_ends_with_its_grant_and_a_new_yes_begins_without_any(house: GrantHouse) -> None:
    person = await confirmed(house)
    await person.person.withdraw(person.held)
    assert (await person.change("PUT", {"face_id": "3b1d5f0e-9d38-5f4f-8a5b-7c116f0a1c52"})).status == 409
    await house.erased(person.grant_id)
    again = await her(house)
    assert (await again.change("GET")).body == {"reference": None, "is_reference_gone": None, "faces": []}
    await again.send(STRANGER)
    assert len(await again.faces()) == 1


async def test_it_counts_after_a_restart_and_another_one_counts_at_once(house: GrantHouse) -> None:
    person = await confirmed(house)
    await house.world.restart()
    await person.send(STRANGER)
    assert await person.rules() == ["not_the_subject"]
    await person.take_back()
    await person.send(ANOTHER)
    (another,) = set(await person.faces()) - {(await person.change("GET")).body["faces"][0]["face_id"]}
    await person.confirm(another)
    await person.send(SECOND)
    assert await person.rules() == ["not_the_subject", "not_the_subject"]


async def test_without_the_picture_that_she_confirmed_nothing_new_is_kept(house: GrantHouse) -> None:
    person = await confirmed(house)
    reference = await person.only_face()
    await house.api.need("POST", f"{house.registry}/v1/suppressions/images", token=house.token, data=FIRST)

    async def is_gone() -> bool:
        return not await person.pictures()

    await until(is_gone)
    await person.send(SECOND)
    assert await person.rules() == ["reference_missing"]
    shown = (await person.change("GET")).body
    assert (shown["reference"], shown["is_reference_gone"]) == (reference, True)
    assert (await person.change("PUT", {"face_id": reference})).body["code"] == "face_not_held"
    await person.take_back()
    await person.send(THIRD)
    assert len(await person.faces()) == 1


async def test_the_picture_that_she_confirmed_comes_back_as_itself(house: GrantHouse) -> None:
    """After a loss of the blob store, what she confirmed is made again from the same bytes and needs no other picture to agree with."""
    person = await confirmed(house)
    reference = await person.only_face()
    await house.world.derivatives.delete(person.grant_id, reference)
    await person.send(SECOND)
    assert await person.rules() == ["reference_missing"]
    await person.send(FIRST)
    assert await person.pictures() == [reference]
    await person.send(SECOND)
    assert len(await person.faces()) == 2


async def test_only_a_held_face_of_her_own_grant_can_be_confirmed_and_only_by_her(house: GrantHouse) -> None:
    person, other = await confirmed(house), await her(house)
    await other.send(ANOTHER)
    foreign, untold = await other.only_face(), FaceId("9c1d5f0e-9d38-5f4f-8a5b-7c116f0a1c52")
    picture = await house.world.derivatives.get(person.grant_id, await person.only_face())
    await house.world.derivatives.put(person.grant_id, untold, picture)
    for face_id, status, code in (
        (untold, 404, "face_not_held"),
        (foreign, 404, "face_not_held"),
        ("3b1d5f0e-9d38-5f4f-8a5b-7c116f0a1c52", 404, "face_not_held"),
        (f"../{other.grant_id}/{foreign}", 422, "invalid"),
    ):
        answer = await person.change("PUT", {"face_id": face_id})
        assert (answer.status, answer.body["code"]) == (status, code)
    for method, body in (("GET", None), ("PUT", {"face_id": foreign}), ("DELETE", None)):
        assert (await other.change(method, body, secret=person.held.secret)).status == 403
        path = f"/v1/grants/{other.grant_id}/reference"
        assert (await house.ask(method, path, json=body)).status == 401
        assert (await house.ask(method, path, json=body, token=house.token)).status == 403
        assert (await house.ask(method, path, json=body, token=await person.person.token())).status == 403
    assert (await other.change("GET")).body["reference"] is None
    stale = await other.change("PUT", {"face_id": foreign, "expected_revision": 1})
    assert (stale.status, stale.body["code"]) == (409, "revision_conflict")
    first = await other.confirm(foreign)
    assert await other.confirm(foreign) == first, "said twice it changes nothing"


async def test_a_reference_counts_for_a_picture_that_set_out_before_it_was_confirmed(tmp_path: Path) -> None:
    """The embedder has read every grant before its batch and holds the original; the confirmation reaches its tables late."""
    held = Held()
    async with grant_house(tmp_path, {}, opener=held.opener) as house:
        person = await her(house)
        await person.send(FIRST)
        reference = await person.only_face()
        held.waits.clear()
        held.may_go.clear()
        await person.send(STRANGER, settles=False)
        await asyncio.wait_for(held.waits.wait(), 30)
        held.is_late = True
        await person.confirm(reference)
        held.may_go.set()
        await settled(house.world.log)
        assert await person.rules() == ["not_the_subject"]
        assert (await person.faces(), await person.pictures()) == ([reference], [reference])


async def test_while_the_pictures_are_away_a_new_one_waits_and_is_not_refused(tmp_path: Path) -> None:
    held = Held()
    async with grant_house(tmp_path, {}, opener=held.opener) as house:
        person = await her(house)
        await person.send(FIRST)
        reference = await person.only_face()
        await person.confirm(reference)
        held.waits.clear()
        held.may_go.clear()
        await person.send(STRANGER, settles=False)
        await asyncio.wait_for(held.waits.wait(), 30)
        blobs, away = tmp_path / "blobs", tmp_path / "blobs-away"
        blobs.rename(away)
        held.may_go.set()
        metrics = house.world.system.shared.metrics.registry

        async def is_held() -> bool:
            return metrics.get_sample_value("assent_consumer_held", {"stage": "embedder", "cause": "BlobStoreUnavailableError"}) == 1

        await until(is_held)
        assert (await person.rules(), house.world.failure()) == ([], None)
        assert (await person.change("GET")).body["is_reference_gone"] is None, "nobody can tell"
        away.rename(blobs)
        await settled(house.world.log)
        assert await person.rules() == ["not_the_subject"]
        assert await person.faces() == [reference]


async def test_what_she_takes_out_of_the_grant_takes_her_reference_with_it(house: GrantHouse) -> None:
    source = f"{house.site.origin}{ALIKE}"
    person = await her(house, {"kind": "image_url", "value": source}, {"kind": "upload"})
    await house.crawl()
    revision = await person.confirm(await person.only_face())
    await person.send(FIRST)
    body: JsonObject = {"grant_secret": person.held.secret, "expected_revision": revision, "sources": [source]}
    assert (await house.ask("POST", f"/v1/grants/{person.grant_id}/narrow", json=body)).status == 200

    async def is_gone() -> bool:
        return len(await person.pictures()) == 1

    await until(is_gone)
    await person.send(THIRD)
    assert await person.rules() == ["reference_missing"], "another change of hers leaves the reference in the grant"
    await person.confirm(await person.only_face())
    await person.send(THIRD)
    assert len(await person.faces()) == 2


async def test_a_rate_at_which_the_model_measured_nothing_ends_the_start(house: GrantHouse) -> None:
    settings = EmbedderSettings(reference_false_match_rate=1e-9)
    with pytest.raises(NoThresholdError, match="ask for a higher rate"):
        EmbedderApp(settings, house.world.system.shared)


async def test_a_poor_picture_cannot_be_confirmed(house: GrantHouse) -> None:
    person = await her(house)
    await person.send(photos.portrait(photos.Look(side=140)))
    answer = await person.change("PUT", {"face_id": await person.only_face()})
    assert (answer.status, answer.body["code"]) == (422, "reference_unclear")


async def test_what_names_somebody_elses_face_lets_nothing_in(house: GrantHouse, tmp_path: Path) -> None:
    """Signed by the registry's own key, as only a registry that was taken over could: the face is looked for under this very grant."""
    person, other = await confirmed(house), await her(house)
    await other.send(STRANGER)
    ledger = house.world.system.shared.tables.ledger
    live = ledger.grant(person.grant_id)
    assert live is not None
    forged = live.model_copy(update={"revision": live.revision + 1, "reference": await other.only_face()})
    signing = SigningKeys.load(tmp_path / "keys").grant
    await house.world.log.append([signed_by_registry(encode(Event("forged", "/x", datetime.now(UTC), forged)), signing)])
    await house.world.system.shared.tables.catch_up(10)
    await person.send(STRANGER)
    await person.send(SECOND)
    assert set(await person.rules()) == {"reference_missing"}
    assert len(await person.faces()) == 1


def numbers_in(value: Any) -> list[float]:
    """Every number that is no whole one."""
    match value:
        case dict():
            return [number for part in value.values() for number in numbers_in(part)]
        case list() | tuple():
            return [number for part in value for number in numbers_in(part)]
        case _:
            return [value] if isinstance(value, float) else []


async def test_the_log_tells_that_it_did_not_agree_and_no_more_and_replays_it(house: GrantHouse) -> None:
    person = await confirmed(house)
    await person.send(STRANGER)
    (refused,) = await refusals(house)
    assert refused.decision is not None
    assert refused.decision.observed == ("not_the_subject",)
    assert not numbers_in(refused.model_dump(exclude={"evidence"})), "nothing says how like they are"
    fold = house.world.system.shared.tables.fold
    event: Event[EventPayload] = Event("e", "/x", refused.decided_at, refused)
    (decision,) = recorded_decisions(event)
    again = replay(decision, fold.policy)
    assert again.is_same(decision)
    assert again.is_observed
    assert not replay(replace(decision, rules=()), fold.policy).is_same(replace(decision, rules=()))


async def test_the_grant_on_the_log_says_that_it_restricts(house: GrantHouse) -> None:
    person = await confirmed(house)
    tail = await house.world.log.tail([Topic.GRANTS.value])
    told = [decode(record).data for record in await tail.poll(timeout_s=5.0)]
    await tail.close()
    mine = [data for data in told if isinstance(data, GrantSnapshot) and data.grant_id == person.grant_id]
    assert [data.schema_version for data in mine] == ["assent.grant/1", WITH_REFERENCE]
    assert mine[-1].reference == await person.only_face()
    shown = await house.ask("GET", f"/v1/grants/{person.grant_id}", headers={"Assent-Grant-Secret": person.held.secret})
    assert shown.body["record"]["reference"] == mine[-1].reference
    assert len(shown.body["history"]) == 3
    await settled(house.world.log)
    assert FaceId(shown.body["record"]["reference"]) in await person.pictures()
    assert GrantId(shown.body["grant_id"]) == person.grant_id
