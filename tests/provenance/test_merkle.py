"""The tree against the definition of RFC 6962, and every proof against every way to falsify it."""

import numpy as np
import pytest
from blake3 import blake3

import neuraltrade as nt
from neuraltrade.provenance import MerkleTree, leaf_hash, node_hash, verify_consistency, verify_inclusion

SIZE = 64
LEAVES = [leaf_hash(bytes([i])) for i in range(SIZE)]


def definition(leaves):
    """MTH of RFC 6962, section 2.1, word for word."""
    if not leaves:
        return blake3(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(definition(leaves[:half]), definition(leaves[half:]))


def grown(size=SIZE):
    tree = MerkleTree()
    for index in range(size):
        assert tree.append(LEAVES[index]) == index
    return tree


def test_roots_are_those_of_the_definition_at_every_size():
    tree = MerkleTree()
    for size in range(SIZE):
        assert tree.root() == definition(LEAVES[:size])
        tree.append(LEAVES[size])
    assert [tree.root(size) for size in range(SIZE + 1)] == [definition(LEAVES[:size]) for size in range(SIZE + 1)]
    assert len(tree) == SIZE and tree.leaf(5) == LEAVES[5]


def test_every_inclusion_proof_verifies_and_no_other_leaf_or_place_does():
    tree = grown()
    for size in range(1, SIZE + 1):
        root = tree.root(size)
        for index in range(size):
            path = tree.inclusion(index, size)
            assert len(path) <= (size - 1).bit_length()
            verify_inclusion(root, size, index, LEAVES[index], path)
            with pytest.raises(nt.VerificationFailed):
                verify_inclusion(root, size, index, LEAVES[(index + 1) % SIZE], path)
            if size > 1:
                with pytest.raises(nt.VerificationFailed):
                    verify_inclusion(root, size, (index + 1) % size, LEAVES[index], path)
            with pytest.raises(nt.VerificationFailed):
                verify_inclusion(root, size, index, LEAVES[index], [*path, LEAVES[0]])
            if path:
                with pytest.raises(nt.VerificationFailed):
                    verify_inclusion(root, size, index, LEAVES[index], path[:-1])


def test_every_consistency_proof_verifies_and_no_other_root_does():
    tree, other = grown(), MerkleTree()
    for leaf in LEAVES[::-1]:
        other.append(leaf)
    for size in range(SIZE + 1):
        for old in range(size + 1):
            path = tree.consistency(old, size)
            assert len(path) <= (size or 1).bit_length() + 1
            verify_consistency(tree.root(old), old, tree.root(size), size, path)
            if old:
                with pytest.raises(nt.VerificationFailed):
                    verify_consistency(other.root(old), old, tree.root(size), size, path)
                with pytest.raises(nt.VerificationFailed):
                    verify_consistency(tree.root(old), old, other.root(size), size, path)
            with pytest.raises(nt.VerificationFailed):
                verify_consistency(tree.root(old), old, tree.root(size), size, [*path, LEAVES[0]])
            if path:
                with pytest.raises(nt.VerificationFailed):
                    verify_consistency(tree.root(old), old, tree.root(size), size, path[:-1])


def test_any_flipped_bit_of_a_proof_is_noticed():
    tree = grown(47)
    rng = np.random.default_rng(11)
    for _ in range(500):
        index, old = (int(rng.integers(1, 47)) for _ in range(2))
        for path, check in (
            (tree.inclusion(index), lambda p, i=index: verify_inclusion(tree.root(), 47, i, LEAVES[i], p)),
            (tree.consistency(old), lambda p, o=old: verify_consistency(tree.root(o), o, tree.root(), 47, p)),
        ):
            check(path)
            place = int(rng.integers(len(path)))
            damaged = bytearray(path[place])
            damaged[rng.integers(32)] ^= 1 << rng.integers(8)
            with pytest.raises(nt.VerificationFailed):
                check([*path[:place], bytes(damaged), *path[place + 1 :]])


def test_leaves_and_nodes_are_hashed_in_domains_of_their_own():
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)
    assert node_hash(left, right) == blake3(b"\x01" + left + right).digest()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda tree: tree.root(4), r"size must be an integer in 0\.\.3, was 4"),
        (lambda tree: tree.root(-1), "size"),
        (lambda tree: tree.root(True), "size"),
        (lambda tree: tree.leaf(3), "index"),
        (lambda tree: tree.inclusion(3), r"index must be an integer in 0\.\.2, was 3"),
        (lambda tree: tree.inclusion(0, 0), r"size must be an integer in 1\.\.3"),
        (lambda tree: tree.inclusion(0.5), "index"),
        (lambda tree: tree.consistency(2, 1), "old_size"),
        (lambda tree: tree.consistency(0, 4), "size"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(nt.InputError, match=message):
        call(grown(3))
