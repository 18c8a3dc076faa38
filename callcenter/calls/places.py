"""What is public about practices, kept in memory as of a revision of their settings: never older than a call needs."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.errors import NotFound
from callcenter.practice.directory import Directory, facts_of
from callcenter.practice.facts import PracticeFacts

#: Practices that are kept in memory; about 10 kB each.
MOST_KEPT = 4096


class NotOurNumber(NotFound):
    """No practice answers at the called number."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The practice from ``since`` until ``until``, when a version begins or ends by itself."""

    facts: PracticeFacts
    since: datetime
    until: datetime | None

    def holds(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


class Places:
    """Practices by (practice, revision): a revision never changes, so that nothing here is ever out of date."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[UUID, int], _Kept] = OrderedDict()

    async def facts(self, connection: AsyncConnection, practice: UUID, revision: int, at: datetime) -> PracticeFacts:
        """What is public about ``practice`` as of ``revision`` of its settings, at ``at`` (aware)."""
        key = (practice, revision)
        kept = self._kept.get(key)
        if kept is None or not kept.holds(at):
            snapshot = await Directory.snapshot(connection, practice, at, revision)
            kept = self._kept[key] = _Kept(facts_of(snapshot), at, snapshot.until)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return kept.facts
