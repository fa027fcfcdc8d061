"""The append-only receipt log in one SQLite file; never changes or removes an entry, never starts on a broken one."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from assent.receipts.checkpoint import Checkpoint, CheckpointError, CheckpointSigner, open_checkpoint, public_key_id
from assent.receipts.merkle import MerkleTree, leaf_hash

_SCHEMA = """
CREATE TABLE IF NOT EXISTS leaves (position INTEGER PRIMARY KEY, document BLOB NOT NULL, once TEXT UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS head (one INTEGER PRIMARY KEY CHECK (one = 1), note TEXT NOT NULL) STRICT;
"""


class ReceiptLogBrokenError(Exception):
    """Raised when the file does not hold the entries that its signed head promises."""


class ReceiptLogBusyError(Exception):
    """Raised when another process has the log open."""


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Where a leaf stands in the tree that the checkpoint signs, and with which key."""

    index: int
    tree_size: int
    path: tuple[bytes, ...]
    checkpoint: str
    public_key_id: str


class ReceiptLog:
    """Leaves as canonical JSON (RFC 8785) with a signed head that moves in the same transaction.

    Every method may be called from any thread; `append` waits for the disk, so call it with `asyncio.to_thread`. The tree
    is rebuilt from the leaves at start, so an edited, lost or reordered entry is found before anything is appended.
    """

    def __init__(self, path: Path, signer: CheckpointSigner, *, earlier_keys: Sequence[Ed25519PublicKey] = ()) -> None:
        """Open or create. `earlier_keys`: public keys from before a rotation. Raises the two errors above."""
        self._signer = signer
        self._thread_lock = threading.Lock()
        self._tree = MerkleTree()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file_lock = _lock(path.with_name(f"{path.name}.lock"))
        path.touch(mode=0o600)
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")  # In WAL mode: one fsync before each commit returns.
            self._database.executescript(_SCHEMA)
            self._load((signer.public_key, *earlier_keys))
        except BaseException as error:
            self.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise ReceiptLogBrokenError("the receipt log is not a readable SQLite file; restore it from its backup") from error
            raise

    def close(self) -> None:
        """Let another process open the log."""
        with self._thread_lock:
            self._database.close()
            os.close(self._file_lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._tree.size

    def append(self, leaf: Mapping[str, Any], *, once: str | None = None) -> int:
        """Store the leaf and the new signed head on disk, and return the index.

        A second append with the same `once` (such as `<erasure_id>/physical`) changes nothing and returns the first index.
        """
        document = rfc8785.dumps(dict(leaf))
        with self._thread_lock:
            known = self._position(once)
            if known is not None:
                return known
            index = self._tree.append(leaf_hash(document))
            try:
                self._store(index, document, once)
            except BaseException:
                self._tree.truncate(index)
                raise
            return index

    def leaf(self, index: int) -> dict[str, Any]:
        """The leaf as it was appended. Raises IndexError."""
        with self._thread_lock:
            row = self._database.execute("SELECT document FROM leaves WHERE position = ?", (index,)).fetchone()
        if row is None:
            raise IndexError(f"the receipt log has no entry {index}")
        document: dict[str, Any] = json.loads(row[0])
        return document

    def index_of(self, once: str) -> int | None:
        """The index appended under this name."""
        with self._thread_lock:
            return self._position(once)

    def proof(self, index: int) -> InclusionProof:
        """Inclusion of one leaf in the tree of now. Raises IndexError."""
        with self._thread_lock:
            size = self._tree.size
            path = self._tree.inclusion_path(index, size)
            note = self._signer.sign(size, self._tree.root(size))
            return InclusionProof(index, size, path, note, public_key_id(self._signer.public_key))

    def checkpoint(self, size: int | None = None) -> str:
        """The signed note of the tree of now, or of the first `size` leaves."""
        with self._thread_lock:
            size = self._tree.size if size is None else size
            return self._signer.sign(size, self._tree.root(size))

    def consistency(self, first: int, second: int) -> tuple[bytes, ...]:
        """Proof that the log of `first` leaves is the beginning of the log of `second`."""
        with self._thread_lock:
            return self._tree.consistency_path(first, second)

    def check_extends(self, published: Checkpoint) -> None:
        """Raises ReceiptLogBrokenError unless this log still begins with a checkpoint that was published before.

        The file alone cannot tell that it was replaced by an older copy of itself; a checkpoint kept elsewhere can.
        """
        with self._thread_lock:
            if published.size > self._tree.size or self._tree.root(published.size) != published.root:
                raise ReceiptLogBrokenError(
                    f"the receipt log of {self._tree.size} entries does not begin with the published checkpoint of "
                    f"{published.size}; an older copy was restored, restore the newest one"
                )

    def _load(self, keys: Sequence[Ed25519PublicKey]) -> None:
        rows = self._database.execute("SELECT position, document FROM leaves ORDER BY position")
        for expected, (position, document) in enumerate(rows):
            if position != expected:
                raise ReceiptLogBrokenError(f"entry {expected} of the receipt log is missing; restore the file from its backup")
            self._tree.append(leaf_hash(document))
        head = self._database.execute("SELECT note FROM head").fetchone()
        if head is None and self._tree.size == 0:
            return
        if head is None:
            raise ReceiptLogBrokenError("the receipt log has entries and no signed head; restore the file from its backup")
        signed = _open_with_any(head[0], keys)
        if (signed.origin, signed.size, signed.root) != (self._signer.origin, self._tree.size, self._tree.root()):
            raise ReceiptLogBrokenError(
                f"the receipt log holds {self._tree.size} entries that do not match its signed head of {signed.size} "
                f"for {signed.origin}; restore the file from its backup"
            )

    def _store(self, index: int, document: bytes, once: str | None) -> None:
        note = self._signer.sign(index + 1, self._tree.root())
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute("INSERT INTO leaves VALUES (?, ?, ?)", (index, document, once))
            self._database.execute("INSERT OR REPLACE INTO head VALUES (1, ?)", (note,))

    def _position(self, once: str | None) -> int | None:
        if once is None:
            return None
        row = self._database.execute("SELECT position FROM leaves WHERE once = ?", (once,)).fetchone()
        return None if row is None else int(row[0])


def _lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise ReceiptLogBusyError("another process has the receipt log open; only the writing registry may open it") from error
    return descriptor


def _open_with_any(note: str, keys: Sequence[Ed25519PublicKey]) -> Checkpoint:
    for key in keys:
        try:
            return open_checkpoint(note, key)
        except CheckpointError:
            continue
    raise ReceiptLogBrokenError(
        "the head of the receipt log was signed by none of this deployment's keys; restore the receipt signing key, "
        "or name the public key from before the rotation"
    )
