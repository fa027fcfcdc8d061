"""The site of a case as the crawler meets it: robots, page and photo held in memory; the network alone is left out."""

from __future__ import annotations

import json
from html import escape
from urllib.parse import urlsplit

from assent.fetching.address_guard import AddressGuard
from assent.fetching.fetcher import Fetched, Fetcher, FetchFailure, FetchLimits
from tests.lawful_yield.case import Site

ADDRESSES = {country: f"93.184.{number}.1" for number, country in enumerate(("AU", "CA", "DE", "US"))}
"""Of one server in each country. They are never connected to."""


class CaseSite(Fetcher):
    """Never opens a session: what a URL of the case answers is known, and any other is not there."""

    def __init__(self, site: Site, data: bytes) -> None:
        super().__init__(guard=AddressGuard(), user_agent="AssentBot", limits=FetchLimits())
        self._answers = _answers(site, data)
        self._peer = ADDRESSES.get(site.server or "")
        self.page = b"" if site.page_url is None else self._answers[site.page_url][2]

    async def fetch(self, url: str, *, max_bytes: int | None = None, media_types: tuple[str, ...] | None = None) -> Fetched | FetchFailure:
        """The answer held for this URL."""
        status, headers, body = self._answers.get(url, (404, {}, b""))
        return Fetched(url, status, tuple(headers.items()), body, self._peer)


def _answers(site: Site, data: bytes) -> dict[str, tuple[int, dict[str, str], bytes]]:
    origins = {f"{parts.scheme}://{parts.netloc}" for parts in (urlsplit(url) for url in _urls(site))}
    answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
    for origin in origins:
        answers[f"{origin}/robots.txt"] = (200 if site.robots else site.robots_status, {}, (site.robots or "").encode())
        for name, text in ((".well-known/tdmrep.json", site.tdmrep), ("ai.txt", site.ai_txt)):
            if text is not None:
                answers[f"{origin}/{name}"] = (200, {}, text.encode())
    if site.page_url is not None:
        answers[site.page_url] = (200, {"Content-Type": "text/html; charset=utf-8"}, _page(site))
    photo = (200, {"Content-Type": "image/jpeg", **site.image_headers}, data)
    answers[site.moved_to or site.image_url] = photo
    if site.moved_to is not None:
        answers[site.image_url] = (302, {"Location": site.moved_to}, b"")
    return answers


def _urls(site: Site) -> list[str]:
    return [url for url in (site.image_url, site.page_url, site.moved_to) if url is not None]


def _page(site: Site) -> bytes:
    lang = "" if site.language is None else f' lang="{escape(site.language)}"'
    metas = [f'<meta name="{escape(name)}" content="{escape(content)}">' for name, content in site.meta.items()]
    if site.locale is not None:
        metas.append(f'<meta property="og:locale" content="{escape(site.locale)}">')
    blocks = [
        f'<script type="application/ld+json">{block if isinstance(block, str) else json.dumps(block)}</script>' for block in site.json_ld
    ]
    head = "".join((*metas, *blocks))
    return f'<!doctype html><html{lang}><head><title>Photos</title>{head}</head><body><img src="{site.image_url}"></body></html>'.encode()
