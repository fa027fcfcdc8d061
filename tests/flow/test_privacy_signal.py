"""Global Privacy Control over real HTTP: exactly `Sec-GPC: 1` keeps recipients out of new grants, and nothing else changes anything."""

from __future__ import annotations

import datetime
import html
from pathlib import Path
from typing import Any

import pytest

from assent.events.envelope import decode
from assent.events.grants import GrantSnapshot
from assent.events.topics import Topic
from demo import photos
from demo.api import JsonObject
from demo.site import PORTRAITS
from tests.flow.attack_house import Field
from tests.flow.registry_house import grant_house
from tests.flow.switched_log import LogSwitch

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

RECIPIENTS = [{"id": "museum-archive"}, {"id": "town-paper"}]
BOTH = [{"code": "self_search"}, {"code": "gallery_search"}]
ASKS = {"Sec-GPC": "1"}
ASKS_NOTHING: dict[str, dict[str, str]] = {
    "no header": {},
    "0": {"Sec-GPC": "0"},
    "true": {"Sec-GPC": "true"},
    "empty": {"Sec-GPC": ""},
    "01": {"Sec-GPC": "01"},
    "1.0": {"Sec-GPC": "1.0"},
    "a list": {"Sec-GPC": "1, 1"},
    "a parameter": {"Sec-GPC": "1;v=1"},
    "in quotes": {"Sec-GPC": '"1"'},
    "another header": {"DNT": "1"},
    "a name that begins alike": {"Sec-GPC-1": "1"},
}


async def body(field_of: Field, purposes: list[JsonObject] = BOTH, recipients: list[JsonObject] = RECIPIENTS) -> JsonObject:
    person = await field_of.house.person()
    request = field_of.house.request(person, [{"kind": "upload"}])
    return request | {"recipients": recipients, "purposes": purposes}


async def asked(field_of: Field, **parts: Any) -> JsonObject:
    made = await field_of.house.api.need(
        "POST", f"{field_of.url}/v1/grants", token=field_of.house.token, json=await body(field_of, **parts)
    )
    return made | {"yes": {"one_time_secret": made["one_time_secret"], "notice_sha256": made["notice_sha256"]}}


async def on_the_log(field_of: Field, grant_id: str) -> GrantSnapshot:
    found = [decode(record).data for record in await field_of.records(Topic.GRANTS.value)]
    return [grant for grant in found if isinstance(grant, GrantSnapshot) and grant.grant_id == grant_id][-1]


async def record(field_of: Field, grant_id: str, secret: str) -> JsonObject:
    _, shown = await field_of.ask("GET", f"/v1/grants/{grant_id}", headers={"Assent-Grant-Secret": secret})
    return dict(shown["record"])


async def test_signal_12_a_yes_from_a_browser_that_asks_for_privacy_names_nobody(field_of: Field) -> None:
    made = await asked(field_of)
    status, given = await field_of.ask("POST", f"/v1/grants/{made['grant_id']}/confirm", headers=ASKS, json=made["yes"])
    assert (status, given["recipients_left_out"]) == (200, ["museum-archive", "town-paper"])
    grant = await on_the_log(field_of, made["grant_id"])
    assert (grant.recipients, [purpose.value for purpose in grant.purposes]) == ((), ["self_search"])
    held = await record(field_of, made["grant_id"], given["grant_secret"])
    assert (held["recipients"], held["recipients_left_out"]) == ([], ["museum-archive", "town-paper"])
    assert "museum-archive" in held["notice"]["text"], "the notice that she was shown stays as it was"


@pytest.mark.parametrize("name", ASKS_NOTHING)
async def test_anything_else_than_a_one_changes_nothing(field_of: Field, name: str) -> None:
    made = await asked(field_of)
    headers = ASKS_NOTHING[name]
    status, given = await field_of.ask("POST", f"/v1/grants/{made['grant_id']}/confirm", headers=headers, json=made["yes"])
    assert (status, given["recipients_left_out"]) == (200, [])
    grant = await on_the_log(field_of, made["grant_id"])
    assert (set(grant.recipients), len(grant.purposes)) == ({"museum-archive", "town-paper"}, 2)
    assert "recipients_left_out" not in await record(field_of, made["grant_id"], given["grant_secret"])
    status, _ = await field_of.ask("POST", "/v1/grants", token=field_of.house.token, headers=dict(headers), json=await body(field_of))
    assert status == 201


async def test_a_yes_that_an_outage_cut_short_is_finished_as_her_browser_asks_by_then(tmp_path: Path) -> None:
    """The first time without the signal, and the log is away; she answers again with it."""
    log = LogSwitch()
    async with grant_house(tmp_path, {f"{PORTRAITS}1.jpg": photos.portrait()}, opener=log.opener) as house:
        naming = house.request(await house.person(), [{"kind": "upload"}]) | {"recipients": RECIPIENTS, "purposes": BOTH}
        made = await house.api.need("POST", f"{house.registry}/v1/grants", token=house.token, json=naming)
        path, yes = f"/v1/grants/{made['grant_id']}", {name: made[name] for name in ("one_time_secret", "notice_sha256")}
        log.refuses = lambda record: record.topic == Topic.GRANTS.value
        assert (await house.ask("POST", f"{path}/confirm", json=yes)).status == 503
        log.refuses = lambda record: False
        given = await house.ask("POST", f"{path}/confirm", json=yes, headers=dict(ASKS))
        assert (given.status, given.body["recipients_left_out"]) == (200, ["museum-archive", "town-paper"])
        shelf = house.world.system.shared.tables
        await shelf.catch_up(10)
        grant = shelf.ledger.live(made["grant_id"], datetime.datetime.now(datetime.UTC))
        assert grant is not None
        assert (grant.recipients, [purpose.value for purpose in grant.purposes]) == ((), ["self_search"])
        assert grant.revision == given.body["revision"] == 3
        secret = {"Assent-Grant-Secret": given.body["grant_secret"]}
        shown = await house.ask("GET", path, headers=secret)
        assert shown.body["record"]["recipients_left_out"] == ["museum-archive", "town-paper"]
        assert [entry["state"] for entry in shown.body["history"]] == ["requested", "given", "given"]


