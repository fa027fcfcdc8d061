"""The signed head of the log, as a C2SP tlog-checkpoint in a signed note; never signs anything but a head."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assent.receipts.merkle import HASH_BYTES

_ED25519 = b"\x01"
_KEY_HASH_BYTES = 4
_SIGNATURE_BYTES = 64
_ORIGIN = re.compile(r"[A-Za-z0-9._/:-]{1,200}")
_NOTE = re.compile(
    r"(?P<body>(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]{0,15})\n(?P<root>[^\n]+)\n)"
    r"\n— (?P<name>[^ \n]+) (?P<signature>[^ \n]+)\n"
)


class CheckpointError(Exception):
    """Raised when a checkpoint is malformed, or was not signed by the given key."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Which log, how many leaves, which root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The signed text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class CheckpointSigner:
    """Signs heads of the log named `origin`, e.g. `faces.example.org/receipts`."""

    def __init__(self, origin: str, private_key: Ed25519PrivateKey) -> None:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError("the origin of the log holds a character outside A-Z a-z 0-9 . _ / : - ; use host/receipts")
        self.origin = origin
        self.public_key = private_key.public_key()
        self._private_key = private_key

    def sign(self, size: int, root: bytes) -> str:
        """The note: body, empty line, one signature line."""
        body = Checkpoint(self.origin, size, root).body()
        signature = _key_hash(self.origin, self.public_key) + self._private_key.sign(body.encode())
        return f"{body}\n— {self.origin} {base64.b64encode(signature).decode()}\n"


def open_checkpoint(note: str, public_key: Ed25519PublicKey) -> Checkpoint:
    """The checkpoint of a note with exactly one signature, by this key. Raises CheckpointError.

    Stricter than the format: no further signature or extension line, so that nothing in a receipt is unsigned.
    """
    match = _NOTE.fullmatch(note)
    if match is None:
        raise CheckpointError("the checkpoint is not a signed note of origin, size, root and one signature")
    if match["name"] != match["origin"]:
        raise CheckpointError("the checkpoint was signed under another name than the log's origin")
    root = _strict_base64(match["root"], HASH_BYTES)
    signature = _strict_base64(match["signature"], _KEY_HASH_BYTES + _SIGNATURE_BYTES)
    if signature[:_KEY_HASH_BYTES] != _key_hash(match["name"], public_key):
        raise CheckpointError("the checkpoint was signed with another key; use the public key that the receipt names")
    try:
        public_key.verify(signature[_KEY_HASH_BYTES:], match["body"].encode())
    except InvalidSignature as error:
        raise CheckpointError("the signature of the checkpoint does not hold: the checkpoint was changed") from error
    return Checkpoint(match["origin"], int(match["size"]), root)


def public_key_id(public_key: Ed25519PublicKey) -> str:
    """SHA-256 in hex of the raw public key: names the key in receipts, also after a rotation."""
    return hashlib.sha256(_raw(public_key)).hexdigest()


def _key_hash(name: str, public_key: Ed25519PublicKey) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + _raw(public_key)).digest()[:_KEY_HASH_BYTES]


def _raw(public_key: Ed25519PublicKey) -> bytes:
    return public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _strict_base64(text: str, length: int) -> bytes:
    """Decoded, refusing any second spelling of the same bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CheckpointError("the checkpoint holds text that is not base64") from error
    if len(data) != length or base64.b64encode(data).decode() != text:
        raise CheckpointError(f"the checkpoint holds base64 that is not the one spelling of {length} bytes")
    return data
