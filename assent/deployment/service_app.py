"""What a service looks like from the outside: started, watched, stopped, and for two of them served."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, runtime_checkable

from aiohttp import web

from assent.deployment.background import Background
from assent.deployment.shared import Need, Shared


class ServiceApp(Protocol):
    """One service inside a process. `NEEDS` says what is opened for it."""

    NEEDS: ClassVar[frozenset[Need]]
    background: Background

    def __init__(self, settings: Any, shared: Shared) -> None: ...

    async def start(self) -> None:
        """Begin to work."""
        ...

    async def stop(self) -> None:
        """Finish or abandon inside one deadline."""
        ...

    @property
    def is_ready(self) -> bool:
        """It can serve lawfully now."""
        ...

    @property
    def is_alive(self) -> bool:
        """Its loop goes round."""
        ...


@runtime_checkable
class ServedApp(Protocol):
    """A service with routes of its own."""

    def mount(self, application: web.Application) -> None:
        """Add routes and keys to an application that is not yet started."""
        ...


@runtime_checkable
class RereadingApp(Protocol):
    """A service that takes files up while it runs."""

    def reread(self) -> None:
        """Look at them now: SIGHUP asks for it. What came of it is told on stderr."""
        ...
