"""What the pages of incidents need of the house. What was written of one is opened for whoever may read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from callcenter.calls.call_references import NoCall
from callcenter.staff.incident_tables import EntryKind, IncidentKind
from callcenter.staff.incident_values import Listed, Register


@dataclass(frozen=True, slots=True)
class Deadline:
    """An incident whose clock runs, or of which a practice has not been told after a day.

    Arguments:
        left: until the 72 hours are over; negative afterwards.
        runs: nobody has notified the authority.
        untold: practices that nobody has told, once that is late; 0 before.
    """

    incident: UUID
    at: datetime
    left: timedelta
    runs: bool = True
    untold: int = 0

    @property
    def over(self) -> bool:
        """Something of it should have been done by now."""
        return self.untold > 0 or (self.runs and self.left <= timedelta())


@dataclass(frozen=True, slots=True)
class Choices:
    """What a declaration may name.

    Arguments:
        practices: those that one supervises or administers, by name; the first of them.
        more: how many others there are, which are named by their short names.
    """

    now: datetime
    practices: Sequence[tuple[UUID, str]]
    more: int


@dataclass(frozen=True, slots=True)
class Declared:
    """What a form says.

    Arguments:
        known_at: aware.
        slugs: short names of practices that are not in the list.
    """

    kind: IncidentKind
    known_at: datetime
    practices: Sequence[UUID]
    slugs: Sequence[str]
    entries: Sequence[tuple[EntryKind, str]]


class Implausible(Exception):
    """Known later than now, or more than a year ago."""


class UnknownPractice(Exception):
    """No practice that one answers for has that short name."""

    def __init__(self, slug: str) -> None:
        super().__init__("no such practice")
        self.slug = slug


@dataclass(frozen=True, slots=True)
class Shown:
    """A register as its page shows it.

    Arguments:
        names: of the practices that it names.
        reach: those for which the reader may act at this moment: whoever has declared an incident goes on seeing it.
    """

    now: datetime
    register: Register
    names: Mapping[UUID, str]
    reach: frozenset[UUID] = frozenset()

    @property
    def untold(self) -> Sequence[UUID]:
        """The practices in reach that nobody has told, and that have no notice, by name."""
        those = [one.practice for one in self.register.concerned if one.untold and one.practice in self.reach]
        return sorted(those, key=lambda practice: (self.names.get(practice, ""), practice))


class Incidents(Protocol):
    """The incidents of an organisation.

    Raises, all but ``running``: Forbidden where the session is over; NotFound for whoever supervises and administers
    nothing, and for an incident that one may not see.
    """

    async def running(self, token: str) -> Sequence[Deadline]:
        """Whose clock runs, or that a practice is told late of, by deadline; none for whoever may see none."""

    async def choices(self, token: str) -> Choices:
        """What may be named."""

    async def declare(self, token: str, declared: Declared) -> UUID:
        """Open an incident.

        Raises:
            Implausible, UnknownPractice: it cannot be so.
        """

    async def all(self, token: str) -> tuple[datetime, Sequence[Listed]]:
        """The time, and what one may see, the last first."""

    async def read(self, token: str, incident: UUID, *, exported: bool = False) -> Shown:
        """The register; that it is read, or taken along, is on record first."""

    async def write(self, token: str, incident: UUID, kind: EntryKind, words: str) -> None:
        """Add to the register."""

    async def hold(self, token: str, incident: UUID, reference: str) -> NoCall | None:
        """Have nothing erased of a call; or why that reference names none of a practice concerned."""

    async def lift(self, token: str, incident: UUID, hold: UUID) -> bool:
        """Let it be erased in its time again. False where it is not held any more, or of a practice out of reach."""
