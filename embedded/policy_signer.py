"""`assent policy key` and `assent policy sign`: the key of one person, and her signature under a policy that allows more."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from assent.cli.api import call
from assent.cli.command import CommandError, ExitCode
from assent.deployment.start_errors import StartError
from assent.faces.whole_file import write_whole
from assent.geofence.areas import AreaIndex
from assent.keys.key_files import KeyFileError, read_private_file, write_new_file
from assent.keys.signing_keys import PublicKeys, public_pem
from assent.policies.approval import MOST_SIGNATURES, PEOPLE, Approvals, Proposed
from assent.policies.comparison import Comparison, compare
from assent.receipts.checkpoint import public_key_id
from embedded.known_policy import KnownPolicy, policy_in_file, published_policy
from embedded.policy_diff import difference_lines
from embedded.policy_show import entry_lines
from services.registry.policy_approvals import NAME, SIGNERS, approvals_path, read_approvals, read_signers

KEYS = "keys"
DRY_RUN = "Nothing was signed or written: this was a dry run. --yes with --key FILE does it."


def run_key(arguments: argparse.Namespace) -> int:
    """Make the pair of one person."""
    if NAME.fullmatch(arguments.name) is None:
        raise CommandError(f"{arguments.name!r} is no name of a signer; use lower-case letters, digits, dots and hyphens")
    private, public = (arguments.to / f"{arguments.name}.{ending}" for ending in ("key", "pub"))
    key = Ed25519PrivateKey.generate()
    try:
        arguments.to.mkdir(parents=True, exist_ok=True)
        write_new_file(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
        write_new_file(public, public_pem(key.public_key()), mode=0o644)
    except FileExistsError as error:
        raise CommandError(f"{private} or {public} exists already and is not overwritten; name another folder with --to") from error
    except OSError as error:
        raise CommandError(f"{arguments.to} cannot be written ({error.strerror}); name a folder of yours with --to") from error
    print(f"{private} is yours alone: nobody else may have it, and it stays off the machine of the registry")
    print(
        f"{public} goes into the folder of the signers, {arguments.data / KEYS / SIGNERS} for one process; whoever keeps it puts it there"
    )
    return ExitCode.DONE


def run_sign(arguments: argparse.Namespace) -> int:
    """Show what a policy file allows that the published one does not, and sign that."""
    base, new = published_policy(arguments), policy_in_file(str(arguments.file))
    return sign(arguments, base, new, arguments.file)


def sign(arguments: argparse.Namespace, base: KnownPolicy, new: KnownPolicy, file: Path) -> int:
    """The difference, what it opens, and with --yes the signature into the file beside the policy."""
    now = datetime.now(UTC)
    found = compare(base.policy, new.policy, places=AreaIndex.load().codes, now=now)
    approvals = _approvals(file, base, new)
    key = None if arguments.key is None else _key_that_counts(arguments, approvals)
    is_signing = found.is_wider and arguments.yes
    if is_signing and key is None:
        raise CommandError("--yes needs --key FILE, the private key of whoever signs")
    deployment = deployment_of(arguments) if is_signing else ""
    if approvals is not None and is_signing and approvals.deployment != deployment:
        raise CommandError(f"{approvals_path(file)} is for the deployment {approvals.deployment}, and this is {deployment}")
    print("\n".join([*difference_lines(base, new, found, now), *_opened_lines(found, new, now)]))
    if not found.is_wider:
        return ExitCode.DONE
    if key is None or not arguments.yes:
        print(f"\n{_who(approvals, arguments)}\n{DRY_RUN}")
        return ExitCode.DONE
    proposed = Proposed(new.policy.version, new.sha256, base.sha256, deployment)
    before = () if approvals is None else approvals.signatures
    signed = Approvals(
        version=proposed.version,
        policy_sha256=proposed.policy_sha256,
        base_sha256=proposed.base_sha256,
        deployment=deployment,
        signatures=(*before, proposed.signed(key, at=now)),
    )
    replace_file(approvals_path(file), signed.model_dump_json(by_alias=True, indent=2) + "\n")
    print(f"\nsigned: {approvals_path(file)}")
    print(_next(signed, file, arguments))
    return ExitCode.DONE


def _key_that_counts(arguments: argparse.Namespace, approvals: Approvals | None) -> Ed25519PrivateKey:
    """The key that was named. Raises CommandError when it is nobody's who may sign, or has signed already."""
    key = read_signer_key(arguments.key)
    public_key = key.public_key().public_bytes_raw().hex()
    names = names_of_signers(arguments)
    if approvals is not None and any(signature.public_key == public_key for signature in approvals.signatures):
        raise CommandError(f"{names.get(public_key, arguments.key)} has signed this already; the second signature is another person's")
    if names and public_key not in names:
        raise CommandError(f"{arguments.key} is not the key of a signer; its public half must be in {_signers_folder(arguments)}")
    return key


