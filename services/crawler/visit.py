"""One polite visit: gate, site rules and pace before every hop; the answer of the last hop or the rules that stopped it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from assent.consent.asset import Asset, safe_url
from assent.consent.decision import CONTROL_UNPROVEN
from assent.deciding.gate import NO_GRANT, Finding, Gate
from assent.deciding.refusals import Refusal
from assent.deciding.suppressions import SUPPRESSED
from assent.events.decisions import DecisionRecord
from assent.events.evidence import EvidenceKind, PageEvidence
from assent.events.optouts import SeenOptOut
from assent.fetching.fetcher import Fetched, Fetcher, FetchFailure
from assent.fetching.server_places import ServerPlaces
from assent.geofence.areas import AreaIndex
from assent.geofence.evidence import Evidence
from assent.geofence.extract import page_evidence
from assent.geofence.host import publication_evidence
from assent.ids import UNKNOWN, Jurisdiction, RuleId
from assent.keys.identifiers import ImageIds
from assent.optouts.access import status_optouts
from assent.optouts.combination import combine, once_each
from assent.optouts.headers import header_optouts
from assent.optouts.page import page_optouts
from assent.optouts.signal import ROBOTS_DISALLOW
from services.crawler.frontier import page_asset
from services.crawler.pace import Pace
from services.crawler.site_rules import SiteRulesReader

MAX_HOPS = 4
FETCH_FAILED = RuleId("fetch_failed")
TOO_LARGE = RuleId("image_too_large")
_EXPRESS = frozenset({EvidenceKind.GEO_META, EvidenceKind.SCHEMA_PLACE, EvidenceKind.SCHEMA_RESIDENCE})
PAGES = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True, slots=True)
class Shown:
    """The page that shows an image: where it is, what it says of places, which opt-outs stand there. Nothing of it for a page itself.

    Where several show it, `told` is what all of them say, and `others` are those behind the first on which opt-outs stand as well.
    """

    url: str | None = None
    told: tuple[PageEvidence, ...] = ()
    optouts: tuple[SeenOptOut, ...] = ()
    others: tuple[Shown, ...] = ()

    def all_optouts(self, seen: tuple[SeenOptOut, ...]) -> tuple[SeenOptOut, ...]:
        """What was seen of the image and this page, and what stands on the others."""
        return once_each((*seen, *(one for other in self.others for one in other.optouts)))


BY_NO_PAGE = Shown()
ShownAt = Callable[..., Shown]
"""What all pages say together that show a picture at one of several addresses."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A place that only her own yes keeps from these grants: nothing else refuses, and nobody has shown control of its folder."""

    url: str
    findings: tuple[Finding, ...]


NOBODY_WAITS = Waiting("", ())


