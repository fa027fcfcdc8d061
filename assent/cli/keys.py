"""`assent keys create`: the keys of a new deployment, for several processes; one process makes its own at its first start."""

from __future__ import annotations

import argparse
from pathlib import Path

from assent.cli.command import Command, CommandError, ExitCode
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.key_files import KeyFileError

DEFAULT_FOLDER = Path("assent-data/keys")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("create",), help="make what is missing; what is there stays as it is")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help=f"where (default {DEFAULT_FOLDER})")


def _run(arguments: argparse.Namespace) -> int:
    try:
        arguments.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        DeploymentKeys.load_or_create(arguments.folder)
    except KeyFileError as error:
        raise CommandError(str(error), ExitCode.NO) from error
    except OSError as error:
        raise CommandError(f"{arguments.folder} cannot be written ({error.strerror}); name another folder") from error
    print(f"root secret, signing keys and public keys are in {arguments.folder}; keep a copy of root.secret where only you can reach it")
    return ExitCode.DONE


KEYS = Command(
    name="keys",
    help="make the keys of a new deployment",
    examples=("assent keys create", "assent keys create --folder /srv/assent/keys"),
    add_arguments=_add_arguments,
    run=_run,
)
