"""Her yes from a real browser that asks for privacy: she reads what is left out before she agrees, and it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.chromium import chromium, page_of
from tests.flow.registry_house import grant_house

pytestmark = pytest.mark.timeout(180)


async def test_she_reads_that_recipients_are_left_out_and_they_are(tmp_path: Path) -> None:
    async with grant_house(tmp_path, {}) as house, chromium() as browser, page_of(browser) as page:
        person = await house.person()
        request = house.request(person, [{"kind": "upload"}]) | {"recipients": [{"id": "museum-archive"}]}
        asked = await house.api.need("POST", f"{house.registry}/v1/grants", token=house.token, json=request)
        await page.set_extra_http_headers({"Sec-GPC": "1"})
        await page.goto(f"{house.registry}/confirm/{asked['grant_id']}?secret={asked['one_time_secret']}&lang=en")
        await expect(page.locator(".private")).to_contain_text("asks that nothing be shared")
        await page.get_by_role("button", name="Yes, I agree").click()
        await expect(page.locator(".left-out")).to_have_text("museum-archive")
        secret = (await page.locator("#grant-secret").inner_text()).strip()
        shown = await house.ask("GET", f"/v1/grants/{asked['grant_id']}", headers={"Assent-Grant-Secret": secret})
        assert shown.body["record"]["recipients"] == []
        statement = await page.goto(f"{house.registry}/.well-known/gpc.json")
        assert statement is not None
        assert (await statement.json())["gpc"] is True
