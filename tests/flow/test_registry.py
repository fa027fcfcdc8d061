"""The life of a grant over HTTP: asked, answered, narrowed, ended; the secrets that open it, and what a restart must not lose."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import services.registry
from assent.events.envelope import decode
from assent.events.erasures import ErasureCause
from assent.events.grants import GrantSnapshot
from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic
from assent.ids import GrantId
from demo import photos
from demo.api import JsonObject
from demo.site import PORTRAITS
from tests.flow.registry_house import GrantHouse, grant_house
from tests.integration.stream_workbench import until, written

pytestmark = pytest.mark.timeout(120)
PAGE = f"{PORTRAITS}1.jpg"
UPLOAD: list[JsonObject] = [{"kind": "upload"}]
NOBODYS = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[GrantHouse]:
    async with grant_house(tmp_path, {PAGE: photos.portrait()}) as made:
        yield made


async def asked(house: GrantHouse, sources: list[JsonObject] = UPLOAD) -> JsonObject:
    person = await house.person()
    return await house.api.need("POST", f"{house.registry}/v1/grants", token=house.token, json=house.request(person, sources))


def yes(request: JsonObject) -> JsonObject:
    return {"one_time_secret": request["one_time_secret"], "notice_sha256": request["notice_sha256"]}


async def test_a_request_is_no_yes_and_a_yes_needs_the_notice_she_was_shown(house: GrantHouse) -> None:
    request = await asked(house)
    path = f"/v1/grants/{request['grant_id']}"
    assert house.world.system.shared.tables.ledger.grant(request["grant_id"]) is None, "a request never reaches the log"
    wrong = await house.ask("POST", f"{path}/confirm", json=yes(request) | {"notice_sha256": "0" * 64})
    assert (wrong.status, wrong.body["code"]) == (409, "notice_mismatch")
    given = await house.ask("POST", f"{path}/confirm", json=yes(request))
    assert (given.status, given.body["state"]) == (200, "given")
    again = await house.ask("POST", f"{path}/confirm", json=yes(request))
    assert (again.status, again.body["code"]) == (409, "already_answered")


async def test_a_wrong_secret_and_a_grant_that_is_not_there_answer_alike(house: GrantHouse) -> None:
    request = await asked(house)
    bad = {"one_time_secret": "x" * 43, "notice_sha256": request["notice_sha256"]}
    answers = [await house.ask("POST", f"/v1/grants/{grant}/confirm", json=bad) for grant in (request["grant_id"], NOBODYS)]
    assert [answer.status for answer in answers] == [403, 403]
    bodies = [{name: answer.body[name] for name in ("code", "message", "remedy")} for answer in answers]
    assert bodies[0] == bodies[1]


async def test_her_no_deletes_what_was_asked_for(house: GrantHouse) -> None:
    request = await asked(house)
    path = f"/v1/grants/{request['grant_id']}"
    refused = await house.ask("POST", f"{path}/refuse", json={"one_time_secret": request["one_time_secret"]})
    assert refused.body["state"] == "refused"
    late = await house.ask("POST", f"{path}/confirm", json=yes(request))
    assert late.status == 409
    shown = await house.ask("GET", path, token=house.token)
    assert (shown.body["state"], shown.body["record"]) == ("refused", None)


async def test_narrowing_takes_away_and_adds_nothing(house: GrantHouse) -> None:
    person = await house.person()
    await person.grant("own", house.request(person, UPLOAD), house.token)
    held = person.held()[0]
    path, secret = f"/v1/grants/{held.grant_id}/narrow", {"grant_secret": held.secret, "expected_revision": 2}
    narrowed = await house.ask("POST", path, json=secret | {"purposes": ["verify"]})
    assert (narrowed.status, narrowed.body["revision"]) == (200, 3)
    stale = await house.ask("POST", path, json=secret | {"purposes": ["self_search"]})
    assert (stale.status, stale.body["code"]) == (409, "revision_conflict")
    longer = await house.ask("POST", path, json=secret | {"expected_revision": 3, "expires_at": "2099-01-01T00:00:00Z"})
    assert (longer.status, longer.body["code"]) == (422, "QC-7")


async def test_withdrawing_twice_is_the_same_withdrawal_and_nothing_revives_the_grant(house: GrantHouse) -> None:
    person = await house.person()
    await person.grant("own", house.request(person, UPLOAD), house.token)
    held = person.held()[0]
    first = await person.withdraw(held)
    assert await person.withdraw(held) == first
    photo = await house.ask(
        "POST",
        f"/v1/grants/{held.grant_id}/images",
        data=photos.portrait(),
        headers={"Assent-Grant-Secret": held.secret, "Content-Type": "image/jpeg"},
    )
    assert (photo.status, photo.body["code"]) == (409, "grant_not_live")


async def test_bulk_requests_stay_requested_and_a_bad_one_does_not_stop_the_others(house: GrantHouse) -> None:
    person = await house.person()
    good, bad = house.request(person, UPLOAD), house.request(person, [{"kind": "url_prefix", "value": "https://*.example/"}])
    done = await house.ask("POST", "/v1/grants/bulk", token=house.token, json={"grants": [good, bad, good]})
    results = done.body["results"]
    assert [item["code"] for item in results] == [None, "AIA-2", None]
    assert {item["requested"]["state"] for item in results if item["requested"]} == {"requested"}
    await house.crawl()
    assert await house.world.store.count() == 0


async def test_implied_consent_and_public_availability_are_refused_with_their_rule(house: GrantHouse) -> None:
    person = await house.person()
    for stated, rule in (("implied", "CA-2"), ("opt_out", "CA-2"), ("publicly_available", "CA-3")):
        refused = await house.ask("POST", "/v1/grants", token=house.token, json=house.request(person, UPLOAD) | {"consent_type": stated})
        assert (refused.status, refused.body["code"]) == (422, rule)


async def test_where_19_years_are_asked_for_the_birth_year_shows_them(house: GrantHouse) -> None:
    person = await house.person()
    for year, status in ((None, 422), (2008, 422), (1990, 201)):
        answer = await house.ask("POST", "/v1/grants", token=house.token, json=house.request(person, UPLOAD) | {"birth_year": year})
        assert answer.status == status, year


async def test_an_ending_that_was_cut_off_is_finished_after_a_restart(house: GrantHouse) -> None:
    """Written down and not yet on the log: what a crash leaves. The next start carries it to its end."""
    person = await house.person()
    source: JsonObject = {"kind": "url_prefix", "value": f"{house.site.origin}{PORTRAITS}", "only_me": True}
    await person.grant("page", house.request(person, [source]), house.token)
    grant = GrantId(person.grant_ids[0])
    await house.crawl()
    assert len(await house.world.store.ids_of_grant(grant)) == 1
    endings = house.world.system.registry.registry.endings
    await endings._write(await endings._prepare(grant, ErasureCause.WITHDRAWAL))
    await house.world.restart()
    await house.crawl()
    shared = house.world.system.shared

    async def is_ended() -> bool:
        return shared.tables.ledger.ended_at(grant) is not None and await shared.grant_keys.is_destroyed(grant)

    await until(is_ended)
    await house.erased(grant)


async def test_an_older_snapshot_that_landed_last_is_overtaken_again(house: GrantHouse) -> None:
    """Compaction would keep the older one as the last word on its key, so the registry says the newest again, once."""
    person = await house.person()
    await person.grant("own", house.request(person, UPLOAD), house.token)
    held, log = person.held()[0], house.world.log
    narrowed = {"grant_secret": held.secret, "expected_revision": 2, "purposes": ["verify"]}
    assert (await house.ask("POST", f"/v1/grants/{held.grant_id}/narrow", json=narrowed)).status == 200

    async def said() -> list[StoredRecord]:
        return [record for record in await written(log, Topic.GRANTS.value) if record.key == held.grant_id.encode()]

    before = await said()
    assert [revision_of(record) for record in before][-1] == 3
    older = next(record for record in before if revision_of(record) == 2)
    await log.append([Record(older.topic, older.key, older.value, older.headers)])

    async def is_last_again() -> bool:
        return [revision_of(record) for record in await said()][len(before) :] == [2, 3]

    await until(is_last_again)
    assert (await said())[-1].value == before[-1].value
    registry = house.world.system.shared.metrics.registry

    async def is_counted() -> bool:
        return registry.get_sample_value("assent_grants_reappended_total") is not None

    # It is counted once the log has it, a moment later.
    await until(is_counted)
    assert registry.get_sample_value("assent_grants_reappended_total") == 1
    # Nothing is said a third time, and nobody holds two different snapshots of one revision.
    await house.world.system.registry.registry.guard.look(timeout_s=0.0)
    assert len(await said()) == len(before) + 2
    assert house.world.system.shared.gate.live(GrantId(held.grant_id)) is not None


def revision_of(record: StoredRecord) -> int:
    data = decode(record).data
    assert isinstance(data, GrantSnapshot)
    return data.revision


async def test_the_interface_is_described_and_every_route_in_it_answers(house: GrantHouse) -> None:
    document = (await house.ask("GET", "/v1/openapi.json")).body
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method in operations:
            filled = (
                path.replace("{grant_id}", NOBODYS)
                .replace("{erasure_id}", NOBODYS)
                .replace("{receipt_id}", "x")
                .replace("{sha256}", "0" * 64)
            )
            answer = await house.ask(method.upper(), filled)
            assert answer.status in (200, 400, 401, 403, 404, 409, 415, 422), (method, path, answer.status)


def told_parameters(document: dict[str, Any], path: str, method: str, place: str) -> dict[str, Any]:
    found = document["paths"][path][method]["parameters"]
    return {parameter["name"]: parameter["schema"] for parameter in found if parameter["in"] == place}


async def test_what_a_request_may_say_beside_its_path_is_described(house: GrantHouse) -> None:
    document = (await house.ask("GET", "/v1/openapi.json")).body
    assert told_parameters(document, "/v1/outcomes", "get", "query")["after"] == {"type": "integer"}
    topics = {"type": "array", "items": {"type": "string"}}
    assert told_parameters(document, "/v1/dead-letters", "get", "query") == {"topic": topics}
    event = document["paths"]["/v1/events"]["post"]
    assert set(event["requestBody"]["content"]) == {"application/cloudevents+json", "application/json"}
    headers = {parameter["name"] for parameter in event["parameters"] if parameter["in"] == "header"}
    assert headers >= {"assent-signature", "ce-id", "ce-source", "ce-specversion", "ce-time", "ce-type"}
    assert [parameter["name"] for parameter in event["parameters"] if parameter["required"]] == ["assent-signature"]


async def test_every_name_that_a_handler_reads_of_the_query_is_described(house: GrantHouse) -> None:
    """In the code of the handlers, so that the next one is not forgotten."""
    document = (await house.ask("GET", "/v1/openapi.json")).body
    described = {
        parameter["name"]
        for operations in document["paths"].values()
        for operation in operations.values()
        for parameter in operation["parameters"]
        if parameter["in"] == "query"
    }
    read = re.compile(r"""(?:query\.get|query\.getall|_number)\((?:request, )?"(\w+)\"""")
    handlers = sorted(Path(services.registry.__file__).parent.glob("*_handlers.py"))
    named = {name for path in handlers for name in read.findall(path.read_text())}
    assert named >= {"after", "topic", "start", "limit", "cause", "producer"}
    assert named <= described


async def test_the_first_operator_token_is_given_out_once(house: GrantHouse) -> None:
    first = house.token
    await house.world.restart()
    assert house.token == first
    assert await house.world.system.registry.registry.sessions.first_operator_token() is None
