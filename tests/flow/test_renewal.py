"""A grant goes on where its subject says yes again, to terms that she read within the hour; nobody else renews, and nothing is added."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec

from assent.events.grants import GrantSnapshot, GrantState
from assent.identity.errors import ApiError
from assent.ids import GrantId
from assent.stream.clock import SystemClock
from demo import photos
from demo.api import Answer, JsonObject
from demo.settled import settled
from demo.state import HeldGrant
from demo.subject import Subject
from services.registry.app import RegistryApp
from services.registry.device_yes import DeviceYes, signed_text
from services.registry.grant_record import Grant
from services.registry.grants import Grants
from services.registry.renewals import Renewals
from tests.flow.assent_command import run, run_at_terminal
from tests.flow.registry_house import GrantHouse, grant_house
from tests.unit.test_registry_device_yes import raw_signature, spki

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
UPLOAD: list[JsonObject] = [{"kind": "upload"}]
FOLDER = "https://pictures.example/ada/"
OWN_WORDS = "We are a small studio.\n\nAsk us anything."
TERM = timedelta(days=360)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GrantHouse]:
    """One for all: every test brings people of its own."""
    async with grant_house(tmp_path_factory.mktemp("renewal"), {}) as made:
        yield made


async def given(house: GrantHouse, *, left: timedelta = timedelta(days=20), **changes: Any) -> tuple[Subject, HeldGrant]:
    """Somebody with a grant of 360 days of which so many are left."""
    person = await house.person()
    now = datetime.now(UTC)
    validity = {"not_before": (now + left - TERM).isoformat(), "expires_at": (now + left).isoformat()}
    asked = house.request(person, [*UPLOAD, {"kind": "url_prefix", "value": FOLDER}])
    legal = [{**basis, "term_days": TERM.days} for basis in asked["legal"]]
    await person.grant("own", asked | {"validity": validity, "legal": legal, "notice": {"text": OWN_WORDS}} | changes, house.token)
    return person, person.held()[0]


async def offered(house: GrantHouse, held: HeldGrant, **headers: str) -> JsonObject:
    answer = await house.ask("GET", f"/v1/grants/{held.grant_id}/renewal", headers=hers(held) | headers)
    assert answer.status == 200, answer.body
    return answer.body


async def renewed(house: GrantHouse, held: HeldGrant, offer: JsonObject, headers: dict[str, str] | None = None, **changes: Any) -> Answer:
    body = {
        "begins_at": offer["begins_at"],
        "notice_sha256": offer["notice_sha256"],
        "expected_revision": offer["revision"],
        **changes,
    }
    return await house.ask("POST", f"/v1/grants/{held.grant_id}/renewal", headers=hers(held) if headers is None else headers, json=body)


def hers(held: HeldGrant) -> dict[str, str]:
    return {"Assent-Grant-Secret": held.secret}


async def record(house: GrantHouse, held: HeldGrant) -> JsonObject:
    shown: JsonObject = (await house.api.need("GET", f"{house.registry}/v1/grants/{held.grant_id}", headers=hers(held)))["record"]
    return shown


def on_the_log(house: GrantHouse, held: HeldGrant) -> GrantSnapshot:
    grant = house.world.system.shared.tables.ledger.grant(GrantId(held.grant_id))
    assert grant is not None
    return grant


async def test_her_new_yes_lets_the_grant_go_on_for_as_long_as_before(house: GrantHouse) -> None:
    person, held = await given(house)
    sent = await house.ask(
        "POST", f"/v1/grants/{held.grant_id}/images", data=photos.portrait(), headers=hers(held) | {"Content-Type": "image/jpeg"}
    )
    assert sent.status == 202, sent.body
    await settled(house.world.log)
    before = await house.world.store.ids_of_grant(GrantId(held.grant_id))
    offer = await offered(house, held)
    answer = await renewed(house, held, offer)
    assert (answer.status, answer.body["revision"]) == (200, 3)
    ends = datetime.fromisoformat(answer.body["expires_at"])
    assert abs(ends - datetime.now(UTC) - TERM) < timedelta(hours=1)
    shown = await record(house, held)
    assert (shown["state"], shown["validity"]["expires_at"]) == ("renewed", offer["expires_at"])
    assert (shown["notice"]["sha256"], shown["notice"]["text"]) == (offer["notice_sha256"], offer["notice"])
    assert len(shown["evidence"]) == 3, "the fixture, her first yes and her second"
    grant = on_the_log(house, held)
    assert (grant.state, grant.expires_at) == (GrantState.RENEWED, ends)
    assert await house.world.store.ids_of_grant(GrantId(held.grant_id)) == before != []
    found = await house.api.search(photos.portrait(), token=await person.token())
    assert len(found.body["candidates"]) == 1
    history = (await house.api.need("GET", f"{house.registry}/v1/grants/{held.grant_id}", headers=hers(held)))["history"]
    assert [item["state"] for item in history] == ["requested", "given", "renewed"]
    assert history[2]["prev_hash"] == history[1]["sha256"]


async def test_the_terms_say_what_was_given_until_when_and_the_words_of_the_first_notice(house: GrantHouse) -> None:
    _, held = await given(house)
    first = (await record(house, held))["notice"]["text"]
    offer = await offered(house, held)
    again, empty, *facts = offer["notice"].splitlines()
    assert again.startswith("You said yes to this on ")
    assert empty == ""
    changing = ("How long", "SHA-256 of everything")
    lines = [[line for line in text if not line.startswith(changing)] for text in (first.splitlines(), facts)]
    assert lines[0] == lines[1]
    assert offer["notice"].endswith(f"{OWN_WORDS}\n")
    assert offer["notice"] != first


async def test_what_she_took_away_does_not_come_back(house: GrantHouse) -> None:
    _, held = await given(house)
    less: JsonObject = {"grant_secret": held.secret, "expected_revision": 2, "purposes": ["verify"], "sources": [FOLDER]}
    assert (await house.ask("POST", f"/v1/grants/{held.grant_id}/narrow", json=less)).status == 200
    offer = await offered(house, held)
    assert "to check one photo against your own" not in offer["notice"]
    assert FOLDER not in offer["notice"]
    assert (await renewed(house, held, offer)).status == 200
    grant = on_the_log(house, held)
    assert [purpose.value for purpose in grant.purposes] == ["self_search"]
    assert [rule.kind.value for rule in grant.sources] == ["upload"]


async def test_a_renewal_may_be_renewed(house: GrantHouse) -> None:
    """Its last fact is found again behind the line that a renewal puts before all."""
    _, held = await given(house)
    assert (await renewed(house, held, await offered(house, held))).status == 200
    soon: JsonObject = {
        "grant_secret": held.secret,
        "expected_revision": 3,
        "expires_at": (datetime.now(UTC) + timedelta(days=200)).isoformat(),
    }
    assert (await house.ask("POST", f"/v1/grants/{held.grant_id}/narrow", json=soon)).status == 200
    answer = await house.ask("GET", f"/v1/grants/{held.grant_id}/renewal", headers=hers(held))
    assert (answer.status, answer.body["code"]) == (409, "nothing_to_renew"), "she shortened it, and it has hardly begun"


@pytest.mark.parametrize(
    ("renew_by", "is_told"),
    [(timedelta(days=-1), True), (timedelta(days=1), False), (None, False)],
    ids=["since yesterday", "from tomorrow", "no"],
)
async def test_her_page_speaks_of_it_from_the_day_that_was_agreed(house: GrantHouse, renew_by: timedelta | None, is_told: bool) -> None:
    now, left = datetime.now(UTC), timedelta(days=200)
    validity = {"not_before": (now + left - TERM).isoformat(), "expires_at": (now + left).isoformat()}
    person, held = await given(house, validity=validity if renew_by is None else validity | {"renew_by": (now + renew_by).isoformat()})
    cookies = {"assent_session": await person.token()}
    async with aiohttp.ClientSession(cookies=cookies, headers={"Accept-Language": "en"}) as browser:
        assert (f"/me/grants/{held.grant_id}/renewal" in await text_of(browser, f"{house.registry}/me")) == is_told
    assert (await renewed(house, held, await offered(house, held))).status == 200
    assert "renew_by" not in (await record(house, held))["validity"]


async def test_notes_and_where_evidence_is_kept_stay_in_the_record_alone(house: GrantHouse) -> None:
    person = await house.person()
    asked = house.request(person, UPLOAD)
    evidence = [item | {"stored_at_ref": "cabinet 3", "ip_country": "CA"} for item in asked["evidence"]]
    await person.grant("own", asked | {"evidence": evidence, "annotations": {"kantara_id": "k-1"}}, house.token)
    shown = await record(house, person.held()[0])
    assert (shown["evidence"][0]["stored_at_ref"], shown["evidence"][0]["ip_country"]) == ("cabinet 3", "CA")
    assert shown["annotations"]["kantara_id"] == "k-1"
    assert "cabinet" not in on_the_log(house, person.held()[0]).model_dump_json()


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"notice_sha256": "0" * 64}, 409, "notice_mismatch"),
        ({"begins_at": timedelta(hours=-1, minutes=-1)}, 409, "notice_mismatch"),
        ({"begins_at": timedelta(minutes=11)}, 409, "notice_mismatch"),
        ({"begins_at": timedelta(days=-30)}, 409, "notice_mismatch"),
        ({"begins_at": "2026-01-01"}, 422, "invalid"),
        ({"begins_at": 1_800_000_000}, 422, "invalid"),
        ({"expected_revision": 1}, 409, "revision_conflict"),
        ({"device": {"public_key": "AAAA", "signature": "AAAA"}}, 422, "bad_device_signature"),
        ({"expires_at": "2099-01-01T00:00:00Z"}, 422, "invalid"),
    ],
    ids=[
        "another text",
        "read too long ago",
        "from the future",
        "a month ago",
        "a day",
        "a number",
        "an old revision",
        "a signature",
        "an end",
    ],
)
async def test_a_yes_to_anything_else_is_none(house: GrantHouse, changes: dict[str, Any], status: int, code: str) -> None:
    _, held = await given(house)
    offer = await offered(house, held)
    begins = datetime.fromisoformat(offer["begins_at"])
    told: dict[str, Any] = {
        name: (begins + value).isoformat() if isinstance(value, timedelta) else value for name, value in changes.items()
    }
    answer = await renewed(house, held, offer, **told)
    assert (answer.status, answer.body["code"]) == (status, code)
    assert (await record(house, held))["state"] == "given"
    assert on_the_log(house, held).revision == 2


def renewals(house: GrantHouse, *, grants: Any = None, most_days: int = 730) -> Renewals:
    """As the registry has them, over its own grants; `most_days` is what every place allows today."""
    app = house.world.system.apps["registry"]
    assert isinstance(app, RegistryApp)
    return Renewals(grants=grants or app.registry.grants, clock=SystemClock(), expires_max_days=lambda place: most_days)


@pytest.mark.parametrize(
    ("moved", "status"),
    [
        (timedelta(minutes=-59), 200),
        (timedelta(minutes=-61), 409),
        (timedelta(minutes=1), 409),
        (timedelta(days=-30), 409),
        (timedelta(days=30), 409),
    ],
    ids=["within the hour", "after it", "too early", "a month ago", "in a month"],
)
async def test_terms_that_are_right_in_themselves_count_for_an_hour(house: GrantHouse, moved: timedelta, status: int) -> None:
    """Whoever knows the words can make the notice of any day, and its digest."""
    _, held = await given(house)
    begins = datetime.fromisoformat((await offered(house, held))["begins_at"]) + moved
    made = await renewals(house).offer(GrantId(held.grant_id), begins_at=begins)
    told = {"begins_at": begins.isoformat(), "notice_sha256": made.notice.sha256, "revision": made.revision}
    assert (await renewed(house, held, told)).status == status


@pytest.mark.parametrize(("most_days", "lasts"), [(730, 360), (100, 100), (30, 30)])
async def test_it_lasts_no_longer_than_every_place_allows_today(house: GrantHouse, most_days: int, lasts: int) -> None:
    _, held = await given(house)
    offer = await renewals(house, most_days=most_days).offer(GrantId(held.grant_id))
    assert offer.expires_at - offer.begins_at == timedelta(days=lasts)


async def test_a_place_that_allows_less_than_is_left_lets_nothing_be_renewed(house: GrantHouse) -> None:
    _, held = await given(house)
    with pytest.raises(ApiError, match="hardly prolong"):
        await renewals(house, most_days=10).offer(GrantId(held.grant_id))


class WithoutAMember:
    """The registry's grants at the moment at which a member of a joint one has run out and nobody ended the joint one yet."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    async def live(self, grant_id: GrantId, expected_revision: int | None = None) -> Grant:
        return await self._grants.live(grant_id, expected_revision)

    async def refuse_ended_members(self, record: Grant) -> None:
        raise ApiError(422, "X-3", "A member grant has ended.", "")


