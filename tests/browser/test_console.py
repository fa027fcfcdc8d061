"""The console and the subject's page in a real browser, at both widths, over the whole product in one process."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from demo import photos
from demo.command import demo_layout, login_link
from demo.embedded_world import EmbeddedWorld
from demo.first_act import PROBE, Stage, first_act
from demo.report import Report
from demo.requests import fixture_grant
from demo.site import DemoSite
from demo.state import DemoState
from tests.browser.chromium import NARROW, WIDE, chromium, fits, page_of
from tests.flow.expected_story import OUTCOMES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@dataclass(slots=True)
class House:
    """The running product, its story's stage and a browser."""

    world: EmbeddedWorld
    stage: Stage
    browser: Browser

    async def sign_in(self, page: Page) -> None:
        """The visitor's one-time link, and the one click that it asks for."""
        await page.goto(await login_link(self.world, self.stage.state.subject_id))
        await page.click("main form button")

    def url(self, path: str) -> str:
        return f"{self.world.system.url}{path}"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    site = DemoSite()
    await site.start()
    world = EmbeddedWorld(demo_layout(tmp_path, site), host="127.0.0.1", port=0, progress=lambda _: None)
    try:
        await world.start()
        stage = Stage(world, site, tmp_path, DemoState(), Report(), lambda _: None, time.monotonic())
        async with chromium() as browser:
            yield House(world, stage, browser)
    finally:
        await world.stop()
        await site.stop()


@pytest.fixture
async def told(house: House) -> AsyncIterator[House]:
    """After the first act: a full gallery."""
    reader = await first_act(house.stage)
    yield house
    await reader.stop()


async def loaded_pictures(page: Page, where: str) -> int:
    """How many pictures there are, each of them really shown."""
    images = page.locator(f"{where} img")
    for index in range(await images.count()):
        await images.nth(index).scroll_into_view_if_needed()
    await page.wait_for_function(
        "where => [...document.querySelectorAll(where + ' img')].every(image => image.complete && image.naturalWidth > 0)", arg=where
    )
    return await images.count()


async def search(page: Page, house: House, picture: Path) -> None:
    await page.goto(house.url("/search"))
    await page.set_input_files("#image", picture)
    await page.get_by_role("button", name="Search").click()


async def test_tiles_fill_while_images_run_their_course(house: House) -> None:
    async with page_of(house.browser) as page:
        await house.sign_in(page)
        await page.goto(house.url("/"))
        await expect(page.locator("#tiles .none")).to_be_visible()
        reader = await first_act(house.stage)
        # Without loading the page again; it was signed in as the operator alone, before there was a subject.
        await expect(page.locator("#tiles .tile")).to_have_count(sum(OUTCOMES.values()), timeout=15_000)
        await expect(page.locator('[data-gate="embedded"]')).to_have_text(str(OUTCOMES["embedded"]))
        assert await page.locator("#tiles img").count() == 0
        await expect(page.locator("#tiles .yes .blank")).to_have_text(["not shown"] * OUTCOMES["embedded"])
        await expect(page.locator("#tiles .no .blank")).to_have_text(["not kept"] * (sum(OUTCOMES.values()) - OUTCOMES["embedded"]))
        await reader.stop()


async def test_the_flow_shows_her_pictures_and_every_refusal_at_both_widths(told: House) -> None:
    async with page_of(told.browser) as page:
        await told.sign_in(page)
        await page.goto(told.url("/"))
        assert await loaded_pictures(page, "#tiles") == OUTCOMES["embedded"]
        assert await page.locator("#tiles .tile.no").count() == sum(OUTCOMES.values()) - OUTCOMES["embedded"]
        await expect(page.locator("#refusals")).to_contain_text("QC-3")
        await expect(page.locator(".banner")).to_contain_text("agreed to nothing")
        for path in ("/", "/search", "/me"):
            await page.goto(told.url(path))
            assert await fits(page, WIDE), path
            assert await fits(page, NARROW), path


