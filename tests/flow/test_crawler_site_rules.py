"""What a site's files say to the name that this crawler really has."""

from __future__ import annotations

import pytest
from aiohttp import web

from assent.fetching.address_guard import AddressGuard
from assent.fetching.fetcher import Fetcher, FetchLimits
from assent.testing.fake_clock import FakeClock
from services.crawler.site_rules import SiteRulesReader
from tests.flow.attack_house import HostileSite

OWN = "MuseumBot"


@pytest.mark.parametrize(("named", "is_denied"), [(OWN, True), ("AssentBot", False), ("*", True)])
@pytest.mark.parametrize("file", ["/robots.txt", "/ai.txt"])
async def test_a_site_addresses_the_crawler_by_the_name_it_was_given(file: str, named: str, is_denied: bool) -> None:
    site = HostileSite()
    rule = "Content-Usage: train-ai=n" if file == "/robots.txt" else "Disallow: /photos/"
    site.answers[file] = lambda request: web.Response(text=f"User-agent: {named}\n{rule}\n")
    await site.start()
    guard = AddressGuard(frozenset({("127.0.0.1", site.port)}))
    fetcher = Fetcher(guard=guard, user_agent=f"{OWN}/1.0", limits=FetchLimits())
    await fetcher.start()
    try:
        reader = SiteRulesReader(fetcher=fetcher, agent=OWN, clock=FakeClock(), keep_s=600)
        found = await reader.rules(f"{site.origin}/photos/1.jpg")
        assert found.verdict("/photos/1.jpg").is_denied is is_denied
    finally:
        await fetcher.close()
        await site.stop()
