"""She sets content rights of one source aside, over HTTP and through every gate: by name, under a proof, and until either ends."""

from __future__ import annotations

import re

import aiohttp
import pytest
from aiohttp import web

from assent.deciding.recorded import recorded_decisions
from assent.deciding.replay import replay
from assent.events.envelope import decode
from assent.events.faces import FaceEmbedded
from assent.events.images import ImageRefused
from assent.events.topics import Topic
from assent.optouts.signal import ContentRight
from demo import photos
from demo.control import show_control
from demo.settled import settled
from tests.flow.attack_house import Field, Victim
from tests.flow.test_control import crawled, until_revised, waiter

pytestmark = [pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

RESERVED = {"tdm-reservation": "1"}
PROHIBITED = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" plus:DataMining="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def portrait(quality: int, xmp: bytes = b"") -> bytes:
    data = photos.portrait(photos.Look(quality=quality), place=photos.VANCOUVER)
    if not xmp:
        return data
    body = b"http://ns.adobe.com/xap/1.0/\0" + xmp
    return data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]


def put_up(field_of: Field, one: Victim, number: int, quality: int, headers: dict[str, str] | None = None, xmp: bytes = b"") -> None:
    field_of.site.picture(f"{one.folder}{number}.jpg", portrait(quality, xmp), **(headers or {}))
    shown = "".join(f'<img src="{one.folder}{other}.jpg">' for other in range(1, number + 1))
    field_of.site.page(one.folder, shown)


async def override(field_of: Field, one: Victim, *rights: str, source: str | None = None, **more: object) -> tuple[int, str]:
    body = {"grant_secret": one.secret, "source": source or f"{field_of.site.origin}{one.folder}", "overrides": list(rights)}
    status, said = await field_of.ask("POST", f"/v1/grants/{one.grant_id}/overrides", json=body | more)
    await field_of.shared.tables.catch_up(10)
    return status, said["code"] if status >= 400 else ""


async def nothing_may_stay(field_of: Field, one: Victim) -> None:
    """What is still held of hers is told to nobody, and the sweep takes it."""
    store, gate = field_of.house.world.store, field_of.shared.gate
    for point in await store.retrieve(await store.ids_of_grant(one.grant_id)):
        assert not gate.may_stay(point.grant_id, source=point.source, fetched=point.fetched)


async def test_a_reserved_picture_comes_in_once_she_names_the_right_and_not_before(field_of: Field) -> None:
    one = await field_of.victim()
    put_up(field_of, one, 1, 41, RESERVED)
    await field_of.house.crawl()
    assert (await field_of.rules(one.grant_id), await field_of.held(one.grant_id)) == ({"optout_signal"}, [])
    assert await override(field_of, one, "licence", "rsl", "content_usage", "plus_data_mining") == (200, "")
    await field_of.house.crawl()
    assert await field_of.held(one.grant_id) == []
    assert await override(field_of, one, "tdmrep") == (200, "")
    await field_of.house.crawl()
    assert len(await field_of.held(one.grant_id)) == 1
    # It says which opt-out stood there and that it was set aside; whoever replays it comes to the same.
    for topic, kind in ((Topic.FACES_EMBEDDED, FaceEmbedded), (Topic.IMAGES_REFUSED, ImageRefused)):
        events = [decode(record) for record in await field_of.records(topic.value)]
        mine = [event for event in events if isinstance(event.data, kind) and event.data.grant_id == one.grant_id]
        for recorded in [decision for event in mine for decision in recorded_decisions(event)]:
            assert recorded.record is not None
            assert recorded.record.grant is not None
            assert recorded.record.grant.source is not None
            assert [seen.kind.value for seen in recorded.record.optouts] == ["tdmrep"]
            assert ("tdmrep" in recorded.record.grant.source.overrides) is recorded.is_yes
            again = replay(recorded, field_of.shared.gate.policy)
            assert (again.is_same(recorded), again.is_observed) == (True, False)
        assert mine


