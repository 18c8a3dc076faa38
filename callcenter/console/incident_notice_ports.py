"""What the pages about telling practices of incidents need of the house: those of staff, and the practice's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from callcenter.console.incident_ports import Shown
from callcenter.staff.incident_values import Concerned, Contact, Notice, Telling, Told


class NotPossible(Exception):
    """A practice cannot have been told then: later than now, or before the incident was known."""


@dataclass(frozen=True, slots=True)
class ToTell:
    """A practice that is to be told.

    Arguments:
        shown: the register.
        practice: of which it is about.
        notices: what it was told already, the last first.
    """

    shown: Shown
    practice: UUID
    contact: Contact
    notices: Sequence[Notice]

    @property
    def concerned(self) -> Concerned:
        """How far telling it has come."""
        return next(one for one in self.shown.register.concerned if one.practice == self.practice)

    @property
    def name(self) -> str:
        """What the practice is called."""
        return self.shown.names.get(self.practice, str(self.practice))


@dataclass(frozen=True, slots=True)
class OfPractice:
    """An incident as its practice sees it.

    Arguments:
        name: of the practice.
        notices: what it was told, the last first; read for the page of one, else empty.
    """

    told: Told
    name: str
    notices: Sequence[Notice] = ()


class IncidentNotices(Protocol):
    """What practices are told.

    Raises, all but ``unread``: Forbidden where the session is over; NotFound for an incident and a practice that are
    not whoever asks's to see.
    """

    async def to_tell(self, token: str, incident: UUID, practice: UUID, *, exported: bool = False) -> ToTell:
        """What there is to tell a practice; that the register is read, or taken along, is on record first."""

    async def make(self, token: str, incident: UUID, practice: UUID, words: str, after: UUID | None) -> bool:
        """Put words on the practice's page. False where others, after ``after``, were put there meanwhile."""

    async def several(self, token: str, incident: UUID) -> Shown:
        """The practices that may be told the same; that the register is read is on record first."""

    async def make_each(self, token: str, incident: UUID, practices: Sequence[UUID], words: str) -> Sequence[UUID]:
        """Put the same words on the page of each. Returns those that were told meanwhile, and are left out."""

    async def informed(self, token: str, incident: UUID, practice: UUID, telling: Telling) -> bool:
        """A practice was told. False where that is on record already.

        Raises:
            NotPossible: not at that time.
        """

    async def unread(self, token: str) -> int:
        """How many incidents have something for whoever it is to read; none for whoever is no practitioner."""

    async def mine(self, token: str) -> Sequence[OfPractice]:
        """The incidents that concern one's practices, the last first."""

    async def read(self, token: str, incident: UUID, practice: UUID) -> OfPractice:
        """What one's practice was told; that somebody reads it is on record first."""

    async def acknowledge(self, token: str, incident: UUID, practice: UUID, notice: UUID) -> bool:
        """Say to have read it. False where there is more to read by now."""
