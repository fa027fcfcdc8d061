"""The approvals beside a policy file and the keys of those who may sign; a file that cannot be read counts as no signature, aloud."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import ValidationError

from assent.deployment.start_errors import StartError
from assent.geofence.policy import first_fault
from assent.policies.approval import Approvals
from assent.policies.signers import Signers, Vouches
from services.registry.small_file import read_small

SIGNERS = "policy-signers"
"""The folder below that of the keys, where nothing else is said."""
SUFFIX, VOUCHES = ".approvals.json", ".vouches.json"
MAX_BYTES = 100_000
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
"""What a signer may be called."""


class PolicyApprovalFileError(StartError):
    """Raised when approvals or the key of a signer cannot be read. The message names the file and what to do."""


def approvals_path(policy_file: Path) -> Path:
    """Where the approvals of a policy file lie: beside it."""
    return policy_file.with_name(policy_file.name + SUFFIX)


def read_approvals(policy_file: Path | None) -> Approvals | None:
    """Those of a policy file, or None where there are none. Raises PolicyApprovalFileError."""
    if policy_file is None:
        return None
    path = approvals_path(policy_file)
    try:
        return Approvals.model_validate_json(read_small(path, max_bytes=MAX_BYTES)) if path.exists() else None
    except OSError as error:
        raise PolicyApprovalFileError(f"{path} cannot be read ({error.strerror}); change its name or its owner") from error
    except ValidationError as error:
        raise PolicyApprovalFileError(f"{path}: {first_fault(error)}; make it again with assent policy sign") from error


def read_signers(folder: Path) -> Signers:
    """Who is named in `NAME.pub`, and who vouched for them, in the file beside it. Raises PolicyApprovalFileError; no folder is nobody."""
    try:
        paths = sorted(folder.glob("*.pub")) if folder.is_dir() else []
        signers = {path.stem: read_public_key(path) for path in paths}
    except OSError as error:
        raise PolicyApprovalFileError(f"{folder} cannot be read ({error.strerror}); change its owner") from error
    holders: dict[str, str] = {}
    for name, key in signers.items():
        other = holders.setdefault(key, name)
        if other != name:
            raise PolicyApprovalFileError(f"{folder}: {other}.pub and {name}.pub hold one key; one person has one name, take one away")
    found = {signers[path.stem]: read_vouches(path) for path in paths}
    return Signers(signers, {key: vouches for key, vouches in found.items() if vouches is not None})


def vouches_path(public_key: Path) -> Path:
    """Where the word of others lies: beside the public key."""
    return public_key.with_name(public_key.name + VOUCHES)


def read_vouches(public_key: Path) -> Vouches | None:
    """What others said for the holder of this key, or None. Raises PolicyApprovalFileError."""
    path = vouches_path(public_key)
    try:
        return Vouches.model_validate_json(read_small(path, max_bytes=MAX_BYTES)) if path.exists() else None
    except OSError as error:
        raise PolicyApprovalFileError(f"{path} cannot be read ({error.strerror}); change its owner") from error
    except ValidationError as error:
        raise PolicyApprovalFileError(f"{path}: {first_fault(error)}; make it again with assent policy vouch") from error


def read_public_key(path: Path) -> str:
    """The public key (hex) of a signer's file. Raises PolicyApprovalFileError."""
    if NAME.fullmatch(path.stem) is None:
        raise PolicyApprovalFileError(f"{path} is no name of a signer; use lower-case letters, digits, dots and hyphens")
    try:
        key = load_pem_public_key(read_small(path, max_bytes=MAX_BYTES))
    except OSError as error:
        raise PolicyApprovalFileError(f"{path} cannot be read ({error.strerror}); name the public key of a signer") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PolicyApprovalFileError(f"{path} is not a PEM public key; make a pair with assent policy key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise PolicyApprovalFileError(f"{path} is not an Ed25519 key; make a pair with assent policy key")
    return key.public_bytes_raw().hex()
