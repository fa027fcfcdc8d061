"""Her yes from a real browser: signed with a key that the page itself cannot read out; without scripts it goes with her secret alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.async_api import Browser, Page, expect

from assent.ids import GrantId
from demo.api import JsonObject
from services.registry.device_yes import DeviceYes, holds
from tests.browser.chromium import chromium, page_of
from tests.flow.registry_house import GrantHouse, grant_house

pytestmark = pytest.mark.timeout(180)
HELD_KEY = """async grant => {
  const done = request => new Promise((yes, no) => { request.onsuccess = () => yes(request.result); request.onerror = no; });
  const database = await done(indexedDB.open("assent", 1));
  const pair = await done(database.transaction("keys").objectStore("keys").get(grant));
  const taken = await Promise.allSettled(["jwk", "pkcs8", "raw"].map(form => crypto.subtle.exportKey(form, pair.privateKey)));
  return {extractable: pair.privateKey.extractable, taken: taken.filter(one => one.status === "fulfilled").length};
}"""


@dataclass(slots=True)
class Asked:
    """A request that waits for its subject."""

    house: GrantHouse
    browser: Browser
    answer: JsonObject

    @property
    def grant_id(self) -> GrantId:
        return GrantId(self.answer["grant_id"])

    async def opened(self, page: Page) -> None:
        await page.goto(f"{self.house.registry}/confirm/{self.grant_id}?secret={self.answer['one_time_secret']}&lang=en")

    async def agreed(self, page: Page) -> JsonObject:
        """Press the button; the record as her new secret shows it."""
        await page.get_by_role("button", name="Yes, I agree").click()
        await expect(page.locator("#grant-secret")).to_be_visible()
        secret = (await page.locator("#grant-secret").inner_text()).strip()
        return await self.record(secret)

    async def record(self, secret: str) -> JsonObject:
        shown = await self.house.ask("GET", f"/v1/grants/{self.grant_id}", headers={"Assent-Grant-Secret": secret})
        return dict(shown.body["record"])

    async def says_yes(self, **more: Any) -> tuple[int, JsonObject]:
        body = {name: self.answer[name] for name in ("one_time_secret", "notice_sha256")} | more
        answer = await self.house.ask("POST", f"/v1/grants/{self.grant_id}/confirm", json=body)
        return answer.status, answer.body


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    async with grant_house(tmp_path, {}) as house, chromium() as browser:
        person = await house.person()
        request = house.request(person, [{"kind": "upload"}])
        yield Asked(house, browser, await house.api.need("POST", f"{house.registry}/v1/grants", token=house.token, json=request))


async def test_a_yes_from_a_browser_is_signed_by_a_key_that_never_leaves_it(asked: Asked) -> None:
    async with page_of(asked.browser) as page:
        await asked.opened(page)
        record = await asked.agreed(page)
        assert record["confirmed_with"] == "secret_and_device_key"
        assert holds(DeviceYes.model_validate(record["device"]), asked.grant_id, asked.answer["notice_sha256"])
        assert await page.evaluate(HELD_KEY, asked.grant_id) == {"extractable": False, "taken": 0}


async def test_without_scripts_her_secret_alone_says_yes_and_that_is_written_down(asked: Asked) -> None:
    async with page_of(asked.browser, with_script=False) as page:
        await asked.opened(page)
        record = await asked.agreed(page)
    assert (record["confirmed_with"], "device" in record) == ("secret", False)


async def test_a_browser_that_keeps_no_keys_sends_her_yes_all_the_same(asked: Asked) -> None:
    async with page_of(asked.browser) as page:
        await page.add_init_script("IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); };")
        await asked.opened(page)
        record = await asked.agreed(page)
    assert (record["confirmed_with"], "device" in record) == ("secret", False)


async def test_a_signature_that_does_not_hold_gives_nothing(asked: Asked) -> None:
    """Somebody between her and us puts a key of his own under her yes: neither that nor half of it counts."""
    async with page_of(asked.browser) as page:
        await asked.opened(page)
        await page.route("**/yes", lambda route: route.abort())
        async with page.expect_request("**/yes") as sent:
            await page.get_by_role("button", name="Yes, I agree").click(no_wait_after=True)
        form = parse_qs((await sent.value).post_data or "")
    told = {"public_key": form["device_key"][0], "signature": form["device_signature"][0]}
    broken = told["signature"][:-4] + ("AAAA" if told["signature"][-4:] != "AAAA" else "BBBB")
    for device in (told | {"signature": broken}, told | {"public_key": told["signature"]}):
        status, body = await asked.says_yes(device=device)
        assert (status, body["code"]) == (422, "bad_device_signature")
    status, _ = await asked.says_yes(device={"public_key": told["public_key"]})
    assert status == 422
    shown = await asked.house.ask("GET", f"/v1/grants/{asked.grant_id}", token=asked.house.token)
    assert shown.body["state"] == "requested"
    status, body = await asked.says_yes(device=told)
    assert status == 200
    assert (await asked.record(body["grant_secret"]))["device"] == told
