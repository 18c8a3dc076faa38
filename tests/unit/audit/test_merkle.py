"""Roots and proofs of trees, against the RFC's own construction (``merkle_by_hand``) and its reference root."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from callcenter.audit import verify
from callcenter.audit.proving import Stretch, apart, beside
from callcenter.audit.verify import (
    EMPTY_ROOT,
    Frontier,
    Malformed,
    Unproven,
    check_consistency,
    check_inclusion,
    leaf_hash,
    node_hash,
)
from tests.unit.audit.merkle_by_hand import path, proof, tree_hash

#: The inputs of the reference tree of Certificate Transparency, and its root.
REFERENCE = tuple(
    map(
        bytes.fromhex,
        (
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ),
    )
)
REFERENCE_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"

MOST = 130
ENTRIES = tuple(f"entry {number}".encode() for number in range(MOST))
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
ROOTS = [tree_hash(ENTRIES[:size]) for size in range(MOST + 1)]
#: Sizes whose every proof is damaged in every way: around powers of two, and between.
DAMAGED = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 15, 16, 17, 31, 33)


def root_of(leaves: Sequence[bytes]) -> bytes:
    tree = Frontier()
    tree.extend(b"".join(leaves))
    return tree.root()


def roots_over(stretches: Sequence[Stretch]) -> list[bytes]:
    return [root_of(LEAVES[one.start : one.end]) for one in stretches]


def test_the_reference_tree_has_its_root() -> None:
    assert root_of([leaf_hash(one) for one in REFERENCE]).hex() == REFERENCE_ROOT
    assert tree_hash(REFERENCE).hex() == REFERENCE_ROOT


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier().root() == EMPTY_ROOT == tree_hash(())


def test_roots_are_those_of_the_rfc() -> None:
    frontier = Frontier()
    for size in range(MOST):
        assert frontier.root() == ROOTS[size]
        frontier.add(LEAVES[size])
    assert frontier.root() == ROOTS[MOST]


def test_a_frontier_is_gone_on_with_where_it_was_kept() -> None:
    for size in range(MOST):
        grown = Frontier()
        for leaf in LEAVES[:size]:
            grown.add(leaf)
        kept = Frontier.from_bytes(size, grown.to_bytes())
        assert kept.root() == ROOTS[size]
        kept.add(LEAVES[size])
        assert (kept.size, kept.root()) == (size + 1, ROOTS[size + 1])


@pytest.mark.parametrize("widest", [1, 4, 1 << 16])
def test_many_leaves_make_the_tree_that_one_after_another_does(widest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "_WIDEST", widest)
    for before in range(40):
        for size in range(before, MOST, 7):
            many = Frontier()
            many.extend(b"".join(LEAVES[:before]))
            many.extend(bytearray().join(LEAVES[before:size]))
            assert (many.size, many.root()) == (size, ROOTS[size])
            many.add(LEAVES[size])
            assert many.root() == ROOTS[size + 1]


@pytest.mark.parametrize(("size", "length"), [(-1, 0), (0, 32), (1, 0), (1, 31), (1, 33), (3, 32), (4, 64), (2, 64)])
def test_bytes_that_are_no_frontier_of_that_size_are_refused(size: int, length: int) -> None:
    with pytest.raises(Malformed, match="frontier"):
        Frontier.from_bytes(size, bytes(length))


def test_inclusion_proofs_are_those_of_the_rfc_and_prove() -> None:
    for size in range(1, MOST + 1):
        leaves, entries = LEAVES[:size], ENTRIES[:size]
        for index in range(size):
            found = roots_over(beside(index, size))
            assert found == path(index, entries)
            check_inclusion(leaves[index], index, size, found, ROOTS[size])


def test_consistency_proofs_are_those_of_the_rfc_and_prove() -> None:
    for size in range(1, MOST + 1):
        entries = ENTRIES[:size]
        for first in range(1, size + 1):
            found = roots_over(apart(first, size))
            assert found == proof(first, entries)
            check_consistency(first, size, found, ROOTS[first], ROOTS[size])


def test_anything_continues_the_empty_tree() -> None:
    for size in range(5):
        assert apart(0, size) == []
        check_consistency(0, size, [], EMPTY_ROOT, ROOTS[size])
    with pytest.raises(Unproven):
        check_consistency(0, 3, [], ROOTS[3], ROOTS[3])
    with pytest.raises(Unproven):
        check_consistency(0, 3, [LEAVES[0]], EMPTY_ROOT, ROOTS[3])


@pytest.mark.parametrize("index", [-1, 3, 4])
def test_nothing_is_proved_of_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(Unproven):
        check_inclusion(LEAVES[0], index, 3, [], ROOTS[3])


@pytest.mark.parametrize("first", [-1, 4])
def test_nothing_is_proved_of_a_tree_that_is_larger(first: int) -> None:
    with pytest.raises(Unproven):
        check_consistency(first, 3, [], ROOTS[3], ROOTS[3])


def damaged(good: list[bytes]) -> list[list[bytes]]:
    """Proofs that differ from ``good``: a hash changed, left out, added, and two swapped."""
    bad = []
    for place in range(len(good)):
        bad.append([*good[:place], bytes(32), *good[place + 1 :]])
        bad.append([*good[:place], *good[place + 1 :]])
    bad += [[*good[:place], LEAVES[-1], *good[place:]] for place in range(len(good) + 1)]
    bad += [[*good[:at], good[at + 1], good[at], *good[at + 2 :]] for at in range(len(good) - 1)]
    return bad


@pytest.mark.parametrize("size", DAMAGED)
def test_an_inclusion_proof_that_is_damaged_or_anothers_proves_nothing(size: int) -> None:
    for index in range(size):
        good = roots_over(beside(index, size))
        wrong = [(LEAVES[index], index, size, bad, ROOTS[size]) for bad in damaged(good)]
        wrong += [(LEAVES[other], index, size, good, ROOTS[size]) for other in range(MOST) if other != index]
        wrong += [(LEAVES[index], index, size, good, ROOTS[other]) for other in range(MOST) if other != size]
        wrong += [(LEAVES[index], other, size, good, ROOTS[size]) for other in range(size) if other != index]
        for leaf, at, of, given, root in wrong:
            with pytest.raises(Unproven):
                check_inclusion(leaf, at, of, given, root)


@pytest.mark.parametrize("size", DAMAGED)
def test_a_consistency_proof_that_is_damaged_or_anothers_proves_nothing(size: int) -> None:
    for first in range(1, size + 1):
        good = roots_over(apart(first, size))
        wrong = [(first, size, bad, ROOTS[first], ROOTS[size]) for bad in damaged(good)]
        wrong += [(first, size, good, ROOTS[other], ROOTS[size]) for other in range(MOST) if other != first]
        wrong += [(first, size, good, ROOTS[first], ROOTS[other]) for other in range(MOST) if other != size]
        for old, new, given, old_root, new_root in wrong:
            with pytest.raises(Unproven):
                check_consistency(old, new, given, old_root, new_root)


def test_a_proof_that_ends_below_the_root_proves_nothing() -> None:
    """The hashes fit; a tree of this size has a longer way."""
    check_consistency(1, 2, [LEAVES[1]], ROOTS[1], ROOTS[2])
    with pytest.raises(Unproven):
        check_consistency(1, 3, [LEAVES[1]], ROOTS[1], ROOTS[2])
    check_inclusion(LEAVES[0], 0, 2, [LEAVES[1]], ROOTS[2])
    with pytest.raises(Unproven):
        check_inclusion(LEAVES[0], 0, 3, [LEAVES[1]], ROOTS[2])


def test_a_proof_that_goes_on_above_the_root_proves_nothing() -> None:
    """The hashes fit; a tree of this size has a shorter way."""
    above = node_hash(LEAVES[9], ROOTS[3]), node_hash(LEAVES[9], ROOTS[4])
    good = roots_over(apart(3, 4))
    check_consistency(3, 4, good, ROOTS[3], ROOTS[4])
    with pytest.raises(Unproven, match="longer"):
        check_consistency(3, 4, [*good, LEAVES[9]], *above)
    with pytest.raises(Unproven, match="longer"):
        check_inclusion(LEAVES[1], 0, 1, [LEAVES[0]], ROOTS[2])


def test_no_proof_at_all_proves_nothing() -> None:
    for first in (1, 2, 3):
        with pytest.raises(Unproven):
            check_consistency(first, 4, [], ROOTS[first], ROOTS[4])
