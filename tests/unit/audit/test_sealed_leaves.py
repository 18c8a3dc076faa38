"""Leaves as they were signed: whatever is changed in the table that holds them is noticed before anything is let go."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from callcenter.audit import sealed_leaves
from callcenter.audit.sealed_leaves import OtherLeaves, SealedLeaves
from callcenter.audit.verify import Frontier


class Table:
    """The leaves of one log, as a connection reads them."""

    def __init__(self, count: int) -> None:
        self.leaves = [sha256(bytes([index])).digest() for index in range(count)]
        self.read = 0

    def frontier(self) -> Frontier:
        frontier = Frontier()
        for leaf in self.leaves:
            frontier.add(leaf)
        return frontier

    async def execute(self, _: object, values: dict[str, Any]) -> Table:
        self._found = self.leaves[values["start"] : values["end"]]
        self.read += len(self._found)
        return self

    def scalar_one(self) -> bytes | None:
        return b"".join(self._found) or None


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_leaves, "STRETCH", 4)


@pytest.mark.parametrize("count", [1, 3, 4, 5, 8, 11, 12, 17])
async def test_leaves_that_were_signed_are_given_and_read_once(count: int) -> None:
    table, leaves = Table(count), SealedLeaves(UUID(int=1))
    wanted = {0, count - 1, count // 2}
    for _ in range(2):
        found = await leaves.proven(table, table.frontier(), wanted)  # type: ignore[arg-type]
        assert found == {index: table.leaves[index] for index in wanted}
    table.read = 0
    await leaves.proven(table, table.frontier(), {0})  # type: ignore[arg-type]
    assert table.read == min(4, count) + (count % 4 if count >= 4 else 0)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("changed", range(11))
async def test_a_leaf_that_was_changed_is_given_to_nobody(changed: int, known: bool) -> None:
    table, leaves = Table(11), SealedLeaves(UUID(int=1))
    frontier = table.frontier()
    if known:
        await leaves.proven(table, frontier, {0})  # type: ignore[arg-type]
    table.leaves[changed] = bytes(32)
    with pytest.raises(OtherLeaves):
        await leaves.proven(table, frontier, {changed})  # type: ignore[arg-type]


async def test_a_leaf_that_is_missing_is_noticed() -> None:
    for gone in (0, 5, 10):
        table = Table(11)
        frontier = table.frontier()
        del table.leaves[gone]
        with pytest.raises(OtherLeaves):
            await SealedLeaves(UUID(int=1)).proven(table, frontier, {1})  # type: ignore[arg-type]


async def test_a_log_that_has_grown_is_gone_on_with() -> None:
    table, leaves = Table(6), SealedLeaves(UUID(int=1))
    await leaves.proven(table, table.frontier(), {5})  # type: ignore[arg-type]
    table.leaves += [sha256(b"later").digest()] * 7
    found = await leaves.proven(table, table.frontier(), {5, 12})  # type: ignore[arg-type]
    assert found == {5: table.leaves[5], 12: table.leaves[12]}
