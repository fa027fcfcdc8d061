"""The process behind `assent vectors serve`: owns one Edge folder until it is told to stop, and writes everything out before it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry

from assent.cli.command import CommandError, ExitCode
from assent.faces.manifest import read_manifest
from assent.faces.pack_errors import ModelPackError
from assent.telemetry.health import HealthChecks, mount_health
from assent.vectors.edge import EdgeVectorStore
from assent.vectors.serve import VectorService
from assent.vectors.store import VectorStoreError


def serve(*, data: Path, pack: Path, host: str, port: int, api_key: str | None) -> ExitCode:
    """Answer until SIGTERM or SIGINT. Raises CommandError when it cannot start."""
    try:
        manifest = read_manifest(pack)
        dimensions, digest = manifest.recogniser.dimensions, manifest.digest
        # Before the folder is touched: a start that can reach nobody must not hold it, not even for a moment.
        with _listen(host, port) as listener:
            store = EdgeVectorStore(data, dimensions=dimensions, model_digest=digest)
            service = VectorService(store, dimensions=dimensions, model_digest=digest, api_key=api_key)
            asyncio.run(_serve(store, service.application(), listener, data))
    except (ModelPackError, VectorStoreError) as error:
        raise CommandError(str(error), ExitCode.UNAVAILABLE) from error
    except OSError as error:
        raise CommandError(f"{data} cannot be used ({error.strerror or error}); name another with --data", ExitCode.UNAVAILABLE) from error
    return ExitCode.DONE


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise CommandError(
            f"cannot listen on {host}:{port} ({error.strerror}); stop what listens there, or choose another --port", ExitCode.UNAVAILABLE
        ) from error


async def _serve(store: EdgeVectorStore, application: web.Application, listener: socket.socket, data: Path) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await store.open()
    checks = HealthChecks(live={"loop": lambda: True}, ready={"store": lambda: True})
    mount_health(application, checks, CollectorRegistry())
    runner = web.AppRunner(application, access_log=None)
    try:
        await runner.setup()
        await web.SockSite(runner, listener).start()
        host, port = listener.getsockname()[:2]
        print(f"vectors of {data} on {host}:{port}, process {os.getpid()}", file=sys.stderr, flush=True)
        await stopped.wait()
    finally:
        await runner.cleanup()
        # Closing writes everything out.
        await store.close()