async def test_what_was_not_named_stays_a_no_beside_what_was(field_of: Field) -> None:
    one = await field_of.victim()
    assert await override(field_of, one, *[right.value for right in ContentRight]) == (200, "")
    put_up(field_of, one, 1, 42, RESERVED | {"X-Robots-Tag": "noai"})
    put_up(field_of, one, 2, 43, {"X-Robots-Tag": "noindex"})
    put_up(field_of, one, 3, 44, {"Content-Usage": "train-ai="})
    put_up(field_of, one, 4, 45, {"WWW-Authenticate": "Basic"})
    put_up(field_of, one, 5, 46, xmp=PROHIBITED.replace(b"/></rdf", b' plus:MinorModelAgeDisclosure="AG-A14"/></rdf'))
    await field_of.house.crawl()
    assert (await field_of.rules(one.grant_id), await field_of.held(one.grant_id)) == ({"optout_signal"}, [])
    put_up(field_of, one, 6, 47, xmp=PROHIBITED)
    await field_of.house.crawl()
    assert len(await field_of.held(one.grant_id)) == 1


async def test_taken_back_it_lets_nothing_more_in_and_what_came_in_by_it_goes(field_of: Field) -> None:
    one = await field_of.victim()
    put_up(field_of, one, 1, 48, RESERVED)
    assert await override(field_of, one, "tdmrep") == (200, "")
    await field_of.house.crawl()
    held = await field_of.held(one.grant_id)
    assert len(held) == 1
    assert await override(field_of, one) == (200, "")
    assert await field_of.held(one.grant_id) == held, "the next round finds out"
    put_up(field_of, one, 2, 49, RESERVED)
    await field_of.house.crawl()
    await nothing_may_stay(field_of, one)
    assert await field_of.rules(one.grant_id) == {"optout_signal"}


async def it_can_be_taken_back_and_not_added_to(field_of: Field, one: Victim) -> None:
    """Under a proof that has ended; at the end stands what stood before."""
    assert await override(field_of, one, "tdmrep", "rsl") == (422, "control_unproven")
    cookie = {"Cookie": f"assent_session={await one.person.token()}", "Origin": field_of.url}
    for lang, word in (("en", "nobody shows control of this place any more"), ("fr", "plus personne ne montre avoir la maîtrise")):
        _, page = await field_of.ask("GET", f"/me?lang={lang}", headers=cookie)
        assert word in page
        assert re.findall(r'name="right" value="([a-z_]+)"( checked)?', page) == [("tdmrep", " checked"), ("licence", " checked")]
    assert await override(field_of, one, "tdmrep") == (200, "")
    assert await override(field_of, one, "tdmrep", "licence") == (422, "control_unproven")


async def test_it_rests_on_a_proof_and_ends_with_it(field_of: Field) -> None:
    unproven = await waiter(field_of, pictures=1)
    one = unproven.victim
    assert await override(field_of, one, "tdmrep") == (422, "control_unproven")
    proof = await show_control(field_of.house.api, field_of.site, field_of.house.token, controller=unproven.controller, folder=one.folder)
    await until_revised(field_of, unproven, is_shown=True)
    assert await override(field_of, one, "tdmrep", "licence") == (200, "")
    put_up(field_of, one, 0, 51, RESERVED)
    put_up(field_of, one, 1, 52, RESERVED)
    await crawled(field_of)
    held = await field_of.held(one.grant_id)
    assert len(held) == 1
    await field_of.house.api.need("POST", f"{field_of.url}/v1/control-proofs/{proof['proof_id']}/revoke", token=field_of.house.token)
    without = await until_revised(field_of, unproven, is_shown=False)
    assert [right.value for right in without.sources[0].overrides] == ["licence", "tdmrep"], "her word stays, and counts nothing"
    await it_can_be_taken_back_and_not_added_to(field_of, one)
    body = {"grant_secret": one.secret, "url": f"{field_of.site.origin}{one.folder}2.jpg"}
    assert (await field_of.ask("POST", f"/v1/grants/{one.grant_id}/approve", json=body))[0] == 200
    put_up(field_of, one, 2, 53, RESERVED)
    await crawled(field_of)
    await nothing_may_stay(field_of, one)
    assert "optout_signal" in await field_of.rules(one.grant_id)


@pytest.mark.parametrize(
    ("source", "code"),
    [("https://elsewhere.example/ada/", "source_not_named"), ("{folder}x/", "source_not_named"), ("*", "source_not_named")],
)
async def test_only_a_source_of_her_grant_is_named(field_of: Field, source: str, code: str) -> None:
    one = await field_of.victim()
    named = source.format(folder=f"{field_of.site.origin}{one.folder}")
    assert await override(field_of, one, "tdmrep", source=named) == (422, code)


