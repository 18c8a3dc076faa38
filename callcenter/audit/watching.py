"""Whether the ledger is sealed in time, as a value in memory that every disclosure asks (P4).

What is not sealed yet could be taken away unseen. So that this window stays short, nothing about patients is told in a
practice whose oldest record has waited for longer than ``LONGEST``; nor anywhere, once nobody knows how long they wait.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol
from uuid import UUID

from sqlalchemy import text

from callcenter.store.database import Database

#: How long a record may wait for its seal.
LONGEST = timedelta(seconds=30)
#: A record from after now, by the database's own clock, which was put back since: how long it waits nobody can know.
#: Clocks that are led, not put, never differ by as much.
AHEAD = timedelta(seconds=-1)
#: Seconds between two looks, and for how many of them what was seen holds.
EVERY, FRESH_FOR = 2.0, 10.0
#: Seconds after the first look in which nobody is called: what was written while no server ran has waited for long, and
#: the sealer of a server that starts has it sealed a moment later. One that has not begun by then never does.
SETTLING = LONGEST.total_seconds()


class LedgerWatch(Protocol):
    """Asked before anything about a patient is told."""

    async def look(self) -> None:
        """See now what stands in the database."""

    def is_behind(self, practice: UUID) -> bool:
        """Whether what is told now in this practice could be taken off the record unseen for too long."""

    def is_any_behind(self) -> bool:
        """Whether that is so of any log, the house's too, or nobody knows."""


class LagAlarm(Protocol):
    """Cries for somebody."""

    def logs_behind(self, logs: Collection[UUID]) -> None:
        """The oldest record of these logs waits for too long; told at every look for as long as it does."""


class Watch:
    """Looks again and again which logs are behind. Implements :class:`LedgerWatch`.

    Arguments:
        alarm: told of those that are, from ``SETTLING`` after the first look on.
        longest: how long a record may wait.
        now: seconds that only grow.
    """

    def __init__(
        self,
        database: Database,
        alarm: LagAlarm,
        longest: timedelta = LONGEST,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._database = database
        self._alarm = alarm
        self._longest = longest
        self._now = now
        self._begun_at: float | None = None
        self._seen_at: float | None = None
        self._behind: frozenset[UUID] = frozenset()

    async def look(self) -> None:
        """Ask the database.

        Raises:
            DatabaseDown: what was seen last holds for its time.
        """
        begun = self._now()  # what is found is no younger than this
        self._begun_at = begun if self._begun_at is None else self._begun_at
        waits = await waiting(self._database, self._longest)
        self._behind, self._seen_at = frozenset(waits), begun
        if self._behind and begun - self._begun_at >= SETTLING:
            self._alarm.logs_behind(sorted(self._behind))

    @property
    def is_blind(self) -> bool:
        """Whether nobody has looked lately."""
        return self._seen_at is None or self._now() - self._seen_at > FRESH_FOR

    def is_any_behind(self) -> bool:
        """See :class:`LedgerWatch`."""
        return self.is_blind or bool(self._behind)

    def is_behind(self, practice: UUID) -> bool:
        """See :class:`LedgerWatch`."""
        return self.is_blind or practice in self._behind


async def waiting(database: Database, longer_than: timedelta = timedelta(0)) -> Mapping[UUID, timedelta]:
    """Logs of which a record waits to be sealed for longer than that, each with how long its oldest one does; and
    those of which nobody knows, with a time below ``AHEAD``."""
    values = {"longer_than": longer_than, "ahead": AHEAD}
    async with database.house() as connection:
        return {row.log_id: row.waits for row in await connection.execute(_WAITING, values)}


async def sealed_at(database: Database) -> datetime | None:
    """When the head of any log was signed last, by the sealer's clock."""
    async with database.house() as connection:
        at: datetime | None = (await connection.execute(_SEALED_AT)).scalar_one()
    return at


_SEALED_AT = text("SELECT ledger_sealed_at()")
_WAITING = text(
    "SELECT log_id, waits FROM ledger_waiting(interval '-100 years') "
    "WHERE waits > cast(:longer_than AS interval) OR waits < cast(:ahead AS interval)"
)
