"""Wiring of the crawler service: rounds over the targets, on time and on request, and the sweep of the quarantine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import ClassVar

import structlog
from aiohttp import web

from assent.blobs.store import BlobStoreUnavailableError
from assent.deciding.gate import NotReadyError
from assent.deployment.background import Background
from assent.deployment.shared import Need, Shared
from assent.events.topics import Topic
from assent.faces.image import ImageLimits
from assent.fetching.address_guard import AddressGuard
from assent.fetching.fetcher import Fetcher, FetchLimits
from assent.fetching.server_places import ServerPlaces
from assent.geofence.areas import AreaIndex
from assent.identity.auth import authenticated
from assent.identity.principal import Role
from assent.intake.stage_signatures import StageSignatures
from assent.stream.event_log import LogUnavailableError
from assent.stream.progress import StalledError
from assent.stream.table import Table, TableStaleError
from assent.telemetry import metrics as declared
from services.crawler.crawl import Crawl, Round
from services.crawler.known_addresses import AddressTable
from services.crawler.pace import Pace
from services.crawler.round_watch import RoundWatch
from services.crawler.settings import CrawlerSettings
from services.crawler.site_rules import SiteRulesReader
from services.crawler.visit import Visitor

_LOG = structlog.get_logger()
SWEEP_EVERY_S = 60.0
LOOP_SILENT_AFTER_S = 600.0


class CrawlerApp:
    """One round at a time; a request for a round waits for the one that runs."""

    NEEDS: ClassVar[frozenset[Need]] = frozenset()

    def __init__(self, settings: CrawlerSettings, shared: Shared) -> None:
        self._settings = settings
        self._shared = shared
        self.background = Background()
        self._watch = RoundWatch(clock=shared.clock, stall_after_s=settings.round_stall_after_s)
        self._fetcher = Fetcher(
            guard=AddressGuard(shared.allowed_sockets),
            user_agent=f"{settings.agent}/1.0" + (f" (+{settings.contact_url})" if settings.contact_url else ""),
            limits=FetchLimits(total_s=settings.fetch_timeout_s, max_bytes=settings.max_image_bytes),
            on_blocked=lambda reason: shared.metrics.increase(declared.FETCHES_BLOCKED, reason=reason),
            on_ended=self._watch.progressed,
        )
        self._servers = ServerPlaces(places=settings.server_places_file, networks=settings.server_networks_file, clock=shared.clock)
        self._known = AddressTable(is_crawlers=StageSignatures(shared.keys).holds)
        self._addresses = Table(shared.log, [Topic.ADDRESSES.value], self._known, clock=shared.clock)
        self._counted = 0
        self._crawl = self._built(AreaIndex.load())
        self._one_round = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._last_sweep = shared.clock.monotonic()

    async def start(self) -> None:
        """Begin the rounds. A table that breaks ends the process."""
        for table in (self._addresses, self._shared.tables.table):
            table.when_broken(self.background.fail)
        await self._addresses.start()
        await self._fetcher.start()
        self.background.start(self._rounds(), name="crawler")
        self.background.start(self._sweeps(), name="quarantine-sweep")

    async def stop(self) -> None:
        """Leave the round where it is: what is not yet acknowledged is fetched again."""
        self._stopping.set()
        await self.background.stop(deadline_s=self._settings.drain_deadline_s)
        await self._addresses.stop()
        await self._fetcher.close()

    @property
    def is_ready(self) -> bool:
        """The tables are ready and nothing failed."""
        return self._shared.tables.is_ready and self.background.failure is None

    @property
    def is_alive(self) -> bool:
        """The sweep went round lately, and nothing failed. A round that gets no further fails."""
        silent_s = self._shared.clock.monotonic() - self._last_sweep
        return self.background.failure is None and silent_s < LOOP_SILENT_AFTER_S

    def mount(self, application: web.Application) -> None:
        """POST /v1/crawls: a round now."""
        application.router.add_post("/v1/crawls", self._crawl_now)

    async def crawl(self) -> Round:
        """One round, after the one that runs. Raises TableStaleError, NotReadyError or LogUnavailableError.

        One that gets no further ends the process, whoever asked for it. Raises StalledError then.
        """
        async with self._one_round:
            await self._addresses.catch_up(self._settings.catch_up_timeout_s)
            self._shared.metrics.increase(declared.TABLE_UNREADABLE, self._known.unreadable - self._counted, table=Topic.ADDRESSES.value)
            self._counted = self._known.unreadable
            try:
                result = await self._watch.watched(self._crawl.round())
            except StalledError as error:
                self.background.fail(error)
                raise
        for outcome, count in result.refused.items():
            self._shared.metrics.increase(declared.FETCHES, count, outcome=outcome)
        self._shared.metrics.increase(declared.FETCHES, result.scraped, outcome="scraped")
        self._shared.metrics.set(declared.SERVER_TABLE_AGE, max(0.0, self._servers.age_s))
        return result

    async def _crawl_now(self, request: web.Request) -> web.Response:
        authenticated(request, Role.OPERATOR)
        result = await self.crawl()
        body = {"pages": result.pages, "scraped": result.scraped, "unchanged": result.unchanged, "never_fetched": result.never_fetched}
        return web.json_response({**body, "refused": dict(result.refused)})

    async def _rounds(self) -> None:
        while not self._stopping.is_set():
            pause_s = self._settings.recrawl_s
            try:
                await self.crawl()
            except (TableStaleError, NotReadyError, LogUnavailableError, BlobStoreUnavailableError) as error:
                _LOG.warning("crawl_waits", error=type(error).__name__)
                pause_s = 1.0
            await self._pause(pause_s)

    async def _sweeps(self) -> None:
        """Originals that nothing ended in time go, whoever left them. One that cannot go is told by its age."""
        quarantine = self._shared.quarantine
        while not self._stopping.is_set():
            self._last_sweep = self._shared.clock.monotonic()
            for work in (partial(self._sweep, quarantine.sweep), partial(self._sweep, quarantine.sweep_intake), self._tell_oldest):
                try:
                    await work()
                except BlobStoreUnavailableError as error:
                    _LOG.warning("sweep_waits", error=type(error).__name__)
            await self._pause(SWEEP_EVERY_S)

    async def _sweep(self, sweep: Callable[[float, datetime], Awaitable[Sequence[object]]]) -> None:
        swept = await sweep(self._settings.quarantine_max_s, self._shared.clock.now())
        self._shared.metrics.increase(declared.QUARANTINE_SWEPT, len(swept))

    async def _tell_oldest(self) -> None:
        oldest = await self._shared.quarantine.oldest()
        age_s = 0.0 if oldest is None else (self._shared.clock.now() - oldest).total_seconds()
        self._shared.metrics.set(declared.QUARANTINE_OLDEST_AGE, max(0.0, age_s))

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def _built(self, areas: AreaIndex) -> Crawl:
        settings, shared = self._settings, self._shared
        rules = SiteRulesReader(fetcher=self._fetcher, agent=settings.agent, clock=shared.clock, keep_s=settings.site_rules_s)
        visitor = Visitor(
            gate=shared.gate,
            identifiers=shared.identifiers,
            fetcher=self._fetcher,
            rules=rules,
            pace=Pace(clock=shared.clock, host_delay_s=settings.host_delay_s),
            areas=areas,
            servers=self._servers,
            agent=settings.agent,
            max_crawl_delay_s=settings.max_crawl_delay_s,
        )
        return Crawl(
            gate=shared.gate,
            tables=shared.tables,
            visitor=visitor,
            quarantine=shared.quarantine,
            log=shared.log,
            keys=shared.keys,
            identifiers=shared.identifiers,
            grant_keys=shared.grant_keys,
            known=self._known,
            agent=settings.agent,
            limits=ImageLimits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_pixels),
            max_pages=settings.max_pages,
            max_page_bytes=settings.max_page_bytes,
            catch_up_timeout_s=settings.catch_up_timeout_s,
            progressed=self._watch.progressed,
            spans=shared.spans,
        )
