"""What a site says about being read: robots.txt, tdmrep.json and ai.txt, fetched first and kept for a while; unreadable means no."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from assent.fetching.fetcher import Fetched, Fetcher, FetchFailure
from assent.optouts.combination import OptOutVerdict, combine
from assent.optouts.fetched_file import FetchedFile
from assent.optouts.robots import RobotsPolicy, robots_policy
from assent.optouts.site import site_optouts
from assent.stream.clock import Clock

MAX_RULE_BYTES = 512 * 1024
MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class SiteRules:
    """The rules of one origin for `agent`, as read at `read_at` (monotonic seconds) from `peer`, if it answered."""

    agent: str
    robots: RobotsPolicy
    tdmrep: FetchedFile
    ai_txt: FetchedFile
    read_at: float
    peer: str | None = None

    def verdict(self, path: str) -> OptOutVerdict:
        """What the site's files say about one path, robots.txt apart."""
        files = site_optouts(path, tdmrep=self.tdmrep, ai_txt=self.ai_txt, agent=self.agent)
        return combine((*self.robots.usage_signals(path), *files))


class SiteRulesReader:
    """Reads the rules of an origin before its first page and again when they are old."""

    def __init__(
        self, *, fetcher: Fetcher, agent: str, clock: Clock, keep_s: float, may_fetch: Callable[[str], bool] | None = None
    ) -> None:
        self._fetcher = fetcher
        self._agent = agent
        self._clock = clock
        self._keep_s = keep_s
        self._held: dict[str, SiteRules] = {}

    async def rules(self, url: str) -> SiteRules:
        """The rules of the origin of `url`."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        held = self._held.get(origin)
        if held is not None and self._clock.monotonic() - held.read_at < self._keep_s:
            return held
        robots, peer = await self._file(f"{origin}/robots.txt")
        rules = SiteRules(
            agent=self._agent,
            robots=await asyncio.to_thread(robots_policy, robots.status, robots.body, agent=self._agent),
            tdmrep=(await self._file(f"{origin}/.well-known/tdmrep.json"))[0],
            ai_txt=(await self._file(f"{origin}/ai.txt"))[0],
            read_at=self._clock.monotonic(),
            peer=peer,
        )
        self._held[origin] = rules
        return rules

    async def _file(self, url: str) -> tuple[FetchedFile, str | None]:
        """One file, and the address it came from; a redirect is followed on the same host only: another host's word is not this site's."""
        host = urlsplit(url).netloc
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._fetcher.fetch(url, max_bytes=MAX_RULE_BYTES)
            if isinstance(answer, FetchFailure):
                return FetchedFile(status=None, body=None), None
            target = _same_host(answer, host)
            if target is None:
                return FetchedFile(status=answer.status, body=answer.body), answer.peer
            url = target
        return FetchedFile(status=None, body=None), None


def _same_host(answer: Fetched, host: str) -> str | None:
    if answer.redirect_to is None:
        return None
    try:
        target = urlsplit(answer.redirect_to)
    except ValueError:
        return None
    if not target.netloc:
        parts = urlsplit(answer.url)
        return f"{parts.scheme}://{parts.netloc}{answer.redirect_to}" if answer.redirect_to.startswith("/") else None
    return answer.redirect_to if target.netloc == host else None
