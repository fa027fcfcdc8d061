"""A folder whose control nobody has shown: pictures wait for her, unfetched; a proof over HTTP opens it, and every false one does not."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web

from assent.deciding.recorded import recorded_decisions
from assent.deciding.replay import replay
from assent.events.envelope import decode
from assent.events.grants import GrantSnapshot
from assent.events.images import ImageRefused
from assent.events.topics import Topic
from assent.ids import SightingId
from demo import photos
from demo.api import JsonObject
from demo.control import show_control
from demo.site import CONTROL_FILE
from tests.flow.attack_house import Field, Victim, minted

pytestmark = [pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]


@dataclass(slots=True)
class Waiter:
    """Somebody with a folder whose controller has shown nothing yet."""

    victim: Victim
    controller: str

    def picture(self, number: int) -> str:
        return f"{self.victim.folder}{number}.jpg"


async def waiter(field_of: Field, *, pictures: int = 2, token: str | None = None, **changes: Any) -> Waiter:
    """Her grant over her folder, in the name of a controller of its own; a page shows the pictures."""
    field_of.count += 1
    folder, controller = f"/unproven{field_of.count}/", f"org-{field_of.count}"
    person = await field_of.house.person()
    source = {"kind": "url_prefix", "value": f"{field_of.site.origin}{folder}", "only_me": True}
    request = field_of.house.request(person, [source]) | changes
    request["controller"] = request["controller"] | {"id": controller}
    await person.grant("it", request, token or field_of.house.token)
    field_of.site.page(folder, "".join(f'<img src="{folder}{number}.jpg">' for number in range(pictures)))
    for number in range(pictures):
        field_of.site.picture(
            f"{folder}{number}.jpg", photos.portrait(photos.Look(quality=50 + number + field_of.count), place=photos.VANCOUVER)
        )
    return Waiter(Victim(person, folder, person.held()[0].secret), controller)


async def crawled(field_of: Field) -> None:
    """A round, and the registry has written down what it was told of it."""
    await field_of.house.crawl()
    log, topic = field_of.house.world.log, Topic.IMAGES_REFUSED.value
    ends = await log.end_offsets([topic])
    async with asyncio.timeout(30):
        while True:
            committed = await log.committed("registry", [topic])
            if all(committed.get(at, 0) >= end for at, end in ends.items()):
                return
            await asyncio.sleep(0.05)


async def waiting(field_of: Field, one: Waiter) -> list[JsonObject]:
    path = f"/v1/grants/{one.victim.grant_id}/waiting"
    answer = await field_of.house.ask("POST", path, json={"grant_secret": one.victim.secret})
    assert answer.status == 200, answer
    return list(answer.body["images"])


def asked_for(field_of: Field, path: str) -> int:
    return field_of.site.requests[f"127.0.0.1{path}"]


async def snapshots(field_of: Field, one: Waiter) -> list[GrantSnapshot]:
    found = [decode(record).data for record in await field_of.records(Topic.GRANTS.value)]
    return [grant for grant in found if isinstance(grant, GrantSnapshot) and grant.grant_id == one.victim.grant_id]


async def until_revised(field_of: Field, one: Waiter, *, is_shown: bool) -> GrantSnapshot:
    """The newest revision once the registry has looked at the proofs anew."""
    async with asyncio.timeout(30):
        while True:
            newest = (await snapshots(field_of, one))[-1]
            if (newest.sources[0].control_until is not None) == is_shown:
                await field_of.shared.tables.catch_up(10)
                return newest
            await asyncio.sleep(0.1)


async def test_nothing_is_fetched_of_a_folder_without_proof_and_only_she_is_told(field_of: Field) -> None:
    one, other = await waiter(field_of), await waiter(field_of)
    await crawled(field_of)
    assert asked_for(field_of, one.victim.folder) == 1
    assert [asked_for(field_of, one.picture(number)) for number in (0, 1)] == [0, 0]
    assert await field_of.held(one.victim.grant_id) == []
    assert await field_of.rules(one.victim.grant_id) == {"control_unproven"}
    assert [image["url"] for image in await waiting(field_of, one)] == [f"{field_of.site.origin}{one.picture(number)}" for number in (0, 1)]
    path, token = f"/v1/grants/{one.victim.grant_id}/waiting", field_of.house.token
    assert (await field_of.ask("POST", path, json={"grant_secret": other.victim.secret}))[0] == 403
    assert (await field_of.ask("POST", path, token=token, json={"grant_secret": "x" * 43}))[0] == 403
    for topic in Topic:
        for record in await field_of.records(topic.value):
            if topic is not Topic.GRANTS:
                assert one.victim.folder.encode() not in (record.value or b""), topic


async def test_a_picture_that_waits_is_decided_again_from_its_record_alone(field_of: Field) -> None:
    one = await waiter(field_of, pictures=1)
    await crawled(field_of)
    events = [decode(record) for record in await field_of.records(Topic.IMAGES_REFUSED.value)]
    mine = [event for event in events if isinstance(event.data, ImageRefused) and event.data.grant_id == one.victim.grant_id]
    (recorded,) = [decision for event in mine for decision in recorded_decisions(event)]
    again = replay(recorded, field_of.shared.gate.policy)
    assert (again.rules, again.is_observed, again.is_same(recorded)) == (("control_unproven",), False, True)
    assert recorded.record is not None
    assert recorded.record.grant is not None
    assert recorded.record.grant.source is not None
    shown = recorded.record.grant.source.model_copy(update={"is_control_shown": True})
    grant = recorded.record.grant.model_copy(update={"source": shown})
    proven = dataclasses.replace(recorded, record=recorded.record.model_copy(update={"grant": grant}))
    assert replay(proven, field_of.shared.gate.policy).rules == ()


async def test_her_yes_opens_one_picture_and_her_no_is_not_asked_again(field_of: Field) -> None:
    one = await waiter(field_of, pictures=3)
    await crawled(field_of)
    listed = {image["url"].rpartition("/")[2]: image for image in await waiting(field_of, one)}
    grant, secret = f"/v1/grants/{one.victim.grant_id}", {"grant_secret": one.victim.secret}
    approved = await field_of.house.ask("POST", f"{grant}/approve", json=secret | {"url": listed["0.jpg"]["url"]})
    assert approved.status == 200, approved
    declined = await field_of.house.ask("POST", f"{grant}/decline", json=secret | {"sighting_id": listed["1.jpg"]["sighting_id"]})
    assert declined.status == 200, declined
    again = await field_of.house.ask("POST", f"{grant}/decline", json=secret | {"sighting_id": listed["1.jpg"]["sighting_id"]})
    assert (again.status, again.body["code"]) == (404, "not_waiting")
    # A crawler that was started anew knows nothing of it and tells the same once more.
    for record in await field_of.records(Topic.IMAGES_REFUSED.value):
        told = decode(record).data
        if isinstance(told, ImageRefused) and told.grant_id == one.victim.grant_id and told.sealed_place is not None:
            approvals = field_of.house.world.system.registry.registry.approvals
            await approvals.note(one.victim.grant_id, told.sighting_id, told.sealed_place, at=told.decided_at)
    await crawled(field_of)
    assert [asked_for(field_of, one.picture(number)) for number in range(3)] == [1, 0, 0]
    assert len(await field_of.held(one.victim.grant_id)) == 1
    assert [image["url"].rpartition("/")[2] for image in await waiting(field_of, one)] == ["2.jpg"]


async def test_her_no_to_a_picture_outlives_a_proof_of_its_folder(field_of: Field) -> None:
    """Whoever shows later that it puts pictures there knows no better than she whether it is she."""
    one = await waiter(field_of, pictures=2)
    await crawled(field_of)
    first = (await waiting(field_of, one))[0]
    body = {"grant_secret": one.victim.secret, "sighting_id": first["sighting_id"]}
    assert (await field_of.house.ask("POST", f"/v1/grants/{one.victim.grant_id}/decline", json=body)).status == 200
    await show_control(field_of.house.api, field_of.site, field_of.house.token, controller=one.controller)
    await field_of.house.world.system.registry.registry.rounds.once()
    await field_of.shared.tables.catch_up(10)
    await crawled(field_of)
    assert asked_for(field_of, one.picture(0)) == 0
    assert await field_of.held(one.victim.grant_id) == []
    (left,) = await waiting(field_of, one)
    approve = {"grant_secret": one.victim.secret, "url": left["url"]}
    assert (await field_of.house.ask("POST", f"/v1/grants/{one.victim.grant_id}/approve", json=approve)).status == 200
    await crawled(field_of)
    assert len(await field_of.held(one.victim.grant_id)) == 1
    assert asked_for(field_of, one.picture(0)) == 0


NOT_HERS = {
    "a sibling folder": "/unprovenX/1.jpg",
    "the host alone": "/",
    "a way out of the folder": "{folder}../away/1.jpg",
    "an encoded way out": "{folder}%2e%2e/away/1.jpg",
    "a folder that begins alike": "{folder_open}2/1.jpg",
    "a wildcard in the folder": "{folder}*.jpg",
    "an encoded wildcard in the folder": "{folder}%2A.jpg",
    "no address": "x",
}


@pytest.mark.parametrize("what", NOT_HERS)
async def test_she_approves_nothing_that_her_folders_do_not_hold(field_of: Field, what: str) -> None:
    one = await waiter(field_of, pictures=1)
    path = NOT_HERS[what].format(folder=one.victim.folder, folder_open=one.victim.folder.rstrip("/"))
    url = path if path == "x" else f"{field_of.site.origin}{path}"
    body = {"grant_secret": one.victim.secret, "url": url}
    answer = await field_of.house.ask("POST", f"/v1/grants/{one.victim.grant_id}/approve", json=body)
    assert (answer.status, answer.body["code"]) in {(422, "source_not_covered"), (422, "bad_address")}
    assert len((await snapshots(field_of, one))[-1].sources) == 1


@pytest.mark.parametrize("secret", ["", "x" * 43])
async def test_nobody_approves_or_declines_for_her(field_of: Field, secret: str) -> None:
    one, other = await waiter(field_of), await waiter(field_of)
    await crawled(field_of)
    (image, *_) = await waiting(field_of, one)
    for word in (secret, other.victim.secret):
        for action, asked in (("approve", {"url": image["url"]}), ("decline", {"sighting_id": image["sighting_id"]})):
            body = {"grant_secret": word} | asked
            status, _ = await field_of.ask("POST", f"/v1/grants/{one.victim.grant_id}/{action}", token=field_of.house.token, json=body)
            assert status in (403, 422), (action, word)
    cookie = {"Cookie": f"assent_session={await other.victim.person.token()}", "Origin": field_of.url}
    for action in ("approve", "decline"):
        form = {"sighting_id": image["sighting_id"]}
        status, _ = await field_of.ask("POST", f"/me/grants/{one.victim.grant_id}/{action}", headers=cookie, data=form)
        assert status == 403
        # Under her own grant the number of another's picture names nothing.
        status, _ = await field_of.ask("POST", f"/me/grants/{other.victim.grant_id}/{action}", headers=cookie, data=form)
        assert status == 404
    assert len(await waiting(field_of, one)) == 2


@pytest.mark.parametrize(("lang", "button"), [("en", "This is me: use it"), ("fr", "C'est moi : utilisez-la")])
async def test_her_page_asks_without_a_script(field_of: Field, lang: str, button: str) -> None:
    one = await waiter(field_of)
    await crawled(field_of)
    cookie = {"Cookie": f"assent_session={await one.victim.person.token()}", "Origin": field_of.url}
    _, page = await field_of.ask("GET", f"/me?lang={lang}", headers=cookie)
    assert f"{field_of.site.origin}{one.picture(0)}" in page
    assert button.replace("'", "&#39;") in page
    assert "<img" not in page, "her own browser would fetch what nobody may"
    forms = re.findall(r'action="(/me/grants/[^"]+/(approve|decline))"><input type="hidden" name="sighting_id" value="([0-9a-f]+)"', page)
    assert [action for _, action, _ in forms] == ["approve", "decline"] * 2
    for (path, _, sighting_id), origin in ((forms[0], "http://evil.example"), (forms[0], "null")):
        status, _ = await field_of.ask("POST", path, headers=cookie | {"Origin": origin}, data={"sighting_id": sighting_id})
        assert status == 403
    for path, _, sighting_id in (forms[0], forms[3]):
        status, _ = await field_of.ask("POST", path, headers=cookie, data={"sighting_id": sighting_id})
        assert status == 303
    _, page = await field_of.ask("GET", f"/me?lang={lang}", headers=cookie)
    assert "/approve" not in page
    await crawled(field_of)
    assert sum(asked_for(field_of, one.picture(number)) for number in (0, 1)) == 1


@pytest.mark.parametrize(
    ("lang", "no", "until"), [("en", "nobody shows now", "taken from here until"), ("fr", "personne ne montre", "prises jusqu")]
)
async def test_her_page_says_until_when_a_folder_is_covered(field_of: Field, lang: str, no: str, until: str) -> None:
    one = await waiter(field_of)
    cookie = {"Cookie": f"assent_session={await one.victim.person.token()}", "Origin": field_of.url}
    _, page = await field_of.ask("GET", f"/me?lang={lang}", headers=cookie)
    assert (no in page, until in page) == (True, False)
    await show_control(field_of.house.api, field_of.site, field_of.house.token, controller=one.controller)
    shown = await until_revised(field_of, one, is_shown=True)
    assert shown.sources[0].control_until is not None
    _, page = await field_of.ask("GET", f"/me?lang={lang}", headers=cookie)
    assert (no in page, until in page, f'<time datetime="{shown.sources[0].control_until.isoformat()}">' in page) == (False, True, True)


async def test_a_proof_opens_the_folder_and_its_end_narrows_what_is_taken_later(field_of: Field) -> None:
    one = await waiter(field_of)
    await crawled(field_of)
    before = (await snapshots(field_of, one))[-1]
    proof = await show_control(field_of.house.api, field_of.site, field_of.house.token, controller=one.controller, folder=one.victim.folder)
    shown = await until_revised(field_of, one, is_shown=True)
    assert (shown.revision, shown.sources[0].control_until is not None) == (before.revision + 1, True)
    assert shown.last_interaction_at == before.last_interaction_at, "nobody heard of her"
    assert await waiting(field_of, one) == []
    await crawled(field_of)
    held = await field_of.held(one.victim.grant_id)
    assert len(held) == 2
    await field_of.house.api.need("POST", f"{field_of.url}/v1/control-proofs/{proof['proof_id']}/revoke", token=field_of.house.token)
    assert (await until_revised(field_of, one, is_shown=False)).revision == shown.revision + 1
    field_of.site.page(one.victim.folder, "".join(f'<img src="{one.picture(number)}">' for number in range(3)))
    field_of.site.picture(one.picture(2), photos.portrait(photos.Look(quality=40), place=photos.VANCOUVER))
    await crawled(field_of)
    assert asked_for(field_of, one.picture(2)) == 0
    assert await field_of.held(one.victim.grant_id) == held, "what was taken under the proof stays until she ends it"
    assert f"{field_of.site.origin}{one.picture(2)}" in [image["url"] for image in await waiting(field_of, one)]
    again = await field_of.ask("POST", f"/v1/control-proofs/{proof['proof_id']}/check", token=field_of.house.token)
    assert (again[0], again[1]["code"]) == (409, "control_revoked"), "its line still stands there, and counts no more"


async def test_a_grant_given_after_the_proof_has_it_from_its_first_moment(field_of: Field) -> None:
    await show_control(field_of.house.api, field_of.site, field_of.house.token, controller=f"org-{field_of.count + 1}")
    one = await waiter(field_of, pictures=1)
    assert [grant.sources[0].control_until is not None for grant in await snapshots(field_of, one)] == [True]
    await crawled(field_of)
    assert len(await field_of.held(one.victim.grant_id)) == 1


async def test_another_controllers_proof_of_the_same_place_is_not_its_own(field_of: Field) -> None:
    """The whole host is proven for the demonstration, and the very folder for a stranger."""
    one = await waiter(field_of, pictures=1)
    await show_control(field_of.house.api, field_of.site, field_of.house.token, controller="stranger", folder=one.victim.folder)
    await crawled(field_of)
    assert asked_for(field_of, one.picture(0)) == 0
    assert (await snapshots(field_of, one))[-1].sources[0].control_until is None


async def test_a_producer_shows_control_for_itself_and_borrows_nobodys(field_of: Field) -> None:
    token = await minted(field_of, roles=["producer"], org="agency", producer_id="agency")
    at, origin = "/v1/control-proofs", field_of.site.origin
    status, body = await field_of.ask("POST", at, token=token, json={"place": origin, "controller": "assent-demo"})
    assert (status, body["code"]) == (403, "foreign_controller")
    status, own = await field_of.ask("POST", at, token=token, json={"place": origin})
    assert (status, own["controller"], own["proven_at"]) == (201, "agency", None)
    _, listed = await field_of.ask("GET", at, token=token)
    assert {proof["controller"] for proof in listed["proofs"]} == {"agency"}
    _, everything = await field_of.ask("GET", at, token=field_of.house.token)
    foreign = next(proof["proof_id"] for proof in everything["proofs"] if proof["controller"] == "assent-demo")
    for action in ("check", "revoke"):
        assert (await field_of.ask("POST", f"{at}/{foreign}/{action}", token=token))[0] == 404
    # It asks for a grant in the name of a controller whose proof stands: her yes makes the grant, and the name makes no proof.
    person, folder = await field_of.house.person(), f"/borrowed{field_of.count}/"
    source = {"kind": "url_prefix", "value": f"{origin}{folder}", "only_me": True}
    await person.grant("it", field_of.house.request(person, [source]), token)
    one = Waiter(Victim(person, folder, person.held()[0].secret), "assent-demo")
    assert (await snapshots(field_of, one))[-1].sources[0].control_until is None


ANSWERS: dict[str, tuple[Any, str]] = {
    "no file": (None, "no_file"),
    "the line of another": (lambda line: web.Response(text=line[:-1] + "x"), "other_lines"),
    "a page with the line": (lambda line: web.Response(text=f"\n{line}\n", content_type="text/html"), "not_text"),
    "a redirect to a place with the line": (lambda line: web.Response(status=302, headers={"Location": "/elsewhere.txt"}), "moved"),
    "a file without an end": (lambda line: web.Response(text=f"{line}\n" + "x" * 20_000), "no_answer"),
    "a bomb": (lambda line: web.Response(text=line, status=200, headers={"Content-Encoding": "gzip"}), "no_answer"),
    "a fault": (lambda line: web.Response(text=line, status=500), "no_answer"),
}


@pytest.mark.parametrize("what", ANSWERS)
async def test_whatever_else_the_host_answers_shows_nothing(field_of: Field, what: str) -> None:
    made, reason = ANSWERS[what]
    at, token = "/v1/control-proofs", field_of.house.token
    body = {"place": f"{field_of.site.origin}/false/", "controller": f"false {what}"}
    proof = await field_of.house.api.need("POST", f"{field_of.url}{at}", token=token, json=body)
    field_of.site.answers["/elsewhere.txt"] = lambda request: web.Response(text=proof["line"])
    held, field_of.site.control_answer = field_of.site.control_answer, None if made is None else lambda request: made(proof["line"])
    lines, field_of.site.control_lines = field_of.site.control_lines, []
    try:
        status, said = await field_of.ask("POST", f"{at}/{proof['proof_id']}/check", token=token)
    finally:
        field_of.site.control_answer, field_of.site.control_lines = held, lines
    assert (status, said["code"], said["reason"]) == (422, "control_not_shown", reason)
    assert proof["line"] in said["remedy"]
    assert CONTROL_FILE in said["remedy"]
    _, listed = await field_of.ask("GET", at, token=token)
    assert next(one for one in listed["proofs"] if one["proof_id"] == proof["proof_id"])["ends_at"] is None


async def test_a_line_taken_from_another_host_or_controller_shows_nothing(field_of: Field) -> None:
    """The lines of everybody stand in the file for all to read; each counts for the one who was told it, and there alone."""
    at, token = f"{field_of.url}/v1/control-proofs", field_of.house.token
    mine = await field_of.house.api.need("POST", at, token=token, json={"place": field_of.site.origin, "controller": "thief"})
    assert mine["line"] not in field_of.site.control_lines
    status, said = await field_of.ask("POST", f"/v1/control-proofs/{mine['proof_id']}/check", token=token)
    assert (status, said["reason"]) == (422, "other_lines")
    again = await field_of.house.api.need("POST", at, token=token, json={"place": field_of.site.origin, "controller": "thief"})
    assert again["line"] == mine["line"], "asked again, the same, so that nobody must change the file twice"
    inner = await field_of.house.api.need("POST", at, token=token, json={"place": f"{field_of.site.origin}/a/", "controller": "thief"})
    assert inner["line"] != mine["line"]


async def test_a_host_that_takes_the_line_away_ends_the_proof_when_it_is_looked_at(field_of: Field) -> None:
    one = await waiter(field_of, pictures=1)
    proof = await show_control(field_of.house.api, field_of.site, field_of.house.token, controller=one.controller)
    await until_revised(field_of, one, is_shown=True)
    check = f"/v1/control-proofs/{proof['proof_id']}/check"
    held = field_of.site.control_answer
    field_of.site.control_answer = lambda request: web.Response(status=503)
    assert (await field_of.ask("POST", check, token=field_of.house.token))[1]["reason"] == "no_answer"
    field_of.site.control_answer = held
    assert (await field_of.ask("POST", check, token=field_of.house.token))[0] == 200, "an outage takes nothing away"
    field_of.site.control_lines.remove(proof["line"])
    assert (await field_of.ask("POST", check, token=field_of.house.token))[1]["reason"] == "other_lines"
    await until_revised(field_of, one, is_shown=False)


@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:1/", "http://localhost:PORT/", "https://127.0.0.1:PORT/", "http://[::1]:PORT/", "https://*.example/"]
)
async def test_the_registry_looks_at_no_closed_address(field_of: Field, place: str) -> None:
    body = {"place": place.replace("PORT", str(field_of.site.port)), "controller": "c"}
    status, said = await field_of.ask("POST", "/v1/control-proofs", token=field_of.house.token, json=body)
    if status == 201:  # A name, or the one socket that the demonstration opens, spoken to otherwise: refused when it is looked at.
        status, said = await field_of.ask("POST", f"/v1/control-proofs/{said['proof_id']}/check", token=field_of.house.token)
    assert status == 422, said


async def test_an_address_sealed_for_one_grant_is_shown_under_no_other(field_of: Field) -> None:
    """Whoever may write to the log and holds no key of hers shows her nothing, and nobody hers."""
    one, other = await waiter(field_of), await waiter(field_of)
    await crawled(field_of)
    refusals = [decode(record).data for record in await field_of.records(Topic.IMAGES_REFUSED.value)]
    sealed = next(
        data for data in refusals if isinstance(data, ImageRefused) and data.grant_id == one.victim.grant_id and data.sealed_place
    )
    approvals = field_of.house.world.system.registry.registry.approvals
    assert sealed.sealed_place is not None
    elsewhere = SightingId("f" * 64)
    for holder, sighting_id in ((other, sealed.sighting_id), (other, elsewhere), (one, elsewhere)):
        await approvals.note(holder.victim.grant_id, sighting_id, sealed.sealed_place, at=sealed.decided_at)
    for holder in (one, other):
        shown = sorted(image["url"] for image in await waiting(field_of, holder))
        assert shown == [f"{field_of.site.origin}{holder.picture(number)}" for number in (0, 1)]


async def test_with_the_grant_goes_what_waited_under_it(field_of: Field) -> None:
    one = await waiter(field_of)
    await crawled(field_of)
    assert len(await waiting(field_of, one)) == 2
    await one.victim.person.withdraw(one.victim.person.held()[0])
    store = field_of.house.world.system.registry.registry.store
    left = await store.read(
        lambda database: database.execute("SELECT count(*) FROM waiting WHERE grant_id = ?", (one.victim.grant_id,)).fetchone()
    )
    assert left[0] == 0
    path = f"/v1/grants/{one.victim.grant_id}/waiting"
    assert (await field_of.house.ask("POST", path, json={"grant_secret": one.victim.secret})).status == 409
