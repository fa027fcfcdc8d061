"""The manifests of a C2PA store as boxes and decoded claims; whether a signature holds is not decided here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assent.optouts.bounded_cbor import CborUnreadableError, parse_cbor
from assent.optouts.c2pa_assertion import AssertionUnreadableError, assertion_value
from assent.optouts.jumbf import JumbfUnreadableError, Superbox, content_of, superboxes
from assent.optouts.reading_budget import ReadingBudget

STORE, ASSERTIONS, SIGNATURE = "c2pa", "c2pa.assertions", "c2pa.signature"
CLAIMS = ("c2pa.claim", "c2pa.claim.v2")
CLAIMED = ("assertions", "created_assertions", "gathered_assertions")
"""The lists of a claim: that of the first edition, and the two of the second. The signer does not answer for the last."""
_REST_OF_TYPE = bytes.fromhex("00110010800000aa00389b71")
_TYPES = {
    label: letters + _REST_OF_TYPE
    for label, letters in ((STORE, b"c2pa"), (ASSERTIONS, b"c2as"), *((claim, b"c2cl") for claim in CLAIMS), (SIGNATURE, b"c2cs"))
}
_MANIFEST = b"c2ma" + _REST_OF_TYPE
"""That of a manifest which is bound to the bytes of its file. One that only updates another (`c2um`) is bound to none."""


class ManifestUnreadableError(ValueError):
    """Raised when a store, or a part of it that is needed, is not of the form that C2PA gives it."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest: its label, its assertions in order, and the bytes of its claims and signatures (one each where it is whole).

    `may_bind`: it, its store and its parts are of the types that C2PA gives a manifest which is bound to a file.
    """

    label: str
    assertions: tuple[Superbox, ...]
    claims: tuple[bytes, ...]
    signatures: tuple[bytes, ...]
    may_bind: bool


def manifests_of(stores: tuple[bytes, ...], *, may_be_others: bool, budget: ReadingBudget) -> tuple[Manifest, ...]:
    """The manifests of a file in order, the active one last. JUMBF of other standards is left out. Raises ManifestUnreadableError.

    `may_be_others`: whether other standards keep theirs at the same place of the file. Where none does, a place without a manifest is
    one that was damaged: the labels of its boxes are under no signature.
    """
    try:
        found = [box for store in stores for box in _labelled(store, budget) if box.label == STORE]
        if len(found) > 1:
            raise ManifestUnreadableError("the file has two stores, and readers differ on which one counts")
        manifests = tuple(_manifest(store, box, budget) for store in found for box in superboxes(store.payload, budget))
    except JumbfUnreadableError as error:
        raise ManifestUnreadableError("the boxes of the store cannot be read") from error
    if not manifests and (found or (stores and not may_be_others)):
        raise ManifestUnreadableError("there is a store without a manifest")
    return manifests


def decoded(box: Superbox, budget: ReadingBudget) -> Any:
    """The value of an assertion. Raises ManifestUnreadableError."""
    try:
        return assertion_value(*content_of(box, budget), budget)
    except (JumbfUnreadableError, AssertionUnreadableError) as error:
        raise ManifestUnreadableError("an assertion cannot be read") from error


def labels_listed(manifest: Manifest, budget: ReadingBudget) -> Iterator[str]:
    """The labels of the assertions that a manifest claims to have, whether or not it has them. Raises ManifestUnreadableError."""
    for payload in manifest.claims:
        try:
            claim = parse_cbor(payload, budget)
        except CborUnreadableError as error:
            raise ManifestUnreadableError("a claim cannot be read") from error
        lists = [claim.get(name) for name in CLAIMED] if isinstance(claim, dict) else []
        for entry in (entry for entries in lists if isinstance(entries, list) for entry in entries):
            if isinstance(entry, dict):
                yield str(entry.get("url")).rpartition("/")[2]


def _manifest(store: Superbox, box: Superbox, budget: ReadingBudget) -> Manifest:
    assertions: list[Superbox] = []
    claims: list[bytes] = []
    signatures: list[bytes] = []
    parts = list(_labelled(box.payload, budget))
    for part in parts:
        if part.label == ASSERTIONS:
            assertions.extend(superboxes(part.payload, budget))
        elif part.label in CLAIMS:
            claims.append(content_of(part, budget)[1])
        elif part.label == SIGNATURE:
            signatures.append(content_of(part, budget)[1])
    if claims and all(part.label != ASSERTIONS for part in parts):
        raise ManifestUnreadableError("a manifest has a claim and no store of assertions")
    may_bind = box.type_id == _MANIFEST and all(part.type_id == _TYPES.get(part.label, part.type_id) for part in (store, *parts))
    return Manifest(box.label, tuple(assertions), tuple(claims), tuple(signatures), may_bind)


def _labelled(payload: bytes, budget: ReadingBudget) -> Iterator[Superbox]:
    """The superboxes of a payload. Raises where the type of one is that of a part of C2PA with another label."""
    for box in superboxes(payload, budget):
        if box.type_id in _TYPES.values() and _TYPES.get(box.label) != box.type_id:
            raise ManifestUnreadableError("a part of the store has another label than its type")
        yield box
