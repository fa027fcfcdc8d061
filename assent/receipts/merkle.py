"""The hash tree of RFC 6962 section 2.1 and its two proofs; never does I/O, never sees what a leaf means."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class ProofError(Exception):
    """Raised when a proof does not lead to the root it is checked against."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf; the 0x00 before it keeps a leaf from passing as a node."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class MerkleTree:
    """An append-only tree that can tell its root and prove itself at every size it ever had.

    Keeps the hash of every complete subtree, 64 bytes per leaf; level k holds the subtrees of 2^k leaves.
    """

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0]) // HASH_BYTES

    def append(self, leaf: bytes) -> int:
        """Add the hash of one leaf and return its index."""
        index = self.size
        subtree, level = leaf, 0
        self._levels[0] += subtree
        while (index >> level) & 1:
            subtree = node_hash(self._complete(level, (index >> level) - 1), subtree)
            level += 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += subtree
        return index

    def truncate(self, size: int) -> None:
        """Forget the leaves from `size` on: an append that could not be stored is taken back."""
        for level, subtrees in enumerate(self._levels):
            del subtrees[(size >> level) * HASH_BYTES :]

    def root(self, size: int | None = None) -> bytes:
        """Root of the first `size` leaves, all by default."""
        size = self._checked(self.size if size is None else size)
        return self._hash(0, size) if size else EMPTY_ROOT

    def inclusion_path(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Audit path of leaf `index` in the tree of the first `size` leaves, from the leaf upwards."""
        size = self._checked(self.size if size is None else size)
        if not 0 <= index < size:
            raise IndexError(f"there is no leaf {index} in a tree of {size}")
        path: list[bytes] = []
        low, high = 0, size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._hash(middle, high))
                high = middle
            else:
                path.append(self._hash(low, middle))
                low = middle
        return tuple(reversed(path))

    def consistency_path(self, first: int, second: int | None = None) -> tuple[bytes, ...]:
        """Proof that the tree of `first` leaves is the beginning of the tree of `second`; empty when they are equal."""
        second = self._checked(self.size if second is None else second)
        if not 0 < first <= second:
            raise IndexError(f"a consistency proof needs 1 <= first <= second, not {first} and {second}")
        path: list[bytes] = []
        low, high = 0, second
        while first != high:
            middle = low + _split(high - low)
            if first <= middle:
                path.append(self._hash(middle, high))
                high = middle
            else:
                path.append(self._hash(low, middle))
                low = middle
        if low:
            path.append(self._hash(low, high))
        return tuple(reversed(path))

    def _hash(self, low: int, high: int) -> bytes:
        """Root of the leaves low..high-1, where `low` is a multiple of the largest power of two below the width."""
        width = high - low
        if width & (width - 1) == 0:
            level = width.bit_length() - 1
            return self._complete(level, low >> level)
        middle = low + _split(width)
        return node_hash(self._hash(low, middle), self._hash(middle, high))

    def _complete(self, level: int, position: int) -> bytes:
        return bytes(self._levels[level][position * HASH_BYTES : (position + 1) * HASH_BYTES])

    def _checked(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise IndexError(f"the tree has {self.size} leaves, not {size}")
        return size


def verify_inclusion(leaf: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Raises ProofError unless the leaf hash stands at `index` of the tree with this size and root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofError(f"index {index} lies outside a tree of {size} leaves")
    reached = leaf
    for sibling, is_left in _climb(index, size - 1, path):
        reached = node_hash(sibling, reached) if is_left else node_hash(reached, sibling)
    if reached != root:
        raise ProofError("the path does not lead from the leaf to the root of the checkpoint")


def verify_consistency(*, first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]) -> None:
    """Raises ProofError unless the second tree begins with the first (RFC 9162, 2.1.4.2)."""
    if not 0 < first <= second:
        raise ProofError(f"a consistency proof needs 1 <= first <= second, not {first} and {second}")
    if first == second:
        if path or first_root != second_root:
            raise ProofError("two trees of one size have different roots, or the proof between them is not empty")
        return
    # A complete first tree is itself the node that the proof starts from, and is left out of it.
    steps = [first_root, *path] if first & (first - 1) == 0 else list(path)
    if not steps:
        raise ProofError("the consistency proof is empty")
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = steps[0]
    for sibling, is_left in _climb(position, last, steps[1:]):
        if is_left:
            old = node_hash(sibling, old)
        new = node_hash(sibling, new) if is_left else node_hash(new, sibling)
    if old != first_root or new != second_root:
        raise ProofError("the second tree does not begin with the first: entries were changed, removed or reordered")


def _climb(position: int, last: int, path: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each sibling on the way up, and whether it stands to the left. Raises ProofError when path and tree differ in height.

    A node that is the last of its level without a sibling rises unchanged until it has one to its left.
    """
    for sibling in path:
        if last == 0:
            raise ProofError("the path is too long for this tree")
        is_left = bool(position & 1) or position == last
        yield sibling, is_left
        while is_left and position and not position & 1:
            position, last = position >> 1, last >> 1
        position, last = position >> 1, last >> 1
    if last:
        raise ProofError("the path is too short for this tree")


def _split(width: int) -> int:
    """The largest power of two below `width` (which is at least 2)."""
    return 1 << ((width - 1).bit_length() - 1)
