"""`assent up`: every service on this machine, until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import logging
import signal
import sys
from pathlib import Path

from assent.cli.command import Command, CommandError, ExitCode
from assent.deployment.start_errors import START_ERRORS, start_error_line
from assent.telemetry.logging import configure_logging
from embedded.layout import EmbeddedLayout
from embedded.system import EmbeddedSystem, open_system

FAILED = ExitCode.NO


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=Path("assent-data"), help="folder for all state (default ./assent-data)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; loopback only")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on (default 8080)")
    parser.add_argument("--policy", type=Path, help="policy file (YAML); the shipped one when left out")


def _run(arguments: argparse.Namespace) -> int:
    check_loopback(arguments.host)
    configure_logging("assent", level=logging.WARNING)
    changes = {"registry": {"policy_file": arguments.policy}} if arguments.policy else {}
    layout = EmbeddedLayout(arguments.data, changes=changes)
    try:
        return asyncio.run(_serve(layout, arguments.host, arguments.port))
    except START_ERRORS as error:
        raise CommandError(start_error_line(error), ExitCode.UNAVAILABLE) from error


async def _serve(layout: EmbeddedLayout, host: str, port: int) -> int:
    async with open_system(layout, host=host, port=port, progress=_say) as system:
        # Listened for before the line that says how to stop: who reads it may act on it at once.
        asked = stop_asked()
        _say(f"Assent is up on {system.url}")
        _say(f"The operator's token of the first start is in {layout.operator_token}; stop with Ctrl-C")
        await until_stopped(system, asked)
        failure = system.failure()
    if failure is not None:
        _say(f"assent up: stopped by {type(failure).__name__}: {start_error_line(failure)}")
        return FAILED
    return ExitCode.DONE


def stop_asked() -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT from now on."""
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    return asked


async def until_stopped(system: EmbeddedSystem, asked: asyncio.Event) -> None:
    """Return when `asked` is set, or when a service failed."""
    waiting = [asyncio.create_task(asked.wait())]
    waiting += [asyncio.create_task(app.background.failed.wait()) for app in system.apps.values()]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


def check_loopback(host: str) -> None:
    """Raise CommandError unless the address is loopback: there is no TLS here."""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise CommandError(f"{host} is not loopback; one process has no TLS. Put a proxy with TLS in front and keep 127.0.0.1")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


UP = Command(
    name="up",
    help="start every service on this machine, in one process",
    examples=("assent up", "assent up --data /srv/assent --port 8090", "assent up --policy my-policy.yaml"),
    add_arguments=_add_arguments,
    run=_run,
)
