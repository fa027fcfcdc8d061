"""The subject's answer to a request: the notice first, then her typed word; no token travels with it, and nothing answers for her."""

from __future__ import annotations

import argparse
import sys

from assent.cli.api import Answer, JsonObject, RefusedError, call
from assent.cli.command import CommandError, ExitCode
from assent.cli.secret_file import shown_or_saved, writable
from assent.cli.secrets import EARLIER_SECRET, EARLIER_SECRET_OPTION, GRANT_HEADER, earlier_secret, grant_secret, one_time_secret

REQUESTED = "requested"
NOT_HER = "not_signed_in_as_her"


def confirm(arguments: argparse.Namespace) -> int:
    """Without any token: a request that carries a staff token is refused, whatever secret it holds."""
    if not sys.stdin.isatty():
        raise CommandError(f"only a person at a terminal can say yes; or answer at {arguments.url}/confirm/{arguments.id}")
    if arguments.save is not None:
        writable(arguments.save)
    secret, earlier = one_time_secret(arguments), earlier_secret(arguments)
    notice = _notice(arguments, secret)
    print(_readable(str(notice["text"])) if notice.get("text") else f"The notice is at {notice.get('url')}; read it before you answer.")
    if input("Do you agree? Type yes or no: ").strip().lower() != "yes":
        print(f"Nothing was given. To say no for good: assent grant refuse {arguments.id}")
        return ExitCode.NO
    given = _given(arguments, {"one_time_secret": secret, "notice_sha256": notice["sha256"]}, earlier)
    print("The grant is given. Whoever holds its secret can use and end it.")
    shown_or_saved(f"{given['grant_secret']}\n", arguments.save, what="secret of the grant")
    return ExitCode.DONE


def renew(arguments: argparse.Namespace) -> int:
    """Her new yes to a grant that would end: the terms first, as they were made for this very moment."""
    if not sys.stdin.isatty():
        raise CommandError(f"only a person at a terminal can say yes; or renew on your page: {arguments.url}/me")
    secret = {GRANT_HEADER: grant_secret(arguments)}
    path = f"/v1/grants/{arguments.id}/renewal"
    offer = call(arguments, "GET", path, headers=secret)
    print(_readable(str(offer["notice"])))
    if input("Do you agree again? Type yes or no: ").strip().lower() != "yes":
        print("Nothing was renewed. The grant ends as you agreed before.")
        return ExitCode.NO
    body = {
        "begins_at": offer["begins_at"],
        "notice_sha256": offer["notice_sha256"],
        "expected_revision": offer["revision"],
    }
    renewed = call(arguments, "POST", path, headers=secret, body=body)
    print(f"the grant is renewed until {renewed['expires_at']}; it stands at revision {renewed['revision']}")
    return ExitCode.DONE


def refuse(arguments: argparse.Namespace) -> int:
    """Her no."""
    call(arguments, "POST", f"/v1/grants/{arguments.id}/refuse", body={"one_time_secret": one_time_secret(arguments)})
    print("You said no. What was asked for is deleted.")
    return ExitCode.DONE


def _given(arguments: argparse.Namespace, body: JsonObject, earlier: str | None) -> Answer:
    headers = None if earlier is None else {GRANT_HEADER: earlier}
    try:
        return call(arguments, "POST", f"/v1/grants/{arguments.id}/confirm", body=body, headers=headers)
    except RefusedError as error:
        if error.details.get("code") != NOT_HER:
            raise
        wrong = "" if earlier is None else "; what was given is the secret of none of them"
        said = f"you said yes before: show that it is you with the secret of an earlier grant of yours{wrong}"
        raise CommandError(f"{said}. Name its file with {EARLIER_SECRET_OPTION}, or set {EARLIER_SECRET}", ExitCode.REFUSED) from error


def _notice(arguments: argparse.Namespace, secret: str) -> JsonObject:
    shown = call(arguments, "GET", f"/v1/grants/{arguments.id}", headers={GRANT_HEADER: secret})
    notice = (shown.get("record") or {}).get("notice")
    if shown["state"] != REQUESTED or notice is None:
        raise CommandError(f"this grant waits for no answer: it is {shown['state']}. Saying yes again is a new grant", ExitCode.REFUSED)
    found: JsonObject = notice
    return found


def _readable(text: str) -> str:
    """Without control characters: a terminal would obey them, and they could hide a line of what she agrees to."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")
