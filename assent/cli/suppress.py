"""`assent suppress`: a picture or an address that must not come back; the picture is sent to be named, and is not kept."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from assent.cli.api import JsonObject, add_api_arguments, call, token_from
from assent.cli.command import Command, CommandError, ExitCode


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_api_arguments(parser)
    parser.add_argument("what", nargs="+", metavar="FILE|URL", help="pictures, or addresses with http:// or https://")
    parser.add_argument("--json", action="store_true", help="print the answers as JSON")


def _run(arguments: argparse.Namespace) -> int:
    token = token_from(arguments)
    # All are read before the first is sent, so that a file that is not there leaves nothing half done.
    asked = [(what, None if _is_address(what) else _picture(Path(what))) for what in arguments.what]
    answers: list[JsonObject] = []
    for what, picture in asked:
        if picture is None:
            added = call(arguments, "POST", "/v1/suppressions/urls", token=token, body={"url": what})
        else:
            added = call(arguments, "POST", "/v1/suppressions/images", token=token, image=picture)
        answers.append(added)
        if not arguments.json:
            print(f"{what}: {_said(is_address=picture is None, finds_copies=added['finds_copies'])}")
    if arguments.json:
        print(json.dumps({"suppressed": answers}))
    return ExitCode.DONE


def _said(*, is_address: bool, finds_copies: bool) -> str:
    if is_address:
        return "nothing is fetched from there again; the same picture elsewhere is not affected"
    if finds_copies:
        return "refused from now on, smaller and recompressed copies too; what is held of it is told to nobody and goes"
    return "refused from now on, these very bytes alone, for they cannot be read as a picture; what is held of it goes"


def _is_address(what: str) -> bool:
    return what.startswith(("http://", "https://"))


def _picture(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read ({error.strerror}); name a picture, or an address with http:// or https://") from error


SUPPRESS = Command(
    name="suppress",
    help="staff: a picture or an address that must never come back, with or without a grant",
    examples=("assent suppress objected.jpg", "assent suppress https://site.example/ada/1.jpg"),
    add_arguments=_add_arguments,
    run=_run,
)
