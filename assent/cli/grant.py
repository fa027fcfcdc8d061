"""`assent grant`: ask for grants as an operator, answer and end them as their subject; nobody says yes in her place."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from assent.cli.api import JsonObject, add_api_arguments, call, read_secret, token_from
from assent.cli.command import Command, CommandError, ExitCode
from assent.cli.grant_template import grant_template
from assent.cli.secrets import GRANT_HEADER, add_secret_argument, grant_secret

ONE_TIME_SECRET = "ASSENT_ONE_TIME_SECRET"  # noqa: S105  the name of a variable


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    template = actions.add_parser("template", help="print a request for one's own uploads, to be filled in")
    template.add_argument("--residence", default="CA-BC", help="where the subject lives, ISO 3166-2 (default CA-BC)")
    request = actions.add_parser("request", help="operator: ask a subject for a grant")
    add_api_arguments(request)
    request.add_argument("file", type=Path, help="the request as JSON; without a subject_id a new subject is made")
    request.add_argument("--age-band", default="adult", help="of a new subject: adult, minor_14_17, minor_u14")
    for name, what in (("show", "what is recorded"), ("withdraw", "subject: end the grant"), ("narrow", "subject: take something away")):
        action = actions.add_parser(name, help=what)
        add_api_arguments(action)
        add_secret_argument(action)
        action.add_argument("id", help="number of the grant")
        if name == "narrow":
            action.add_argument("--purpose", action="append", default=[], help="a purpose to take away; may be repeated")
            action.add_argument("--source", action="append", default=[], help="a source to take away; may be repeated")
    for name, what in (("confirm", "subject: read the notice and say yes"), ("refuse", "subject: say no")):
        action = actions.add_parser(name, help=what)
        add_api_arguments(action)
        action.add_argument("id", help="number of the grant")
        action.add_argument("--one-time-secret-file", type=Path, help=f"file with the one-time secret (else {ONE_TIME_SECRET})")
        action.add_argument("--save", type=Path, help="with confirm: file for the grant's own secret (default: shown once)")


def _run(arguments: argparse.Namespace) -> int:
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "template": _template,
        "request": _request,
        "show": _show,
        "confirm": _confirm,
        "refuse": _refuse,
        "withdraw": _withdraw,
        "narrow": _narrow,
    }
    return actions[arguments.action](arguments)


def _template(arguments: argparse.Namespace) -> int:
    print(json.dumps(grant_template(arguments.residence), indent=2))
    return ExitCode.DONE


def _request(arguments: argparse.Namespace) -> int:
    request, token = _read_json(arguments.file), token_from(arguments)
    if not request.get("subject_id"):
        places = [basis["jurisdiction"] for basis in request.get("legal", [])]
        subject = {"age_band": arguments.age_band, "residences": places}
        request["subject_id"] = call(arguments, "POST", "/v1/subjects", token=token, body=subject)["subject_id"]
    asked = call(arguments, "POST", "/v1/grants", token=token, body=request)
    print(f"grant {asked['grant_id']} is requested; only its subject can give it. Hand over to her, and to nobody else:")
    print(f"  {arguments.url}{asked['confirm_path']}")
    print(f"  one-time secret: {asked['one_time_secret']}")
    return ExitCode.DONE


def _show(arguments: argparse.Namespace) -> int:
    print(json.dumps(_shown(arguments, grant_secret(arguments)), indent=2))
    return ExitCode.DONE


def _shown(arguments: argparse.Namespace, secret: str) -> JsonObject:
    return call(arguments, "GET", f"/v1/grants/{arguments.id}", headers={GRANT_HEADER: secret})


def _confirm(arguments: argparse.Namespace) -> int:
    """Without any token: a request that carries a staff token is refused, whatever secret it holds."""
    if not sys.stdin.isatty():
        raise CommandError(f"only a person at a terminal can say yes; or answer at {arguments.url}/confirm/{arguments.id}")
    secret = _one_time_secret(arguments)
    notice = (_shown(arguments, secret).get("record") or {}).get("notice", {})
    print(notice.get("text") or f"The notice is at {notice.get('url')}; read it before you answer.")
    if input("Do you agree? Type yes or no: ").strip().lower() != "yes":
        print("Nothing was given. To say no for good: assent grant refuse")
        return ExitCode.NO
    body = {"one_time_secret": secret, "notice_sha256": notice.get("sha256", "")}
    given = call(arguments, "POST", f"/v1/grants/{arguments.id}/confirm", body=body)
    _keep(arguments.save, given["grant_secret"])
    return ExitCode.DONE


def _refuse(arguments: argparse.Namespace) -> int:
    call(arguments, "POST", f"/v1/grants/{arguments.id}/refuse", body={"one_time_secret": _one_time_secret(arguments)})
    print("You said no. What was asked for is deleted.")
    return ExitCode.DONE


def _withdraw(arguments: argparse.Namespace) -> int:
    ended = call(arguments, "POST", f"/v1/grants/{arguments.id}/withdraw", body={"grant_secret": grant_secret(arguments)})
    print(f"the grant has ended; since now nobody is shown anything of it. Erasure {ended['erasure_id']}")
    if ended.get("opening"):
        print(f"keep this line, it shows that a receipt is about your grant: {ended['opening']['grant_id']} {ended['opening']['salt']}")
    print(f"receipts, in a moment: assent receipt fetch {ended['erasure_id']} --url {arguments.url}")
    return ExitCode.DONE


def _narrow(arguments: argparse.Namespace) -> int:
    secret = grant_secret(arguments)
    if not arguments.purpose and not arguments.source:
        raise CommandError("say what to take away: --purpose or --source")
    body = {
        "grant_secret": secret,
        "expected_revision": _shown(arguments, secret)["revision"],
        "purposes": arguments.purpose,
        "sources": arguments.source,
    }
    narrowed = call(arguments, "POST", f"/v1/grants/{arguments.id}/narrow", body=body)
    print(f"the grant stands at revision {narrowed['revision']}")
    return ExitCode.DONE


def _one_time_secret(arguments: argparse.Namespace) -> str:
    if arguments.one_time_secret_file is not None:
        return read_secret(arguments.one_time_secret_file, "one-time secret")
    if os.environ.get(ONE_TIME_SECRET):
        return os.environ[ONE_TIME_SECRET]
    raise CommandError(f"the one-time secret is needed; name a file with --one-time-secret-file, or set {ONE_TIME_SECRET}")


def _keep(path: Path | None, secret: str) -> None:
    if path is None:
        print(f"Keep this secret; it is shown once: {secret}")
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        print(f"{path} cannot be written ({error.strerror}). Keep this secret; it is shown once: {secret}")
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{secret}\n")
    print(f"The grant is given; its secret is in {path}. Whoever holds it can use and end the grant.")


def _read_json(path: Path) -> JsonObject:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise CommandError(f"{path} is not JSON ({error}); begin with: assent grant template > {path}") from error
    if not isinstance(document, dict):
        raise CommandError(f"{path} is not a JSON object; begin with: assent grant template > {path}")
    return document


GRANT = Command(
    name="grant",
    help="ask for grants, answer them, end them",
    examples=(
        "assent grant template --residence CA-BC > request.json",
        "assent grant request request.json",
        "assent grant confirm 01900000-0000-7000-8000-000000000000 --one-time-secret-file once.secret --save grant.secret",
        "assent grant withdraw 01900000-0000-7000-8000-000000000000 --secret-file grant.secret",
    ),
    add_arguments=_add_arguments,
    run=_run,
)
