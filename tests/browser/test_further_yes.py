"""A further yes in a real browser: she is asked to sign in, does so, comes back, and says yes as before."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.chromium import chromium, fits, page_of
from tests.flow.registry_house import grant_house

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("with_script", [True, False], ids=["with scripts", "without scripts"])
async def test_she_signs_in_with_an_earlier_secret_and_then_says_yes(tmp_path: Path, with_script: bool) -> None:
    async with grant_house(tmp_path, {}) as house, chromium() as browser, page_of(browser, with_script=with_script) as page:
        person = await house.person()
        request = house.request(person, [{"kind": "upload"}])
        await person.grant("own", request, house.token)
        asked = await house.api.need("POST", f"{house.registry}/v1/grants", token=house.token, json=request)
        await page.goto(f"{house.registry}/confirm/{asked['grant_id']}?secret={asked['one_time_secret']}&lang=en")
        await expect(page.get_by_role("button", name="Yes, I agree")).to_have_count(0)
        await expect(page.get_by_role("button", name="No, I do not agree")).to_be_visible()
        await page.get_by_role("button", name="I have signed in").click()
        await expect(page.locator(".unknown")).to_contain_text("You said yes to an earlier request")
        if with_script:
            assert await fits(page, 360)
        other = await page.context.new_page()
        await other.goto(f"{house.registry}/login?lang=en")
        await other.get_by_label("Number of the grant").fill(person.held()[0].grant_id)
        await other.get_by_label("Secret").fill(person.held()[0].secret)
        await other.get_by_role("button", name="Sign in").click()
        await expect(other.get_by_text("Your grants")).to_be_visible()
        await page.get_by_role("button", name="I have signed in").click()
        await page.get_by_role("button", name="Yes, I agree").click()
        await expect(page.locator("#grant-secret")).to_be_visible()
        shown = await house.ask("GET", f"/v1/grants/{asked['grant_id']}", token=house.token)
        assert shown.body["state"] == "given"
