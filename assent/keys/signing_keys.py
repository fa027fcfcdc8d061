"""Ed25519 key pairs, one per thing that is signed; never mixes them, and only the registry holds the private halves."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from assent.keys.key_files import KeyFileError, creating_in, read_private_file, write_new_file


class SigningPurpose(StrEnum):
    """What a pair signs; also the stem of its files `<purpose>_signing.key` and `<purpose>_signing.pub`."""

    RECEIPT = "receipt"
    TOKEN = "token"  # noqa: S105 - the name of a purpose, not a secret
    POLICY = "policy"
    GRANT = "grant"


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The public halves, for every service."""

    receipt: Ed25519PublicKey
    token: Ed25519PublicKey
    policy: Ed25519PublicKey
    grant: Ed25519PublicKey

    @classmethod
    def load(cls, folder: Path) -> PublicKeys:
        """Read the `.pub` files (PEM). Raises KeyFileError."""
        return cls(**{purpose.value: _load_public(folder, purpose) for purpose in SigningPurpose})


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The private halves, for the registry alone."""

    receipt: Ed25519PrivateKey = field(repr=False)
    token: Ed25519PrivateKey = field(repr=False)
    policy: Ed25519PrivateKey = field(repr=False)
    grant: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def load(cls, folder: Path) -> SigningKeys:
        """Read the private files (PKCS 8 PEM). Raises KeyFileError, also when a public file does not match."""
        keys = {purpose: _load_private(folder, purpose) for purpose in SigningPurpose}
        for purpose, key in keys.items():
            if public_pem(key.public_key()) != public_pem(_load_public(folder, purpose)):
                raise KeyFileError(
                    f"{purpose.value}_signing.pub is not the public half of {purpose.value}_signing.key; restore both from the same backup"
                )
        return cls(**{purpose.value: key for purpose, key in keys.items()})

    @classmethod
    def load_or_create(cls, folder: Path) -> SigningKeys:
        """Read the pairs, creating those that are missing. A private half that is missing alone raises KeyFileError."""
        with creating_in(folder):
            create_missing_pairs(folder)
        return cls.load(folder)


def create_missing_pairs(folder: Path) -> None:
    """Make each pair whose files are missing; a public half alone missing is written again. Call inside `creating_in`."""
    for purpose in SigningPurpose:
        private, public = _paths(folder, purpose)
        if not private.exists() and not public.exists():
            pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            write_new_file(private, pem, mode=0o600)
        if private.exists() and not public.exists():
            write_new_file(public, public_pem(_load_private(folder, purpose).public_key()), mode=0o644)


def public_pem(key: Ed25519PublicKey) -> bytes:
    """The PEM text that the offline verifier takes."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _paths(folder: Path, purpose: SigningPurpose) -> tuple[Path, Path]:
    return folder / f"{purpose.value}_signing.key", folder / f"{purpose.value}_signing.pub"


def _load_private(folder: Path, purpose: SigningPurpose) -> Ed25519PrivateKey:
    path, _ = _paths(folder, purpose)
    try:
        key = load_pem_private_key(read_private_file(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # TypeError: it has a password.
        raise KeyFileError(f"{path.name} is not a PEM private key without a password; restore it from its backup") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path.name} is not an Ed25519 key; restore it from its backup")
    return key


def _load_public(folder: Path, purpose: SigningPurpose) -> Ed25519PublicKey:
    _, path = _paths(folder, purpose)
    try:
        key = load_pem_public_key(path.read_bytes())
    except FileNotFoundError as error:
        raise KeyFileError(
            f"{path.name} is missing; write it with `openssl pkey -pubout` from its private half, "
            "or, where there is none either, make the pair with `assent keys create`"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path.name} is not a PEM public key; restore it from its backup") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError(f"{path.name} is not an Ed25519 key; restore it from its backup")
    return key
