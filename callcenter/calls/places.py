"""What is public about practices, kept for some seconds so that a step need not ask again."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import NotFound
from callcenter.practice.directory import Directory
from callcenter.practice.facts import PracticeFacts

FRESH = timedelta(seconds=10)


class NotOurNumber(NotFound):
    """No practice answers at the called number."""


class Places:
    """The directory, remembered briefly.

    Arguments:
        clock: tells how old a memory is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_number: dict[str, tuple[datetime, UUID]] = {}
        self._by_practice: dict[UUID, tuple[datetime, PracticeFacts]] = {}

    async def practice_of(self, connection: AsyncConnection, called: str) -> UUID:
        """The practice that answers at ``called`` (E.164).

        Raises:
            NotOurNumber: none does.
        """
        kept = self._by_number.get(called)
        if kept and self._fresh(kept[0]):
            return kept[1]
        entry = await Directory.for_number(connection, called)
        if entry is None:
            raise NotOurNumber
        self._by_number[called] = (self._clock.now(), entry.practice_id)
        self._by_practice[entry.practice_id] = (self._clock.now(), entry.facts)
        return entry.practice_id

    async def facts(self, connection: AsyncConnection, practice: UUID) -> PracticeFacts:
        """What is public about ``practice``."""
        kept = self._by_practice.get(practice)
        if kept and self._fresh(kept[0]):
            return kept[1]
        facts = await Directory.facts(connection, practice)
        self._by_practice[practice] = (self._clock.now(), facts)
        return facts

    def _fresh(self, since: datetime) -> bool:
        return timedelta(0) <= self._clock.now() - since < FRESH