async def test_a_joint_grant_is_not_renewed_past_the_end_of_a_member(house: GrantHouse) -> None:
    _, held = await given(house)
    app = house.world.system.apps["registry"]
    assert isinstance(app, RegistryApp)
    with pytest.raises(ApiError, match="A member grant has ended"):
        await renewals(house, grants=WithoutAMember(app.registry.grants)).offer(GrantId(held.grant_id))


async def test_nobody_else_sees_or_renews_it(house: GrantHouse) -> None:
    _, held = await given(house)
    stranger, strangers = await given(house)
    offer = await offered(house, held)
    path = f"/v1/grants/{held.grant_id}/renewal"
    ways: list[dict[str, Any]] = [
        {},
        {"token": house.token},
        {"token": await stranger.token()},
        {"headers": hers(strangers)},
        {"headers": {"Assent-Grant-Secret": "x" * 43}},
    ]
    assert [(await house.ask("GET", path, **way)).status for way in ways] == [401, 403, 403, 403, 403]
    body = {"begins_at": offer["begins_at"], "notice_sha256": offer["notice_sha256"], "expected_revision": 2}
    assert [(await house.ask("POST", path, json=body, **way)).status for way in ways] == [401, 403, 403, 403, 403]


@pytest.mark.parametrize("left", [timedelta(days=355), timedelta(days=359, hours=12)], ids=["five days gone", "half a day gone"])
async def test_a_grant_that_has_hardly_begun_is_not_renewed_for_an_hour(house: GrantHouse, left: timedelta) -> None:
    _, held = await given(house, left=left)
    answer = await house.ask("GET", f"/v1/grants/{held.grant_id}/renewal", headers=hers(held))
    expected = (200, None) if left == timedelta(days=355) else (409, "nothing_to_renew")
    assert (answer.status, answer.body.get("code")) == expected


