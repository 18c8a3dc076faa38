"""What is public about practices, kept in memory as of a revision of their settings: never older than a call needs."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.errors import NotFound
from callcenter.practice.directory import Directory, facts_of
from callcenter.practice.facts import PracticeFacts

#: Revisions of practices that are kept in memory; about 10 kB for each of their periods.
MOST_KEPT = 4096
#: Periods of one revision: when a version begins or ends by itself, calls from before it and from after it go on
#: together, each with what it began with. More boundaries than one within the length of a call cost a look-up each.
MOST_PERIODS = 2


class NotOurNumber(NotFound):
    """No practice answers at the called number."""


@dataclass(frozen=True, slots=True)
class _Period:
    """The practice from ``since`` until ``until``, when a version begins or ends by itself."""

    facts: PracticeFacts
    since: datetime
    until: datetime | None

    def holds(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


class Places:
    """Practices by (practice, revision): a revision never changes, so that nothing here is ever out of date."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[UUID, int], tuple[_Period, ...]] = OrderedDict()

    async def facts(self, connection: AsyncConnection, practice: UUID, revision: int, at: datetime) -> PracticeFacts:
        """What is public about ``practice`` as of ``revision`` of its settings, at ``at`` (aware)."""
        key = (practice, revision)
        period = next((kept for kept in self._kept.get(key, ()) if kept.holds(at)), None)
        if period is None:
            snapshot = await Directory.snapshot(connection, practice, at, revision)
            period = _Period(facts_of(snapshot), at, snapshot.until)
        self._keep(key, period)
        return period.facts

    async def latest(self, connection: AsyncConnection, practice: UUID, at: datetime) -> PracticeFacts:
        """The same as of its latest revision: for whatever is not bound to what a call began with."""
        revision = (await connection.execute(_REVISION, {"practice": practice})).scalar_one()
        return await self.facts(connection, practice, revision, at)

    def _keep(self, key: tuple[UUID, int], period: _Period) -> None:
        """Keep ``period`` as the latest used; one of the same end is the same, known from another moment on."""
        others = (kept for kept in self._kept.get(key, ()) if kept.until != period.until)
        self._kept[key] = (period, *others)[:MOST_PERIODS]
        self._kept.move_to_end(key)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


_REVISION = text("SELECT revision FROM practice WHERE id = :practice")
