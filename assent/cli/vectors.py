"""`assent vectors serve`: the embedded vector store for several processes of one machine, behind the calls of a Qdrant server."""

from __future__ import annotations

import argparse
import ipaddress
from pathlib import Path

from assent.cli.api import read_secret
from assent.cli.command import Command, CommandError, port_number
from assent.cli.models import DEFAULT_PACK


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("serve",), help="own the folder and answer until stopped")
    parser.add_argument("--data", type=Path, default=Path("assent-data/vectors"), help="folder of the store (default assent-data/vectors)")
    parser.add_argument("--pack", type=Path, default=DEFAULT_PACK, help=f"the model pack whose vectors are taken (default {DEFAULT_PACK})")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=port_number, default=6333, help="port to listen on; 0 takes a free one (default 6333)")
    parser.add_argument("--api-key-file", type=Path, help="file with the key that callers must send; needed off loopback")


def _run(arguments: argparse.Namespace) -> int:
    key = None if arguments.api_key_file is None else read_secret(arguments.api_key_file, "API key")
    if key is None and not _is_loopback(arguments.host):
        raise CommandError(f"{arguments.host} is not loopback; without a key anybody could read and delete. Give --api-key-file")
    # Here: it brings Qdrant's engine and client, for which every other subcommand would wait.
    from assent.cli.vector_server import serve

    return serve(data=arguments.data, pack=arguments.pack, host=arguments.host, port=arguments.port, api_key=key)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


VECTORS = Command(
    name="vectors",
    help="serve the embedded vector store to several processes of this machine",
    examples=("assent vectors serve", "assent vectors serve --data /srv/assent/vectors --pack /srv/assent/model --port 6334"),
    add_arguments=_add_arguments,
    run=_run,
)
