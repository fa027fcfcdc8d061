"""`/livez`, `/readyz` and `/metrics` of one process; a check that fails to answer is a failing check, never a passing one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

Check = Callable[[], bool]
"""Answers at once from what the process already knows; never asks a broker or a store."""


@dataclass(frozen=True, slots=True)
class HealthChecks:
    """Named conditions. `live` says whether a restart would help; `ready` whether the service can serve lawfully now.

    Reachability of the broker belongs to neither `live` (a broker outage must not restart everything) nor to a probe's own call.
    """

    live: Mapping[str, Check] = field(default_factory=dict)
    ready: Mapping[str, Check] = field(default_factory=dict)
    policy: Callable[[], str | None] | None = None
    """Version of the policy that this process decides by; told by `/readyz`, and no condition."""


def health_application(checks: HealthChecks, registry: CollectorRegistry) -> web.Application:
    """An application with the three routes alone, to be served on a port of its own."""
    application = web.Application()
    mount_health(application, checks, registry)
    return application


def mount_health(application: web.Application, checks: HealthChecks, registry: CollectorRegistry) -> None:
    """Add the three routes to an application that serves other things too; they ask for no token, so it listens on loopback."""

    async def livez(_request: web.Request) -> web.Response:
        return _answer(failing(checks.live))

    async def readyz(_request: web.Request) -> web.Response:
        # A process that should be restarted must not be sent traffic while it waits for that.
        told = {} if checks.policy is None else {"policy": checks.policy()}
        return _answer(failing(checks.live) + failing(checks.ready), **told)

    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    application.router.add_get("/livez", livez)
    application.router.add_get("/readyz", readyz)
    application.router.add_get("/metrics", metrics)


def failing(checks: Mapping[str, Check]) -> list[str]:
    """Names of the checks that do not hold, in order."""
    return [name for name, check in checks.items() if not _holds(check)]


def _holds(check: Check) -> bool:
    try:
        return check() is True
    except Exception:  # noqa: BLE001  # whatever goes wrong in a check, the answer is no
        return False


def _answer(names: list[str], **told: str | None) -> web.Response:
    return web.json_response({"ok": not names, "failing": names, **told}, status=503 if names else 200)
