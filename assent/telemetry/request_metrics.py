"""Counts and times HTTP requests by route template; never by path, query, caller or address."""

from __future__ import annotations

import time

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from assent.telemetry.meter import Metrics
from assent.telemetry.metrics import HTTP_DURATION, HTTP_REQUESTS

UNMATCHED = "unmatched"


def request_metrics(service: str, metrics: Metrics) -> Middleware:
    """The middleware of one service; put it first, so that what other middlewares refuse is counted too."""

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.monotonic()
        status = 500
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as answer:
            status = answer.status
            raise
        finally:
            route = _template(request)
            metrics.increase(HTTP_REQUESTS, service=service, route=route, status=f"{status // 100}xx")
            metrics.observe(HTTP_DURATION, time.monotonic() - started, service=service, route=route)
        return response

    return count


def _template(request: web.Request) -> str:
    """The route as it was declared: `/v1/faces/{face_id}`, or `unmatched` for what nobody serves."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else UNMATCHED
