"""The face that she confirms, on her page and by the command: without a script, in both languages, and by nobody but her."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from assent.cli.main import main
from demo import photos
from tests.flow.reference_house import Her, her, recorded
from tests.flow.registry_house import GrantHouse, grant_house

pytestmark = pytest.mark.timeout(120)
WORDS = {
    "en": ("This is me", "You confirmed this one", "Take it back", "no longer there"),
    "fr": ("C&#39;est moi", "Vous avez confirmé celle-ci", "La retirer", "n&#39;est plus là"),
}
FORM = re.compile(r'action="(/me/grants/[^"]+/reference(?:/take-back)?)">(?:<input type="hidden" name="face_id" value="([0-9a-f-]+)">)?')


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[GrantHouse]:
    async with grant_house(tmp_path, {}) as made:
        yield made


class Browser:
    """A browser without scripts that is signed in as somebody."""

    def __init__(self, house: GrantHouse, token: str, http: aiohttp.ClientSession) -> None:
        self._url = house.registry
        self._cookie = {"Cookie": f"assent_session={token}"}
        self._http = http

    async def page(self, lang: str = "en") -> str:
        async with self._http.get(f"{self._url}/me?lang={lang}", headers=self._cookie) as answer:
            assert answer.status == 200
            return await answer.text()

    async def press(self, path: str, origin: str | None = None, **form: str) -> int:
        headers = self._cookie | {"Origin": origin or self._url}
        async with self._http.post(f"{self._url}{path}", headers=headers, data=form, allow_redirects=False) as answer:
            return answer.status


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


async def with_two(house: GrantHouse) -> Her:
    person = await her(house)
    for look in (photos.Look(), photos.Look(margin=60, quality=75)):
        await person.send(photos.portrait(look))
    await recorded(person, 2)
    return person


@pytest.mark.parametrize("lang", ["en", "fr"])
async def test_she_confirms_changes_and_takes_back_without_a_script(house: GrantHouse, http: aiohttp.ClientSession, lang: str) -> None:
    person = await with_two(house)
    browser = Browser(house, await person.person.token(), http)
    button, chosen, back, gone = WORDS[lang]
    page = await browser.page(lang)
    forms = FORM.findall(page)
    assert [face for _, face in forms] == [face["face_id"] for face in (await person.change("GET")).body["faces"]]
    labels = re.findall(r'<button aria-label="([^"]+)">([^<]+)</button>', page)
    assert len({label for label, _ in labels}) == 2
    assert all(label.startswith(text) and text == button for label, text in labels), "a name that says what is seen, and which one"
    assert back not in page
    for path, face in forms:
        assert await browser.press(path, face_id=face) == 303
        page = await browser.page(lang)
        assert (page.count(chosen), page.count(back), gone in page) == (1, 1, False)
        assert (await person.change("GET")).body["reference"] == face
    await house.world.derivatives.delete(person.grant_id, (await person.change("GET")).body["reference"])
    page = await browser.page(lang)
    assert re.search(rf'role="alert">[^<]*{gone}', page)
    (take_back,) = [path for path, face in FORM.findall(page) if not face]
    assert await browser.press(take_back) == 303
    assert back not in await browser.page(lang)
    assert (await person.change("GET")).body["reference"] is None


async def test_nobody_else_presses_it(house: GrantHouse, http: aiohttp.ClientSession) -> None:
    person, other = await with_two(house), await her(house)
    hers, others = Browser(house, await person.person.token(), http), Browser(house, await other.person.token(), http)
    (path, face), *_ = FORM.findall(await hers.page())
    for suffix in ("", "/take-back"):
        assert await others.press(f"{path}{suffix}", face_id=face) == 403
        for origin in ("http://evil.example", "null"):
            assert await hers.press(f"{path}{suffix}", origin, face_id=face) == 403
    assert await others.press(f"/me/grants/{other.grant_id}/reference", face_id=face) == 404
    assert await hers.press(path, face_id="x") == 404
    assert (await person.change("GET")).body["reference"] is None


async def test_the_command(house: GrantHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    person = await with_two(house)
    secret = tmp_path / "grant.secret"
    secret.write_text(person.held.secret)
    words = ["grant", "reference", person.grant_id, "--url", house.registry, "--secret-file", str(secret)]

    async def told(*more: str, code: int = 0) -> str:
        assert await asyncio.to_thread(main, [*words, *more]) == code
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        return output.out if code == 0 else output.err

    listed = (await told()).splitlines()
    assert len(listed) == 3
    assert "none is confirmed" in listed[2]
    face = listed[1].split()[0]
    assert "revision 3" in await told("--face", face)
    assert (await told()).splitlines()[1].endswith("confirmed as yours")
    assert json.loads(await told("--json"))["reference"] == face
    refused = await told("--face", "01900000-0000-7000-8000-000000000000", code=4)
    assert "No such face is held under this grant" in refused
    await house.world.derivatives.delete(person.grant_id, json.loads(await told("--json"))["reference"])
    assert "is gone" in (await told()).splitlines()[2]
    assert "revision 4" in await told("--take-back")
    assert json.loads(await told("--json"))["reference"] is None
