"""Who may see a face, or learn that a grant exists: nobody else, nobody after a withdrawal, and no answer tells by its form."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from demo import photos
from tests.flow.attack_house import NOBODYS_GRANT, PORTRAIT, STRANGER, Field, minted, without_id

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


async def test_nothing_of_her_is_seen_after_her_withdrawal_by_what_was_opened_before(field_of: Field) -> None:
    victim, face_id = await field_of.pictured()
    token, picture = await victim.person.token(), f"/v1/faces/{face_id}/picture"
    cookie = {"Cookie": f"assent_session={token}", "Origin": field_of.url}
    bearer = {"Authorization": f"Bearer {token}"}
    async with field_of.http.get(f"{field_of.url}{picture}", headers=bearer) as shown:
        assert (shown.status, shown.headers["Cache-Control"]) == (200, "no-store")
        assert not {"ETag", "Last-Modified", "Expires"} & shown.headers.keys()
    assert face_id in (await field_of.ask("GET", "/", headers=cookie))[1]
    withdrawn = (await field_of.ask("GET", "/v1/flow", token=token))[1]["gates"]["withdrawn"]
    async with field_of.http.get(f"{field_of.url}/v1/flow/stream", headers=bearer) as stream:
        assert face_id in (await stream.content.readline()).decode()
        await victim.person.withdraw(victim.person.held()[0])
        told = ""
        while f'"withdrawn": {withdrawn + 1}' not in told:
            told = (await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 20)).decode()
        assert face_id not in told
    conditional = {"If-None-Match": "*", "If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT", "Range": "bytes=0-9"}
    assert (await field_of.ask("GET", picture, token=token, headers=conditional))[0] == 404
    assert (await field_of.ask("HEAD", picture, token=token))[0] == 404
    found = (await field_of.house.api.search(PORTRAIT, token=token)).body
    assert (found["candidates"], found["gallery_faces"]) == ([], 0)
    form = aiohttp.FormData()
    form.add_field("image", photos.portrait(photos.Look(quality=60 + field_of.count), place=photos.VANCOUVER), filename="p.jpg")
    assert face_id not in json.dumps((await field_of.ask("POST", "/v1/explain", token=token, data=form))[1])
    for path in ("/", "/search", "/me", "/v1/flow"):
        assert face_id not in json.dumps((await field_of.ask("GET", path, headers=cookie))[1]), path


async def test_nobody_else_sees_a_face_and_the_answer_is_that_for_no_face(field_of: Field) -> None:
    (_, face_id), thief = await field_of.pictured(), await field_of.victim()
    searcher = await minted(field_of, roles=["searcher"], org="agency", jurisdictions=["CA-BC"], purposes=["gallery_search"])
    for token in (await thief.person.token(), searcher):
        answers = [
            await field_of.ask("GET", f"/v1/faces/{name}/picture", token=token) for name in (face_id, NOBODYS_GRANT, "..%2F..%2Fx", "%00")
        ]
        assert {without_id(answer) for answer in answers} == {without_id(answers[0])}
        assert answers[0][0] == 404
    for role in ("operator", "privacy_officer", "auditor"):
        token = await minted(field_of, roles=[role], org="house")
        assert (await field_of.ask("GET", f"/v1/faces/{face_id}/picture", token=token))[0] == 403
        assert face_id not in json.dumps((await field_of.ask("GET", "/v1/flow", token=token))[1])


async def test_nobody_searches_in_the_name_of_self(field_of: Field) -> None:
    """`self` needs no listing among a grant's recipients, so no organisation may be called that."""
    wanted = {"name": "x", "roles": ["searcher"], "jurisdictions": ["CA-BC"], "purposes": ["gallery_search"]}
    for org in ("self", " Self "):
        status, body = await field_of.ask("POST", "/v1/tokens", token=field_of.house.token, json=wanted | {"org": org})
        assert (status, body["code"]) == (422, "unmintable")


async def test_whether_a_grant_exists_is_told_to_nobody_else(field_of: Field) -> None:
    victim, thief = await field_of.victim(kind="upload"), await field_of.victim(kind="upload")
    token, wrong = await thief.person.token(), thief.secret
    cookie = {"Cookie": f"assent_session={token}", "Origin": field_of.url}
    box = {"x": 0, "y": 0, "width": 0.5, "height": 0.5}
    tries: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/v1/grants/{}", {}),
        ("GET", "/v1/grants/{}", {"token": token}),
        ("GET", "/v1/grants/{}", {"headers": {"Assent-Grant-Secret": wrong}}),
        ("POST", "/v1/grants/{}/images", {"token": token, "data": STRANGER}),
        ("POST", "/v1/grants/{}/confirm", {"json": {"one_time_secret": wrong, "notice_sha256": "0" * 64}}),
        ("POST", "/v1/grants/{}/refuse", {"json": {"one_time_secret": wrong}}),
        ("POST", "/v1/grants/{}/session", {"json": {"grant_secret": wrong}}),
        ("POST", "/v1/grants/{}/withdraw", {"json": {"grant_secret": wrong}}),
        ("POST", "/v1/grants/{}/narrow", {"json": {"grant_secret": wrong, "expected_revision": 2}}),
        ("POST", "/v1/grants/{}/regions", {"json": {"grant_secret": wrong, "asset_sha256": "0" * 64, "box": box}}),
        ("POST", "/v1/grants/{}/revoke", {"token": token}),
        ("GET", "/confirm/{}?secret=" + wrong, {}),
        ("GET", "/confirm/{}?secret=%ED%A0%80%FF" + "x" * 20, {}),
        ("POST", "/confirm/{}/yes", {"data": {"one_time_secret": wrong, "notice_sha256": "0" * 64}}),
        ("POST", "/me/grants/{}/withdraw", {"headers": cookie}),
        ("POST", "/me/grants/{}/images", {"headers": cookie, "data": STRANGER}),
        ("POST", "/login", {"data": {"grant_id": "{}", "grant_secret": wrong}}),
    ]
    for method, path, options in tries:
        told = []
        for grant_id in (victim.grant_id, NOBODYS_GRANT):
            sent = options | ({"data": {**options["data"], "grant_id": grant_id}} if path == "/login" else {})
            answer = await field_of.ask(method, path.format(grant_id), **sent)
            told.append(without_id(answer).replace(grant_id, "ID"))
            assert 400 <= answer[0] < 500 or path == "/me" or answer[0] == 303, (method, path, answer)
        assert told[0] == told[1], (method, path)
    for path in ("/v1/receipts/{}", "/v1/erasures/{}"):
        assert (await field_of.ask("GET", path.format(NOBODYS_GRANT)))[0] == (await field_of.ask("GET", path.format("x")))[0]
