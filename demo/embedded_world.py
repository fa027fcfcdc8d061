"""The story's world in one process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from assent.blobs.derivatives import Derivatives
from assent.keys.identifiers import ImageIds
from assent.stream.event_log import EventLog
from assent.vectors.store import VectorStore
from demo.api import Addresses, DemoApi
from embedded.layout import EmbeddedLayout
from embedded.system import EmbeddedSystem, open_system

Opener = Callable[..., AbstractAsyncContextManager[EmbeddedSystem]]
_DISCARDED = "assent_faces_discarded_total"


class EmbeddedWorld:
    """Opened by `start`, closed by `stop`."""

    def __init__(
        self, layout: EmbeddedLayout, *, host: str, port: int, progress: Callable[[str], None], opener: Opener = open_system
    ) -> None:
        self._layout = layout
        self._host = host
        self._port = port
        self._progress = progress
        self._opener = opener
        self._stack: AsyncExitStack | None = None
        self._system: EmbeddedSystem | None = None
        self._api: DemoApi | None = None
        self._bystanders = 0

    async def start(self) -> None:
        """Everything up."""
        stack = AsyncExitStack()
        try:
            opened = self._opener(self._layout, host=self._host, port=self._port, progress=self._progress)
            self._system = await stack.enter_async_context(opened)
            url = self._system.url
            self._api = await stack.enter_async_context(DemoApi(Addresses(url, url, url)))
        except BaseException:
            await stack.aclose()
            raise
        self._stack = stack
        # A free port is taken once: links that were printed stay good over a restart.
        self._port = int(url.rpartition(":")[2])

    async def stop(self) -> None:
        """Everything down; a second time is harmless."""
        if self._stack is not None:
            self._bystanders += self._counted()
            stack, self._stack = self._stack, None
            self._system = self._api = None
            await stack.aclose()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def failure(self) -> BaseException | None:
        """What ended a service, or None."""
        return None if self._system is None else self._system.failure()

    @property
    def system(self) -> EmbeddedSystem:
        """The running services."""
        if self._system is None:
            raise RuntimeError("the services are not running")
        return self._system

    @property
    def api(self) -> DemoApi:
        if self._api is None:
            raise RuntimeError("the services are not running")
        return self._api

    @property
    def log(self) -> EventLog:
        return self.system.shared.log

    @property
    def store(self) -> VectorStore:
        return self.system.shared.vectors

    @property
    def derivatives(self) -> Derivatives:
        return self.system.shared.derivatives

    @property
    def identifiers(self) -> ImageIds:
        return self.system.shared.identifiers

    @property
    def operator_token(self) -> str:
        return self._layout.operator_token.read_text().strip()

    def bystanders_never_embedded(self) -> int:
        return self._bystanders + (self._counted() if self._system is not None else 0)

    def _counted(self) -> int:
        value = self.system.shared.metrics.registry.get_sample_value(_DISCARDED, {"reason": "bystander"})
        return int(value or 0)
