"""`assent receipt`: fetch a signed receipt, and check one with the public key alone, without any network."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from assent.cli.api import JsonObject, add_url_argument, call, identifier
from assent.cli.command import Command, CommandError, ExitCode, add_parser
from assent.receipts.verify import ReceiptInvalidError, Verified, read_public_key, read_receipt, verify_receipt

KEY_FILE = "receipts.pem"
KINDS = ("logical-", "physical-")
"""How the number of a receipt begins; behind it stands the number of its erasure."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    fetch = add_parser(
        actions,
        "fetch",
        "save receipts and the public key into files; an erasure's number fetches both of its receipts",
        ("assent receipt fetch ERASURE", "assent receipt fetch physical-ERASURE --to proofs"),
    )
    add_url_argument(fetch)
    fetch.add_argument("id", type=identifier, help="number of a receipt or of an erasure")
    fetch.add_argument("--to", type=Path, default=Path(), help="folder (default: here)")
    verify = add_parser(
        actions,
        "verify",
        "check a receipt with the public key alone; no network is used",
        ("assent receipt verify physical-ID.json --key receipts.pem", "assent receipt verify r.json --key k.pem --opening opening.json"),
    )
    verify.add_argument("file", type=Path, help="the receipt")
    verify.add_argument("--key", type=Path, required=True, help="the public key (PEM)")
    opening = "the file she kept, or grant and salt of the line she kept: shows that the receipt is about her grant"
    verify.add_argument("--opening", nargs="+", metavar=("FILE", "SALT"), help=opening)
    verify.add_argument("--json", action="store_true", help="print what was proved as JSON")


def _run(arguments: argparse.Namespace) -> int:
    return _fetch(arguments) if arguments.action == "fetch" else _verify(arguments)


def _fetch(arguments: argparse.Namespace) -> int:
    receipts = _named(arguments)
    key = call(arguments, "GET", "/v1/keys/receipts")["public_key_pem"]
    documents = {receipt: call(arguments, "GET", f"/v1/receipts/{receipt}") for receipt in receipts}
    try:
        arguments.to.mkdir(parents=True, exist_ok=True)
        for receipt, document in documents.items():
            path = arguments.to / f"{receipt}.json"
            path.write_text(json.dumps(document, indent=2) + "\n")
            print(path)
        (arguments.to / KEY_FILE).write_text(key)
    except OSError as error:
        raise CommandError(f"{arguments.to} cannot be written ({error.strerror}); name another folder with --to") from error
    print(f"check: assent receipt verify {arguments.to / receipts[0]}.json --key {arguments.to / KEY_FILE}")
    return ExitCode.DONE


def _named(arguments: argparse.Namespace) -> list[str]:
    if arguments.id.startswith(KINDS):
        return [arguments.id]
    erasure = call(arguments, "GET", f"/v1/erasures/{arguments.id}")
    try:
        # The names become file names: whoever answers must not choose where these lie.
        receipts = [identifier(str(receipt)) for receipt in erasure["receipts"]]
    except argparse.ArgumentTypeError as error:
        raise CommandError(
            f"the answer names a receipt that is none: {error}; is --url the right service?", ExitCode.UNAVAILABLE
        ) from error
    if not receipts:
        raise CommandError(f"this erasure is {erasure['status']} and has no receipt yet; try again in a moment", ExitCode.UNAVAILABLE)
    return receipts


def _verify(arguments: argparse.Namespace) -> int:
    content, key = _bytes(arguments.file), _bytes(arguments.key)
    opening = None if arguments.opening is None else _opening(arguments.opening)
    try:
        document = read_receipt(content)
        if opening is not None:
            document = {**document, "opening": opening}
        verified = verify_receipt(document, read_public_key(key))
    except ReceiptInvalidError as error:
        print(json.dumps({"valid": False, "reason": str(error)}) if arguments.json else f"NOT VALID: {error}")
        return ExitCode.NO
    if arguments.json:
        print(json.dumps({"valid": True, **asdict(verified)}))
    else:
        _print(verified)
    return ExitCode.DONE


def _opening(words: list[str]) -> JsonObject:
    if len(words) == 2:
        return {"grant_id": words[0], "salt": words[1]}
    if len(words) > 2:
        raise CommandError("--opening takes one file, or the two words of the line that was kept: grant and salt")
    try:
        document = json.loads(_bytes(Path(words[0])))
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{words[0]} is not JSON; name the file that `assent grant withdraw --save` made") from error
    if not isinstance(document, dict):
        raise CommandError(f"{words[0]} is no opening; name the file that `assent grant withdraw --save` made")
    return document


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
        raise CommandError(f"{path} cannot be read ({error.strerror}); name the file that `assent receipt fetch` made") from error


RECEIPT = Command(
    name="receipt",
    help="fetch receipts of an erasure, and check them offline",
    examples=("assent receipt fetch ERASURE --to proofs", "assent receipt verify proofs/physical-ID.json --key proofs/receipts.pem"),
    add_arguments=_add_arguments,
    run=_run,
)