def read_signer_key(path: Path) -> Ed25519PrivateKey:
    """The private key of one person. Raises CommandError."""
    try:
        key = load_pem_private_key(read_private_file(path), password=None)
    except KeyFileError as error:
        raise CommandError(str(error)) from error
    except (OSError, TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise CommandError(f"{path} is no PEM private key without a password; make one with assent policy key NAME") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise CommandError(f"{path} is not an Ed25519 key; make one with assent policy key NAME")
    return key


def names_of_signers(arguments: argparse.Namespace) -> dict[str, str]:
    """Who may sign by their public keys, as far as this machine knows; on another one the registry alone does. Raises CommandError."""
    try:
        return {key: name for name, key in read_signers(_signers_folder(arguments)).named.items()}
    except StartError as error:
        raise CommandError(str(error)) from error


def _signers_folder(arguments: argparse.Namespace) -> Path:
    folder: Path = arguments.signers or arguments.data / KEYS / SIGNERS
    return folder


def deployment_of(arguments: argparse.Namespace) -> str:
    """What tells this deployment from others: the key that signs its policy."""
    if arguments.url is not None:
        return str(call(arguments, "GET", "/v1/policy")["deployment"])
    try:
        return public_key_id(PublicKeys.load(arguments.data / KEYS).policy)
    except (KeyFileError, OSError) as error:
        raise CommandError(
            f"{arguments.data} holds no keys of a deployment yet, and a signature counts in one alone; "
            f"make them with: assent keys create --folder {arguments.data / KEYS}",
            ExitCode.UNAVAILABLE,
        ) from error


def _approvals(file: Path, base: KnownPolicy, new: KnownPolicy) -> Approvals | None:
    """What was signed beside this file so far. Raises CommandError when that was something else."""
    try:
        known = read_approvals(file)
    except StartError as error:
        raise CommandError(str(error)) from error
    if known is not None and (known.policy_sha256, known.base_sha256) != (new.sha256, base.sha256):
        raise CommandError(
            f"{approvals_path(file)} was signed for other contents or against another policy; remove it, and let everybody sign again"
        )
    if known is not None and len(known.signatures) == MOST_SIGNATURES:
        raise CommandError(
            f"{approvals_path(file)} holds {MOST_SIGNATURES} signatures, the most that are read; two count, so remove the rest"
        )
    return known


def _opened_lines(found: Comparison, new: KnownPolicy, now: datetime) -> list[str]:
    """The entries that allow more, whole: whoever signs sees what she signs."""
    wider = {place.places[0] for place in found.places if any(change.is_wider for change in place.changes)}
    return [line for place in sorted(wider) for line in ("", *entry_lines(place, new.policy, now))]


def _who(approvals: Approvals | None, arguments: argparse.Namespace) -> str:
    names = names_of_signers(arguments)
    signatures = () if approvals is None else approvals.signatures
    signed = [names.get(item.public_key, f"the key {item.public_key[:12]}") for item in signatures]
    return f"It takes {PEOPLE} people. Signed so far: {', '.join(signed) or 'nobody'}."


def _next(approvals: Approvals, file: Path, arguments: argparse.Namespace) -> str:
    if len(approvals.signatures) < PEOPLE:
        return f"{_who(approvals, arguments)} The second person looks at it and signs: assent policy sign {file} --key HER.key --yes"
    return (
        f"{_who(approvals, arguments)} Put both in place of the registry's policy file, the approvals first; it takes them up by itself. "
        f"One that has no such file yet is started with it: assent up --policy {file}, or ASSENT_REGISTRY_POLICY_FILE={file}"
    )


def replace_file(path: Path, text: str) -> None:
    """Replace a file whole. Raises CommandError."""
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise CommandError(f"{path} cannot be written ({error.strerror}); work in a folder of yours") from error
