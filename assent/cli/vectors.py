"""`assent vectors serve`: the embedded vector store for several processes of one machine, behind the calls of a Qdrant server."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import os
import signal
import sys
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry

from assent.cli.api import read_secret
from assent.cli.command import Command, CommandError, ExitCode
from assent.cli.models import DEFAULT_PACK
from assent.faces.manifest import read_manifest
from assent.faces.pack_errors import ModelPackError
from assent.telemetry.health import HealthChecks, mount_health
from assent.vectors.edge import EdgeVectorStore
from assent.vectors.serve import VectorService
from assent.vectors.store import VectorStoreError


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("serve",), help="own the folder and answer until stopped")
    parser.add_argument("--data", type=Path, default=Path("assent-data/vectors"), help="folder of the store (default assent-data/vectors)")
    parser.add_argument("--pack", type=Path, default=DEFAULT_PACK, help=f"the model pack whose vectors are taken (default {DEFAULT_PACK})")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=6333, help="port to listen on (default 6333)")
    parser.add_argument("--api-key-file", type=Path, help="file with the key that callers must send; needed off loopback")


def _run(arguments: argparse.Namespace) -> int:
    key = None if arguments.api_key_file is None else read_secret(arguments.api_key_file, "API key")
    if key is None and not _is_loopback(arguments.host):
        raise CommandError(f"{arguments.host} is not loopback; without a key anybody could read and delete. Give --api-key-file")
    try:
        manifest = read_manifest(arguments.pack)
        store = EdgeVectorStore(arguments.data, dimensions=manifest.recogniser.dimensions, model_digest=manifest.digest)
        service = VectorService(store, dimensions=manifest.recogniser.dimensions, model_digest=manifest.digest, api_key=key)
        return asyncio.run(_serve(arguments, store, service))
    except (ModelPackError, VectorStoreError) as error:
        raise CommandError(str(error), ExitCode.UNAVAILABLE) from error
    except OSError as error:
        where = f"{arguments.host}:{arguments.port}" if error.filename is None else error.filename
        raise CommandError(f"cannot start at {where} ({error.strerror or error})", ExitCode.UNAVAILABLE) from error


async def _serve(arguments: argparse.Namespace, store: EdgeVectorStore, service: VectorService) -> int:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await store.open()
    application = service.application()
    checks = HealthChecks(live={"loop": lambda: True}, ready={"store": lambda: True})
    mount_health(application, checks, CollectorRegistry())
    runner = web.AppRunner(application, access_log=None)
    try:
        await runner.setup()
        await web.TCPSite(runner, arguments.host, arguments.port).start()
        print(f"vectors of {arguments.data} on {arguments.host}:{arguments.port}, process {os.getpid()}", file=sys.stderr, flush=True)
        await stopped.wait()
    finally:
        await runner.cleanup()
        # Closing writes everything out.
        await store.close()
    return ExitCode.DONE


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


VECTORS = Command(
    name="vectors",
    help="serve the embedded vector store to several processes of this machine",
    examples=("assent vectors serve", "assent vectors serve --data /srv/assent/vectors --port 6334"),
    add_arguments=_add_arguments,
    run=_run,
)
