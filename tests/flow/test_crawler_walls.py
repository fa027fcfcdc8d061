"""A site that asks for a login, a payment or absence has refused; and however long its pages and pictures are read, the loop goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from assent.optouts.image import image_optouts
from assent.optouts.page import page_optouts
from tests.flow.attack_house import Field
from tests.flow.test_opted_out import held_shot, shot
from tests.unit.place_examples import png_with

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]
WALLS = [401, 402, 403, 407, 429, 451]


@pytest.mark.parametrize("status", WALLS)
async def test_signal_14_a_wall_before_a_picture_is_a_refusal_by_opt_out(field_of: Field, status: int) -> None:
    one = await shot(field_of)
    one.show()
    one.site(one.path, "no", status=status)
    field_of.site.requests.clear()
    await field_of.house.crawl()
    assert await field_of.rules(one.victim.grant_id) == {"optout_signal"}
    assert [count for path, count in field_of.site.requests.items() if path.endswith(one.path)] == [1]
    assert await one.held() == []


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_trouble_of_a_site_is_no_opt_out(field_of: Field, status: int) -> None:
    one = await shot(field_of)
    one.show()
    one.site(one.path, "away", status=status)
    await field_of.house.crawl()
    assert await field_of.rules(one.victim.grant_id) == {"fetch_failed"}


async def test_a_wall_behind_a_redirect_refuses_too(field_of: Field) -> None:
    one = await shot(field_of)
    one.show()
    one.site(f"{one.victim.folder}2.jpg", "no", status=403)
    field_of.site.moved(one.path, f"{one.victim.folder}2.jpg")
    await field_of.house.crawl()
    assert await field_of.rules(one.victim.grant_id) == {"optout_signal"}


async def test_nothing_of_a_page_behind_a_wall_is_followed(field_of: Field) -> None:
    one = await shot(field_of)
    one.show()
    one.site(one.victim.folder, f'<img src="{one.path}">', status=403, content_type="text/html")
    field_of.site.requests.clear()
    await field_of.house.crawl()
    assert not [path for path in field_of.site.requests if path.endswith(one.path)]
    assert await one.held() == []


@pytest.mark.parametrize("where", ["page", "picture"])
async def test_a_wall_that_comes_later_erases_nothing(field_of: Field, where: str) -> None:
    """It keeps the crawler out today, and says nothing of the use of what lies behind it."""
    one = await held_shot(field_of)
    before = await one.held()
    one.site(one.victim.folder if where == "page" else one.path, "no", status=403)
    for _ in range(2):
        await field_of.house.crawl()
    assert (await one.held(), await one.told()) == (before, before)


async def test_a_wall_before_the_page_hides_no_express_no_of_the_picture(field_of: Field) -> None:
    one = await held_shot(field_of)
    one.show(headers={"X-Robots-Tag": "noai"})
    one.site(one.victim.folder, "no", status=403)
    await field_of.house.crawl()
    assert await one.told() == []


PACKET = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + b"<b/>" * 19_000 + b"</x:xmpmeta>"
PAGE = f'<link rel="{"a," * 80}">' * 11_000
PICTURE = png_with(*[(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + PACKET)] * 20)
LONG: dict[str, Callable[[], object]] = {
    "page": lambda: page_optouts(PAGE.encode(), agent="AssentBot"),
    "picture": lambda: image_optouts(PICTURE),
}


@pytest.mark.parametrize("what", LONG)
async def test_what_takes_long_to_read_holds_up_nobody(field_of: Field, what: str) -> None:
    one = await shot(field_of)
    if what == "page":
        one.show(head=PAGE)
    else:
        one.show(data=PICTURE)
    began = time.thread_time()
    LONG[what]()
    cost_s = time.thread_time() - began
    assert cost_s > 0.4
    assert await longest_turn(field_of) < cost_s / 2


async def longest_turn(field_of: Field) -> float:
    """The longest time of a processor in seconds that the loop's own thread spent on one thing while the site was crawled."""
    longest, is_over = 0.0, asyncio.Event()

    async def watch() -> None:
        nonlocal longest
        while not is_over.is_set():
            began = time.thread_time()
            await asyncio.sleep(0.01)
            longest = max(longest, time.thread_time() - began)

    watching = asyncio.create_task(watch())
    try:
        await field_of.house.crawl()
    finally:
        is_over.set()
        await watching
    return longest
