"""Health: failing and raising checks answer 503 by name, and the scrape comes from the given registry."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from prometheus_client import CollectorRegistry

from assent.telemetry import metrics as declared
from assent.telemetry.health import HealthChecks, health_application
from assent.telemetry.meter import Metrics

Client = TestClient[Request, Application]


class Conditions:
    """What the checks look at; the test turns them."""

    loop_turns = True
    ledger_ready = True


def never() -> bool:
    raise RuntimeError("store away")


@pytest.fixture
def conditions() -> Conditions:
    return Conditions()


@pytest.fixture
async def client(conditions: Conditions) -> AsyncIterator[Client]:
    metrics = Metrics(CollectorRegistry())
    metrics.set(declared.VECTORS, 12)
    checks = HealthChecks(
        live={"loop": lambda: conditions.loop_turns},
        ready={"ledger": lambda: conditions.ledger_ready},
    )
    async with TestClient(TestServer(health_application(checks, metrics.registry))) as running:
        yield running


async def test_all_well(client: Client) -> None:
    for path in ("/livez", "/readyz"):
        answer = await client.get(path)
        assert answer.status == 200
        assert await answer.json() == {"ok": True, "failing": []}


async def test_a_table_that_is_not_ready_stops_traffic_and_not_the_process(client: Client, conditions: Conditions) -> None:
    conditions.ledger_ready = False
    assert (await client.get("/livez")).status == 200
    answer = await client.get("/readyz")
    assert answer.status == 503
    assert (await answer.json())["failing"] == ["ledger"]


@pytest.mark.parametrize("version", ["2026-11-26.1", None])
async def test_readyz_tells_by_which_policy_the_process_decides(version: str | None) -> None:
    application = health_application(HealthChecks(policy=lambda: version), CollectorRegistry())
    async with TestClient(TestServer(application)) as running:
        answer = await running.get("/readyz")
        assert (answer.status, await answer.json()) == (200, {"ok": True, "failing": [], "policy": version})
        assert "policy" not in await (await running.get("/livez")).json()


async def test_not_live_is_not_ready_either(client: Client, conditions: Conditions) -> None:
    conditions.loop_turns = False
    assert (await client.get("/livez")).status == 503
    assert (await (await client.get("/readyz")).json())["failing"] == ["loop"]


@pytest.mark.parametrize("check", [never, lambda: None, lambda: 1])
async def test_a_check_that_does_not_say_true_fails(check: Callable[[], bool]) -> None:
    application = health_application(HealthChecks(ready={"store": check}), CollectorRegistry())
    async with TestClient(TestServer(application)) as client:
        answer = await client.get("/readyz")
        assert (answer.status, await answer.json()) == (503, {"ok": False, "failing": ["store"]})


async def test_metrics_are_scraped_as_the_scraper_asks(client: Client) -> None:
    plain = await client.get("/metrics")
    assert plain.headers["Content-Type"].startswith("text/plain")
    assert "assent_vectors 12.0" in await plain.text()
    modern = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert modern.headers["Content-Type"].startswith("application/openmetrics-text")
    assert (await modern.text()).endswith("# EOF\n")
