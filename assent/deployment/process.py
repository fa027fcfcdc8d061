"""One service as one process: settings from the environment, health on its own port, a clean end on SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from contextlib import AsyncExitStack

from aiohttp import web
from pydantic import ValidationError

from assent.deployment.build import open_shared
from assent.deployment.garbage import spare_the_tables
from assent.deployment.service_app import RereadingApp, ServedApp, ServiceApp
from assent.deployment.service_settings import ServiceSettings
from assent.deployment.shared import Shared
from assent.deployment.start_errors import START_ERRORS, start_error_line
from assent.identity.auth import VERIFIER
from assent.identity.errors import error_middleware
from assent.identity.privacy_signal import PATH as PRIVACY_STATEMENT
from assent.identity.privacy_signal import privacy_statement
from assent.identity.tokens import TokenVerifier
from assent.telemetry.health import HealthChecks, health_application
from assent.telemetry.logging import configure_logging
from assent.telemetry.metrics import LOG_FIELDS_DROPPED
from assent.telemetry.request_metrics import request_metrics

MAX_BODY_BYTES = 25 * 1024 * 1024


def run_service(name: str, settings_type: type[ServiceSettings], app_type: type[ServiceApp]) -> int:
    """Run until SIGTERM or SIGINT; the exit code. A start that cannot succeed ends in one line."""
    argparse.ArgumentParser(
        prog=f"python -m services.{name}", description=f"The {name} service; settings come from ASSENT_{name.upper()}_* variables."
    ).parse_args()
    try:
        settings = settings_type()
    except ValidationError as error:
        print(f"{name}: {start_error_line(error)}", file=sys.stderr)
        return 2
    configure_logging(name, level=_level(settings))
    try:
        return asyncio.run(_serve(name, settings, app_type))
    except START_ERRORS as error:
        print(f"{name}: {start_error_line(error)}", file=sys.stderr)
        return 3


async def _serve(name: str, settings: ServiceSettings, app_type: type[ServiceApp]) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        shared = await stack.enter_async_context(open_shared(settings, service=name, needs=app_type.NEEDS))
        _log_with(settings, name, shared)
        sparing = asyncio.create_task(spare_the_tables(shared.tables))
        stack.callback(sparing.cancel)
        app = app_type(settings, shared)
        if isinstance(app, RereadingApp):
            loop.add_signal_handler(signal.SIGHUP, app.reread)
        checks = HealthChecks(live={name: lambda: app.is_alive}, ready={name: lambda: app.is_ready}, policy=shared.tables.policy_version)
        health = health_application(checks, shared.metrics.registry)
        await _listen(stack, health, settings.health_host, settings.health_port)
        if not await _started(app, stopped):
            return 0
        stack.push_async_callback(app.stop)
        if isinstance(app, ServedApp):
            await _listen(stack, served_application(shared, app, service=name), *_address(settings))
        ended = {asyncio.create_task(stopped.wait()), asyncio.create_task(app.background.failed.wait())}
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.cancel()
        failure = app.background.failure
        if failure is not None:
            # Before anything is closed: a client that cannot be closed in order must not hide why.
            print(f"{name}: stopped by {type(failure).__name__}: {failure}", file=sys.stderr, flush=True)
    return 0 if failure is None else 1


async def _started(app: ServiceApp, stopped: asyncio.Event) -> bool:
    """Whether it started before it was told to stop: a start may wait for what is away. Raises what keeps it from starting."""
    starting, told = asyncio.create_task(app.start()), asyncio.create_task(stopped.wait())
    await asyncio.wait({starting, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return False
    await starting
    return True


def _log_with(settings: ServiceSettings, name: str, shared: Shared) -> None:
    """From now on what the allow-list withholds is counted."""

    def dropped(count: int) -> None:
        shared.metrics.increase(LOG_FIELDS_DROPPED, count, service=name)

    configure_logging(name, on_dropped=dropped, level=_level(settings))


def _level(settings: ServiceSettings) -> int:
    return logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)


def served_application(shared: Shared, *apps: ServedApp, service: str) -> web.Application:
    """The application of the services that are served, with authentication and errors in one place."""
    application = web.Application(middlewares=[request_metrics(service, shared.metrics), error_middleware], client_max_size=MAX_BODY_BYTES)
    application[VERIFIER] = TokenVerifier(shared.keys.public.token, clock=shared.clock)
    application.router.add_get(PRIVACY_STATEMENT, privacy_statement)
    for app in apps:
        app.mount(application)
    return application


def _address(settings: ServiceSettings) -> tuple[str, int]:
    return str(getattr(settings, "http_host", "127.0.0.1")), int(getattr(settings, "http_port", 0))


async def _listen(stack: AsyncExitStack, application: web.Application, host: str, port: int) -> None:
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, host, port).start()
