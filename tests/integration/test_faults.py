"""A short run of faults over Apache Kafka: every promise is kept while every process is killed once and some trouble comes beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.testing.kafka_broker import ApacheKafka
from faults.processes import SERVICES, VECTORS
from faults.run import Plan, run
from tools.outside_programs import find_kafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]
PLAN = Plan(seed=4, seconds=75.0, kill_every_s=5.0)


async def test_every_promise_is_kept_in_a_short_run(tmp_path: Path) -> None:
    jars = find_kafka()
    assert jars is not None
    async with ApacheKafka(jars) as broker:
        report = await run(PLAN, broker, tmp_path, say=print)
    assert report.findings == []
    assert {name for name in (*SERVICES, VECTORS) if report.trouble[f"SIGKILL {name}"]} == {*SERVICES, VECTORS}
    # A run in which nothing happened would prove nothing.
    assert report.counts["vectors that exist"] == report.counts["vectors that should exist"] > 0
    assert min(report.counts[name] for name in ("grants ended", "searches answered", "candidates told", "looks at the store")) > 0
