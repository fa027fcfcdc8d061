"""The manifests of a C2PA store as boxes and decoded claims; whether a signature holds is not decided here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assent.optouts.bounded_cbor import CborUnreadableError, parse_cbor
from assent.optouts.bounded_json import JsonUnreadableError, parse_json
from assent.optouts.jumbf import JumbfUnreadableError, Superbox, content_of, superboxes

STORE, ASSERTIONS, SIGNATURE = "c2pa", "c2pa.assertions", "c2pa.signature"
CLAIMS = ("c2pa.claim", "c2pa.claim.v2")


class ManifestUnreadableError(ValueError):
    """Raised when a store, or a part of it that is needed, is not of the form that C2PA gives it."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest: its label, its assertions in order, and the bytes of its claims and signatures (one each where it is whole)."""

    label: str
    assertions: tuple[Superbox, ...]
    claims: tuple[bytes, ...]
    signatures: tuple[bytes, ...]


def manifests_of(stores: tuple[bytes, ...]) -> tuple[Manifest, ...]:
    """The manifests of a file in order, the active one last. JUMBF of other standards is left out. Raises ManifestUnreadableError."""
    try:
        found = [box for store in stores for box in superboxes(store) if box.label == STORE]
        if len(found) > 1:
            raise ManifestUnreadableError("the file has two stores, and readers differ on which one counts")
        return tuple(_manifest(box) for store in found for box in superboxes(store.payload))
    except JumbfUnreadableError as error:
        raise ManifestUnreadableError("the boxes of the store cannot be read") from error


def decoded(box: Superbox) -> Any:
    """The value of an assertion. Raises ManifestUnreadableError."""
    try:
        kind, content = content_of(box)
        if kind == b"cbor":
            return parse_cbor(content)
        if kind == b"json":
            return parse_json(content.decode())
    except (JumbfUnreadableError, CborUnreadableError, JsonUnreadableError, UnicodeDecodeError) as error:
        raise ManifestUnreadableError("an assertion cannot be read") from error
    raise ManifestUnreadableError("an assertion is neither CBOR nor JSON")


def _manifest(box: Superbox) -> Manifest:
    assertions: list[Superbox] = []
    claims: list[bytes] = []
    signatures: list[bytes] = []
    for part in superboxes(box.payload):
        if part.label == ASSERTIONS:
            assertions.extend(superboxes(part.payload))
        elif part.label in CLAIMS:
            claims.append(content_of(part)[1])
        elif part.label == SIGNATURE:
            signatures.append(content_of(part)[1])
    return Manifest(box.label, tuple(assertions), tuple(claims), tuple(signatures))
