"""A grant renewed from a real browser: she reads the terms, presses one button, and the key that signed her first yes signs the second."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from assent.ids import GrantId
from demo.api import JsonObject
from services.registry.device_yes import DeviceYes, holds
from tests.browser.chromium import chromium, page_of
from tests.flow.registry_house import GrantHouse, grant_house

pytestmark = pytest.mark.timeout(180)
LEFT = timedelta(days=20)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[tuple[GrantHouse, Browser]]:
    async with grant_house(tmp_path, {}) as made, chromium() as browser:
        yield made, browser


async def given(house: GrantHouse, page: Page) -> GrantId:
    """Her first yes, in the same browser, to a grant of a year that is nearly over."""
    person, now = await house.person(), datetime.now(UTC)
    validity = {"not_before": (now + LEFT - timedelta(days=360)).isoformat(), "expires_at": (now + LEFT).isoformat()}
    asked_for = house.request(person, [{"kind": "upload"}])
    request = asked_for | {"validity": validity, "legal": [{**basis, "term_days": 360} for basis in asked_for["legal"]]}
    asked = await house.api.need("POST", f"{house.registry}/v1/grants", token=house.token, json=request)
    await page.goto(f"{house.registry}/confirm/{asked['grant_id']}?secret={asked['one_time_secret']}&lang=en")
    await expect(page.locator(".notice")).to_contain_text("It is taken for true that you live here: British Columbia.")
    await page.get_by_role("button", name="Yes, I agree").click()
    await expect(page.locator("#grant-secret")).to_be_visible()
    return GrantId(asked["grant_id"])


async def record(house: GrantHouse, page: Page, grant: GrantId) -> JsonObject:
    """As her session shows it."""
    answer = await page.request.get(f"{house.registry}/v1/grants/{grant}")
    shown: JsonObject = (await answer.json())["record"]
    return shown


async def test_she_renews_it_on_her_page_with_the_key_of_her_browser(house: tuple[GrantHouse, Browser]) -> None:
    world, browser = house
    async with page_of(browser) as page:
        grant = await given(world, page)
        first = await record(world, page, grant)
        await page.goto(f"{world.registry}/me?lang=en")
        await page.get_by_role("link", name="Renew").click()
        await expect(page.locator(".notice")).to_contain_text("You said yes to this on ")
        await page.get_by_role("button", name="I agree again").click()
        await expect(page.locator(".state")).to_have_text("renewed by you, in force")
        await expect(page.get_by_role("link", name="Renew")).to_have_count(0)
        second = await record(world, page, grant)
    assert (second["state"], second["confirmed_with"]) == ("renewed", "secret_and_device_key")
    assert holds(DeviceYes.model_validate(second["device"]), grant, second["notice"]["sha256"])
    assert second["device"]["public_key"] == first["device"]["public_key"]
    assert second["validity"]["expires_at"] > first["validity"]["expires_at"]


async def test_without_scripts_she_renews_it_with_her_session_alone(house: tuple[GrantHouse, Browser]) -> None:
    world, browser = house
    async with page_of(browser, with_script=False) as page:
        grant = await given(world, page)
        await page.goto(f"{world.registry}/me/grants/{grant}/renewal?lang=fr")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Renouveler")
        await page.get_by_role("button", name="J'accepte de nouveau").click()
        await expect(page.locator(".state")).to_be_visible()
        shown = await record(world, page, grant)
    assert (shown["state"], shown["confirmed_with"]) == ("renewed", "secret")
