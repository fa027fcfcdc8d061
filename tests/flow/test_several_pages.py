"""Several pages of a site show one picture: what any of them says of its place or against its use counts, whichever comes first."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web

from assent.events.envelope import decode
from assent.events.images import ImageScraped
from assent.events.topics import Topic
from assent.ids import FaceId
from demo import photos
from tests.flow.attack_house import Field, Victim, attacked
from tests.flow.test_overrides import override
from tests.integration.stream_workbench import until

pytestmark = [pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]
MONTREAL = '<meta name="geo.position" content="45.5075;-73.59">'
VANCOUVER = '<meta name="geo.position" content="49.26;-123.11">'
NOINDEX, RESERVED = '<meta name="robots" content="noindex">', '<meta name="tdm-reservation" content="1">'
QUALITIES = iter(range(30, 90))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def field_of(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Field]:
    async with attacked(tmp_path_factory.mktemp("several_pages"), sweep_every_s=0.2) as field:
        yield field


def put_up(field_of: Field, one: Victim, **heads: str) -> None:
    """Pages of these names, in this order, show her picture and say this in their heads; the page of her folder links to them."""
    for name, head in heads.items():
        html = f'<html><head>{head}</head><body><img src="{one.folder}1.jpg"></body></html>'
        field_of.site.answers[f"{one.folder}{name}"] = lambda request, html=html: web.Response(text=html, content_type="text/html")  # type: ignore[misc]
    field_of.site.page(one.folder, "".join(f'<a href="{one.folder}{name}">{name}</a>' for name in heads))


async def pictured(field_of: Field) -> Victim:
    one = await field_of.victim()
    field_of.site.picture(f"{one.folder}1.jpg", photos.portrait(photos.Look(quality=next(QUALITIES)), place=photos.VANCOUVER))
    return one


def asked_for(field_of: Field, one: Victim) -> int:
    return field_of.site.requests[f"127.0.0.1{one.folder}1.jpg"]


@pytest.mark.parametrize("heads", [{"a": VANCOUVER, "b": MONTREAL}, {"a": MONTREAL, "b": VANCOUVER}, {"a": "", "b": "", "c": MONTREAL}])
async def test_a_place_that_any_page_tells_closes_it_before_it_is_asked_for(field_of: Field, heads: dict[str, str]) -> None:
    one = await pictured(field_of)
    put_up(field_of, one, **heads)
    await field_of.house.crawl()
    assert (await field_of.held(one.grant_id), asked_for(field_of, one)) == ([], 0)
    assert "QC-3" in await field_of.rules(one.grant_id)
    put_up(field_of, one, a=VANCOUVER, b="")
    await field_of.house.crawl()
    assert (len(await field_of.held(one.grant_id)), asked_for(field_of, one)) == (1, 1)


@pytest.mark.parametrize("heads", [{"a": "", "b": NOINDEX}, {"a": NOINDEX, "b": ""}])
async def test_a_no_on_any_page_erases_and_taken_back_lets_it_in_again(field_of: Field, heads: dict[str, str]) -> None:
    one = await pictured(field_of)
    put_up(field_of, one, a="", b="")
    await field_of.house.crawl()
    held = await field_of.held(one.grant_id)
    assert len(held) == 1
    put_up(field_of, one, **heads)
    await field_of.house.crawl()

    async def is_gone() -> bool:
        return await field_of.held(one.grant_id) == []

    await until(is_gone)
    await field_of.house.crawl()
    assert (await field_of.held(one.grant_id), await field_of.rules(one.grant_id)) == ([], {"optout_signal"})
    put_up(field_of, one, a="", b="")
    await field_of.house.crawl()
    assert await field_of.held(one.grant_id) == held


async def test_what_she_set_aside_is_set_aside_on_every_page_of_her_folder_and_nothing_else(field_of: Field) -> None:
    one = await pictured(field_of)
    put_up(field_of, one, a=RESERVED, b=RESERVED)
    await field_of.house.crawl()
    assert (await field_of.held(one.grant_id), await field_of.rules(one.grant_id)) == ([], {"optout_signal"})
    assert await override(field_of, one, "tdmrep") == (200, "")
    await field_of.house.crawl()
    assert len(await field_of.held(one.grant_id)) == 1
    put_up(field_of, one, a=RESERVED, b=NOINDEX)
    await field_of.house.crawl()

    async def is_gone() -> bool:
        return await field_of.held(one.grant_id) == []

    await until(is_gone)


async def test_what_the_pages_tell_of_places_goes_with_the_picture_and_a_new_word_sends_it_again(field_of: Field) -> None:
    one = await pictured(field_of)
    put_up(field_of, one, a="", b=VANCOUVER)
    await field_of.house.crawl()
    await field_of.house.crawl()
    assert len(await sent(field_of, one)) == 1, "nothing changed"
    put_up(field_of, one, a='<meta name="geo.region" content="CA-BC">', b=VANCOUVER)
    await field_of.house.crawl()
    assert [sorted(told) for told in await sent(field_of, one)] == [
        ["geo.position=49.26;-123.11"],
        ["geo.position=49.26;-123.11", "geo.region=CA-BC"],
    ]
    assert len(await field_of.held(one.grant_id)) == 1


async def sent(field_of: Field, one: Victim) -> list[list[str]]:
    """What stood beside her picture, each time that it was sent through."""
    found = [decode(record).data for record in await field_of.records(Topic.IMAGES_SCRAPED.value)]
    mine = [item.sighting for item in found if isinstance(item, ImageScraped) and one.folder in (item.sighting.final_url or "")]
    return [[statement.value for statement in sighting.page_evidence] for sighting in mine]


async def told(field_of: Field, one: Victim) -> list[str]:
    """What a search with her picture tells her."""
    picture = photos.portrait(photos.Look(quality=85), place=photos.VANCOUVER)
    found = await field_of.house.api.search(picture, token=await one.person.token())
    return [item["face_id"] for item in found.body["candidates"]]


@pytest.mark.parametrize("told_by", [{"a": "", "b": MONTREAL}, {"a": MONTREAL}], ids=["another page", "the page itself"])
async def test_a_place_that_is_told_later_erases_and_no_longer_told_lets_it_in_again(field_of: Field, told_by: dict[str, str]) -> None:
    one = await pictured(field_of)
    put_up(field_of, one, a="")
    await field_of.house.crawl()
    held = await field_of.held(one.grant_id)
    assert await told(field_of, one) == held != []
    put_up(field_of, one, **told_by)
    await field_of.house.crawl()
    assert await told(field_of, one) == []

    async def is_gone() -> bool:
        return await field_of.held(one.grant_id) == [] and await field_of.house.world.derivatives.list_grant(one.grant_id) == []

    await until(is_gone)
    await field_of.house.crawl()
    assert await field_of.held(one.grant_id) == []
    assert "QC-3" in await field_of.rules(one.grant_id)
    put_up(field_of, one, a="", b=VANCOUVER)
    await field_of.house.crawl()
    assert (await field_of.held(one.grant_id), await told(field_of, one)) == (held, held)


async def test_after_a_restart_it_is_known_by_which_places_it_came_in(field_of: Field) -> None:
    one = await pictured(field_of)
    put_up(field_of, one, a=VANCOUVER)
    await field_of.house.crawl()
    assert len(await field_of.held(one.grant_id)) == 1
    await field_of.house.world.restart()
    put_up(field_of, one, a=MONTREAL)
    await field_of.house.crawl()

    async def is_gone() -> bool:
        return await field_of.held(one.grant_id) == []

    await until(is_gone)


async def stopped(field_of: Field, place: str) -> None:
    """Another version of the policy, which closes that place."""
    body = {"places": [place], "because": "an order"}
    assert (await field_of.ask("POST", "/v1/policy/stops", token=field_of.house.token, json=body))[0] == 201
    await field_of.shared.tables.catch_up(10)


async def is_gone_from(field_of: Field, one: Victim) -> None:
    async def is_gone() -> bool:
        return await field_of.held(one.grant_id) == []

    await until(is_gone)


async def test_another_policy_neither_hides_a_place_that_is_told_later_nor_keeps_it_closed(field_of: Field) -> None:
    one = await pictured(field_of)
    put_up(field_of, one, a="")
    await field_of.house.crawl()
    held = await field_of.held(one.grant_id)
    assert len(held) == 1
    await stopped(field_of, "US-IL")
    put_up(field_of, one, a=MONTREAL)
    await field_of.house.crawl()
    assert await told(field_of, one) == []
    await is_gone_from(field_of, one)
    await stopped(field_of, "CA-AB")
    put_up(field_of, one, a="")
    await field_of.house.crawl()
    assert await field_of.held(one.grant_id) == held


def moved(field_of: Field, one: Victim, *, head: str) -> None:
    """Page a says this and shows her picture; page b shows an address that leads to it."""
    put_up(field_of, one, a=head, b="")
    field_of.site.moved(f"{one.folder}old.jpg", f"{one.folder}1.jpg")
    html = f'<html><body><img src="{one.folder}old.jpg"></body></html>'
    field_of.site.answers[f"{one.folder}b"] = lambda request: web.Response(text=html, content_type="text/html")


@pytest.mark.parametrize("head", [NOINDEX, MONTREAL])
@pytest.mark.parametrize("shown", ["1.jpg", "mid.jpg"], ids=["where it ends", "on its way"])
async def test_no_redirect_leads_round_what_a_page_says_of_any_address_on_its_way(field_of: Field, head: str, shown: str) -> None:
    one = await pictured(field_of)
    moved(field_of, one, head=head)
    page = f'<html><head>{head}</head><body><img src="{one.folder}{shown}"></body></html>'
    field_of.site.answers[f"{one.folder}a"] = lambda request: web.Response(text=page, content_type="text/html")
    field_of.site.moved(f"{one.folder}old.jpg", f"{one.folder}mid.jpg")
    field_of.site.moved(f"{one.folder}mid.jpg", f"{one.folder}1.jpg")
    await field_of.house.crawl()
    assert (await field_of.held(one.grant_id), asked_for(field_of, one)) == ([], 0)
    assert await field_of.rules(one.grant_id) & {"optout_signal", "QC-3"}


async def test_a_page_that_says_no_in_its_header_counts_for_what_another_page_shows(field_of: Field) -> None:
    one = await pictured(field_of)
    put_up(field_of, one, a="", b="")
    html = f'<html><body><img src="{one.folder}1.jpg"></body></html>'
    field_of.site.answers[f"{one.folder}b"] = lambda request: web.Response(
        text=html, content_type="text/html", headers={"X-Robots-Tag": "noindex"}
    )
    await field_of.house.crawl()
    assert (await field_of.held(one.grant_id), asked_for(field_of, one)) == ([], 0)
    assert await field_of.rules(one.grant_id) == {"optout_signal"}
    put_up(field_of, one, a="", b="")
    await field_of.house.crawl()
    assert len(await field_of.held(one.grant_id)) == 1


async def test_what_does_not_change_is_sent_once_whatever_the_order_of_links_and_by_however_many_addresses(field_of: Field) -> None:
    one = await pictured(field_of)
    moved(field_of, one, head=VANCOUVER)
    heads = {"c": VANCOUVER, "d": '<meta name="geo.region" content="CA-BC">'}
    counts = []
    for turn in range(4):
        put_up(field_of, one, **dict(list(heads.items())[:: 1 if turn % 2 else -1]))
        links = "".join(f'<a href="{one.folder}{name}">{name}</a>' for name in ("abcd" if turn % 2 else "dcba"))
        field_of.site.page(one.folder, links)
        await field_of.house.crawl()
        counts.append((len(await sent(field_of, one)), len(await field_of.records(Topic.ADDRESSES.value))))
    assert counts[1:] == counts[:1] * 3
    assert len(await field_of.held(one.grant_id)) == 1


async def test_a_page_that_no_event_could_hold_ends_no_round(field_of: Field) -> None:
    one = await pictured(field_of)
    half = '<script type="application/ld+json">{"@type":"Photograph","contentLocation":{"name":"\\ud800x"}}</script>'
    put_up(field_of, one, a=half)
    await field_of.house.crawl()
    assert (await field_of.held(one.grant_id), "X-1" in await field_of.rules(one.grant_id)) == ([], True)
    letters, written = "%C3%A9" * 780, "\u00e9" * 780
    html = f'<html><body><img src="{one.folder}1.jpg?{written}"></body></html>'
    field_of.site.answers[f"{one.folder}1.jpg?{letters}"] = field_of.site.answers[f"{one.folder}1.jpg"]
    field_of.site.answers[f"{one.folder}b?{letters}"] = lambda request: web.Response(text=html, content_type="text/html")
    field_of.site.page(one.folder, f'<a href="{one.folder}b?{written}">b</a>')
    await field_of.house.crawl()
    assert len(await field_of.held(one.grant_id)) == 1
    assert field_of.house.world.failure() is None


async def test_what_an_order_stops_is_told_to_nobody_and_stays(field_of: Field) -> None:
    """Another policy makes another place of the same words: that is nothing that was told later."""
    one = await pictured(field_of)
    put_up(field_of, one, a=VANCOUVER)
    await field_of.house.crawl()
    held = await field_of.held(one.grant_id)
    assert await told(field_of, one) == held != []
    await stopped(field_of, "CA-BC")
    await field_of.house.crawl()
    await field_of.house.crawl()
    assert await told(field_of, one) == []
    point = (await field_of.house.world.store.retrieve([FaceId(face_id) for face_id in held]))[0]
    assert field_of.shared.gate.may_stay(point.grant_id, source=point.source, fetched=point.fetched)
    assert await field_of.held(one.grant_id) == held
