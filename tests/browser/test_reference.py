"""The face that she confirms, in a real browser: by keyboard alone, with scripts and without, at both widths."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from demo import photos
from tests.browser.chromium import NARROW, WIDE, chromium, fits, page_of
from tests.flow.reference_house import Her, her, recorded
from tests.flow.registry_house import grant_house

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


async def sign_in(page: Page, person: Her) -> None:
    await page.goto(f"{person.house.registry}/login?lang=en")
    await page.fill('input[name="grant_id"]', person.grant_id)
    await page.fill('input[name="grant_secret"]', person.held.secret)
    await page.locator("main form button").click()


async def shown_pictures(page: Page) -> int:
    """How many pictures there are, each of them really shown."""
    pictures = page.locator(".faces img")
    for index in range(await pictures.count()):
        await pictures.nth(index).scroll_into_view_if_needed()
        await expect(pictures.nth(index)).to_have_js_property("complete", True)
    return await pictures.count()


@pytest.mark.parametrize("with_script", [True, False], ids=["script", "plain"])
async def test_she_says_which_picture_shows_her_and_takes_it_back(tmp_path: Path, with_script: bool) -> None:
    async with grant_house(tmp_path, {}) as house, chromium() as browser, page_of(browser, with_script=with_script) as page:
        person = await her(house)
        for look in (photos.Look(), photos.Look(margin=60, quality=75)):
            await person.send(photos.portrait(look))
        await recorded(person, 2)
        await sign_in(page, person)
        assert await shown_pictures(page) == 2
        assert await fits(page, NARROW)
        assert await fits(page, WIDE)
        second = page.get_by_role("button", name="This is me, picture 2")
        await second.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("You confirmed this one")).to_have_count(1)
        await expect(page.get_by_role("button", name="This is me, picture 1")).to_have_count(1)
        await expect(second).to_have_count(0)
        assert await fits(page, NARROW)
        await person.send(photos.stranger())
        await outcome(page, "not the face that you confirmed as yours")
        assert await shown_pictures(page) == 2
        await page.get_by_role("button", name="Take it back").click()
        await expect(page.get_by_text("You confirmed this one")).to_have_count(0)
        await expect(page.get_by_text("What is held already stays as it is")).to_be_visible()


async def outcome(page: Page, words: str) -> None:
    """The registry writes outcomes down a moment after the embedder told them."""
    for _ in range(100):
        await page.reload()
        if await page.get_by_text(words).count():
            return
        await page.wait_for_timeout(100)
    raise AssertionError(await page.locator("main").inner_text())
