"""Every store that may hold something of a grant, who erases it and what stays there; a store that is not here cannot be erased."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Store(StrEnum):
    """The name of a store in erasure progress and receipts."""

    VECTORS = "vectors"
    DERIVATIVES = "derivatives"
    QUARANTINE = "quarantine"
    KEYS = "keys"
    LOG = "log"
    REGISTRY = "registry"


@dataclass(frozen=True, slots=True)
class StoreEntry:
    """`holds` and `erased_by` in words, `reporter` the service whose progress counts."""

    holds: str
    erased_by: str
    reporter: str
    remains: tuple[str, ...] = ()


DATA_MAP: dict[Store, StoreEntry] = {
    Store.VECTORS: StoreEntry("face templates", "deletion by id, then a rewrite of the segments", "indexer"),
    Store.DERIVATIVES: StoreEntry("one sealed picture per granted face", "deletion of the folder of the grant", "indexer"),
    Store.QUARANTINE: StoreEntry("sealed originals on their way through the gates", "deletion when their sighting ends", "registry"),
    Store.KEYS: StoreEntry(
        "the data key of the grant",
        "destruction of the wrapped key",
        "registry",
        ("a mark that the key was destroyed, with its fingerprint",),
    ),
    Store.LOG: StoreEntry(
        "sealed templates, addresses of pictures and snapshots of the grant",
        "destruction of the key that sealed them; the last snapshot is replaced by an empty one",
        "registry",
        (
            "the identifiers and times of the grant, its withdrawal and its erasure stay on the log",
            "earlier snapshots name sources and places of the grant until the log is compacted",
            "refusals tell for 400 days how the grant stood and, if live, its terms for the places in question, never its sources",
        ),
    ),
    Store.REGISTRY: StoreEntry(
        "the full record of the grant, ids of faces and of disclosures",
        "destruction of the key that sealed the record, deletion of its rows",
        "registry",
        (
            "the identifier, states and times of the grant, and the digests that chain its revisions",
            "what opens these receipts, sealed under the secret of the grant, which the registry does not keep",
        ),
    ),
}

STORES = frozenset(store.value for store in DATA_MAP)