async def test_the_pages_work_without_script(told: House) -> None:
    async with page_of(told.browser, with_script=False) as page:
        await told.sign_in(page)
        await page.goto(told.url("/"))
        assert await page.locator("#tiles img").count() == OUTCOMES["embedded"]
        await page.goto(told.url("/me"))
        await expect(page.get_by_role("button", name="Withdraw my consent")).to_have_count(2)


async def test_she_searches_withdraws_and_is_not_found_again(told: House, tmp_path: Path) -> None:
    probe = tmp_path / "probe.jpg"
    probe.write_bytes(photos.portrait(PROBE))
    async with page_of(told.browser) as page:
        await told.sign_in(page)
        await search(page, told, probe)
        assert await loaded_pictures(page, ".results") == OUTCOMES["embedded"]
        assert await page.locator(".results rect").count() == OUTCOMES["embedded"]
        for _ in range(2):
            await page.goto(told.url("/me"))
            await page.get_by_role("button", name="Withdraw my consent").first.click()
            await expect(page.get_by_role("heading", name="Your consent has ended")).to_be_visible()
        await search(page, told, probe)
        await expect(page.locator("section .none")).to_be_visible()
        assert await page.locator(".results").count() == 0
        await receipts_appear(page, told)


async def receipts_appear(page: Page, house: House) -> None:
    """Logical and physical receipt of both grants, each a link that opens, and the command that checks them."""
    deadline = time.monotonic() + 30
    await page.goto(house.url("/me"))
    while await page.locator(".receipts a").count() < 4:
        assert time.monotonic() < deadline, "the receipts did not come"
        await page.wait_for_timeout(300)
        await page.reload()
    await expect(page.get_by_text("assent receipt fetch").first).to_be_visible()
    answer = await page.request.get(house.url(str(await page.locator(".receipts a").first.get_attribute("href"))))
    assert (await answer.json())["format"] == "assent-receipt/1"


async def test_with_several_faces_she_taps_hers(told: House, tmp_path: Path) -> None:
    """A grant for uploads, a photo of seven people: nothing is kept before she chose, and only her face afterwards."""
    world, state = told.world, told.stage.state
    request = fixture_grant(state.subject_id, [{"kind": "upload"}], binding={"mode": "region"}, now=datetime.now(UTC))
    await told.stage.subject.grant("uploads", request, world.operator_token)
    picture = tmp_path / "party.jpg"
    picture.write_bytes(photos.composite().data)
    async with page_of(told.browser) as page:
        await told.sign_in(page)
        await page.goto(told.url("/me"))
        await page.set_input_files('input[type="file"]', picture)
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_role("heading", name="Which face is yours?")).to_be_visible()
        rects = page.locator("#choose-face rect")
        assert await rects.count() >= 7
        assert await fits(page, NARROW)
        await rects.nth(await her_face(rects)).click(force=True)
        await page.get_by_role("button", name="This is my face").click()
        await expect(page.get_by_role("heading", name="Your photo was taken")).to_be_visible()
        await page.goto(told.url("/me"))
        await became(page, told, "kept, and your face can be searched")


async def her_face(rects: Locator) -> int:
    """Which of the boxes lies over the portrait's face."""
    x, y, width, height = photos.composite().region
    for index in range(await rects.count()):
        left, top, wide, high = [float(await rects.nth(index).get_attribute(name) or 0) for name in ("x", "y", "width", "height")]
        if x < left + wide / 2 < x + width and y < top + high / 2 < y + height:
            return index
    raise AssertionError("no box lies over her face")


async def became(page: Page, house: House, outcome: str) -> None:
    """The outcome of her upload appears on her page, under its grant, which is the newest."""
    newest, deadline = page.locator("section.grant").first, time.monotonic() + 30
    while not await newest.get_by_text(outcome).count():
        assert time.monotonic() < deadline, await newest.inner_text()
        await page.wait_for_timeout(300)
        await page.reload()


async def test_whoever_is_not_signed_in_is_asked_to(house: House) -> None:
    async with page_of(house.browser) as page:
        for path in ("/", "/search", "/me"):
            await page.goto(house.url(path))
            assert page.url == house.url("/login")
