"""The seven services in one process over one log, one store and one web address; each is the same class that runs alone in production."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from assent.deployment.build import open_shared
from assent.deployment.process import served_application
from assent.deployment.service_app import ServiceApp
from assent.deployment.shared import Need, Shared
from assent.faces.prepare import prepare_embedded_pack
from assent.telemetry.health import HealthChecks, mount_health
from embedded.layout import EmbeddedLayout
from services.consent.app import ConsentApp
from services.crawler.app import CrawlerApp
from services.embedder.app import EmbedderApp
from services.geofence.app import GeofenceApp
from services.indexer.app import IndexerApp
from services.query.app import QueryApp
from services.registry.app import RegistryApp

NEEDS = frozenset({Need.MODELS, Need.VECTORS})
Progress = Callable[[str], None]


class PortInUseError(OSError):
    """Raised when somebody listens on the address already. The message names it and what to do."""


class EmbeddedSystem:
    """Started in the order in which they need each other: the registry publishes the policy that the others wait for."""

    def __init__(self, layout: EmbeddedLayout, shared: Shared) -> None:
        self.shared = shared
        self.registry = RegistryApp(layout.registry(), shared)
        self.crawler = CrawlerApp(layout.crawler(), shared)
        self.query = QueryApp(layout.query(), shared)
        self.indexer = IndexerApp(layout.indexer(), shared)
        self._apps: tuple[tuple[str, ServiceApp], ...] = (
            ("registry", self.registry),
            ("indexer", self.indexer),
            ("embedder", EmbedderApp(layout.embedder(), shared)),
            ("consent", ConsentApp(layout.consent(), shared)),
            ("geofence", GeofenceApp(layout.geofence(), shared)),
            ("query", self.query),
            ("crawler", self.crawler),
        )
        self.url = ""

    @property
    def apps(self) -> dict[str, ServiceApp]:
        """Every service by its name."""
        return dict(self._apps)

    async def start(self, stack: AsyncExitStack) -> None:
        """Start all of them; `stack` stops those that started, all at once: each has a batch in hand, and none waits for another's."""
        started: list[ServiceApp] = []
        stack.push_async_callback(_stop_all, started)
        for _, app in self._apps:
            await app.start()
            started.append(app)

    def application(self) -> web.Application:
        """Every route and page of the three served services, and health, on one address."""
        application = served_application(self.shared, self.registry, self.query, self.crawler, service="embedded")
        checks = HealthChecks(
            live={name: lambda app=app: app.is_alive for name, app in self._apps},  # type: ignore[misc]
            ready={name: lambda app=app: app.is_ready for name, app in self._apps},  # type: ignore[misc]
            policy=self.shared.tables.policy_version,
        )
        mount_health(application, checks, self.shared.metrics.registry)
        return application

    def failure(self) -> BaseException | None:
        """What ended one of the services, or None while all go on."""
        return next((app.background.failure for _, app in self._apps if app.background.failure is not None), None)


@asynccontextmanager
async def open_system(layout: EmbeddedLayout, *, host: str, port: int, progress: Progress) -> AsyncIterator[EmbeddedSystem]:
    """Everything up and listening on `host`:`port` (0 takes a free port). Raises the parts' own errors."""
    async with AsyncExitStack() as stack:
        listener = listen(host, port)
        stack.callback(listener.close)
        prepare_embedded_pack(layout.model, progress=progress)
        shared = await stack.enter_async_context(open_shared(layout.registry(), service="embedded", needs=NEEDS, is_single_process=True))
        yield await stack.enter_async_context(running_system(EmbeddedSystem(layout, shared), listener, host=host))


@asynccontextmanager
async def running_system(system: EmbeddedSystem, listener: socket.socket, *, host: str) -> AsyncIterator[EmbeddedSystem]:
    """The services started and served on a socket that is bound already."""
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(system.application(), access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await system.start(stack)
        await web.SockSite(runner, listener).start()
        system.url = f"http://{host}:{listener.getsockname()[1]}"
        yield system


async def _stop_all(apps: Sequence[ServiceApp]) -> None:
    """Raises the first error, after every one was stopped."""
    ended = await asyncio.gather(*(app.stop() for app in reversed(apps)), return_exceptions=True)
    for error in ended:
        if error is not None:
            raise error


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, taken before anything else is touched. Raises PortInUseError."""
    try:
        return socket.create_server((host, port), backlog=128)
    except OSError as error:
        raise PortInUseError(
            f"cannot listen on {host}:{port} ({error.strerror}); stop what listens there, or choose another --port"
        ) from error
