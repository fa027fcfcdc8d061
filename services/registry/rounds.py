"""What the registry does by itself, again and again: expire, resume, publish what was missed, watch quarantine, sign what is complete."""

from __future__ import annotations

import asyncio
import contextlib
import functools

import structlog

from assent.events.erasures import ErasureCause, ErasureLevel
from assent.events.grants import GrantState
from assent.stream.clock import Clock
from assent.telemetry.meter import Metrics
from assent.telemetry.metrics import ERASURE_TIME_LEFT, ERASURES_PENDING, GRANTS
from services.registry.control_watch import ControlWatch
from services.registry.dead_letter_watch import DeadLetterWatch
from services.registry.endings import Endings
from services.registry.erasure_table import oldest_pending, pending_by_level
from services.registry.erasures import ErasureDesk
from services.registry.grant_table import GrantRow, count_by_state, run_out
from services.registry.grants import Grants
from services.registry.order_watch import OrderWatch
from services.registry.policy_guard import PolicyGuard
from services.registry.policy_stops import PolicyStops
from services.registry.producer_watch import ProducerWatch
from services.registry.quarantine_watch import QuarantineWatch
from services.registry.revision_guard import RevisionGuard
from services.registry.store import RegistryStore
from services.registry.trouble import TROUBLE, one_by_one

ERASED_WITHIN_S = {ErasureLevel.LOGICAL: 60.0, ErasureLevel.PHYSICAL: 30 * 86_400.0}
"""The deadlines that every entry of the policy keeps to (EU-5 asks for a month); an entry may ask for less."""
_LOG = structlog.get_logger()


class Rounds:
    """Trouble of a log or store puts a step off to the next round, and a fault of one grant that grant alone; anything else stops the
    process, once the other steps of the round have had their turn.
    """

    def __init__(
        self,
        *,
        store: RegistryStore,
        grants: Grants,
        endings: Endings,
        erasures: ErasureDesk,
        quarantine: QuarantineWatch,
        producers: ProducerWatch,
        dead_letters: DeadLetterWatch,
        guard: RevisionGuard,
        policy_guard: PolicyGuard,
        stops: PolicyStops,
        orders: OrderWatch,
        control: ControlWatch,
        clock: Clock,
        metrics: Metrics,
        round_s: float,
    ) -> None:
        self._store = store
        self._grants = grants
        self._endings = endings
        self._erasures = erasures
        self._quarantine = quarantine
        self._producers = producers
        self._dead_letters = dead_letters
        self._guard = guard
        self._policy_guard = policy_guard
        self._stops = stops
        self._orders = orders
        self._control = control
        self._clock = clock
        self._metrics = metrics
        self._each = one_by_one(metrics)
        self._round_s = round_s
        self._stopping = asyncio.Event()
        self._last_turn = clock.monotonic()

    async def run(self) -> None:
        """Work until `stop`."""
        while not self._stopping.is_set():
            self._last_turn = self._clock.monotonic()
            await self.once()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._round_s):
                    await self._stopping.wait()
        await self._guard.close()
        await self._policy_guard.close()

    async def once(self) -> None:
        """One round. A step that meets trouble is put off, and the steps after it, which need other stores, are not."""
        steps = (
            ("expiry", self.expire),
            ("endings", self._endings.resume),
            ("control", self._control_of_sources),
            ("snapshots", self._guard.publish_missed),
            ("revisions", self._look),
            ("stops", self._stops.resume),
            ("policy", self._look_at_policy),
            ("quarantine", self._quarantine.work),
            ("producers", self._producers.look),
            ("dead_letters", self._dead_letters.look),
            ("receipts", self._erasures.conclude_all),
            ("orders", self._orders.look),
            ("counts", self._count),
        )
        fault: Exception | None = None
        for name, step in steps:
            try:
                await step()
            except TROUBLE as error:
                _LOG.warning("round_waits", stage=name, error=type(error).__name__)
            except Exception as error:  # noqa: BLE001  it ends the process, and no withdrawal before its turn
                _LOG.error("round_failed", stage=name, error=type(error).__name__)
                fault = fault or error
            self._last_turn = self._clock.monotonic()
        if fault is not None:
            raise fault

    async def expire(self) -> int:
        """End every grant whose time has run out; how many. Their keys go with `resume`, once for all of them."""
        ended: list[GrantRow] = await self._store.read(lambda database: run_out(database, self._clock.now()))
        for row in ended:
            with self._each.alone("expiry", row.grant_id):
                if row.state is GrantState.REQUESTED:
                    await self._grants.drop_request(row, GrantState.EXPIRED)
                else:
                    await self._endings.begin(row.grant_id, ErasureCause.EXPIRY)
        return len(ended)

    async def _control_of_sources(self) -> None:
        await self._control.look()

    async def _look(self) -> None:
        await self._guard.look(timeout_s=0.0)

    async def _look_at_policy(self) -> None:
        await self._policy_guard.look()

    def stop(self) -> None:
        """Leave after the round in hand."""
        self._stopping.set()

    def silent_for_s(self) -> float:
        """Seconds since the last round began."""
        return self._clock.monotonic() - self._last_turn

    async def _count(self) -> None:
        states = await self._store.read(count_by_state)
        for state in GrantState:
            self._metrics.set(GRANTS, states.get(state.value, 0), state=state.value)
        pending = await self._store.read(pending_by_level)
        now = self._clock.now()
        for level, limit_s in ERASED_WITHIN_S.items():
            self._metrics.set(ERASURES_PENDING, pending[level], level=level.value)
            oldest = await self._store.read(functools.partial(oldest_pending, level=level))
            waited_s = 0.0 if oldest is None else (now - oldest).total_seconds()
            self._metrics.set(ERASURE_TIME_LEFT, limit_s - waited_s, level=level.value)