async def test_what_has_ended_is_not_renewed(house: GrantHouse) -> None:
    person, held = await given(house)
    offer = await offered(house, held)
    await person.withdraw(held)
    answer = await renewed(house, held, offer)
    assert (answer.status, answer.body["code"]) == (409, "grant_not_live")
    _, short = await given(house, left=timedelta(seconds=2))
    late = await offered(house, short)
    ends = datetime.fromisoformat((await record(house, short))["validity"]["expires_at"])
    await asyncio.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds()))
    answer = await renewed(house, short, late)
    assert (answer.status, answer.body["code"]) == (409, "grant_not_live")


async def test_a_browser_that_asks_for_privacy_renews_it_for_nobody_else(house: GrantHouse) -> None:
    wanted: dict[str, Any] = {"recipients": [{"id": "museum"}], "purposes": [{"code": "self_search"}, {"code": "gallery_search"}]}
    _, held = await given(house, **wanted)
    offer = await offered(house, held, **{"Sec-GPC": "1"})
    assert "museum" not in offer["notice"]
    without = await renewed(house, held, offer)
    assert (without.status, without.body["code"]) == (409, "notice_mismatch")
    assert (await renewed(house, held, offer, headers=hers(held) | {"Sec-GPC": "1"})).status == 200
    grant = on_the_log(house, held)
    assert (grant.recipients, [purpose.value for purpose in grant.purposes]) == ((), ["self_search"])
    assert (await record(house, held))["recipients_left_out"] == ["museum"]


