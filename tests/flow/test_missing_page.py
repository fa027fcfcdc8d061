"""What is told where there is no page: a browser gets one to go on from, a program the same JSON as everywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from assent.identity.errors import ApiError, error_middleware

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
JSON = {"code": "not_found", "message": "Not Found", "remedy": ""}
Client = TestClient[web.Request, web.Application]
pytestmark = pytest.mark.timeout(60)


async def not_here(request: web.Request) -> web.Response:
    raise ApiError(404, "not_found", "Not Found")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    application = web.Application(middlewares=[error_middleware])
    application.router.add_get("/api", not_here)
    async with TestClient(TestServer(application, host="127.0.0.1")) as client:
        yield client


@pytest.mark.parametrize(
    ("headers", "query", "lang", "words"),
    [
        ({}, "", "en", "There is no such page"),
        ({"Accept-Language": "fr-CA, en;q=0.5"}, "", "fr", "Cette page n'existe pas"),
        ({"Accept-Language": "fr-CA"}, "?lang=en", "en", "There is no such page"),
    ],
    ids=["without a language", "in French", "switched to English"],
)
async def test_a_browser_gets_a_page_that_says_where_to_go(
    client: Client, headers: dict[str, str], query: str, lang: str, words: str
) -> None:
    async with client.get(f"/serach-canary{query}", headers={"Accept": BROWSER, **headers}) as answer:
        text = await answer.text()
        assert (answer.status, answer.content_type, answer.headers["Cache-Control"]) == (404, "text/html", "no-store")
    assert f'<html lang="{lang}">' in text
    assert f"<h1>{words}</h1>" in text
    assert 'href="/me"' in text
    assert "canary" not in text


@pytest.mark.parametrize(("method", "accept"), [("GET", "*/*"), ("GET", "application/json"), ("GET", ""), ("POST", BROWSER)])
async def test_a_program_gets_json(client: Client, method: str, accept: str) -> None:
    async with client.request(method, "/nothing", headers={"Accept": accept}) as answer:
        told = await answer.json()
        assert answer.status == 404
    assert told.pop("request_id")
    assert told == JSON


async def test_what_a_handler_says_stays_as_it_is(client: Client) -> None:
    """Its own page, where it has one, says more."""
    async with client.get("/api", headers={"Accept": BROWSER}) as answer:
        assert (answer.status, answer.content_type) == (404, "application/json")
    async with client.post("/api", headers={"Accept": BROWSER}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        (["text/html;q=0, application/json"], False),
        (["text/html; q=0.0", "*/*"], False),
        (["text/html;q=nothing"], False),
        (["application/xhtml+text/html"], False),
        (["application/json; note=text/html"], False),
        (["application/json", "text/html"], True),
        (["text/html;q=0", "text/html;level=1;q=0.5"], True),
        (["application/json, TEXT/HTML ;q=0.1"], True),
    ],
    ids=[
        "weight nought",
        "weight nought, and anything",
        "no weight",
        "another type",
        "in a note",
        "second header",
        "of one level",
        "capitals",
    ],
)
async def test_html_is_a_wish_where_it_has_a_weight_in_any_header(client: Client, accept: list[str], is_page: bool) -> None:
    async with client.get("/nothing", headers=[("Accept", one) for one in accept]) as answer:
        assert (answer.status, answer.content_type) == (404, "text/html" if is_page else "application/json")


async def test_who_sends_no_wish_gets_json(client: Client) -> None:
    async with client.get("/nothing", skip_auto_headers=["Accept"]) as answer:
        assert (answer.status, answer.content_type) == (404, "application/json")
