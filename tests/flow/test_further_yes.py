"""Whoever asks for a further grant of somebody cannot answer in her place: she shows that it is she, or nothing is given."""

from __future__ import annotations

import asyncio
import html
from pathlib import Path

import pytest

from assent.events.topics import Topic
from assent.identity.auth import SESSION_COOKIE
from demo import photos
from demo.api import JsonObject
from demo.site import PORTRAITS
from demo.subject import Subject
from tests.flow.attack_house import STRANGER, Field, minted
from tests.flow.registry_house import grant_house
from tests.flow.switched_log import LogSwitch

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
SECRET_HEADER = "Assent-Grant-Secret"
SAID_BEFORE = {"en": "You said yes to an earlier request.", "fr": "Vous avez dit oui à une demande antérieure."}
REFUSED = {"en": "nothing shows that it is she who answers now", "fr": "rien ne montre que c'est elle qui répond maintenant"}


async def asked(field_of: Field, person: Subject, *, token: str = "") -> JsonObject:
    """A request for a grant of this person."""
    request = field_of.house.request(person, [{"kind": "upload"}])
    return await field_of.house.api.need("POST", f"{field_of.url}/v1/grants", token=token or field_of.house.token, json=request)


def yes_to(request: JsonObject) -> JsonObject:
    return {name: request[name] for name in ("one_time_secret", "notice_sha256")}


