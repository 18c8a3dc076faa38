"""What practices are told of incidents, as the pages of staff and of practices ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from callcenter.app.by_incidents import reach_of
from callcenter.console.incident_notice_ports import NotPossible, OfPractice, ToTell
from callcenter.console.incident_ports import Shown
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Forbidden
from callcenter.practice.called import practice_names
from callcenter.staff.incident_notices import IncidentNotices, Reader
from callcenter.staff.incident_values import NotPlausible, Reach, Register, Telling
from callcenter.staff.room import StaffRoom
from callcenter.staff.values import Role
from callcenter.store.database import Database


@dataclass(frozen=True, slots=True)
class StaffIncidentNotices:
    """Implements ``console.incident_notice_ports.IncidentNotices``."""

    room: StaffRoom
    notices: IncidentNotices
    database: Database
    clock: Clock

    async def to_tell(self, token: str, incident: UUID, practice: UUID, *, exported: bool = False) -> ToTell:
        reach = await reach_of(self.room, token)
        found = await self.notices.to_tell(reach, incident, practice, exported=exported)
        return ToTell(await self._shown(reach, found.register), practice, found.contact, found.notices)

    async def make(self, token: str, incident: UUID, practice: UUID, words: str, after: UUID | None) -> bool:
        return await self.notices.make(await reach_of(self.room, token), incident, practice, words, after)

    async def several(self, token: str, incident: UUID) -> Shown:
        reach = await reach_of(self.room, token)
        return await self._shown(reach, await self.notices.several(reach, incident))

    async def make_each(self, token: str, incident: UUID, practices: Sequence[UUID], words: str) -> Sequence[UUID]:
        return await self.notices.make_each(await reach_of(self.room, token), incident, practices, words)

    async def informed(self, token: str, incident: UUID, practice: UUID, telling: Telling) -> bool:
        try:
            return await self.notices.informed(await reach_of(self.room, token), incident, practice, telling)
        except NotPlausible as error:
            raise NotPossible from error

    async def unread(self, token: str) -> int:
        try:
            reader = await self._reader(token, active=False)
        except Forbidden:
            return 0
        return await self.notices.unread(reader) if reader.practices else 0

    async def mine(self, token: str) -> Sequence[OfPractice]:
        told = await self.notices.mine(await self._reader(token))
        names = await self._names(one.practice for one in told)
        return [OfPractice(one, names[one.practice]) for one in told]

    async def read(self, token: str, incident: UUID, practice: UUID) -> OfPractice:
        told, notices = await self.notices.read(await self._reader(token), incident, practice)
        names = await self._names([practice])
        return OfPractice(told, names[practice], notices)

    async def acknowledge(self, token: str, incident: UUID, practice: UUID, notice: UUID) -> bool:
        return await self.notices.acknowledge(await self._reader(token), incident, practice, notice)

    async def _shown(self, reach: Reach, register: Register) -> Shown:
        names = await self._names(one.practice for one in register.concerned)
        return Shown(self.clock.now(), register, names, frozenset(reach.practices))

    async def _names(self, practices: Iterable[UUID]) -> dict[UUID, str]:
        async with self.database.house() as connection:
            return await practice_names(connection, list(set(practices)), self.clock.now())

    async def _reader(self, token: str, *, active: bool = True) -> Reader:
        session = await self.room.standing(token, active=active)
        account = session.account
        return Reader(account, await self.room.rights.practices(account, Role.PRACTITIONER))
