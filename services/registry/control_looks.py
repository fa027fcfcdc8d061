"""Looks by itself whether controllers still show what they showed, and tells how proofs stand; it asks nobody for a new yes."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from assent.identity.errors import ApiError
from assent.stream.clock import Clock
from assent.telemetry.meter import Metrics
from assent.telemetry.metrics import CONTROL_PROOFS, CONTROL_TIME_LEFT
from services.registry.control_place import Showing
from services.registry.control_table import ControlRow, control_rows, proof_to_look_at
from services.registry.controls import Controls
from services.registry.store import RegistryStore

TURN_S = 60.0
LOOKS_A_TURN = 20
TOLD_FOR = timedelta(days=7)
"""How long an end by the controller's own word is told of. One that ran out is told of until it is renewed or revoked."""
_AT_ONCE = timedelta(minutes=1)
STATES = ("counts", "failing", "ended")
_LOG = structlog.get_logger()


class ControlLooks:
    """One look for each proof that counts in `every_s`, beside the rounds: a host that is slow delays no withdrawal."""

    def __init__(
        self, *, store: RegistryStore, controls: Controls, clock: Clock, metrics: Metrics, every_s: float, proof_days: int
    ) -> None:
        self._store = store
        self._controls = controls
        self._clock = clock
        self._metrics = metrics
        self._every = timedelta(seconds=every_s)
        self._proof_s = proof_days * 86_400.0
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop`."""
        while not self._stopping.is_set():
            await self.once()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TURN_S):
                    await self._stopping.wait()

    def stop(self) -> None:
        """Leave after the look in hand."""
        self._stopping.set()

    async def once(self) -> int:
        """Look at what is due, and count; how many looks."""
        looks = 0
        while looks < LOOKS_A_TURN and not self._stopping.is_set():
            now = self._clock.now()
            row = await self._store.read(functools.partial(proof_to_look_at, now=now, before=now - self._every))
            if row is None:
                break
            looks += 1
            try:
                await self._controls.check(row.proof_id, is_routine=True)
            except ApiError as error:
                _LOG.warning("control_not_shown", reason=str((error.details or {}).get("reason", error.code)))
        await self._count()
        return looks

    async def _count(self) -> None:
        now = self._clock.now()
        rows = await self._store.read(control_rows)
        standings = standings_of(rows, now=now)
        for state in STATES:
            self._metrics.set(CONTROL_PROOFS, standings[state], state=state)
        left = [(row.ends_at - now).total_seconds() for row in rows if row.ends_at is not None and row.counts(now)]
        self._metrics.set(CONTROL_TIME_LEFT, min(left, default=self._proof_s))


def standings_of(rows: Sequence[ControlRow], *, now: datetime) -> Counter[str]:
    """How many proofs count, how many do although their last look did not show it, and how many have ended and were not replaced."""
    counting = [row for row in rows if row.counts(now)]
    replaced = {(row.controller, row.place) for row in counting}
    return Counter(
        counts=sum(row.look_found in (None, Showing.SHOWN) for row in counting),
        failing=sum(row.look_found not in (None, Showing.SHOWN) for row in counting),
        ended=sum((row.controller, row.place) not in replaced and _has_ended(row, now) for row in rows if not row.counts(now)),
    )


def _has_ended(row: ControlRow, now: datetime) -> bool:
    """It ran out, or its controller took it back; what staff revoked is no surprise to anybody."""
    if row.ends_at is None:
        return False
    if row.revoked_at is None:
        return True
    is_denied = row.looked_at is not None and row.look_found is not None and row.look_found.is_denial
    return is_denied and row.revoked_at - (row.looked_at or now) < _AT_ONCE and now - row.revoked_at < TOLD_FOR
