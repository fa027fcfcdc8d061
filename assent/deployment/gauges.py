"""Gauges that no event sets: how fresh the tables are and how late the loop wakes; read again and again while the process lives."""

from __future__ import annotations

import asyncio

from assent.deciding.fold import DECISION_TOPICS
from assent.deciding.tables import DecisionTables
from assent.telemetry import metrics as declared
from assent.telemetry.loop_lag import LoopLagProbe
from assent.telemetry.meter import Metrics

EVERY_S = 1.0
_UNKNOWN_AGE_S = 1e9


class Gauges:
    """`run` until cancelled."""

    def __init__(self, tables: DecisionTables, metrics: Metrics) -> None:
        self._tables = tables
        self._metrics = metrics
        self._counted: dict[str, int] = {}
        self._policy_version: str | None = None

    async def run(self) -> None:
        """Set the gauges every second, beside the probe of the loop."""
        probe = asyncio.create_task(LoopLagProbe(self._metrics).run())
        try:
            while True:
                self.turn()
                await asyncio.sleep(EVERY_S)
        finally:
            probe.cancel()

    def turn(self) -> None:
        """The tables as they are now. Their topics are one table, so they are as fresh as each other."""
        age = self._tables.table.age_s()
        for topic in DECISION_TOPICS:
            self._metrics.set(declared.TABLE_READY, float(self._tables.is_ready), table=topic.value)
            self._metrics.set(declared.TABLE_AGE, min(age, _UNKNOWN_AGE_S), table=topic.value)
            unreadable = self._tables.fold.unreadable.get(topic.value, 0)
            self._metrics.increase(declared.TABLE_UNREADABLE, unreadable - self._counted.get(topic.value, 0), table=topic.value)
            self._counted[topic.value] = unreadable
        policy, since = self._tables.fold.policy, self._tables.fold.policy_since
        if since is not None:
            self._metrics.set(declared.POLICY_PUBLISHED, since.timestamp())
        if policy is not None and policy.version != self._policy_version:
            self._policy_version = policy.version
            self._metrics.increase(declared.POLICY_RELOADS, outcome="accepted")
