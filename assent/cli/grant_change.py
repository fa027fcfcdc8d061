"""What the subject does with a grant that she gave: look at it, take something away, end it; ending takes no more than its secret."""

from __future__ import annotations

import argparse
import json
import os

from assent.cli.api import OPERATOR_TOKEN_FILE, Answer, call, token_from
from assent.cli.command import CommandError, ExitCode
from assent.cli.secret_file import shown_or_saved, writable
from assent.cli.secrets import GRANT_HEADER, grant_secret, has_grant_secret


def show(arguments: argparse.Namespace) -> int:
    """With the grant's secret all of it; with a token of staff what staff may see."""
    print(json.dumps(_shown_to_holder(arguments), indent=2))
    return ExitCode.DONE


def withdraw(arguments: argparse.Namespace) -> int:
    """End it at once. Asking again whether she means it would be one step more than giving it was."""
    if arguments.save is not None:
        writable(arguments.save)
    ended = call(arguments, "POST", f"/v1/grants/{arguments.id}/withdraw", body={"grant_secret": grant_secret(arguments)})
    if arguments.json:
        print(json.dumps(ended))
        return ExitCode.DONE
    erasure = ended["erasure_id"]
    print(f"the grant has ended; since now nobody is shown anything of it. Erasure {erasure}: {arguments.url}/v1/erasures/{erasure}")
    if ended.get("opening"):
        print("Keep what follows; it shows that a receipt is about your grant, and nobody else has it.")
        shown_or_saved(json.dumps(ended["opening"]) + "\n", arguments.save, what="opening")
    print(f"receipts, in a moment: assent receipt fetch {erasure} --url {arguments.url}")
    opening = f" --opening {arguments.save}" if arguments.save is not None and ended.get("opening") else ""
    print(f"then check each: assent receipt verify FILE --key receipts.pem{opening}")
    return ExitCode.DONE


def narrow(arguments: argparse.Namespace) -> int:
    """Take purposes, sources or recipients away from the revision that stands now."""
    if not (arguments.purpose or arguments.source or arguments.recipient):
        raise CommandError("say what to take away: --purpose, --source or --recipient")
    secret = grant_secret(arguments)
    body = {
        "grant_secret": secret,
        "expected_revision": _shown(arguments, secret)["revision"],
        "purposes": arguments.purpose,
        "sources": arguments.source,
        "recipients": arguments.recipient,
    }
    narrowed = call(arguments, "POST", f"/v1/grants/{arguments.id}/narrow", body=body)
    print(f"the grant stands at revision {narrowed['revision']}")
    return ExitCode.DONE


def override(arguments: argparse.Namespace) -> int:
    """Set content rights of one source aside, or none any more."""
    body = {"grant_secret": grant_secret(arguments), "source": arguments.source, "overrides": arguments.signal}
    revised = call(arguments, "POST", f"/v1/grants/{arguments.id}/overrides", body=body)
    aside = ", ".join(arguments.signal) or "nothing"
    print(f"set aside for this source: {aside}; the grant stands at revision {revised['revision']}")
    return ExitCode.DONE


def waiting(arguments: argparse.Namespace) -> int:
    """Addresses that nobody else is told. None of these pictures was loaded."""
    answer = _waiting(arguments, grant_secret(arguments))
    if arguments.json:
        print(json.dumps(answer))
        return ExitCode.DONE
    for image in answer["images"]:
        print(image["url"])
    if not answer["images"]:
        print("nothing waits")
    return ExitCode.DONE


def approve(arguments: argparse.Namespace) -> int:
    """Her yes to one picture; the next visit of the crawler takes it."""
    body = {"grant_secret": grant_secret(arguments), "url": arguments.picture}
    approved = call(arguments, "POST", f"/v1/grants/{arguments.id}/approve", body=body)
    print(f"the picture is one of your sources now; the grant stands at revision {approved['revision']}")
    return ExitCode.DONE


def decline(arguments: argparse.Namespace) -> int:
    """Her no to one picture of the list."""
    secret = grant_secret(arguments)
    named = next((image for image in _waiting(arguments, secret)["images"] if image["url"] == arguments.picture), None)
    if named is None:
        raise CommandError(f"no such picture waits; see them with: assent grant waiting {arguments.id}")
    call(arguments, "POST", f"/v1/grants/{arguments.id}/decline", body={"grant_secret": secret, "sighting_id": named["sighting_id"]})
    print("its address is deleted, and you are not asked about it again")
    return ExitCode.DONE


def _waiting(arguments: argparse.Namespace, secret: str) -> Answer:
    return call(arguments, "POST", f"/v1/grants/{arguments.id}/waiting", body={"grant_secret": secret})


def _shown(arguments: argparse.Namespace, secret: str) -> Answer:
    return call(arguments, "GET", f"/v1/grants/{arguments.id}", headers={GRANT_HEADER: secret})


def _shown_to_holder(arguments: argparse.Namespace) -> Answer:
    has_token = arguments.token_file is not None or os.environ.get("ASSENT_TOKEN") or (arguments.data / OPERATOR_TOKEN_FILE).exists()
    if has_grant_secret(arguments) or not has_token:
        return _shown(arguments, grant_secret(arguments))
    return call(arguments, "GET", f"/v1/grants/{arguments.id}", token=token_from(arguments))
