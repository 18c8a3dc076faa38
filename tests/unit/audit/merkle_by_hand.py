"""RFC 6962 §2.1 once more, written from its text: recursive, over entries and not over hashes, nothing of ours.

What the RFC writes ``D[k:n]`` is a slice of a tuple, so that what stands here can be laid beside it.
"""

from __future__ import annotations

import hashlib
from functools import cache

Entries = tuple[bytes, ...]


def below(n: int) -> int:
    """The largest power of two that is smaller than ``n``."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


@cache
def tree_hash(entries: Entries) -> bytes:
    """MTH, the Merkle tree hash."""
    match len(entries):
        case 0:
            return hashlib.sha256().digest()
        case 1:
            return hashlib.sha256(bytes([0]) + entries[0]).digest()
        case n:
            k = below(n)
            return hashlib.sha256(bytes([1]) + tree_hash(entries[:k]) + tree_hash(entries[k:])).digest()


def path(m: int, entries: Entries) -> list[bytes]:
    """PATH, the audit path of entry ``m``."""
    if len(entries) == 1:
        return []
    k = below(len(entries))
    if m < k:
        return [*path(m, entries[:k]), tree_hash(entries[k:])]
    return [*path(m - k, entries[k:]), tree_hash(entries[:k])]


def proof(m: int, entries: Entries) -> list[bytes]:
    """PROOF, that the first ``m`` entries, one or more, are continued."""
    return subproof(m, entries, True)


def subproof(m: int, entries: Entries, whole: bool) -> list[bytes]:
    """SUBPROOF; ``whole``: the subtree is the tree of the first ``m`` entries, whose root is known."""
    n = len(entries)
    if m == n:
        return [] if whole else [tree_hash(entries)]
    k = below(n)
    if m <= k:
        return [*subproof(m, entries[:k], whole), tree_hash(entries[k:])]
    return [*subproof(m - k, entries[k:], False), tree_hash(entries[:k])]
