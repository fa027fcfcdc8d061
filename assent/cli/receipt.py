"""`assent receipt`: fetch a signed receipt, and check one with the public key alone, without any network."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from assent.cli.api import add_api_arguments, call
from assent.cli.command import Command, CommandError, ExitCode
from assent.receipts.verify import ReceiptInvalidError, Verified, read_public_key, read_receipt, verify_receipt

KEY_FILE = "receipts.pem"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    fetch = actions.add_parser("fetch", help="save receipts and the public key into files; an erasure's number fetches both of its")
    add_api_arguments(fetch)
    fetch.add_argument("id", help="number of a receipt or of an erasure")
    fetch.add_argument("--to", type=Path, default=Path(), help="folder (default: here)")
    verify = actions.add_parser("verify", help="check a receipt with the public key alone; no network is used")
    verify.add_argument("file", type=Path, help="the receipt")
    verify.add_argument("--key", type=Path, required=True, help="the public key (PEM)")
    verify.add_argument("--opening", nargs=2, metavar=("GRANT", "SALT"), help="the line she kept: shows that it is about her grant")


def _run(arguments: argparse.Namespace) -> int:
    return _fetch(arguments) if arguments.action == "fetch" else _verify(arguments)


def _fetch(arguments: argparse.Namespace) -> int:
    receipts = [arguments.id]
    if not arguments.id.startswith(("logical-", "physical-")):
        receipts = call(arguments, "GET", f"/v1/erasures/{arguments.id}")["receipts"]
        if not receipts:
            raise CommandError("this erasure has no receipt yet; try again in a moment", ExitCode.UNAVAILABLE)
    key = call(arguments, "GET", "/v1/keys/receipts")["public_key_pem"]
    try:
        arguments.to.mkdir(parents=True, exist_ok=True)
        for receipt in receipts:
            path = arguments.to / f"{receipt}.json"
            path.write_text(json.dumps(call(arguments, "GET", f"/v1/receipts/{receipt}"), indent=2) + "\n")
            print(path)
        (arguments.to / KEY_FILE).write_text(key)
    except OSError as error:
        raise CommandError(f"{arguments.to} cannot be written ({error.strerror}); name another folder with --to") from error
    print(f"check: assent receipt verify {arguments.to / receipts[0]}.json --key {arguments.to / KEY_FILE}")
    return ExitCode.DONE


def _verify(arguments: argparse.Namespace) -> int:
    try:
        document = read_receipt(_bytes(arguments.file))
        if arguments.opening is not None:
            grant, salt = arguments.opening
            document = {**document, "opening": {"grant_id": grant, "salt": salt}}
        verified = verify_receipt(document, read_public_key(_bytes(arguments.key)))
    except ReceiptInvalidError as error:
        print(f"NOT VALID: {error}")
        return ExitCode.NO
    _print(verified)
    return ExitCode.DONE


def _print(verified: Verified) -> None:
    print(f"VALID: {verified.kind}, entry {verified.index} of {verified.tree_size} in {verified.origin}, key {verified.public_key_id}")
    for name, value in sorted(verified.times.items()):
        print(f"  {name}: {value}")
    for store in verified.stores:
        print(f"  {store.store}: {store.count_before} before, {store.count_after} after ({store.method})")
    for sentence in verified.remains:
        print(f"  remains: {sentence}")
    if verified.grant_id is not None:
        print(f"  it is about grant {verified.grant_id}")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read ({error.strerror})") from error


RECEIPT = Command(
    name="receipt",
    help="fetch receipts of an erasure, and check them offline",
    examples=("assent receipt fetch ERASURE --to proofs", "assent receipt verify proofs/physical-ID.json --key proofs/receipts.pem"),
    add_arguments=_add_arguments,
    run=_run,
)
