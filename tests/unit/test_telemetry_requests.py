"""Requests are counted by template and status class, and the loop's lag is what the clock says."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry, generate_latest

from assent.telemetry import metrics as declared
from assent.telemetry.loop_lag import LoopLagProbe
from assent.telemetry.meter import Metrics
from assent.telemetry.request_metrics import request_metrics

CANARY = "canary7f3a"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


@pytest.fixture
async def client(metrics: Metrics) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    async def face(_request: web.Request) -> web.Response:
        return web.Response(text="here")

    async def closed(_request: web.Request) -> web.Response:
        raise web.HTTPUnavailableForLegalReasons(link=None)

    async def broken(_request: web.Request) -> web.Response:
        raise RuntimeError(CANARY)

    application = web.Application(middlewares=[request_metrics("query", metrics)])
    application.router.add_get("/v1/faces/{face_id}", face)
    application.router.add_get("/closed", closed)
    application.router.add_get("/broken", broken)
    async with TestClient(TestServer(application)) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        (f"/v1/faces/{CANARY}?who={CANARY}", "/v1/faces/{face_id}", "2xx"),
        ("/closed", "/closed", "4xx"),
        ("/broken", "/broken", "5xx"),
        (f"/{CANARY}", "unmatched", "4xx"),
    ],
)
async def test_a_request_is_counted_by_its_template(
    path: str, route: str, status: str, client: TestClient[web.Request, web.Application], metrics: Metrics
) -> None:
    await client.get(path)
    assert metrics.value(declared.HTTP_REQUESTS, service="query", route=route, status=status) == 1
    assert metrics.value(declared.HTTP_DURATION, service="query", route=route) == 1
    assert CANARY not in generate_latest(metrics.registry).decode()


class Clock:
    """Time that moves only when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_the_lag_is_what_a_sleep_took_too_long(metrics: Metrics) -> None:
    clock = Clock()

    async def oversleep(seconds: float) -> None:
        clock.now += seconds + 0.25

    probe = LoopLagProbe(metrics, interval_s=0.5, clock=clock, sleep=oversleep)
    await probe.turn()
    assert metrics.value(declared.EVENT_LOOP_LAG) == pytest.approx(0.25)
    clock.now += 7
    assert probe.silent_for_s() == pytest.approx(7)
