"""Messages that were handled are erased when their time is over; what nobody has handled waits for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from callcenter.audit.ledger import Entry, EventKind, note
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random
from callcenter.practice.inbox import erase_handled
from callcenter.practice.tables import practice
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
        before, erased = self.clock.now() - self.kept, 0
        async with self.database.house() as connection:
            practices = list((await connection.execute(select(practice.c.id))).scalars())
        for practice_id in practices:
            gone = _AT_ONCE
            while gone == _AT_ONCE:
                async with self.database.practice(practice_id) as tx:
                    messages = await erase_handled(tx, before, _AT_ONCE)
                    for message in messages:
                        entry = Entry(EventKind.MESSAGE_ERASED, _ACTOR, None, {"refs": [f"message:{message}"]})
                        await note(tx, entry, self.clock, self.random, stream=message)
                gone = len(messages)
                erased += gone
        return erased
