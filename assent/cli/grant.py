"""`assent grant`: ask for grants as an operator, answer and end them as their subject; nobody says yes in her place."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from assent.cli.api import JsonObject, add_api_arguments, add_url_argument, call, identifier, token_from
from assent.cli.command import Actions, Command, CommandError, ExitCode, add_parser
from assent.cli.grant_answer import confirm, refuse, renew
from assent.cli.grant_change import approve, decline, narrow, override, show, waiting, withdraw
from assent.cli.grant_reference import reference
from assent.cli.grant_template import grant_template
from assent.cli.secrets import EARLIER_SECRET, EARLIER_SECRET_OPTION, ONE_TIME_SECRET, add_secret_argument
from assent.events.grants import AgeBand, Purpose
from assent.optouts.signal import ContentRight

_ID = "01900000-0000-7000-8000-000000000000"
_AGES = tuple(band.value for band in AgeBand if band is not AgeBand.UNKNOWN)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    template = add_parser(
        actions,
        "template",
        "print a request for one's own photos, to be filled in",
        ("assent grant template > request.json", "assent grant template --residence CA-BC --url-prefix https://example.org/me/"),
    )
    template.add_argument("--residence", default="CA-BC", help="where the subject lives, ISO 3166 (default CA-BC)")
    template.add_argument("--url-prefix", action="append", default=[], help="a folder of a site beside her uploads; may be repeated")
    template.add_argument("--only-me", action="store_true", help="with --url-prefix: she states that nobody else's face is there")
    request = add_parser(
        actions,
        "request",
        "operator: ask a subject for a grant",
        ("assent grant request request.json --birth-year 1980", "assent grant request request.json --residence CA-BC --json"),
    )
    add_api_arguments(request)
    request.add_argument("file", type=Path, help="the request as JSON; without a subject_id a new subject is made")
    request.add_argument("--age-band", choices=_AGES, default=AgeBand.ADULT.value, help="of a new subject (default adult)")
    request.add_argument("--residence", action="append", default=[], help="of a new subject (default: the places in `legal`)")
    request.add_argument("--birth-year", type=int, help="of the subject, where her place asks for more years than the age band says")
    request.add_argument("--json", action="store_true", help="print the answer as JSON; it holds the one-time secret")
    for add in (_add_show, _add_answers, _add_withdraw, _add_renew, _add_narrow, _add_override, _add_waiting, _add_reference):
        add(actions)


def _add_show(actions: Actions) -> None:
    examples = (f"assent grant show {_ID} --secret-file grant.secret", f"assent grant show {_ID} --token-file officer.token")
    action = add_parser(actions, "show", "what is recorded, for its subject or for staff", examples)
    add_api_arguments(action)
    add_secret_argument(action)
    action.add_argument("id", type=identifier, help="number of the grant")


def _add_answers(actions: Actions) -> None:
    for name, what, rest in (
        ("confirm", "subject: read the notice and say yes", " --save grant.secret"),
        ("refuse", "subject: say no", ""),
    ):
        examples = [f"assent grant {name} {_ID}{rest}", f"assent grant {name} {_ID} --one-time-secret-file once.secret{rest}"]
        if name == "confirm":
            examples.append(f"assent grant confirm {_ID} {EARLIER_SECRET_OPTION} grant.secret --save another.secret")
        action = add_parser(actions, name, what, tuple(examples))
        add_url_argument(action)
        action.add_argument("id", type=identifier, help="number of the grant")
        given = f"file with the one-time secret (else {ONE_TIME_SECRET}, else you are asked)"
        action.add_argument("--one-time-secret-file", type=Path, help=given)
        if name == "confirm":
            action.add_argument("--save", type=Path, help="new file for the grant's own secret (default: it is shown once)")
            earlier = f"where you said yes before: file with the secret of any earlier grant of yours (else {EARLIER_SECRET})"
            action.add_argument(EARLIER_SECRET_OPTION, type=Path, help=earlier)


def _add_withdraw(actions: Actions) -> None:
    examples = (f"assent grant withdraw {_ID}", f"assent grant withdraw {_ID} --secret-file grant.secret --save opening.json")
    action = add_parser(actions, "withdraw", "subject: end the grant", examples)
    add_url_argument(action)
    add_secret_argument(action)
    action.add_argument("id", type=identifier, help="number of the grant")
    action.add_argument("--save", type=Path, help="new file for what shows that a receipt is about this grant (default: it is shown once)")
    action.add_argument("--json", action="store_true", help="print the answer as JSON")


def _add_renew(actions: Actions) -> None:
    examples = (f"assent grant renew {_ID}", f"assent grant renew {_ID} --secret-file grant.secret")
    action = add_parser(actions, "renew", "subject: read the terms again and say yes to going on", examples)
    add_url_argument(action)
    add_secret_argument(action)
    action.add_argument("id", type=identifier, help="number of the grant")


def _add_narrow(actions: Actions) -> None:
    examples = (f"assent grant narrow {_ID} --purpose verify", f"assent grant narrow {_ID} --source https://example.org/me/")
    action = add_parser(actions, "narrow", "subject: take something away", examples)
    add_url_argument(action)
    add_secret_argument(action)
    action.add_argument("id", type=identifier, help="number of the grant")
    known = [purpose.value for purpose in Purpose]
    action.add_argument("--purpose", action="append", default=[], choices=known, help="a purpose to take away; may be repeated")
    action.add_argument("--source", action="append", default=[], help="a source to take away, as `show` prints it; may be repeated")
    action.add_argument("--recipient", action="append", default=[], help="a recipient to take away; may be repeated")


def _add_override(actions: Actions) -> None:
    source = "https://example.org/me/"
    plain = f"assent grant override {_ID} --source {source}"
    action = add_parser(
        actions,
        "override",
        "subject: set content rights of one source aside, whose control is shown",
        (f"{plain} --signal tdmrep --signal licence", f"{plain} --none"),
    )
    add_url_argument(action)
    add_secret_argument(action)
    action.add_argument("id", type=identifier, help="number of the grant")
    action.add_argument("--source", required=True, help="the source, as `show` prints it")
    what = action.add_mutually_exclusive_group(required=True)
    known = [right.value for right in ContentRight]
    what.add_argument("--signal", action="append", default=[], choices=known, help="what to set aside; replaces what was; may be repeated")
    what.add_argument("--none", action="store_true", help="set nothing aside any more")


def _add_waiting(actions: Actions) -> None:
    picture = "https://example.org/me/1.jpg"
    for name, what, rest in (
        ("waiting", "subject: pictures that were seen and wait for your word", ""),
        ("approve", "subject: say yes to one picture under a folder of the grant", f" {picture}"),
        ("decline", "subject: say no to a picture that waits; it is not asked again", f" {picture}"),
    ):
        plain = f"assent grant {name} {_ID}{rest}"
        action = add_parser(actions, name, what, (plain, f"{plain} --secret-file grant.secret"))
        add_url_argument(action)
        add_secret_argument(action)
        action.add_argument("id", type=identifier, help="number of the grant")
        if name == "waiting":
            action.add_argument("--json", action="store_true", help="print the answer as JSON")
        else:
            action.add_argument("picture", help="its address, as `waiting` prints it")


def _add_reference(actions: Actions) -> None:
    plain = f"assent grant reference {_ID}"
    examples = (plain, f"{plain} --face FACE --secret-file grant.secret", f"{plain} --take-back")
    action = add_parser(actions, "reference", "subject: which held face is yours; new ones are kept only if they agree with it", examples)
    add_url_argument(action)
    add_secret_argument(action)
    action.add_argument("id", type=identifier, help="number of the grant")
    change = action.add_mutually_exclusive_group()
    change.add_argument("--face", type=identifier, help="confirm this one as yours; without it the held faces are listed")
    change.add_argument("--take-back", action="store_true", help="from now on keep new ones as before you confirmed any")
    action.add_argument("--json", action="store_true", help="print the answer as JSON")


def _run(arguments: argparse.Namespace) -> int:
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "template": _template,
        "request": _request,
        "show": show,
        "confirm": confirm,
        "refuse": refuse,
        "withdraw": withdraw,
        "renew": renew,
        "narrow": narrow,
        "override": override,
        "waiting": waiting,
        "approve": approve,
        "decline": decline,
        "reference": reference,
    }
    return actions[arguments.action](arguments)


def _template(arguments: argparse.Namespace) -> int:
    document = grant_template(arguments.residence, url_prefixes=arguments.url_prefix, is_only_her=arguments.only_me)
    print(json.dumps(document, indent=2))
    return ExitCode.DONE


def _request(arguments: argparse.Namespace) -> int:
    request, token = _read_json(arguments.file), token_from(arguments)
    if arguments.birth_year is not None:
        request["birth_year"] = arguments.birth_year
    if not request.get("subject_id"):
        subject = {"age_band": arguments.age_band, "residences": arguments.residence or _places(request, arguments.file)}
        request["subject_id"] = call(arguments, "POST", "/v1/subjects", token=token, body=subject)["subject_id"]
    asked = call(arguments, "POST", "/v1/grants", token=token, body=request)
    if arguments.json:
        print(json.dumps(asked | {"subject_id": request["subject_id"]}))
        return ExitCode.DONE
    print(f"grant {asked['grant_id']} of subject {request['subject_id']} is requested; only she can give it.")
    print("Hand over to her, and to nobody else:")
    print(f"  {arguments.url}{asked['confirm_path']}")
    print(f"  one-time secret: {asked['one_time_secret']}")
    return ExitCode.DONE


def _places(request: JsonObject, file: Path) -> list[str]:
    legal = request.get("legal")
    entries = legal if isinstance(legal, list) else []
    places = [entry["jurisdiction"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("jurisdiction"), str)]
    if not places:
        raise CommandError(f"{file} names no place in `legal`; begin with: assent grant template, or give --residence")
    return places


def _read_json(path: Path) -> JsonObject:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} is not JSON ({error}); begin with: assent grant template > {path}") from error
    if not isinstance(document, dict):
        raise CommandError(f"{path} is not a JSON object; begin with: assent grant template > {path}")
    return document


GRANT = Command(
    name="grant",
    help="ask for grants, answer them, end them",
    examples=(
        "assent grant template --residence CA-BC > request.json",
        "assent grant request request.json --birth-year 1980",
        f"assent grant confirm {_ID} --one-time-secret-file once.secret --save grant.secret",
        f"assent grant withdraw {_ID} --secret-file grant.secret",
    ),
    add_arguments=_add_arguments,
    run=_run,
)
