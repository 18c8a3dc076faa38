"""The leaves of a log as its table holds them, folded to a tree: read by pages, however many they are.

What the table says is not what was signed: whoever folds it compares what comes of it.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.verify import HASH_SIZE, Frontier

#: Leaves that are read at once, as one value of 128 kB.
PAGE = 4_096


async def fold(
    connection: AsyncConnection,
    log: UUID,
    start: int,
    end: int,
    *,
    tree: Frontier | None = None,
    found: dict[int, bytes] | None = None,
) -> Frontier:
    """The tree over the leaves ``start`` to ``end`` (not included). It has fewer, if some of them are missing.

    Arguments:
        tree: that they are added to; ``None``: to an empty one.
        found: the leaves at its indices, of those that were passed by, are put in it.
    """
    tree, wanted = Frontier() if tree is None else tree, {} if found is None else found
    for at in range(start, end, PAGE):
        last = min(at + PAGE, end)
        read = (await connection.execute(_LEAVES, {"log": log, "start": at, "end": last})).scalar_one()
        leaves = bytes(read or b"")
        if len(leaves) != HASH_SIZE * (last - at):  # some are missing: what comes behind them has no place
            break
        tree.extend(leaves)
        for index in wanted:
            if at <= index < last:
                wanted[index] = leaves[(index - at) * HASH_SIZE : (index - at + 1) * HASH_SIZE]
    return tree


# As one value: a row for each leaf takes as long as all the hashing.
_LEAVES = text(
    "SELECT string_agg(leaf, ''::bytea ORDER BY idx) FROM audit_leaf "
    "WHERE log_id = :log AND idx >= :start AND idx < :end"
)