async def test_where_nothing_would_be_left_she_is_told_and_nothing_is_given(field_of: Field) -> None:
    made = await asked(field_of, purposes=[{"code": "gallery_search"}])
    path = f"/v1/grants/{made['grant_id']}"
    status, said = await field_of.ask("POST", f"{path}/confirm", headers=ASKS, json=made["yes"])
    assert (status, said["code"]) == (409, "privacy_signal")
    assert field_of.shared.tables.ledger.grant(made["grant_id"]) is None
    status, said = await field_of.ask("POST", f"{path}/confirm", json=made["yes"])
    assert status == 200, "her secret was not used up by it"


@pytest.mark.parametrize(("lang", "says"), [("en", "this request is for nothing else"), ("fr", "cette demande ne vise rien d'autre")])
async def test_her_page_offers_no_yes_that_would_be_refused(field_of: Field, lang: str, says: str) -> None:
    made = await asked(field_of, purposes=[{"code": "gallery_search"}])
    path, origin, secret = (
        f"/confirm/{made['grant_id']}?lang={lang}",
        {"Origin": field_of.url},
        {"one_time_secret": made["one_time_secret"]},
    )
    _, page = await field_of.ask("POST", path, headers=origin | ASKS, data=secret)
    assert (says in html.unescape(page), f"{made['grant_id']}/yes" in page, f"{made['grant_id']}/no" in page) == (True, False, True)
    assert "device_key.js" not in page, "there is no yes to sign"
    _, page = await field_of.ask("POST", path, headers=origin, data=secret)
    assert (says in html.unescape(page), f"{made['grant_id']}/yes" in page) == (False, True)


async def test_a_grant_for_herself_is_the_same_with_the_signal(field_of: Field) -> None:
    made = await asked(field_of, purposes=[{"code": "self_search"}], recipients=[])
    status, given = await field_of.ask("POST", f"/v1/grants/{made['grant_id']}/confirm", headers=ASKS, json=made["yes"])
    assert (status, given["recipients_left_out"]) == (200, [])
    status, ended = await field_of.ask(
        "POST", f"/v1/grants/{made['grant_id']}/withdraw", headers=ASKS, json={"grant_secret": given["grant_secret"]}
    )
    assert (status, "erasure_id" in ended) == (200, True)


async def test_signal_12_a_request_from_a_browser_that_asks_for_privacy_names_nobody(field_of: Field) -> None:
    token, naming = field_of.house.token, await body(field_of)
    status, said = await field_of.ask("POST", "/v1/grants", token=token, headers=dict(ASKS), json=naming)
    assert (status, said["code"]) == (422, "privacy_signal")
    alone = await body(field_of, purposes=[{"code": "self_search"}], recipients=[])
    assert (await field_of.ask("POST", "/v1/grants", token=token, headers=dict(ASKS), json=alone))[0] == 201
    status, many = await field_of.ask("POST", "/v1/grants/bulk", token=token, headers=dict(ASKS), json={"grants": [naming, alone]})
    assert status == 200
    assert [item["code"] for item in many["results"]] == ["privacy_signal", None]


@pytest.mark.parametrize(
    ("lang", "before", "after"),
    [
        ("en", "Your browser asks that nothing be shared", "Left out, as your browser asks"),
        ("fr", "Votre navigateur demande que rien ne soit communiqué", "Exclus, comme votre navigateur le demande"),
    ],
)
async def test_her_pages_say_so_before_and_after(field_of: Field, lang: str, before: str, after: str) -> None:
    made = await asked(field_of)
    path, origin = f"/confirm/{made['grant_id']}", {"Origin": field_of.url}
    secret = {"one_time_secret": made["one_time_secret"]}
    _, page = await field_of.ask("POST", f"{path}?lang={lang}", headers=origin, data=secret)
    assert before not in page
    _, page = await field_of.ask("POST", f"{path}?lang={lang}", headers=origin | ASKS, data=secret)
    assert before in page
    form = secret | {"notice_sha256": made["notice_sha256"]}
    status, page = await field_of.ask("POST", f"{path}/yes?lang={lang}", headers=origin | ASKS, data=form)
    assert (status, after in page, "<li>museum-archive</li>" in page) == (200, True, True)
    assert (await on_the_log(field_of, made["grant_id"])).recipients == ()


async def test_the_site_says_that_it_heeds_the_signal(field_of: Field) -> None:
    addresses = field_of.house.api.addresses
    for url in {addresses.registry, addresses.query}:
        async with field_of.http.get(f"{url}/.well-known/gpc.json") as answer:
            assert (answer.status, answer.content_type) == (200, "application/json")
            said = await answer.json()
        assert said["gpc"] is True
        assert datetime.date.fromisoformat(said["lastUpdate"])
        assert set(said) == {"gpc", "lastUpdate"}
