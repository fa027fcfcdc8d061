"""Tells how long each clock of an order still runs, by the policy in force; what an overdue one closes is decided elsewhere."""

from __future__ import annotations

from assent.geofence.policy import Policy
from assent.stream.clock import Clock
from assent.telemetry.meter import Metrics
from assent.telemetry.metrics import ORDER_TIME_LEFT
from services.registry.desk_table import newest_policy
from services.registry.store import RegistryStore


class OrderWatch:
    """Orders that were complied with are told no more."""

    def __init__(self, *, store: RegistryStore, clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._read: tuple[str, Policy] | None = None
        self._told: set[tuple[str, str]] = set()

    async def look(self) -> None:
        """Set the gauge of each clock that runs, and take away those that run no more."""
        policy = await self._policy()
        now = self._clock.now()
        entries = {} if policy is None else policy.jurisdictions
        orders = [(place, rules.order_received) for place, rules in entries.items()]
        running = [(place, order) for place, order in orders if order is not None and not order.is_met(now)]
        ends = {(str(place), clock): end for place, order in running for clock, end in order.ends().items()}
        for place, clock in self._told - ends.keys():
            self._metrics.remove(ORDER_TIME_LEFT, jurisdiction=place, clock=clock)
        for (place, clock), end in ends.items():
            self._metrics.set(ORDER_TIME_LEFT, (end - now).total_seconds(), jurisdiction=place, clock=clock)
        self._told = set(ends)

    async def _policy(self) -> Policy | None:
        newest = await self._store.read(newest_policy)
        if newest is None or newest.document is None:
            return None
        if self._read is None or self._read[0] != newest.sha256:
            self._read = newest.sha256, Policy.from_canonical_json(newest.document)
        return self._read[1]
