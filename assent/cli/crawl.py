"""`assent crawl`: a round over the targets of live grants now."""

from __future__ import annotations

import argparse
import json

from assent.cli.api import add_api_arguments, call, token_from
from assent.cli.command import Command, ExitCode

ROUND_TIMEOUT_S = 900
"""A round waits for the one that runs, and keeps a pause between two requests to one host."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_api_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")


def _run(arguments: argparse.Namespace) -> int:
    done = call(arguments, "POST", "/v1/crawls", token=token_from(arguments), timeout_s=ROUND_TIMEOUT_S)
    if arguments.json:
        print(json.dumps(done))
        return ExitCode.DONE
    refused = ", ".join(f"{count} {outcome}" for outcome, count in sorted(done["refused"].items())) or "none"
    print(f"{done['pages']} pages read, {done['scraped']} images taken, {done['unchanged']} unchanged")
    print(f"refused: {refused}; {done['never_fetched']} images were never asked for")
    return ExitCode.DONE


CRAWL = Command(
    name="crawl",
    help="visit the places that live grants name, now",
    examples=("assent crawl", "assent crawl --url http://127.0.0.1:8083 --token-file operator.token --json"),
    add_arguments=_add_arguments,
    run=_run,
)
