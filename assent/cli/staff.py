"""`assent token`, `assent login-code` and `assent producer`: what an operator hands out; none of it reaches into a grant."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from assent.cli.api import JsonObject, add_api_arguments, call, identifier, token_from
from assent.cli.command import Command, CommandError, ExitCode
from assent.events.grants import Purpose
from assent.identity.principal import Role

_ROLES = tuple(role.value for role in Role if role is not Role.SUBJECT)
"""A subject's token is made from her own secret only."""

_PUBLIC_KEY_REMEDY = "make one with: openssl genpkey -algorithm ed25519 -out own.key && openssl pkey -in own.key -pubout -out own.pub"


def _add_principal(parser: argparse.ArgumentParser) -> None:
    add_api_arguments(parser)
    parser.add_argument("--name", required=True, help="whom it is for")
    parser.add_argument("--org", required=True, help="on whose behalf")
    parser.add_argument("--role", action="append", required=True, choices=_ROLES, help="what it may do; may be repeated")
    parser.add_argument("--jurisdiction", action="append", default=[], help="where the caller is; a searcher needs one")
    parser.add_argument("--purpose", action="append", default=[], choices=list(Purpose), help="what a searcher may ask for")
    parser.add_argument("--producer", help="the producer's name, with --role producer")


def _add_token_arguments(parser: argparse.ArgumentParser) -> None:
    _add_principal(parser)
    parser.add_argument("--hours", type=_hours, default=24, help="how long it lives (default 24)")


def _hours(text: str) -> float:
    hours = float(text)
    if not (math.isfinite(hours) and hours > 0):
        raise argparse.ArgumentTypeError(f"{text} is not a number of hours")
    return hours


def _principal(arguments: argparse.Namespace) -> JsonObject:
    body: JsonObject = {
        "name": arguments.name,
        "org": arguments.org,
        "roles": arguments.role,
        "jurisdictions": arguments.jurisdiction,
        "purposes": arguments.purpose,
    }
    return body | ({"producer_id": arguments.producer} if arguments.producer else {})


def _token(arguments: argparse.Namespace) -> int:
    body = _principal(arguments) | {"lifetime_s": round(arguments.hours * 3600)}
    print(call(arguments, "POST", "/v1/tokens", token=token_from(arguments), body=body)["token"])
    return ExitCode.DONE


def _login_code(arguments: argparse.Namespace) -> int:
    code = call(arguments, "POST", "/v1/login-codes", token=token_from(arguments), body=_principal(arguments))["code"]
    print(f"{arguments.url}/login?code={code}")
    return ExitCode.DONE


def _add_producer_arguments(parser: argparse.ArgumentParser) -> None:
    add_api_arguments(parser)
    parser.add_argument("action", choices=("register",), help="record the producer's public key")
    parser.add_argument("name", type=identifier, help="2 to 63 lower-case letters, digits and hyphens")
    parser.add_argument("--public-key-file", type=Path, required=True, help="Ed25519 public key (PEM)")


def _producer(arguments: argparse.Namespace) -> int:
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


TOKEN = Command(
    name="token",
    help="operator: mint a token",
    examples=(
        "assent token --name anna --org agency --role searcher --jurisdiction US-IL --purpose gallery_search > searcher.token",
        "assent token --name feed --org agency --role producer --producer agency --hours 720 > producer.token",
    ),
    add_arguments=_add_token_arguments,
    run=_token,
)
LOGIN_CODE = Command(
    name="login-code",
    help="operator: a link that signs somebody in to the console once",
    examples=(
        "assent login-code --name anna --org agency --role operator",
        "assent login-code --name ben --org agency --role auditor --token-file operator.token",
    ),
    add_arguments=_add_principal,
    run=_login_code,
)
PRODUCER = Command(
    name="producer",
    help="operator: register an outside producer",
    examples=(
        "assent producer register agency --public-key-file agency.pub",
        "assent producer register agency --public-key-file agency.pub --url http://127.0.0.1:8081",
    ),
    add_arguments=_add_producer_arguments,
    run=_producer,
)