async def test_her_device_signs_the_second_yes_as_the_first(house: GrantHouse) -> None:
    _, held = await given(house)
    offer = await offered(house, held)
    key, text = ec.generate_private_key(ec.SECP256R1()), signed_text(GrantId(held.grant_id), offer["notice_sha256"])
    yes = DeviceYes(public_key=spki(key.public_key()), signature=base64.b64encode(raw_signature(text, key=key)).decode())
    assert (await renewed(house, held, offer, device=yes.model_dump())).status == 200
    shown = await record(house, held)
    assert (shown["confirmed_with"], shown["device"]) == ("secret_and_device_key", yes.model_dump())


@pytest.mark.parametrize(
    ("lang", "due", "title", "state"),
    [
        ("en", "say yes again", "Renew", "renewed by you, in force"),
        ("fr", "dites oui de nouveau", "Renouveler", "renouvelée par vous, en vigueur"),
    ],
)
async def test_her_page_says_that_it_ends_and_she_renews_there(house: GrantHouse, lang: str, due: str, title: str, state: str) -> None:
    person, held = await given(house)
    _, early = await given(house, left=timedelta(days=200))
    cookies = {"assent_session": await person.token()}
    form_path = f"/me/grants/{held.grant_id}/renewal"
    async with aiohttp.ClientSession(cookies=cookies, headers={"Accept-Language": lang}) as browser:
        page = await text_of(browser, f"{house.registry}/me")
        assert due in page
        assert f'href="{form_path}"' in page
        offer = await text_of(browser, f"{house.registry}{form_path}")
        assert f"<h1>{title}</h1>" in offer
        form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', offer))
        foreign = {"Origin": "https://elsewhere.example"}
        async with browser.post(f"{house.registry}{form_path}", data=form, headers=foreign) as refused:
            assert refused.status == 403
        for broken in ({"begins_at": "soon"}, {"begins_at": "2026-01-01T00:00:00"}, {"revision": "two"}, {"revision": "9" * 40}):
            async with browser.post(f"{house.registry}{form_path}", data=form | broken, headers={"Origin": house.registry}) as refused:
                assert refused.status == 422
        async with browser.post(f"{house.registry}{form_path}", data=form, headers={"Origin": house.registry}) as done:
            page = await done.text()
            assert (done.status, done.url.path) == (200, "/me")
        assert state in page
        assert due not in page
        async with browser.get(f"{house.registry}/me/grants/{early.grant_id}/renewal") as others:
            assert others.status == 403


async def text_of(browser: aiohttp.ClientSession, url: str) -> str:
    async with browser.get(url) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_the_command_renews_it_at_a_terminal(house: GrantHouse, tmp_path: Path) -> None:
    _, held = await given(house)
    secret = tmp_path / "grant.secret"
    secret.write_text(held.secret)
    secret.chmod(0o600)
    words = ("grant", "renew", held.grant_id, "--url", house.registry, "--secret-file", secret)
    alone = await asyncio.to_thread(run, *words)
    assert (alone.returncode, "/me" in alone.stderr) == (2, True), alone
    no = await asyncio.to_thread(lambda: run_at_terminal(*words, typed="no\n"))
    assert (no.returncode, "Nothing was renewed" in no.stdout) == (1, True), no
    yes = await asyncio.to_thread(lambda: run_at_terminal(*words, typed="yes\n"))
    assert (yes.returncode, "the grant is renewed until" in yes.stdout) == (0, True), yes
    assert OWN_WORDS.splitlines()[0] in yes.stdout
    assert (await record(house, held))["state"] == "renewed"
