"""The offline verifier: needs the receipt file and the public key; never a network, a server, or the rest of this project."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from assent.receipts.checkpoint import Checkpoint, CheckpointError, open_checkpoint, public_key_id
from assent.receipts.commitment import commit
from assent.receipts.merkle import HASH_BYTES, ProofError, leaf_hash, verify_inclusion

FORMAT = "assent-receipt/1"
_FIELDS = {"format", "kind", "leaf", "index", "tree_size", "inclusion_path", "checkpoint", "public_key_id", "remains"}
_LEVELS = {"deletion_logical": "logical", "deletion_physical": "physical"}


class ReceiptInvalidError(Exception):
    """Raised when a receipt does not hold; the message says which part."""


@dataclass(frozen=True, slots=True)
class StoreResult:
    """What one store held before and after, as the receipt says."""

    store: str
    count_before: int
    count_after: int
    method: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a receipt proves: that the log's key holder stated exactly this, at this place in the log.

    `level` is `logical` or `physical` for a deletion, else None. `times` are the leaf's `..._at` fields, RFC 3339 in UTC.
    `grant_id` is set only when the receipt carries the subject's opening and it fits.
    """

    kind: str
    level: str | None
    times: Mapping[str, str]
    stores: tuple[StoreResult, ...]
    remains: tuple[str, ...]
    key_fingerprint: str | None
    grant_id: str | None
    origin: str
    index: int
    tree_size: int
    public_key_id: str
    leaf: Mapping[str, Any]


def read_receipt(text: bytes) -> dict[str, Any]:
    """Parse the file; a name given twice is refused, since a reader and a parser may each take another one."""
    try:
        document = json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise ReceiptInvalidError(f"the file is not JSON that can be read one way only: {error}") from error
    if not isinstance(document, dict):
        raise ReceiptInvalidError("the file is not a JSON object")
    return document


def read_public_key(pem: bytes) -> Ed25519PublicKey:
    """Parse the published PEM file."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ReceiptInvalidError("the public key is not a PEM file") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ReceiptInvalidError("the public key is not an Ed25519 key")
    return key


def verify_receipt(document: Mapping[str, Any], public_key: Ed25519PublicKey) -> Verified:
    """Check every field against the signature; whatever is not covered by it makes the receipt invalid.

    Raises ReceiptInvalidError.
    """
    _check_fields(document)
    if document["public_key_id"] != public_key_id(public_key):
        raise ReceiptInvalidError("public_key_id: the receipt names another key than the one given")
    leaf = document["leaf"]
    checkpoint = _checked_place(document, leaf, public_key)
    if document["kind"] != leaf.get("kind"):
        raise ReceiptInvalidError("kind: it differs from the kind in the signed leaf")
    if document["remains"] != leaf.get("remains", []):
        raise ReceiptInvalidError("remains: it differs from what the signed leaf says")
    return Verified(
        kind=document["kind"],
        level=_LEVELS.get(document["kind"]),
        times={name: value for name, value in leaf.items() if name.endswith("_at") and isinstance(value, str)},
        stores=tuple(_store(entry) for entry in leaf.get("stores", ())),
        remains=tuple(document["remains"]),
        key_fingerprint=leaf.get("key_fingerprint"),
        grant_id=_opened(document, leaf),
        origin=checkpoint.origin,
        index=document["index"],
        tree_size=checkpoint.size,
        public_key_id=document["public_key_id"],
        leaf=leaf,
    )


def _check_fields(document: Mapping[str, Any]) -> None:
    names = set(document) - {"opening"}
    if names != _FIELDS:
        raise ReceiptInvalidError(f"fields: missing or unknown {', '.join(sorted(map(repr, names ^ _FIELDS)))}")
    if document["format"] != FORMAT:
        raise ReceiptInvalidError(f"format: this verifier reads {FORMAT} only; use the one that came with the receipt")
    for name, kind in (("leaf", dict), ("index", int), ("tree_size", int), ("inclusion_path", list), ("checkpoint", str)):
        # Not isinstance: True is an int to Python and not to anyone who reads the file.
        if type(document[name]) is not kind:
            raise ReceiptInvalidError(f"{name}: it is not of type {kind.__name__}")


def _checked_place(document: Mapping[str, Any], leaf: Mapping[str, Any], public_key: Ed25519PublicKey) -> Checkpoint:
    try:
        checkpoint = open_checkpoint(document["checkpoint"], public_key)
    except CheckpointError as error:
        raise ReceiptInvalidError(f"checkpoint: {error}") from error
    if document["tree_size"] != checkpoint.size:
        raise ReceiptInvalidError("tree_size: it differs from the size in the signed checkpoint")
    try:
        hashed = leaf_hash(rfc8785.dumps(dict(leaf)))
    except (ValueError, RecursionError) as error:
        raise ReceiptInvalidError(f"leaf: it has no canonical form: {error}") from error
    path = [_hex_32_bytes(text, "inclusion_path") for text in document["inclusion_path"]]
    try:
        verify_inclusion(hashed, index=document["index"], size=checkpoint.size, path=path, root=checkpoint.root)
    except ProofError as error:
        raise ReceiptInvalidError(f"leaf, index or inclusion_path: {error}") from error
    return checkpoint


def _hex_32_bytes(text: object, field: str) -> bytes:
    # One spelling only: lower case, no spaces (which `bytes.fromhex` would skip).
    if not isinstance(text, str) or len(text) != 2 * HASH_BYTES or not set(text) <= set("0123456789abcdef"):
        raise ReceiptInvalidError(f"{field}: it holds something else than 64 lower-case hexadecimal characters")
    return bytes.fromhex(text)


def _store(entry: object) -> StoreResult:
    kinds = {"store": str, "count_before": int, "count_after": int, "method": str}
    if not isinstance(entry, dict) or any(type(entry.get(name)) is not kind for name, kind in kinds.items()):
        raise ReceiptInvalidError("leaf: a store lacks its name, a whole count before and after, or its method")
    return StoreResult(**{name: entry[name] for name in kinds})


def _opened(document: Mapping[str, Any], leaf: Mapping[str, Any]) -> str | None:
    if "opening" not in document:
        return None
    opening = document["opening"]
    if not isinstance(opening, dict) or set(opening) != {"grant_id", "salt"}:
        raise ReceiptInvalidError("opening: it does not hold exactly grant_id and salt")
    grant_id, salt = opening["grant_id"], _hex_32_bytes(opening["salt"], "opening")
    if not isinstance(grant_id, str) or not hmac.compare_digest(commit("grant", grant_id, salt=salt), str(leaf.get("grant"))):
        raise ReceiptInvalidError("opening: it does not fit the commitment in the leaf, so this is another grant's receipt")
    return grant_id


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name is given twice in one object")
    return document
