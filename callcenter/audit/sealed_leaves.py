"""Leaves of a log as they were signed, whatever its table says today.

To let a record go, the sealer must know that its bytes are those that were sealed: afterwards nobody can tell any more.
The table of leaves is not believed for that, since whoever owns the database could change a leaf, have another record
erased in its place, and put the leaf back. So all leaves are folded again, up to the head that this key has signed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.folding import Folded, fold
from callcenter.audit.verify import Frontier
from callcenter.kernel.errors import IntegrityError

#: Leaves under one node that is remembered. A power of two: a whole subtree.
STRETCH = 4_096


class OtherLeaves(IntegrityError):
    """The leaves that stand in the table are not those that were signed."""


@dataclass(slots=True)
class SealedLeaves:
    """The leaves of one log. Once they were folded, only the stretches that are asked for, and new ones, are read.

    Arguments:
        log: which one.
    """

    log: UUID
    _nodes: list[bytes] = field(default_factory=list, repr=False)

    async def proven(
        self, connection: AsyncConnection, frontier: Frontier, wanted: Collection[int]
    ) -> dict[int, bytes]:
        """The leaves at these indices, by index.

        Arguments:
            frontier: of the head that was signed; all indices are below its size.

        Raises:
            OtherLeaves: what stands there does not fold to it.
        """
        whole, found = frontier.size // STRETCH, dict[int, bytes]()
        asked, nodes = {index // STRETCH for index in wanted}, list(self._nodes[:whole])
        for stretch in range(whole):
            if stretch < len(nodes) and stretch not in asked:
                continue
            folded = await self._fold(connection, stretch, frontier.size, wanted)
            tree = folded.tree
            if tree.size != STRETCH or nodes[stretch : stretch + 1] not in ([], tree.peaks):
                raise OtherLeaves("leaves of it are not those that were signed")
            nodes[stretch:] = [*tree.peaks, *nodes[stretch + 1 :]]
            found.update(folded.wanted)
        tail = await self._fold(connection, whole, frontier.size, wanted)
        upper = Frontier()
        for node in nodes:
            upper.add(node)
        if [*upper.peaks, *tail.tree.peaks] != frontier.peaks:
            raise OtherLeaves("its leaves do not fold to the head that was signed")
        self._nodes = nodes
        return {**found, **tail.wanted}

    async def _fold(self, connection: AsyncConnection, stretch: int, size: int, wanted: Collection[int]) -> Folded:
        """One stretch of a log of that size."""
        start = stretch * STRETCH
        return await fold(connection, self.log, start, min(start + STRETCH, size), wanted=wanted)
