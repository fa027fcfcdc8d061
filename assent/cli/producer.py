"""`assent producer`: register an outside producer, see who is suspended, suspend and resume; none of it reaches into a grant."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from assent.cli.api import add_api_arguments, call, identifier, token_from
from assent.cli.command import Command, CommandError, ExitCode

_ACTIONS = ("register", "list", "suspend", "resume")
_PUBLIC_KEY_REMEDY = "make one with: openssl genpkey -algorithm ed25519 -out own.key && openssl pkey -in own.key -pubout -out own.pub"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_api_arguments(parser)
    parser.add_argument("action", choices=_ACTIONS, help="record its key; say who is suspended; set aside what it sends; take it again")
    parser.add_argument("name", type=identifier, nargs="?", help="2 to 63 lower-case letters, digits and hyphens")
    parser.add_argument("--public-key-file", type=Path, help="Ed25519 public key (PEM), to register")
    parser.add_argument("--json", action="store_true", help="print the standing as JSON")


def _run(arguments: argparse.Namespace) -> int:
    if arguments.action == "list":
        return _list(arguments)
    if arguments.name is None:
        raise CommandError(f"which producer? Name it: assent producer {arguments.action} NAME")
    if arguments.action == "register":
        return _register(arguments)
    standing = call(arguments, "POST", f"/v1/producers/{arguments.name}/{arguments.action}", token=token_from(arguments))
    if arguments.json:
        print(json.dumps(standing))
    elif arguments.action == "suspend":
        print(f"producer {arguments.name} is suspended; what it sends is set aside until: assent producer resume {arguments.name}")
    else:
        print(f"producer {arguments.name} may send again; what was set aside and still lives comes back with:")
        print("    assent dlq replay images.scraped --cause producer_suspended")
    return ExitCode.DONE


def _list(arguments: argparse.Namespace) -> int:
    if arguments.name is not None:
        raise CommandError("list names every producer; leave the name away")
    answer = call(arguments, "GET", "/v1/producers", token=token_from(arguments))
    if arguments.json:
        print(json.dumps(answer))
        return ExitCode.DONE
    for one in answer["producers"]:
        print(f"{one['producer_id']:<24}" + (f"suspended since {one['since'][:19]}, {one['reason']}" if one["is_suspended"] else "sends"))
    if not answer["producers"]:
        print("no producer is registered")
    return ExitCode.DONE


def _register(arguments: argparse.Namespace) -> int:
    if arguments.public_key_file is None:
        raise CommandError("to register a producer its public key is needed; name it with --public-key-file")
    body = {"producer_id": arguments.name, "public_key": _public_key(arguments.public_key_file)}
    call(arguments, "POST", "/v1/producers", token=token_from(arguments), body=body)
    print(f"producer {arguments.name} is registered; give it a token: assent token --name {arguments.name} --org ORG --role producer ...")
    return ExitCode.DONE


def _public_key(path: Path) -> str:
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CommandError(f"{path} is no PEM public key; {_PUBLIC_KEY_REMEDY}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise CommandError(f"{path} is not an Ed25519 key; {_PUBLIC_KEY_REMEDY}")
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


PRODUCER = Command(
    name="producer",
    help="operator: register, suspend and resume outside producers",
    examples=(
        "assent producer register agency --public-key-file agency.pub",
        "assent producer list",
        "assent producer suspend agency",
        "assent producer resume agency --url http://127.0.0.1:8081",
    ),
    add_arguments=_add_arguments,
    run=_run,
)
