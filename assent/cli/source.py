"""`assent source`: show that a controller controls the folders its grants name, see until when, and end it; it reaches into no grant."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime

from assent.cli.api import Answer, RefusedError, add_api_arguments, call, identifier, token_from
from assent.cli.command import Actions, Command, CommandError, ExitCode, add_parser

_AT = "/v1/control-proofs"
_ID = "01900000-0000-7000-8000-000000000000"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    prove = add_parser(
        actions,
        "prove",
        "tell the line that the host must serve or its zone must hold, or take the proof when it does; also to renew",
        (
            "assent source prove https://example.org/ --controller museum",
            "assent source prove https://example.org/staff/ --by dns",
        ),
    )
    add_api_arguments(prove)
    prove.add_argument("place", help="a host, or a folder on it, over https")
    prove.add_argument("--controller", help="id of the controller, as its grants name it (default: the organisation of the token)")
    prove.add_argument(
        "--by",
        choices=("file", "dns"),
        help="a file of the host, or a TXT record of exactly its name (default: as it was shown last, else the file)",
    )
    prove.add_argument("--json", action="store_true", help="print the proof as JSON")
    _add_list(actions)
    revoke = add_parser(
        actions,
        "revoke",
        "end a proof; pictures of its folders wait for their subjects again",
        (f"assent source revoke {_ID}", f"assent source revoke {_ID} --token-file staff.token"),
    )
    add_api_arguments(revoke)
    revoke.add_argument("id", type=identifier, help="number of the proof")


def _add_list(actions: Actions) -> None:
    action = add_parser(actions, "list", "every proof, and until when it counts", ("assent source list", "assent source list --json"))
    add_api_arguments(action)
    action.add_argument("--json", action="store_true", help="print the proofs as JSON")


def _run(arguments: argparse.Namespace) -> int:
    actions = {"prove": _prove, "list": _list, "revoke": _revoke}
    return actions[arguments.action](arguments)


def _prove(arguments: argparse.Namespace) -> int:
    token = token_from(arguments)
    body = {"place": arguments.place, **({"controller": arguments.controller} if arguments.controller else {})}
    asked = call(arguments, "POST", _AT, token=token, body=body)
    try:
        by = f"?by={arguments.by}" if arguments.by else ""
        proof = call(arguments, "POST", f"{_AT}/{asked['proof_id']}/check{by}", token=token)
    except RefusedError as error:
        if error.details.get("code") != "control_not_shown":
            raise
        raise CommandError(f"{error.details.get('message', '')} {_what_to_do(asked, arguments.by)}", ExitCode.REFUSED) from error
    if arguments.json:
        print(json.dumps(proof))
        return ExitCode.DONE
    until = str(proof["ends_at"])[:10]
    print(f"{proof['controller']} controls {proof['place']}, shown by {_how(proof)} until {until}; run this again before then")
    return ExitCode.DONE


def _how(proof: Answer) -> str:
    if proof["shown_by"] == "file":
        return "its file"
    return "its record, with DNSSEC" if proof["is_validated"] else "its record, without DNSSEC"


def _what_to_do(asked: Answer, by: str | None) -> str:
    if (by or asked["shown_by"]) == "dns":
        return f"Set this TXT record at {asked['record_name']}, beside others if there are: {asked['line']} and run this again"
    return f"Serve {asked['file_url']} as text/plain with this line, beside others if there are: {asked['line']} and run this again"


def _list(arguments: argparse.Namespace) -> int:
    answer = call(arguments, "GET", _AT, token=token_from(arguments))
    if arguments.json:
        print(json.dumps(answer))
        return ExitCode.DONE
    for one in answer["proofs"]:
        print(f"{one['proof_id']}  {one['controller']}  {one['place']}  {_standing(one)}{_last_look(one)}")
    if not answer["proofs"]:
        print("nobody has asked for a proof; begin with: assent source prove https://HOST/")
    return ExitCode.DONE


def _standing(one: Answer) -> str:
    if one["revoked_at"] is not None:
        return f"revoked {one['revoked_at'][:10]}"
    if one["ends_at"] is None:
        return "not shown yet"
    left = datetime.fromisoformat(one["ends_at"]) - datetime.now(UTC)
    days = f"{left.days} days left" if left.total_seconds() > 0 else "RUN OUT"
    return f"shown by {_how(one)} until {one['ends_at'][:10]} ({days})"


def _last_look(one: Answer) -> str:
    """What the last look came to, where it was not the line: nobody hears of it otherwise."""
    if one["revoked_at"] is not None or one["look_found"] in (None, "shown"):
        return ""
    return f"; the look of {one['looked_at'][:10]} did not show it: {one['look_found']}"


def _revoke(arguments: argparse.Namespace) -> int:
    proof = call(arguments, "POST", f"{_AT}/{arguments.id}/revoke", token=token_from(arguments))
    print(f"the proof of {proof['place']} counts no more; what was taken under it stays, new pictures wait for their subjects")
    return ExitCode.DONE


SOURCE = Command(
    name="source",
    help="staff: show that a controller controls the folders its grants name",
    examples=(
        "assent source prove https://example.org/ --controller museum",
        "assent source prove https://example.org/ --by dns",
        "assent source list",
        f"assent source revoke {_ID}",
    ),
    add_arguments=_add_arguments,
    run=_run,
)
