"""The Merkle tree of RFC 6962 section 2.1: roots, proofs of inclusion and of consistency, and their checks. Pure.

A tree over n leaves is kept as its peaks: the roots of the complete subtrees from left to right, whose sizes are the
powers of two in n. Appending needs nothing else. Called by `ledger` and `proof`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf: 0x00 before the entry keeps it apart from nodes."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def with_leaf(size: int, peaks: Sequence[bytes], leaf: bytes) -> tuple[bytes, ...]:
    """The peaks of the tree of `size` leaves after one more."""
    grown = list(peaks)
    while size & 1:
        leaf = node_hash(grown.pop(), leaf)
        size >>= 1
    return (*grown, leaf)


def root_of_peaks(peaks: Sequence[bytes]) -> bytes:
    """The root of the tree with those peaks."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root of the tree over those leaf hashes."""
    peaks: tuple[bytes, ...] = ()
    for size, leaf in enumerate(leaves):
        peaks = with_leaf(size, peaks, leaf)
    return root_of_peaks(peaks)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The audit path of the leaf at `index` (from 0), RFC 6962 section 2.1.1."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    if len(leaves) == 1:
        return ()
    split = _split(len(leaves))
    if index < split:
        return (*inclusion_proof(leaves[:split], index), root_of(leaves[split:]))
    return (*inclusion_proof(leaves[split:], index - split), root_of(leaves[:split]))


def levels_of(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Every node of the tree, level by level from the leaves; a node without a sibling goes up as it is."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        level = [node_hash(below[place], below[place + 1]) for place in range(0, len(below) - 1, 2)]
        levels.append(level + below[len(level) * 2 :])
    return levels


def path_in(levels: Sequence[Sequence[bytes]], index: int) -> tuple[bytes, ...]:
    """The audit path of a leaf, as `inclusion_proof` gives it, out of the levels of the tree: for many leaves."""
    path = []
    for level in levels[:-1]:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        index >>= 1
    return tuple(path)


def consistency_proof(leaves: Sequence[bytes], size: int) -> tuple[bytes, ...]:
    """The proof that the tree over the first `size` leaves is the beginning of this one, RFC 6962 section 2.1.2."""
    if not 0 < size <= len(leaves):
        raise IndexError(size)
    return _subproof(leaves, size, is_whole=True)


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """True if the path leads from that leaf to the root (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """True if the path proves the old tree to be the beginning of the new one (RFC 9162 section 2.1.4.2)."""
    if old_size == size:
        return not path and old_root == root
    if not 0 < old_size < size or not path:
        return False
    steps = list(path) if old_size & (old_size - 1) else [old_root, *path]
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and old == old_root and new == root


def _subproof(leaves: Sequence[bytes], size: int, *, is_whole: bool) -> tuple[bytes, ...]:
    if size == len(leaves):
        return () if is_whole else (root_of(leaves),)
    split = _split(len(leaves))
    if size <= split:
        return (*_subproof(leaves[:split], size, is_whole=is_whole), root_of(leaves[split:]))
    return (*_subproof(leaves[split:], size - split, is_whole=False), root_of(leaves[:split]))


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
