"""The Merkle tree of RFC 6962 (section 2.1), over leaf hashes of 32 bytes."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from abverify._frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HASH_BYTES = 32
_LEAF, _NODE = b"\x00", b"\x01"
EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of an entry. Its prefix keeps a leaf from ever passing for a node."""
    return sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two children."""
    return sha256(_NODE + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root of the tree over these leaf hashes, in this order."""
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        pairs = [
            sha256(_NODE + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)
        ]
        # A node without a sibling rises as it is; that is the shape RFC 6962 gives the tree.
        level = [*pairs, level[-1]] if len(level) % 2 else pairs
    return level[0]


@frozen
class Frontier:
    """All that a tree's root and growth depend on: the roots of its perfect subtrees.

    Attributes:
        size: the number of leaves.
        peaks: one hash for each bit that is set in `size`, the largest subtree first.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        """The tree's root."""
        return _folded(self.peaks)

    def extended(self, leaves: Iterable[bytes]) -> Frontier:
        """The tree with more leaves at its end."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaves:
            _push(peaks, size, leaf)
            size += 1
        return Frontier(size, tuple(peaks))


def every_root(leaves: Iterable[bytes]) -> bytearray:
    """The roots that a growing log had at every size from 0 on, one after the other."""
    roots = bytearray(EMPTY_ROOT)
    peaks: list[bytes] = []
    for size, leaf in enumerate(leaves):
        _push(peaks, size, leaf)
        roots += _folded(peaks)
    return roots


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The audit path of a leaf, from its sibling up (RFC 6962, 2.1.1).

    Raises:
        ValueError: if there is no leaf of that index.
    """
    if not 0 <= index < len(leaves):
        raise ValueError(f"no leaf {index} in a tree of {len(leaves)}")
    return tuple(_path(leaves, index))[::-1]


def consistency_proof(leaves: Sequence[bytes], size: int) -> tuple[bytes, ...]:
    """The proof that the tree over all leaves extends the one over the first `size` of them.

    Raises:
        ValueError: if no tree of that size can be extended to this one.
    """
    if not 1 <= size <= len(leaves):
        raise ValueError(f"no earlier tree of size {size} in one of {len(leaves)}")
    return tuple(_subproof(leaves, size))[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether the proof shows that a leaf stands at this index of a tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _hashes([leaf, root, *proof]):
        return False
    place, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place % 2 or place == last:
            result = node_hash(sibling, result)
            while not place % 2 and place:
                place, last = place >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and result == root


def verify_consistency(
    old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]
) -> bool:
    """Whether the proof shows that one tree extends another (RFC 9162, 2.1.4.2).

    Args:
        old: size and root of the earlier tree; nothing can be shown about an empty one.
        new: size and root of the later tree.
        proof: the hashes that `consistency_proof` gives.
    """
    (size, root), (grown, grown_root) = old, new
    if not 1 <= size <= grown or not _hashes([root, grown_root, *proof]):
        return False
    if size == grown:
        return root == grown_root and not proof
    steps = [root, *proof] if size & (size - 1) == 0 else list(proof)
    return bool(steps) and _walk(steps, size - 1, grown - 1) == (root, grown_root)


def _walk(steps: list[bytes], place: int, last: int) -> tuple[bytes, bytes] | None:
    """The two roots that a consistency proof leads to; None if it has the wrong length."""
    while place % 2:
        place, last = place >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return None
        if place % 2 or place == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while not place % 2 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, step)
        place, last = place >> 1, last >> 1
    return (before, after) if last == 0 else None


def _path(leaves: Sequence[bytes], index: int) -> Iterator[bytes]:
    """The siblings on the way from the root down to a leaf."""
    while len(leaves) > 1:
        half = _half(len(leaves))
        if index < half:
            yield root_of(leaves[half:])
            leaves = leaves[:half]
        else:
            yield root_of(leaves[:half])
            leaves, index = leaves[half:], index - half


def _subproof(leaves: Sequence[bytes], size: int) -> Iterator[bytes]:
    """The nodes of a consistency proof from the root down (SUBPROOF of RFC 6962, 2.1.2)."""
    complete = True
    while size != len(leaves):
        half = _half(len(leaves))
        if size <= half:
            yield root_of(leaves[half:])
            leaves = leaves[:half]
        else:
            yield root_of(leaves[:half])
            leaves, size, complete = leaves[half:], size - half, False
    if not complete:
        yield root_of(leaves)


def _half(size: int) -> int:
    """The largest power of two below a size of 2 or more."""
    return 1 << (size - 1).bit_length() - 1


def _push(peaks: list[bytes], size: int, leaf: bytes) -> None:
    """Adds a leaf to the peaks of a tree that had `size` leaves."""
    while size % 2:
        leaf = sha256(_NODE + peaks.pop() + leaf).digest()
        size >>= 1
    peaks.append(leaf)


def _folded(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in peaks[-2::-1]:
        root = sha256(_NODE + peak + root).digest()
    return root


def _hashes(values: Iterable[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