@dataclass(frozen=True, slots=True)
class May:
    """What the gate says of one place before anything of it is fetched. Refusals leave out whom it only waits for."""

    opened: tuple[Finding, ...]
    refusals: tuple[Refusal, ...]
    waiting: Waiting = NOBODY_WAITS


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nothing is kept. One refusal for each grant that covers the place, or one for none. `url` is where it ended, `optouts` what had been
    seen on the way there, `way` every address of it. `answer` is what said no itself, for what a page says counts for what it shows.
    """

    refusals: tuple[Refusal, ...]
    was_asked: bool = False
    waiting: Waiting = NOBODY_WAITS
    url: str = ""
    optouts: tuple[SeenOptOut, ...] = ()
    way: tuple[str, ...] = ()
    answer: Fetched | None = None

    @property
    def rules(self) -> tuple[RuleId, ...]:
        """Every rule that refuses, whichever grant it stands for."""
        waits = {CONTROL_UNPROVEN} if self.waiting.findings else set()
        return tuple(sorted({rule for refusal in self.refusals for rule in refusal.rules} | waits))


@dataclass(frozen=True, slots=True)
class Visited:
    """An answer with status 200 that no gate stopped; `url` is the final one, normalised, `opened` what opens it although `optouts` were
    seen on the way. `server` is what is told of the place of the server that gave it, `way` every address on the way.
    """

    url: str
    answer: Fetched
    opened: tuple[Finding, ...]
    waiting: Waiting = NOBODY_WAITS
    optouts: tuple[SeenOptOut, ...] = ()
    server: tuple[PageEvidence, ...] = ()
    way: tuple[str, ...] = ()

    def stopped_by(self, rule: RuleId) -> Stopped:
        """What was seen of its bytes refuses it."""
        return Stopped(_observed(rule, self.opened), was_asked=True, url=self.url, optouts=self.optouts, way=self.way)


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
        servers: ServerPlaces,
        agent: str,
        max_crawl_delay_s: float,
    ) -> None:
        self._gate = gate
        self._identifiers = identifiers
        self._fetcher = fetcher
        self._rules = rules
        self._pace = pace
        self._areas = areas
        self._servers = servers
        self._agent = agent
        self._max_crawl_delay_s = max_crawl_delay_s

    @property
    def datasets(self) -> tuple[str, ...]:
        """The areas by which places are told, and the tables of addresses if there are any."""
        return (self._areas.version, *(() if self._servers.version is None else (self._servers.version,)))

    async def visit(
        self, url: str, *, shown: Shown = BY_NO_PAGE, shown_at: ShownAt | None = None, max_bytes: int, is_page: bool = False
    ) -> Visited | Stopped:
        """Fetch `url` if grants, places and opt-outs allow it. Where the server stands is known from the fetch of its rules, before
        anything else is asked of it, and looked at again when it has answered: a name may have several.

        A page is read for its links, so that she can be asked about the pictures on it; of an answer that is no page nothing is read.
        `shown_at` tells what pages say that show any of the addresses that redirects lead to.
        """
        way = [url]
        ended = await self._along(way, shown, shown_at or (lambda *_: shown), max_bytes=max_bytes, is_page=is_page)
        return replace(ended, way=tuple(way))

    async def _along(self, way: list[str], shown: Shown, shown_at: ShownAt, *, max_bytes: int, is_page: bool) -> Visited | Stopped:
        """From the one address on `way` over those that are added to it."""
        was_asked, seen = False, shown.optouts
        for _ in range(MAX_HOPS):
            url = way[-1]
            may = self.may_collect(url, shown, optouts=seen, is_page=is_page)
            if not may.opened:
                return Stopped(may.refusals, was_asked, may.waiting, url, seen)
            site, path = await self._rules.rules(url), _path(url)
            server = self._servers.told(site.peer)
            delay_s = site.robots.crawl_delay_s or 0.0
            # Files of half a megabyte, read anew for every path.
            of_site = (await asyncio.to_thread(site.verdict, path)).seen()
            if not site.robots.allows(path) or delay_s > self._max_crawl_delay_s:
                said = once_each((*seen, *combine(site.robots.signals(path)).seen(), *of_site))
                return Stopped(_observed(ROBOTS_DISALLOW, may.opened), was_asked, url=url, optouts=said)
            seen = once_each((*seen, *of_site))
            may = self._still(may, url, _from(server, shown), seen, is_page=is_page, is_new=bool(server))
            if not may.opened:
                return Stopped(may.refusals, was_asked, url=url, optouts=seen)
            await self._pace.wait(url, delay_s)
            was_asked = True
            answer = await self._fetcher.fetch(url, max_bytes=max_bytes, media_types=PAGES if is_page else None)
            if isinstance(answer, FetchFailure):
                rule = TOO_LARGE if answer is FetchFailure.TOO_LARGE else FETCH_FAILED
                return Stopped(_observed(rule, may.opened), was_asked, url=url, optouts=seen)
            said_by = (*status_optouts(answer.status), *header_optouts(answer.headers, self._agent, now=self._gate.now))
            seen = once_each((*seen, *combine(said_by).seen()))
            before, server = server, self._servers.told(answer.peer)
            may = self._still(may, url, _from(server, shown), seen, is_page=is_page, is_new=server != before)
            if not may.opened:
                return Stopped(may.refusals, was_asked, url=url, optouts=seen, answer=answer)
            if answer.redirect_to is None:
                if answer.status == 200:
                    return Visited(url, answer, may.opened, may.waiting, seen, server)
                return Stopped(_observed(FETCH_FAILED, may.opened), was_asked, url=url, optouts=seen)
            target = safe_url(answer.redirect_to, base=url)
            if target is None:
                return Stopped(_observed(FETCH_FAILED, may.opened), was_asked, url=url, optouts=seen)
            way.append(target)
            shown = await asyncio.to_thread(shown_at, *way)
            seen = once_each((*seen, *shown.optouts))
        decision = DecisionRecord(at=self._gate.now, observed=(FETCH_FAILED,))
        return Stopped((Refusal((FETCH_FAILED,), decision=decision),), was_asked, url=way[-1], optouts=seen)

    def may_collect(self, url: str, shown: Shown, *, optouts: tuple[SeenOptOut, ...] = (), is_page: bool = False) -> May:
        """What opens collecting here before anything is fetched, or where nothing does, a refusal for each covering grant.

        With `optouts` that were seen, whether a grant has set them aside. Whether control of the place is shown is asked for pictures
        only: of a page nothing but its links is used.
        """
        asset = page_asset(url)._replace(page_url=shown.url)
        covering = self._gate.covering(asset)
        if covering and any(self._gate.is_suppressed(key) for key in self._identifiers.url_suppression_keys(url)):
            decision = DecisionRecord(at=self._gate.now, observed=(SUPPRESSED,))
            return May((), tuple(Refusal((SUPPRESSED,), grant.grant_id, grant.revision, decision=decision) for grant in covering))
        evidence = self._evidence(url, shown)
        findings = self._collectable(asset, evidence, shown, optouts) if covering else []
        if not findings:
            return May((), (self._uncovered(evidence),))
        if is_page:
            findings = [replace(found, rules=tuple(rule for rule in found.rules if rule != CONTROL_UNPROVEN)) for found in findings]
        opened = tuple(found for found in findings if not found.rules)
        waits = tuple(found for found in findings if found.rules == (CONTROL_UNPROVEN,))
        refused = () if opened else tuple(Refusal.of(found) for found in findings if found not in waits)
        return May(opened, refused, Waiting(url, waits) if waits else NOBODY_WAITS)

    def places(self, shown: Shown) -> frozenset[Jurisdiction]:
        """The places that pages tell of expressly, whatever a grant makes of them; hints of words and languages are none."""
        told = [statement for statement in shown.told if statement.kind in _EXPRESS]
        evidence = page_evidence(told, areas=self._areas, location=self._gate.policy.location)
        return frozenset(place for item in evidence for place in item.jurisdictions) - {UNKNOWN}

    def _evidence(self, url: str, shown: Shown) -> tuple[Evidence, ...]:
        published = publication_evidence(url, page_url=shown.url)
        return (*published, *page_evidence(shown.told, areas=self._areas, location=self._gate.policy.location))

    def _collectable(self, asset: Asset, evidence: tuple[Evidence, ...], shown: Shown, optouts: tuple[SeenOptOut, ...]) -> list[Finding]:
        """Of each grant the finding that refuses most: it has to open collecting on every page that shows the image."""
        found = {finding.grant.grant_id: finding for finding in self._gate.collectable(asset, evidence, optouts=optouts)}
        for other in shown.others:
            for finding in self._gate.collectable(asset._replace(page_url=other.url), evidence, optouts=other.optouts):
                held = found.get(finding.grant.grant_id)
                if held is not None and set(held.rules) < set(finding.rules):
                    found[finding.grant.grant_id] = finding
        return list(found.values())

    def _uncovered(self, evidence: tuple[Evidence, ...]) -> Refusal:
        """Nobody said yes, which alone refuses, wherever it may be; where that is, it is counted by."""
        place = self._gate.uncovered(evidence)
        return Refusal((NO_GRANT,), candidates=place.candidates, evidence=place.evidence, decision=place.decision)

    def with_optouts(self, visited: Visited, shown: Shown, seen: tuple[SeenOptOut, ...]) -> Visited | Stopped:
        """What opens it still, now that this was seen in its bytes."""
        if not seen:
            return visited
        optouts = once_each((*visited.optouts, *seen))
        may = self.may_collect(visited.url, _from(visited.server, shown), optouts=optouts)
        if not may.opened:
            return Stopped(may.refusals, was_asked=True, url=visited.url, optouts=optouts, way=visited.way)
        return replace(visited, opened=may.opened, waiting=may.waiting, optouts=optouts)

    def _still(self, may: May, url: str, shown: Shown, seen: tuple[SeenOptOut, ...], *, is_page: bool, is_new: bool = False) -> May:
        """The same; with opt-outs seen meanwhile, or something new of its place, what opens it although they stand."""
        return self.may_collect(url, shown, optouts=seen, is_page=is_page) if seen or is_new else may


def _from(server: tuple[PageEvidence, ...], shown: Shown) -> Shown:
    """What the page says of places, and what is told of the server."""
    return replace(shown, told=(*shown.told, *server)) if server else shown


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _observed(rule: RuleId, opened: tuple[Finding, ...]) -> tuple[Refusal, ...]:
    """The site or the bytes say no, whatever the grants opened."""
    return tuple(Refusal.of(finding, observed=rule) for finding in opened)


def seen_of_page(visited: Visited, *, agent: str, now: datetime) -> tuple[SeenOptOut, ...]:
    """The opt-outs of a page, its site and its answer: they hold for every image that it shows."""
    within = combine(page_optouts(visited.answer.body, agent=agent, now=now).signals).seen(of_page=True)
    return once_each((*(one.model_copy(update={"of_page": True}) for one in visited.optouts), *within))
