"""The tree agrees with a direct reading of RFC 6962 and with published vectors, and every proof proves."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.receipts.merkle import (
    EMPTY_ROOT,
    MerkleTree,
    ProofError,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

# The inputs and roots with which implementations of RFC 6962 check themselves.
VECTOR_LEAVES = [
    bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
VECTOR_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def tree_of(leaves: list[bytes]) -> MerkleTree:
    tree = MerkleTree()
    for leaf in leaves:
        tree.append(leaf_hash(leaf))
    return tree


def numbered(count: int) -> list[bytes]:
    return [str(number).encode() for number in range(count)]


def direct_root(leaves: list[bytes]) -> bytes:
    """The definition in section 2.1, word for word, as a second opinion."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + direct_root(leaves[:split]) + direct_root(leaves[split:])).digest()


def test_the_empty_tree_and_the_empty_leaf_have_the_published_hashes() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert MerkleTree().root() == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_published_roots(size: int) -> None:
    assert tree_of(VECTOR_LEAVES[:size]).root().hex() == VECTOR_ROOTS[size - 1]
    assert tree_of(VECTOR_LEAVES).root(size).hex() == VECTOR_ROOTS[size - 1]


def test_the_example_of_rfc_6962_section_2_1_3() -> None:
    leaves = [f"d{number}".encode() for number in range(7)]
    a, b, c, d, e, f, j = (leaf_hash(leaf) for leaf in leaves)
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, l_ = node_hash(g, h), node_hash(i, j)
    tree = tree_of(leaves)
    assert tree.root() == node_hash(k, l_)
    assert tree.inclusion_path(0) == (b, h, l_)
    assert tree.inclusion_path(3) == (c, g, l_)
    assert tree.inclusion_path(4) == (f, j, k)
    assert tree.inclusion_path(6) == (i, k)
    assert tree.consistency_path(3) == (c, d, g, l_)
    assert tree.consistency_path(4) == (l_,)
    assert tree.consistency_path(6) == (i, j, k)


def test_every_root_of_a_growing_tree_is_the_direct_one() -> None:
    leaves = numbered(130)
    tree = tree_of(leaves)
    assert [tree.root(size) for size in range(131)] == [direct_root(leaves[:size]) for size in range(131)]


def test_all_thousand_leaves_prove_their_place() -> None:
    leaves = numbered(1000)
    tree = tree_of(leaves)
    for index, leaf in enumerate(leaves):
        path = tree.inclusion_path(index)
        verify_inclusion(leaf_hash(leaf), index=index, size=1000, path=path, root=tree.root())
        with pytest.raises(ProofError):
            verify_inclusion(leaf_hash(leaf), index=(index + 1) % 1000, size=1000, path=path, root=tree.root())


def test_a_tree_of_ten_thousand_leaves() -> None:
    tree = tree_of(numbered(10_000))
    assert tree.root() == direct_root(numbered(10_000))
    for index in (0, 1, 4095, 4096, 8191, 8192, 9999):
        verify_inclusion(leaf_hash(str(index).encode()), index=index, size=10_000, path=tree.inclusion_path(index), root=tree.root())


def test_any_two_sizes_up_to_seventy_are_consistent() -> None:
    tree = tree_of(numbered(70))
    for second in range(1, 71):
        for first in range(1, second + 1):
            verify_consistency(
                first=first,
                first_root=tree.root(first),
                second=second,
                second_root=tree.root(second),
                path=tree.consistency_path(first, second),
            )


@given(st.integers(2, 300), st.data())
def test_a_history_that_was_rewritten_is_not_consistent(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second - 1))
    changed = data.draw(st.integers(0, first - 1))
    honest = tree_of(numbered(second))
    rewritten = tree_of([b"other" if number == changed else leaf for number, leaf in enumerate(numbered(second))])
    for path in (honest.consistency_path(first, second), rewritten.consistency_path(first, second)):
        with pytest.raises(ProofError):
            verify_consistency(first=first, first_root=honest.root(first), second=second, second_root=rewritten.root(second), path=path)


@given(st.integers(1, 300), st.data())
def test_a_bit_flipped_in_leaf_path_or_root_breaks_the_proof(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    tree = tree_of(numbered(size))
    hashes = [leaf_hash(str(index).encode()), *tree.inclusion_path(index), tree.root()]
    which, bit = data.draw(st.integers(0, len(hashes) - 1)), data.draw(st.integers(0, 255))
    hashes[which] = (int.from_bytes(hashes[which], "big") ^ (1 << bit)).to_bytes(32, "big")
    with pytest.raises(ProofError):
        verify_inclusion(hashes[0], index=index, size=size, path=hashes[1:-1], root=hashes[-1])


@given(st.integers(2, 300), st.data())
def test_a_bit_flipped_in_a_consistency_proof_breaks_it(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second - 1))
    tree = tree_of(numbered(second))
    hashes = [tree.root(first), *tree.consistency_path(first, second), tree.root(second)]
    which, bit = data.draw(st.integers(0, len(hashes) - 1)), data.draw(st.integers(0, 255))
    hashes[which] = (int.from_bytes(hashes[which], "big") ^ (1 << bit)).to_bytes(32, "big")
    with pytest.raises(ProofError):
        verify_consistency(first=first, first_root=hashes[0], second=second, second_root=hashes[-1], path=hashes[1:-1])


@given(st.integers(1, 300), st.data())
def test_a_path_that_is_cut_or_longer_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    tree = tree_of(numbered(size))
    path, leaf = tree.inclusion_path(index), leaf_hash(str(index).encode())
    wrong = [(*path, bytes(32)), (bytes(32), *path), *([path[:-1], path[1:]] if path else [])]
    for candidate in wrong:
        with pytest.raises(ProofError):
            verify_inclusion(leaf, index=index, size=size, path=candidate, root=tree.root())


def test_a_node_cannot_pass_as_a_leaf() -> None:
    tree = tree_of([b"a", b"b"])
    forged = leaf_hash(b"a") + leaf_hash(b"b")
    with pytest.raises(ProofError):
        verify_inclusion(leaf_hash(forged), index=0, size=1, path=(), root=tree.root())


@given(st.integers(0, 200), st.integers(0, 200))
def test_truncating_gives_the_tree_as_it_was(kept: int, added: int) -> None:
    tree = tree_of(numbered(kept + added))
    tree.truncate(kept)
    for leaf in numbered(kept + added)[kept:]:
        tree.append(leaf_hash(leaf))
    assert tree.root() == direct_root(numbered(kept + added))
    tree.truncate(kept)
    assert (tree.size, tree.root()) == (kept, direct_root(numbered(kept)))


def test_what_the_tree_never_was_is_refused() -> None:
    tree = tree_of(numbered(5))
    for call in (
        lambda: tree.root(6),
        lambda: tree.inclusion_path(5),
        lambda: tree.inclusion_path(-1),
        lambda: tree.inclusion_path(3, 3),
        lambda: tree.consistency_path(0, 5),
        lambda: tree.consistency_path(4, 3),
        lambda: tree.consistency_path(1, 6),
    ):
        with pytest.raises(IndexError):
            call()
    with pytest.raises(ProofError):
        verify_consistency(first=0, first_root=EMPTY_ROOT, second=5, second_root=tree.root(), path=())


def test_random_large_pairs_are_consistent() -> None:
    tree = tree_of(numbered(5000))
    chosen = random.Random(7)
    for _ in range(300):
        first, second = sorted(chosen.sample(range(1, 5001), 2))
        verify_consistency(
            first=first,
            first_root=tree.root(first),
            second=second,
            second_root=tree.root(second),
            path=tree.consistency_path(first, second),
        )
