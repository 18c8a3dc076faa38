"""What the queue knows of calls and of who was there is erased when its time is over; what was told, the ledger keeps.

The server may delete none of it. Functions of the schema do, whole calls at a time, and none of the last 31 days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import TextClause, text

from callcenter.kernel.clock import Clock
from callcenter.store.database import Database

#: Of one transaction, and transactions of one run; the rest waits for the next run.
AT_ONCE, MOST_ROUNDS = 500, 100


@dataclass(frozen=True, slots=True)
class OldCalls:
    """Done by the job worker, every hour.

    Arguments:
        kept: for how long it stays known who waited, who answered and when, and who was there.
    """

    database: Database
    clock: Clock
    kept: timedelta

    async def erase(self) -> int:
        """Erase what is past its time; returns how many calls and moves of presence went."""
        return await self._all(_CALLS) + await self._all(_PRESENCE)

    async def _all(self, statement: TextClause) -> int:
        before, erased = self.clock.now() - self.kept, 0
        for _ in range(MOST_ROUNDS):
            async with self.database.house() as connection:
                gone = (await connection.execute(statement, {"before": before, "most": AT_ONCE})).scalar_one()
            erased += gone
            if gone < AT_ONCE:
                break
        return erased


_CALLS = text("SELECT forget_queue(:before, :most)")
_PRESENCE = text("SELECT forget_presence(:before, :most)")
