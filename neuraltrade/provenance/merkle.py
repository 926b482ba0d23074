"""An append-only Merkle tree in the shape of RFC 6962 (proofs as in RFC 9162, section 2.1), with BLAKE3.

Leaves and nodes are hashed in separate domains (a first byte of 0 and 1), so that no node can pass for a leaf. The
tree keeps every complete subtree: level h holds the hashes of leaves [i * 2**h, (i + 1) * 2**h). Appending completes
on average one node beyond the leaf, at worst log2(n); a root or a proof for any size up to the present takes O(log n)
hashes, O(log(n)^2) at worst.
"""

from __future__ import annotations

from collections.abc import Sequence

from blake3 import blake3

from ..errors import InputError, VerificationFailed

HASH_BYTES = 32
EMPTY_ROOT = blake3(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf's content."""
    return blake3(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return blake3(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two below `size`, size >= 2."""
    return 1 << ((size - 1).bit_length() - 1)


class MerkleTree:
    """The tree over the leaf hashes appended so far.

    >>> from neuraltrade.provenance import MerkleTree, leaf_hash, verify_inclusion
    >>> tree = MerkleTree()
    >>> for text in (b"a", b"b", b"c"):
    ...     _ = tree.append(leaf_hash(text))
    >>> verify_inclusion(tree.root(), 3, 1, leaf_hash(b"b"), tree.inclusion(1))
    """

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]

    def __len__(self) -> int:
        return len(self._levels[0]) // HASH_BYTES

    def append(self, leaf: bytes) -> int:
        """Add a leaf hash; returns its index."""
        index = len(self)
        node, height, place = leaf, 0, index
        while True:
            if height == len(self._levels):
                self._levels.append(bytearray())
            level = self._levels[height]
            level += node
            if place % 2 == 0:
                return index
            node = node_hash(bytes(level[-2 * HASH_BYTES : -HASH_BYTES]), node)
            height, place = height + 1, place // 2

    def leaf(self, index: int) -> bytes:
        """The leaf hash at `index`."""
        return self._node(0, self._check(index, "index", 0, len(self) - 1))

    def root(self, size: int | None = None) -> bytes:
        """Root over the first `size` leaves (default: all)."""
        size = self._check(len(self) if size is None else size, "size", 0, len(self))
        return self._range(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Hashes that lead from leaf `index` to the root over the first `size` leaves."""
        size = self._check(len(self) if size is None else size, "size", 1, len(self))
        self._check(index, "index", 0, size - 1)
        path: list[bytes] = []
        start = 0
        while size > 1:
            half = _split(size)
            if index < start + half:
                path.append(self._range(start + half, size - half))
                size = half
            else:
                path.append(self._range(start, half))
                start, size = start + half, size - half
        return path[::-1]

    def consistency(self, old_size: int, size: int | None = None) -> list[bytes]:
        """Hashes that show the tree of `old_size` leaves to be a prefix of that of `size`."""
        size = self._check(len(self) if size is None else size, "size", 0, len(self))
        self._check(old_size, "old_size", 0, size)
        if old_size in (0, size):
            return []
        path: list[bytes] = []
        start, whole, left = 0, True, old_size
        while left != size:
            half = _split(size)
            if left <= half:
                path.append(self._range(start + half, size - half))
                size = half
            else:
                path.append(self._range(start, half))
                start, size, left, whole = start + half, size - half, left - half, False
        if not whole:
            path.append(self._range(start, size))
        return path[::-1]

    def _node(self, height: int, place: int) -> bytes:
        return bytes(self._levels[height][place * HASH_BYTES : (place + 1) * HASH_BYTES])

    def _range(self, start: int, size: int) -> bytes:
        """Hash of the subtree over leaves [start, start + size); start is a multiple of the power of two >= size."""
        if size & (size - 1) == 0:
            height = size.bit_length() - 1
            return self._node(height, start >> height)
        half = _split(size)
        return node_hash(self._range(start, half), self._range(start + half, size - half))

    @staticmethod
    def _check(value: int, argument: str, low: int, high: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InputError(f"{argument} must be an integer in {low}..{high}, was {value!r}")
        return value


def verify_inclusion(root: bytes, size: int, index: int, leaf: bytes, path: Sequence[bytes]) -> None:
    """Raise VerificationFailed unless `path` leads from the leaf hash at `index` to `root` over `size` leaves."""
    if not 0 <= index < size:
        raise VerificationFailed(f"a tree of {size} leaves has no leaf {index}")
    place, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise VerificationFailed(f"the proof of leaf {index} is too long")
        if place % 2 or place == last:
            node = node_hash(sibling, node)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            node = node_hash(node, sibling)
        place, last = place // 2, last // 2
    if last:
        raise VerificationFailed(f"the proof of leaf {index} is too short")
    if node != root:
        raise VerificationFailed(f"the proof of leaf {index} does not lead to the root of {size} leaves")


def verify_consistency(old_root: bytes, old_size: int, root: bytes, size: int, path: Sequence[bytes]) -> None:
    """Raise VerificationFailed unless `path` shows that the first `old_size` of `size` leaves have root `old_root`."""
    if not 0 <= old_size <= size:
        raise VerificationFailed(f"a tree of {size} leaves cannot extend one of {old_size}")
    if old_size in (0, size):
        if path or old_root != (EMPTY_ROOT if old_size == 0 else root):
            raise VerificationFailed(f"the roots of {old_size} and {size} leaves do not agree")
        return
    nodes = list(path)
    if old_size & (old_size - 1) == 0:
        nodes.insert(0, old_root)
    if not nodes:
        raise VerificationFailed("the consistency proof is empty")
    place, last = old_size - 1, size - 1
    while place % 2:
        place, last = place // 2, last // 2
    old_node = node = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            raise VerificationFailed("the consistency proof is too long")
        if place % 2 or place == last:
            old_node, node = node_hash(sibling, old_node), node_hash(sibling, node)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            node = node_hash(node, sibling)
        place, last = place // 2, last // 2
    if last or old_node != old_root or node != root:
        raise VerificationFailed(f"the tree of {size} leaves does not extend that of {old_size}: history was rewritten")
