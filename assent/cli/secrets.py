"""Secrets of a subject for a command: from a file, the environment or the keyboard; never from the command line, where others see it."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path

from assent.cli.api import call, read_secret, token_from
from assent.cli.command import CommandError

GRANT_SECRET = "ASSENT_GRANT_SECRET"  # noqa: S105  the name of a variable
GRANT_HEADER = "Assent-Grant-Secret"


def add_secret_argument(parser: argparse.ArgumentParser) -> None:
    """Where the secret of a grant is read from."""
    parser.add_argument("--secret-file", type=Path, help=f"file with the grant's secret (else {GRANT_SECRET}, else you are asked)")


def grant_secret(arguments: argparse.Namespace) -> str:
    """The secret of the grant. Raises CommandError where none is given and nobody can be asked."""
    if arguments.secret_file is not None:
        return read_secret(arguments.secret_file, "secret")
    if os.environ.get(GRANT_SECRET):
        return os.environ[GRANT_SECRET]
    if not sys.stdin.isatty():
        raise CommandError(f"the grant's secret is needed; name a file with --secret-file, or set {GRANT_SECRET}")
    return getpass.getpass("Secret of the grant: ").strip()


def asker_token(arguments: argparse.Namespace) -> str:
    """The token of whoever looks: her session where a grant is named with its secret, else a token that was given."""
    has_secret = arguments.secret_file is not None or bool(os.environ.get(GRANT_SECRET))
    if arguments.grant and (has_secret or (arguments.token_file is None and not os.environ.get("ASSENT_TOKEN"))):
        body = {"grant_secret": grant_secret(arguments)}
        return str(call(arguments, "POST", f"/v1/grants/{arguments.grant}/session", body=body)["token"])
    return token_from(arguments)
