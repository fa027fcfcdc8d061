"""`assent token` and `assent login-code`: what an operator hands out; none of it reaches into a grant."""

from __future__ import annotations

import argparse
import math

from assent.cli.api import JsonObject, add_api_arguments, call, token_from
from assent.cli.command import Command, ExitCode
from assent.events.grants import Purpose
from assent.identity.principal import Role

_ROLES = tuple(role.value for role in Role if role is not Role.SUBJECT)
"""A subject's token is made from her own secret only."""


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
