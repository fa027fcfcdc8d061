"""`assent policy reload`: the running registry takes its policy file up now, and says what came of it; it opens nothing by itself."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from assent.cli.api import DEFAULT_URL, call, token_from
from assent.cli.command import ExitCode
from assent.policies.stopping import stays_closed
from embedded.known_policy import add_home_arguments

AT = "/v1/policy/reload"


def run_reload(arguments: argparse.Namespace) -> int:
    """Ask, and say which policy is in force. What the registry refuses ends the command with its words."""
    arguments.url = arguments.url or DEFAULT_URL
    told = call(arguments, "POST", AT, token=token_from(arguments))
    if arguments.json:
        print(json.dumps(told, indent=2))
    else:
        said = "published now" if told["is_new"] else f"published {told['published_at']}, and what the file says is no other"
        print(f"policy {told['version']} is in force: {said}{stays_closed(told['version'])}")
    return ExitCode.DONE


def add_reload_arguments(parser: argparse.ArgumentParser) -> None:
    """Whom to ask."""
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.add_argument("--token-file", type=Path, help="file with the token to use (else ASSENT_TOKEN, else the operator's)")
    add_home_arguments(parser)