async def test_nobody_says_it_for_her_and_no_request_asks_for_it(field_of: Field) -> None:
    one, other = await field_of.victim(), await field_of.victim()
    for secret in (other.secret, "x" * 43):
        assert (await override(field_of, one, "tdmrep", grant_secret=secret))[0] == 403
    source = f"{field_of.site.origin}{one.folder}"
    body = {"source": source, "overrides": ["tdmrep"]}
    status, _ = await field_of.ask("POST", f"/v1/grants/{one.grant_id}/overrides", token=field_of.house.token, json=body)
    assert status == 422
    assert (await override(field_of, one, "robots_txt"))[0] == 422
    asked = field_of.house.request(one.person, [{"kind": "url_prefix", "value": source, "only_me": True, "overrides": ["tdmrep"]}])
    status, said = await field_of.ask("POST", "/v1/grants", token=field_of.house.token, json=asked)
    assert (status, "overrides" in str(said)) == (422, True)


async def test_a_file_that_says_no_is_refused_however_it_was_handed_in(field_of: Field) -> None:
    one = await field_of.victim(kind="upload", value="")
    grant = f"/v1/grants/{one.grant_id}"
    status, shown = await field_of.ask("GET", grant, headers={"Assent-Grant-Secret": one.secret})
    assert status == 200
    (rule,) = shown["record"]["sources"]
    assert await override(field_of, one, "plus_data_mining", source=rule["value"]) == (422, "override_not_possible")
    for quality, xmp in ((54, PROHIBITED), (55, b"")):
        headers = {"Assent-Grant-Secret": one.secret, "Content-Type": "image/jpeg"}
        status, _ = await field_of.ask("POST", f"{grant}/images", headers=headers, data=portrait(quality, xmp))
        assert status == 202
    await settled(field_of.house.world.log)
    assert await field_of.rules(one.grant_id) == {"optout_signal"}
    assert len(await field_of.held(one.grant_id)) == 1, "the other one says nothing, and came in"


@pytest.mark.parametrize(("lang", "word"), [("en", "Set aside what is ticked"), ("fr", "Écarter ce qui est coché")])
async def test_her_page_asks_with_nothing_ticked(field_of: Field, lang: str, word: str) -> None:
    one = await field_of.victim()
    cookie = {"Cookie": f"assent_session={await one.person.token()}", "Origin": field_of.url}
    _, page = await field_of.ask("GET", f"/me?lang={lang}", headers=cookie)
    assert word in page
    assert "checked" not in page
    assert re.findall(r'name="right" value="([a-z_]+)"', page) == [right.value for right in ContentRight]
    path, source = f"/me/grants/{one.grant_id}/overrides", f"{field_of.site.origin}{one.folder}"
    form = aiohttp.FormData([("source", source), ("right", "tdmrep"), ("right", "rsl")])
    assert (await field_of.ask("POST", path, headers=cookie | {"Origin": "http://evil.example"}, data=form))[0] == 403
    form = aiohttp.FormData([("source", source), ("right", "tdmrep"), ("right", "rsl")])
    assert (await field_of.ask("POST", path, headers=cookie, data=form))[0] == 303
    _, page = await field_of.ask("GET", f"/me?lang={lang}", headers=cookie)
    assert re.findall(r'value="([a-z_]+)" checked', page) == ["tdmrep", "rsl"]
    assert (await field_of.ask("POST", path, headers=cookie, data={"source": source, "right": "noindex"}))[0] == 422
    assert (await field_of.ask("POST", path, headers=cookie, data={"source": source}))[0] == 303
    _, page = await field_of.ask("GET", f"/me?lang={lang}", headers=cookie)
    assert "checked" not in page


async def test_a_reservation_of_the_whole_site_is_set_aside_for_her_folder_alone(field_of: Field) -> None:
    one, other = await field_of.victim(), await field_of.victim()
    for number, victim in ((1, one), (2, other)):
        put_up(field_of, victim, 1, 55 + number)
    told = '[{"location": "/*", "tdm-reservation": 1}]'
    field_of.site.answers["/.well-known/tdmrep.json"] = lambda request: web.Response(text=told, content_type="application/json")
    try:
        assert await override(field_of, one, "tdmrep") == (200, "")
        await field_of.house.crawl()
        assert len(await field_of.held(one.grant_id)) == 1
        assert (await field_of.held(other.grant_id), await field_of.rules(other.grant_id)) == ([], set())
    finally:
        del field_of.site.answers["/.well-known/tdmrep.json"]
