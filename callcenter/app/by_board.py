"""Queues, presence and counts, as the live board of supervisors shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from callcenter.calls.counts import Counts, counts
from callcenter.console.board_ports import Board, Person, Row, Targets
from callcenter.console.workplace_ports import Doing
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import NotFound
from callcenter.practice.called import practice_names
from callcenter.routing.statistics import Marks, Queue, Statistics, day_began, statistics, who_is_there
from callcenter.staff.glass import late
from callcenter.staff.room import StaffRoom
from callcenter.staff.values import Account, Role
from callcenter.store.database import Database

#: Practices that a board names.
MOST_ROWS = 100


@dataclass(frozen=True, slots=True)
class StaffBoards:
    """Implements ``console.board_ports.Boards``.

    Arguments:
        database: the console's own, so that boards hold up no caller.
    """

    room: StaffRoom
    database: Database
    clock: Clock
    marks: Marks
    targets: Targets

    async def check(self, token: str) -> None:
        await self._supervised(token)

    async def look(self, token: str) -> Board:
        account, practices = await self._supervised(token)
        now = self.clock.now()
        async with self.database.house() as connection:
            found = await statistics(connection, account.organisation, practices, now, self.marks)
            people = await who_is_there(connection, account.organisation, practices)
            counted = await counts(connection, practices, day_began(now), now)
            shown = _first(found, counted)
            names = await practice_names(connection, shown, now)
            glass = await late(connection, practices, now)
        return Board(
            now=now,
            total=found.total,
            counts=sum(counted.values(), Counts()),
            rows=tuple(Row(names[one], found.practices.get(one, Queue()), counted.get(one, Counts())) for one in shown),
            quiet=len(practices) - len(shown),
            people=tuple(Person(one.name, Doing(one.state.value)) for one in people),
            marks=self.marks,
            targets=self.targets,
            glass=glass,
        )

    async def _supervised(self, token: str) -> tuple[Account, Sequence[UUID]]:
        """Whose session it is, and what they supervise at this moment."""
        session = await self.room.standing(token, active=False)
        practices = await self.room.rights.practices(session.account, Role.SUPERVISOR)
        if not practices:
            raise NotFound
        return session.account, practices


def _first(found: Statistics, counted: Mapping[UUID, Counts]) -> list[UUID]:
    """The practices that are shown: where most wait, then where most has happened."""

    def rank(practice: UUID) -> tuple[int, int, int, str]:
        queue = found.practices.get(practice, Queue())
        return -queue.now.waiting, -queue.now.overdue, -queue.day.offered, practice.hex

    return sorted(found.practices.keys() | counted.keys(), key=rank)[:MOST_ROWS]
