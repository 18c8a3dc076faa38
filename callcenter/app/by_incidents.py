"""Incidents, as the pages of supervisors and administrators ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from callcenter.calls.call_references import NoCall, call_of
from callcenter.console.incident_ports import Choices, Deadline, Declared, Implausible, Shown, UnknownPractice
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Forbidden, NotFound
from callcenter.practice.called import practice_names
from callcenter.staff.incident_tables import EntryKind
from callcenter.staff.incident_values import Declaration, Listed, NotPlausible, Reach
from callcenter.staff.incidents import Incidents
from callcenter.staff.room import StaffRoom
from callcenter.staff.values import Role
from callcenter.store.database import Database

#: Practices that a form lists.
LISTED = 200
_ROLES = (Role.SUPERVISOR, Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class StaffIncidents:
    """Implements ``console.incident_ports.Incidents``."""

    room: StaffRoom
    incidents: Incidents
    database: Database
    clock: Clock

    async def running(self, token: str) -> Sequence[Deadline]:
        try:
            reach = await self._reach(token, active=False)
        except (Forbidden, NotFound):
            return ()
        now = self.clock.now()
        return [
            Deadline(one.id, one.deadline, one.deadline - now, one.runs, one.untold if one.delayed(now) else 0)
            for one in await self.incidents.running(reach)
        ]

    async def choices(self, token: str) -> Choices:
        reach, now = await self._reach(token), self.clock.now()
        async with self.database.house() as connection:
            names = await practice_names(connection, reach.practices, now)
        by_name = sorted(((one, names[one]) for one in reach.practices), key=lambda named: (named[1], named[0].hex))
        return Choices(now, by_name[:LISTED], max(0, len(by_name) - LISTED))

    async def declare(self, token: str, declared: Declared) -> UUID:
        reach = await self._reach(token)
        practices = [*declared.practices, *await self._called(reach, declared.slugs)]
        declaration = Declaration(declared.kind, declared.known_at, practices, declared.entries)
        try:
            return await self.incidents.declare(reach, declaration)
        except NotPlausible as error:
            raise Implausible from error

    async def all(self, token: str) -> tuple[datetime, Sequence[Listed]]:
        return self.clock.now(), await self.incidents.all(await self._reach(token))

    async def read(self, token: str, incident: UUID, *, exported: bool = False) -> Shown:
        reach = await self._reach(token)
        register = await self.incidents.read(reach, incident, exported=exported)
        now = self.clock.now()
        async with self.database.house() as connection:
            names = await practice_names(connection, [one.practice for one in register.concerned], now)
        return Shown(now, register, names, frozenset(reach.practices))

    async def write(self, token: str, incident: UUID, kind: EntryKind, words: str) -> None:
        await self.incidents.write(await self._reach(token), incident, kind, words)

    async def hold(self, token: str, incident: UUID, reference: str) -> NoCall | None:
        reach = await self._reach(token)
        async with self.database.house() as connection:
            call = await call_of(connection, reference, reach.practices)
        if isinstance(call, NoCall):
            return call
        return None if await self.incidents.hold(reach, incident, call.id) else NoCall.UNKNOWN

    async def lift(self, token: str, incident: UUID, hold: UUID) -> bool:
        return await self.incidents.lift(await self._reach(token), incident, hold)

    async def _called(self, reach: Reach, slugs: Sequence[str]) -> list[UUID]:
        found = []
        async with self.database.house() as connection:
            for slug in slugs:
                values = {"slug": slug, "reach": list(reach.practices)}
                practice: UUID | None = (await connection.execute(_CALLED, values)).scalar_one_or_none()
                if practice is None:
                    raise UnknownPractice(slug)
                found.append(practice)
        return found

    async def _reach(self, token: str, *, active: bool = True) -> Reach:
        return await reach_of(self.room, token, active=active)


async def reach_of(room: StaffRoom, token: str, *, active: bool = True) -> Reach:
    """Whose incidents the owner of a session may see now.

    Raises:
        Forbidden: the session is over.
        NotFound: they supervise and administer nothing.
    """
    session = await room.standing(token, active=active)
    grants = [grant for grant in session.roles if grant.role in _ROLES]
    if not grants:
        raise NotFound
    of_each = [await room.rights.practices(session.account, role) for role in _ROLES]
    practices = sorted({practice for those in of_each for practice in those})
    return Reach(session.account, practices, any(grant.portfolio.whole for grant in grants))


_CALLED = text("SELECT id FROM practice WHERE slug = :slug AND id = ANY(:reach)")
