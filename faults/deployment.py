"""What a run stands on: seven processes over a broker, or one process over its file; the load and the verdict cannot tell which."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Protocol

from demo.api import DemoApi
from faults.evidence import Evidence
from faults.site import GrowingSite
from faults.truth import Truth
from faults.uptime import Uptime

ERASE_GRACE_S, SWEEP_EVERY_S = 20.0, 5.0
GRACE_CHECKED_S = ERASE_GRACE_S + 2 * SWEEP_EVERY_S
"""The grace time and two turns of the sweep, which begins one while the other has just missed the end."""


class Trouble(Protocol):
    """Makes trouble until it is time. `all_killed_once` says that every process died at least once."""

    done: Counter[str]
    exits: Counter[str]
    all_killed_once: asyncio.Event

    async def run(self, stopping: asyncio.Event) -> None:
        """Returns with everything running and nothing slow."""
        ...

    async def start_what_ended(self) -> None:
        """Start anew what ended by itself."""
        ...


class Deployment(Protocol):
    """Open: everything runs."""

    site: GrowingSite
    uptime: Uptime

    @property
    def trouble(self) -> Trouble:
        """What makes trouble here."""
        ...

    @property
    def api(self) -> DemoApi:
        """The interface, patient."""
        ...

    @property
    def operator_token(self) -> str:
        """The token of the first start."""
        ...

    @property
    def store_url(self) -> str | None:
        """Where the store can be looked at while everything runs."""
        ...

    async def settle(self, truth: Truth) -> None:
        """Return when the log is worked off and erasures had their time."""
        ...

    async def end(self) -> tuple[Evidence, dict[str, int]]:
        """What log and store hold at last, and the exit code of every process on SIGTERM."""
        ...
