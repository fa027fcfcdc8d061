"""Short runs of faults: every promise is kept while every process is killed at least once and other trouble comes beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.testing.kafka_broker import ApacheKafka
from faults.plan import Plan, Report
from faults.processes import SERVICES, VECTORS
from faults.run import run
from faults.separate import separate_deployment
from faults.single import single_deployment
from tools.outside_programs import find_kafka

pytestmark = pytest.mark.timeout(900)


@pytest.mark.kafka
async def test_seven_processes_keep_every_promise(tmp_path: Path) -> None:
    jars, plan = find_kafka(), Plan(seed=4, seconds=60.0, kill_every_s=5.0)
    assert jars is not None
    async with ApacheKafka(jars) as broker, separate_deployment(plan, broker, tmp_path, say=print) as deployment:
        report = await run(plan, deployment, say=print)
    check(report, "looks at the store")
    assert {name for name in (*SERVICES, VECTORS) if report.trouble[f"SIGKILL {name}"]} == {*SERVICES, VECTORS}


async def test_one_process_keeps_every_promise(tmp_path: Path) -> None:
    plan = Plan(seed=4, seconds=25.0, kill_every_s=6.0)
    async with single_deployment(plan, tmp_path, say=print) as deployment:
        report = await run(plan, deployment, say=print)
    check(report)
    assert report.trouble["SIGKILL assent"] > 0


def check(report: Report, *more: str) -> None:
    """Nothing was found, and there was something to find."""
    assert report.findings == []
    assert report.counts["vectors that exist"] == report.counts["vectors that should exist"] > 0
    assert min(report.counts[name] for name in ("grants ended", "searches answered", "candidates told", *more)) > 0
