"""Messages that were handled are erased when their time is over; what nobody has handled waits for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from callcenter.audit.ledger import Entry, EventKind, note
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random
from callcenter.practice.everywhere import in_each
from callcenter.practice.inbox import erase_handled
from callcenter.store.database import Database

#: Messages of one transaction.
_AT_ONCE = 200

_ACTOR = {"system": "retention"}


@dataclass(frozen=True, slots=True)
class OldMessages:
    """Done by the job worker, every night.

    Arguments:
        kept: for how long messages stay once they were handled; the database keeps each for a week in any case.
    """

    database: Database
    clock: Clock
    random: Random
    kept: timedelta

    async def erase(self) -> int:
        """Erase the messages whose time is over, each on record in a stream of its own; returns how many."""
        before = self.clock.now() - self.kept
        return await in_each(self.database, lambda practice: self._erase(practice, before))

    async def _erase(self, practice: UUID, before: datetime) -> int:
        erased, gone = 0, _AT_ONCE
        while gone == _AT_ONCE:
            async with self.database.practice(practice) as tx:
                messages = await erase_handled(tx, before, _AT_ONCE)
                for message in messages:
                    entry = Entry(EventKind.MESSAGE_ERASED, _ACTOR, None, {"refs": [f"message:{message}"]})
                    await note(tx, entry, self.clock, self.random, stream=message)
            gone = len(messages)
            erased += gone
        return erased
