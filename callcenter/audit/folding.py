"""The leaves of a log as its table holds them, folded to a tree: read by pages, however many they are.

What the table says is not what was signed: whoever folds it compares what comes of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.verify import HASH_SIZE, Frontier

#: Leaves that are read at once, as one value of 128 kB.
PAGE = 4_096


@dataclass(frozen=True, slots=True)
class Folded:
    """What comes of folding leaves.

    Arguments:
        tree: over them.
        wanted: those that were asked for, by index, as far as they were passed by.
    """

    tree: Frontier
    wanted: Mapping[int, bytes]


async def fold(
    connection: AsyncConnection,
    log: UUID,
    start: int,
    end: int,
    *,
    onto: Frontier | None = None,
    wanted: Collection[int] = (),
) -> Folded:
    """The leaves ``start`` to ``end`` (not included), folded; fewer, if some of them are missing.

    Arguments:
        onto: a tree that they continue, and which stays as it is; ``None``: they begin one.
        wanted: indices of leaves that are returned, too.
    """
    tree, found = Frontier() if onto is None else Frontier(onto.size, onto.peaks), dict[int, bytes]()
    for at in range(start, end, PAGE):
        last = min(at + PAGE, end)
        read = (await connection.execute(_LEAVES, {"log": log, "start": at, "end": last})).scalar_one()
        leaves = bytes(read or b"")
        if len(leaves) != HASH_SIZE * (last - at):  # some are missing: what comes behind them has no place
            break
        tree.extend(leaves)
        for index in wanted:
            if at <= index < last:
                found[index] = leaves[(index - at) * HASH_SIZE : (index - at + 1) * HASH_SIZE]
    return Folded(tree, found)


# As one value: a row for each leaf takes as long as all the hashing.
_LEAVES = text(
    "SELECT string_agg(leaf, ''::bytea ORDER BY idx) FROM audit_leaf "
    "WHERE log_id = :log AND idx >= :start AND idx < :end"
)
