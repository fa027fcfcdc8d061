"""Secrets of a subject for a command: from a file, the environment or the keyboard; never from the command line, where others see it."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path

from assent.cli.api import call, identifier, read_secret, token_from
from assent.cli.command import CommandError

GRANT_SECRET = "ASSENT_GRANT_SECRET"  # noqa: S105  the name of a variable
ONE_TIME_SECRET = "ASSENT_ONE_TIME_SECRET"  # noqa: S105  the name of a variable
EARLIER_SECRET = "ASSENT_EARLIER_GRANT_SECRET"  # noqa: S105  the name of a variable
EARLIER_SECRET_OPTION = "--earlier-secret-file"  # noqa: S105  the name of an option
GRANT_HEADER = "Assent-Grant-Secret"


def add_secret_argument(parser: argparse.ArgumentParser) -> None:
    """Where the secret of a grant is read from."""
    parser.add_argument("--secret-file", type=Path, help=f"file with the grant's secret (else {GRANT_SECRET}, else you are asked)")


def add_asker_arguments(parser: argparse.ArgumentParser, *, is_grant_needed: bool = False) -> None:
    """Which of her grants signs her in."""
    parser.add_argument("--grant", type=identifier, required=is_grant_needed, help="number of one of your grants: its secret signs you in")
    add_secret_argument(parser)


def grant_secret(arguments: argparse.Namespace) -> str:
    """The secret of the grant. Raises CommandError where none is given and nobody can be asked."""
    return _secret(arguments.secret_file, GRANT_SECRET, "grant's secret", "--secret-file")


def one_time_secret(arguments: argparse.Namespace) -> str:
    """The secret that answers a request once. Raises CommandError where none is given and nobody can be asked."""
    return _secret(arguments.one_time_secret_file, ONE_TIME_SECRET, "one-time secret", "--one-time-secret-file")


def earlier_secret(arguments: argparse.Namespace) -> str | None:
    """The secret of a grant that she gave before, or None: her first yes needs none, so nobody is asked."""
    if arguments.earlier_secret_file is not None:
        return read_secret(arguments.earlier_secret_file, "earlier grant's secret")
    return os.environ.get(EARLIER_SECRET) or None


def has_grant_secret(arguments: argparse.Namespace) -> bool:
    """Whether the grant's secret was given, so that nobody needs to be asked."""
    return arguments.secret_file is not None or bool(os.environ.get(GRANT_SECRET))


def asker_token(arguments: argparse.Namespace) -> str:
    """The token of whoever looks: her session where a grant is named with its secret, else a token that was given."""
    has_token = arguments.token_file is not None or bool(os.environ.get("ASSENT_TOKEN"))
    if arguments.grant and (has_grant_secret(arguments) or not has_token):
        return session_token(arguments, grant_secret(arguments))
    return token_from(arguments)


def session_token(arguments: argparse.Namespace, secret: str) -> str:
    """A token of one hour for the subject of `arguments.grant`."""
    return str(call(arguments, "POST", f"/v1/grants/{arguments.grant}/session", body={"grant_secret": secret})["token"])


def _secret(file: Path | None, variable: str, what: str, option: str) -> str:
    if file is not None:
        return read_secret(file, what)
    if os.environ.get(variable):
        return os.environ[variable]
    if not sys.stdin.isatty():
        raise CommandError(f"the {what} is needed; name a file with {option}, or set {variable}")
    return getpass.getpass(f"{what.capitalize()} (not shown): ").strip()
