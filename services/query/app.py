"""Wiring of the query service: its table of the flow, its desk, its pages; the only place that builds them."""

from __future__ import annotations

from typing import ClassVar

from aiohttp import web

from assent.deployment.background import Background
from assent.deployment.shared import Need, Shared
from assent.events.topics import Topic
from assent.faces.chosen_threshold import chosen_threshold
from assent.faces.image import ImageLimits
from assent.fetching.server_places import ServerPlaces
from assent.identity.errors import ApiError
from assent.stream.table import Table, TableBrokenError, TableStaleError
from services.query.caller_places import CallerPlaces
from services.query.console import Console
from services.query.disclosure_audit import DisclosureAudit
from services.query.flow import FLOW_TOPICS, Flow
from services.query.handlers import QueryHandlers
from services.query.own_grants import OwnGrants
from services.query.pictures import Pictures
from services.query.probe import ProbeReader
from services.query.search_desk import DeskLimits, SearchDesk
from services.query.searches import Searches
from services.query.settings import QuerySettings
from services.query.views import Views
from services.query.withdrawal_watch import WithdrawalWatch


class QueryApp:
    """Answers only; it consumes no topic in a group, so every instance sees everything."""

    NEEDS: ClassVar[frozenset[Need]] = frozenset({Need.VECTORS, Need.MODELS})

    def __init__(self, settings: QuerySettings, shared: Shared) -> None:
        self._settings = settings
        self._shared = shared
        self.background = Background()
        self._flow = Flow(history=settings.history)
        self._table = Table(shared.log, [topic.value for topic in FLOW_TOPICS], self._flow, clock=shared.clock)
        self._audit = DisclosureAudit(shared.metrics)
        self._watch = self._built_watch()
        self._withdrawals = Table(shared.log, [Topic.WITHDRAWALS.value], self._watch, clock=shared.clock)
        threshold = chosen_threshold(shared.pack.manifest, false_match_rate=settings.false_match_rate, cosine=settings.threshold)
        self._desk = SearchDesk(
            gate=shared.gate,
            tables=shared.tables,
            store=shared.vectors,
            log=shared.log,
            audit=self._audit,
            metrics=shared.metrics,
            limits=DeskLimits(threshold.cosine, settings.max_candidates, settings.catch_up_timeout_s),
        )
        self._callers = CallerPlaces(
            places=ServerPlaces(places=settings.caller_places_file, networks=settings.caller_networks_file, clock=shared.clock),
            proxies=settings.proxies,
        )
        limits = ImageLimits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_pixels)
        self._probes = ProbeReader(shared.pack, limits=limits, concurrency=settings.max_probes)
        self._searches = self._built_searches()
        self._views = Views(flow=self._flow, manifest=shared.pack.manifest, threshold=threshold)
        self._handlers = self._built_handlers()

    async def start(self) -> None:
        """Begin to follow the flow and the withdrawals. A table that breaks ends the process."""
        for table in (self._shared.tables.table, self._table, self._withdrawals):
            table.when_broken(self.background.fail)
        await self._table.start()
        await self._withdrawals.start()
        self.background.start(self._watch.run(), name="withdrawal-watch")

    async def stop(self) -> None:
        """Stop following; answers under way end with the server."""
        self._watch.stop()
        await self.background.stop(deadline_s=self._settings.drain_deadline_s)
        await self._withdrawals.stop()
        await self._table.stop()

    @property
    def is_ready(self) -> bool:
        """Grants, withdrawals and policy are read: it can answer lawfully."""
        return self._shared.tables.is_ready and self.background.failure is None

    @property
    def is_alive(self) -> bool:
        """There is no loop of its own that could stand still; the server answers or it does not."""
        return self.background.failure is None

    def mount(self, application: web.Application) -> None:
        """Search, pictures, explanation, flow and the console."""
        self._handlers.mount(application)
        Console(
            handlers=self._handlers,
            searches=self._searches,
            views=self._views,
            flow=self._flow,
            banner=self._settings.banner,
        ).mount(application)

    async def caught_up(self) -> None:
        """Ledger and flow stand at the end of the log. Raises ApiError 503: what was not read must not look like what never was."""
        await self._desk.caught_up()
        try:
            await self._table.catch_up(self._settings.catch_up_timeout_s)
        except (TableStaleError, TableBrokenError) as error:
            raise ApiError(503, "not_ready", "The records of the flow could not be read to their end.", "Try again in a moment.") from error

    def _built_watch(self) -> WithdrawalWatch:
        shared = self._shared
        return WithdrawalWatch(
            tables=shared.tables,
            grant_keys=shared.grant_keys,
            audit=self._audit,
            clock=shared.clock,
            metrics=shared.metrics,
            is_live=lambda: self._withdrawals.is_ready,
        )

    def _built_searches(self) -> Searches:
        settings, shared = self._settings, self._shared
        return Searches(
            desk=self._desk,
            probes=self._probes,
            gate=shared.gate,
            store=shared.vectors,
            derivatives=shared.derivatives,
            identifiers=shared.identifiers,
            callers=self._callers,
            metrics=shared.metrics,
            max_bytes=settings.max_image_bytes,
        )

    def _built_handlers(self) -> QueryHandlers:
        settings, shared = self._settings, self._shared
        return QueryHandlers(
            searches=self._searches,
            pictures=Pictures(
                desk=self._desk,
                probes=self._probes,
                gate=shared.gate,
                store=shared.vectors,
                derivatives=shared.derivatives,
                grant_keys=shared.grant_keys,
                callers=self._callers,
            ),
            views=self._views,
            flow=self._flow,
            identifiers=shared.identifiers,
            own=OwnGrants(tables=shared.tables, gate=shared.gate),
            caught_up=self.caught_up,
            max_bytes=settings.max_image_bytes,
            max_streams=settings.max_streams,
        )
