"""Wiring of the query service: its table of the flow, its desk, its pages; the only place that builds them."""

from __future__ import annotations

from typing import ClassVar

from aiohttp import web

from assent.deployment.background import Background
from assent.deployment.shared import Need, Shared
from assent.faces.image import ImageLimits
from assent.faces.manifest import Threshold
from assent.faces.pack_errors import ModelPackError
from assent.identity.principal import Principal
from assent.ids import GrantId
from assent.stream.table import Table
from services.query.console import Console
from services.query.flow import FLOW_TOPICS, Flow
from services.query.handlers import QueryHandlers
from services.query.pictures import Pictures
from services.query.probe import ProbeReader
from services.query.search_desk import DeskLimits, SearchDesk
from services.query.searches import Searches
from services.query.settings import QuerySettings
from services.query.views import Views


class NoThresholdError(ModelPackError):
    """Raised when the pack states no threshold at the false-match rate that the settings ask for."""


class QueryApp:
    """Answers only; it consumes no topic in a group, so every instance sees everything."""

    NEEDS: ClassVar[frozenset[Need]] = frozenset({Need.VECTORS, Need.MODELS})

    def __init__(self, settings: QuerySettings, shared: Shared) -> None:
        self._settings = settings
        self._shared = shared
        self.background = Background()
        self._flow = Flow(history=settings.history)
        self._table = Table(shared.log, [topic.value for topic in FLOW_TOPICS], self._flow, clock=shared.clock)
        threshold = _threshold(shared, settings.false_match_rate)
        self._desk = SearchDesk(
            gate=shared.gate,
            tables=shared.tables,
            store=shared.vectors,
            log=shared.log,
            metrics=shared.metrics,
            limits=DeskLimits(threshold.cosine, settings.max_candidates, settings.catch_up_timeout_s),
        )
        self._searches = self._built_searches()
        self._views = Views(flow=self._flow, manifest=shared.pack.manifest, threshold=threshold)
        self._handlers = self._built_handlers()

    async def start(self) -> None:
        """Begin to follow the flow."""
        await self._table.start()

    async def stop(self) -> None:
        """Stop following; answers under way end with the server."""
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

    def _grants_of(self, principal: Principal) -> frozenset[GrantId]:
        if principal.subject_id is None:
            return frozenset()
        return frozenset(grant.grant_id for grant in self._shared.tables.ledger.grants_of(principal.subject_id))

    def _built_searches(self) -> Searches:
        settings, shared = self._settings, self._shared
        limits = ImageLimits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_pixels)
        return Searches(
            desk=self._desk,
            probes=ProbeReader(shared.pack, limits=limits, concurrency=settings.max_probes),
            gate=shared.gate,
            clock=shared.clock,
            store=shared.vectors,
            derivatives=shared.derivatives,
            identifiers=shared.identifiers,
            metrics=shared.metrics,
            max_bytes=settings.max_image_bytes,
        )

    def _built_handlers(self) -> QueryHandlers:
        settings, shared = self._settings, self._shared
        return QueryHandlers(
            searches=self._searches,
            pictures=Pictures(
                desk=self._desk,
                gate=shared.gate,
                store=shared.vectors,
                derivatives=shared.derivatives,
                grant_keys=shared.grant_keys,
            ),
            views=self._views,
            flow=self._flow,
            identifiers=shared.identifiers,
            grants_of=self._grants_of,
            caught_up=self._desk.caught_up,
            max_bytes=settings.max_image_bytes,
            max_streams=settings.max_streams,
        )


def _threshold(shared: Shared, false_match_rate: float) -> Threshold:
    found = shared.pack.manifest.threshold_at(false_match_rate)
    if found is None:
        raise NoThresholdError(
            f"The pack {shared.pack.manifest.name} states no threshold at a false-match rate of {false_match_rate:g} or lower; "
            "ask for a higher rate or use another pack."
        )
    return found