async def confirmed(field_of: Field, request: JsonObject, *, token: str | None = None, **headers: str) -> tuple[int, str]:
    """Status and code of a yes with this beside it."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    status, body = await field_of.ask("POST", f"/v1/grants/{request['grant_id']}/confirm", token=token, json=yes_to(request), headers=sent)
    return status, body.get("code", "")


async def is_untouched(field_of: Field, request: JsonObject) -> bool:
    """It waits for her as before, and nothing of it is known to any service."""
    shown = await field_of.house.ask("GET", f"/v1/grants/{request['grant_id']}", token=field_of.house.token)
    return shown.body["state"] == "requested" and field_of.shared.tables.ledger.grant(request["grant_id"]) is None


def cookie(field_of: Field, token: str) -> dict[str, str]:
    return {"Cookie": f"{SESSION_COOKIE}={token}", "Origin": field_of.url}


ASKERS = {
    "the producer who asked before": {"roles": ["producer"], "org": "pixels", "producer_id": "pixels"},
    "a producer of another organisation": {"roles": ["producer"], "org": "other", "producer_id": "other"},
    "an operator": {"roles": ["operator"], "org": "house"},
}


@pytest.mark.parametrize("who", ASKERS)
async def test_whoever_asks_for_a_further_grant_cannot_say_yes_to_it(field_of: Field, who: str) -> None:
    """Not with the one-time secret that the asking gave, nor with a token, a secret or a session of anybody but her."""
    staff = await minted(field_of, **ASKERS[who])
    victim, (stranger, _) = await field_of.victim(kind="upload"), await field_of.pictured()
    request = await asked(field_of, victim.person, token=staff)
    refused = (403, "not_signed_in_as_her")
    assert await confirmed(field_of, request) == refused
    assert await confirmed(field_of, request, token=await stranger.person.token()) == refused
    for secret in (stranger.secret, request["one_time_secret"], "x" * 43, ""):
        assert await confirmed(field_of, request, Assent_Grant_Secret=secret) == refused, secret
    assert await confirmed(field_of, request, token=staff) == (403, "staff_cannot_confirm")
    assert await confirmed(field_of, request, token=staff, Assent_Grant_Secret=victim.secret) == (403, "staff_cannot_confirm")
    page = f"/confirm/{request['grant_id']}/yes"
    for headers in ({}, {"Origin": field_of.url}, cookie(field_of, await stranger.person.token())):
        status, body = await field_of.ask("POST", page, data=yes_to(request), headers=headers)
        assert (status, "not_signed_in_as_her" in body) == (403, True)
    assert await is_untouched(field_of, request)
    assert await confirmed(field_of, request, Assent_Grant_Secret=victim.secret) == (200, ""), "her one-time secret was not used up"


async def test_the_one_time_secret_of_an_answered_grant_shows_nobody_and_tells_only_the_answer(field_of: Field) -> None:
    """Whoever asked for the first grant had its one-time secret: neither a yes nor her record is to be had for it."""
    person = await field_of.house.person()
    first = await asked(field_of, person)
    assert await confirmed(field_of, first) == (200, "")
    further = await asked(field_of, person)
    assert await confirmed(field_of, further, Assent_Grant_Secret=first["one_time_secret"]) == (403, "not_signed_in_as_her")
    spent = {SECRET_HEADER: first["one_time_secret"]}
    status, shown = await field_of.ask("GET", f"/v1/grants/{first['grant_id']}", headers=spent)
    assert (status, shown["state"], shown["record"]) == (200, "given", None)
    status, shown = await field_of.ask("GET", f"/v1/grants/{further['grant_id']}", headers={SECRET_HEADER: further["one_time_secret"]})
    assert (status, shown["state"], shown["record"]["notice"]["sha256"]) == (200, "requested", further["notice_sha256"])


@pytest.mark.parametrize("way", ["token", "cookie", "secret", "secret of an ended grant"])
async def test_she_says_yes_again_by_her_session_or_by_any_secret_of_hers(field_of: Field, way: str) -> None:
    victim = await field_of.victim(kind="upload")
    request = await asked(field_of, victim.person)
    token = await victim.person.token()
    if way == "secret of an ended grant":
        await victim.person.withdraw(victim.person.held()[0])
    headers = {"token": {"Authorization": f"Bearer {token}"}, "cookie": cookie(field_of, token)}.get(way, {SECRET_HEADER: victim.secret})
    path = f"/v1/grants/{request['grant_id']}"
    status, given = await field_of.ask("POST", f"{path}/confirm", json=yes_to(request), headers=headers)
    assert (status, given["state"]) == (200, "given")
    status, _ = await field_of.ask("POST", f"{path}/images", headers={SECRET_HEADER: given["grant_secret"]}, data=photos.portrait())
    assert status == 202


async def test_her_no_takes_the_one_time_secret_alone(field_of: Field) -> None:
    victim = await field_of.victim(kind="upload")
    by_program, by_page = await asked(field_of, victim.person), await asked(field_of, victim.person)
    secret = {"one_time_secret": by_program["one_time_secret"]}
    assert (await field_of.ask("POST", f"/v1/grants/{by_program['grant_id']}/refuse", json=secret))[0] == 200
    secret = {"one_time_secret": by_page["one_time_secret"]}
    origin = {"Origin": field_of.url}
    assert (await field_of.ask("POST", f"/confirm/{by_page['grant_id']}/no", data=secret, headers=origin))[0] == 200


async def test_of_two_first_yeses_at_once_one_is_the_first(field_of: Field) -> None:
    person = await field_of.house.person()
    requests = [await asked(field_of, person) for _ in range(4)]
    answers = await asyncio.gather(*(confirmed(field_of, request) for request in requests))
    assert sorted(answers) == [(200, ""), *[(403, "not_signed_in_as_her")] * 3]


async def test_a_grant_that_she_refused_is_no_yes(field_of: Field) -> None:
    person = await field_of.house.person()
    refused, waiting = await asked(field_of, person), await asked(field_of, person)
    secret = {"one_time_secret": refused["one_time_secret"]}
    assert (await field_of.ask("POST", f"/v1/grants/{refused['grant_id']}/refuse", json=secret))[0] == 200
    assert await confirmed(field_of, waiting) == (200, "")


@pytest.mark.parametrize("lang", SAID_BEFORE)
async def test_her_page_sends_her_to_sign_in_before_a_further_yes(field_of: Field, lang: str) -> None:
    victim = await field_of.victim(kind="upload")
    request = await asked(field_of, victim.person)
    path = f"/confirm/{request['grant_id']}"
    link, origin = f"{path}?secret={request['one_time_secret']}&lang={lang}", {"Origin": field_of.url}
    secret = {"one_time_secret": request["one_time_secret"]}
    for status, page in (
        await field_of.ask("GET", link),
        await field_of.ask("POST", f"{path}?lang={lang}", data=secret, headers=origin),
        await field_of.ask("GET", link, headers={"Cookie": f"{SESSION_COOKIE}=ended"}),
    ):
        assert (status, SAID_BEFORE[lang] in html.unescape(page), 'href="/login"' in page) == (200, True, True)
        assert (f"{path}/yes" in page, "device_key.js" in page, f"{path}/no" in page) == (False, False, True)
    status, page = await field_of.ask("POST", f"{path}/yes?lang={lang}", data=yes_to(request), headers=origin)
    assert (status, REFUSED[lang] in html.unescape(page)) == (403, True)
    signed_in = cookie(field_of, await victim.person.token())
    for status, page in (
        await field_of.ask("GET", link, headers=signed_in),
        await field_of.ask("POST", f"{path}?lang={lang}", data=secret, headers=signed_in),
    ):
        assert (status, SAID_BEFORE[lang] in html.unescape(page), f"{path}/yes" in page, f"{path}/no" in page) == (200, False, True, True)
    async with field_of.http.post(f"{field_of.url}{path}/yes", data=yes_to(request), headers=signed_in) as given:
        assert (given.status, SESSION_COOKIE in given.cookies) == (200, True)


async def test_her_first_page_says_nothing_of_an_earlier_yes(field_of: Field) -> None:
    request = await asked(field_of, await field_of.house.person())
    path = f"/confirm/{request['grant_id']}"
    status, page = await field_of.ask("GET", f"{path}?secret={request['one_time_secret']}")
    assert (status, SAID_BEFORE["en"] in page, f"{path}/yes" in page) == (200, False, True)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_yes_that_an_outage_cut_short_is_finished_with_the_proof_it_began_with(tmp_path: Path) -> None:
    log = LogSwitch()
    async with grant_house(tmp_path, {f"{PORTRAITS}1.jpg": photos.portrait()}, opener=log.opener) as house:
        person = await house.person()
        wanted = house.request(person, [{"kind": "upload"}])
        first, further = [await house.api.need("POST", f"{house.registry}/v1/grants", token=house.token, json=wanted) for _ in range(2)]

        async def said_yes(request: JsonObject, headers: dict[str, str] | None = None) -> tuple[int, str]:
            given = await house.ask("POST", f"/v1/grants/{request['grant_id']}/confirm", json=yes_to(request), headers=headers)
            return given.status, str(given.body.get("grant_secret") or given.body["code"])

        log.refuses = lambda record: record.topic == Topic.GRANTS.value
        assert (await said_yes(first))[0] == 503
        assert await said_yes(further) == (403, "not_signed_in_as_her"), "her first yes is written down, though nobody was told of it yet"
        log.refuses = lambda record: False
        status, secret = await said_yes(first)
        assert status == 200
        log.refuses = lambda record: record.topic == Topic.GRANTS.value
        assert (await said_yes(further, {SECRET_HEADER: secret}))[0] == 503
        log.refuses = lambda record: False
        assert await said_yes(further) == (403, "not_signed_in_as_her")
        assert (await said_yes(further, {SECRET_HEADER: secret}))[0] == 200


@pytest.mark.parametrize("path", ["/v1/tokens", "/v1/login-codes"])
async def test_no_token_and_no_code_of_staff_is_a_subjects(field_of: Field, path: str) -> None:
    victim = await field_of.victim(kind="upload")
    body = {"name": victim.person.subject_id, "org": "house"}
    token = field_of.house.token
    for roles in (["subject"], ["operator", "subject"]):
        status, said = await field_of.ask("POST", path, token=token, json=body | {"roles": roles})
        assert (status, said["code"]) == (403, "subject_token")
    named = body | {"roles": ["auditor"], "subject_id": victim.person.subject_id}
    assert (await field_of.ask("POST", path, token=token, json=named))[0] == 422
    for role in ("operator", "auditor"):
        answer = await field_of.ask("POST", "/v1/tokens", token=token, json=body | {"roles": [role]})
        headers = cookie(field_of, answer[1]["token"])
        assert (await field_of.ask("POST", f"/v1/grants/{victim.grant_id}/images", headers=headers, data=STRANGER))[0] == 403
        assert (await field_of.ask("POST", f"/me/grants/{victim.grant_id}/withdraw", headers=headers))[0] == 403
