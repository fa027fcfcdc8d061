"""Which policy a command speaks of: a file, what a service or a data folder published, or the shipped one; it always says which."""

from __future__ import annotations

import argparse
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from assent.cli.api import call, service_url
from assent.cli.command import CommandError, ExitCode
from assent.geofence.policy import Policy, PolicyError
from services.registry.policy_file import PolicyFileError, read_policy
from services.registry.policy_shelf import PolicyShelfError, published_in
from services.registry.schema import FILE, FOLDER

SHIPPED = "shipped"
DEFAULT_DATA = Path("assent-data")


@dataclass(frozen=True, slots=True)
class KnownPolicy:
    """A policy, the text of it that is signed or would be, and where it was found, in words."""

    policy: Policy
    document: str
    origin: str

    @property
    def sha256(self) -> str:
        """Of the text that is signed when it is published."""
        return hashlib.sha256(self.document.encode()).hexdigest()


def add_policy_arguments(parser: argparse.ArgumentParser) -> None:
    """A file, a service or a data folder."""
    parser.add_argument("--policy", metavar="FILE", help=f"a policy file (YAML); the word {SHIPPED} for the one in this package")
    add_home_arguments(parser)


def add_home_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the published policy is looked up."""
    default = os.environ.get("ASSENT_URL")
    parser.add_argument(
        "--url", type=service_url, default=default, help="a service, asked for the policy that it published (else ASSENT_URL)"
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help=f"data folder that published one (default {DEFAULT_DATA})")


def known_policy(arguments: argparse.Namespace) -> KnownPolicy:
    """The policy that was named, else the published one, else the shipped one. Raises CommandError."""
    return policy_in_file(arguments.policy) if arguments.policy else published_policy(arguments)


def policy_in_file(name: str) -> KnownPolicy:
    """The policy of a file, or the shipped one. Raises CommandError with file, key and remedy."""
    path = None if name == SHIPPED else Path(name)
    try:
        document = read_policy(path).document
    except PolicyFileError as error:
        raise CommandError(str(error)) from error
    return KnownPolicy(Policy.from_canonical_json(document), document, "the shipped one" if path is None else f"the file {path}")


def published_policy(arguments: argparse.Namespace) -> KnownPolicy:
    """What a service or a data folder published last, else the shipped one."""
    if arguments.url is not None:
        document, origin = str(call(arguments, "GET", "/v1/policy")["document"]), f"published at {arguments.url}"
        return KnownPolicy(_signed_text(document, origin), document, origin)
    file = arguments.data / FOLDER / FILE
    try:
        row = published_in(file)
    except PolicyShelfError as error:
        raise CommandError(str(error), ExitCode.UNAVAILABLE) from error
    if row is None:
        shipped = policy_in_file(SHIPPED)
        return KnownPolicy(shipped.policy, shipped.document, f"the shipped one; nothing is published in {arguments.data}")
    if row.document is None:
        raise CommandError(
            f"{arguments.data} published policy {row.version} with an older release; start this one on it once, or name a file",
            ExitCode.UNAVAILABLE,
        )
    origin = f"published in {arguments.data}"
    return KnownPolicy(_signed_text(row.document, origin), row.document, origin)


def _signed_text(document: str, origin: str) -> Policy:
    try:
        return Policy.from_canonical_json(document)
    except PolicyError as error:
        raise CommandError(f"the policy {origin} is none that this release knows: {error}", ExitCode.UNAVAILABLE) from error
