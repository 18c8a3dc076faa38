"""Records of the ledger are erased when their time is over, in every log, the house's too: on record, then for good."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from callcenter.audit.believed import APART, is_believed, time_of
from callcenter.audit.erasing import due, erase_let_go
from callcenter.audit.ledger import EventKind
from callcenter.audit.logs import HOUSE_LOG
from callcenter.audit.retention import RetentionTerms
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random
from callcenter.practice.everywhere import in_each
from callcenter.staff.ledger_acts import put_on_record
from callcenter.staff.records import Actor
from callcenter.store.database import Database

_log = structlog.get_logger(__name__)

JOB = Actor("job", "retention")


@dataclass(frozen=True, slots=True)
class OldRecords:
    """Done by the job worker, several times a night: what one run names, the sealer judges, and the next one erases.

    Arguments:
        clock, random: of the erasures' own records.
        terms: how long each class of records is kept.
        other_clock: what time it is by the database, which must say about the same.
    """

    database: Database
    clock: Clock
    random: Random
    terms: RetentionTerms
    other_clock: Callable[[Database], Awaitable[datetime]] = time_of

    async def erase(self) -> int:
        """Erase what the sealer has let go, then name what has had its time since, unless no clock is to be believed;
        returns how many records went."""
        if not await self._knows_the_time():
            return await self.finish()
        return await self._in_log(HOUSE_LOG) + await in_each(self.database, self._in_log)

    async def finish(self) -> int:
        """Erase what the sealer has let go, and name nothing; returns how many records went."""
        return await self._finish(HOUSE_LOG) + await in_each(self.database, self._finish)

    async def _knows_the_time(self) -> bool:
        now = self.clock.now()
        apart = abs(now - await self.other_clock(self.database))
        if apart > APART:
            _log.warning("no record is named: two clocks differ", seconds=int(apart.total_seconds()))
            return False
        if not await is_believed(self.database, now):
            _log.warning("no record is named: no head was signed in the week before, or none a day ago")
            return False
        return True

    async def _in_log(self, log: UUID) -> int:
        erased = await self._finish(log)
        async with self.database.practice(log) as tx:
            for content in await due(tx, self.terms, self.clock.now()):
                await put_on_record(tx, EventKind.ERASURE, content, JOB, self.clock, self.random)
        return erased

    async def _finish(self, log: UUID) -> int:
        erased, gone = 0, 1
        while gone:
            async with self.database.practice(log) as tx:
                gone = await erase_let_go(tx)
            erased += gone
        return erased
