"""One polite visit: gate, site rules and pace before every hop; the answer of the last hop or the rules that stopped it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from assent.consent.asset import safe_url
from assent.deciding.gate import Gate
from assent.events.evidence import PageEvidence
from assent.events.grants import GrantSnapshot, Operation
from assent.geofence.areas import AreaIndex
from assent.geofence.extract import page_evidence
from assent.geofence.host import host_evidence
from assent.ids import RuleId
from assent.keys.identifiers import ImageIds
from assent.optouts.combination import OptOutVerdict, combine
from assent.optouts.headers import header_optouts
from services.crawler.fetcher import Fetched, Fetcher, FetchFailure
from services.crawler.frontier import page_asset
from services.crawler.pace import Pace
from services.crawler.site_rules import SiteRulesReader

MAX_HOPS = 4
COLLECT = (Operation.COLLECT,)
NO_GRANT = RuleId("no_grant")
ROBOTS = RuleId("robots_disallow")
OPTED_OUT = RuleId("optout_signal")
FETCH_FAILED = RuleId("fetch_failed")
TOO_LARGE = RuleId("image_too_large")
SUPPRESSED = RuleId("suppressed")


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nothing is kept. `grants` are those that cover the place, for which the rules stand; empty when none does."""

    rules: tuple[RuleId, ...]
    grants: tuple[GrantSnapshot, ...] = ()
    was_asked: bool = False


@dataclass(frozen=True, slots=True)
class Visited:
    """An answer with status 200 that no gate and no opt-out stopped; `url` is the final one, normalised."""

    url: str
    answer: Fetched
    grants: tuple[GrantSnapshot, ...]


class Visitor:
    """Every hop of a redirect is a new place and is asked about anew."""

    def __init__(
        self,
        *,
        gate: Gate,
        identifiers: ImageIds,
        fetcher: Fetcher,
        rules: SiteRulesReader,
        pace: Pace,
        areas: AreaIndex,
        agent: str,
        max_crawl_delay_s: float,
    ) -> None:
        self._gate = gate
        self._identifiers = identifiers
        self._fetcher = fetcher
        self._rules = rules
        self._pace = pace
        self._areas = areas
        self._agent = agent
        self._max_crawl_delay_s = max_crawl_delay_s

    async def visit(
        self, url: str, *, told: tuple[PageEvidence, ...], page_verdict: OptOutVerdict | None, max_bytes: int
    ) -> Visited | Stopped:
        """Fetch `url` if grants, places and opt-outs allow it. `told` and `page_verdict` come from the page that shows it."""
        was_asked = False
        for _ in range(MAX_HOPS):
            grants, rules = self.may_collect(url, told)
            if rules:
                return Stopped(rules, grants, was_asked)
            denied = await self._site_denies(url)
            if denied is None and page_verdict is not None and page_verdict.is_denied:
                denied = OPTED_OUT
            if denied is not None:
                return Stopped((denied,), grants, was_asked)
            was_asked = True
            answer = await self._fetcher.fetch(url, max_bytes=max_bytes)
            if isinstance(answer, FetchFailure):
                rule = TOO_LARGE if answer is FetchFailure.TOO_LARGE else FETCH_FAILED
                return Stopped((rule,), grants, was_asked)
            if combine(header_optouts(answer.headers, self._agent)).is_denied:
                return Stopped((OPTED_OUT,), grants, was_asked)
            if answer.redirect_to is None:
                return Visited(url, answer, grants) if answer.status == 200 else Stopped((FETCH_FAILED,), grants, was_asked)
            target = safe_url(answer.redirect_to, base=url)
            if target is None:
                return Stopped((FETCH_FAILED,), grants, was_asked)
            url = target
        return Stopped((FETCH_FAILED,), (), was_asked)

    def may_collect(self, url: str, told: tuple[PageEvidence, ...]) -> tuple[tuple[GrantSnapshot, ...], tuple[RuleId, ...]]:
        """The grants that open collecting here before anything is fetched, or the covering ones and the rules that refuse."""
        asset = page_asset(url)
        covering = self._gate.covering(asset)
        if not covering:
            return (), (NO_GRANT,)
        if self._gate.is_suppressed(self._identifiers.url_suppression_key(url)):
            return tuple(covering), (SUPPRESSED,)
        location = self._gate.policy.location
        evidence = (*host_evidence(url), *page_evidence(told, areas=self._areas, location=location))
        opened: list[GrantSnapshot] = []
        refused: set[RuleId] = set()
        for grant in covering:
            finding = self._gate.locate(grant, evidence, COLLECT)
            verdict = self._gate.verdict(grant.grant_id, COLLECT, candidates=finding.candidates, asset=asset)
            rules = {*finding.rules, *verdict.rules}
            if rules:
                refused |= rules
            else:
                opened.append(grant)
        return (tuple(opened), ()) if opened else (tuple(covering), tuple(sorted(refused)))

    async def _site_denies(self, url: str) -> RuleId | None:
        rules = await self._rules.rules(url)
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        if not rules.robots.allows(path):
            return ROBOTS
        delay_s = rules.robots.crawl_delay_s or 0.0
        if delay_s > self._max_crawl_delay_s:
            return ROBOTS
        if rules.verdict(path).is_denied:
            return OPTED_OUT
        await self._pace.wait(url, delay_s)
        return None
