"""What is known of an incident, as plain values. Times are aware."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from callcenter.kernel.errors import CallcenterError
from callcenter.staff.incident_tables import EntryKind, IncidentKind
from callcenter.staff.values import Account

#: Within which the authority is notified, from when it is known (RGPD 33.1).
DEADLINE = timedelta(hours=72)
#: Characters of an entry.
LONGEST = 2_000


class NotPlausible(CallcenterError):
    """Known later than now, or more than a year ago."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose incidents somebody may see.

    Arguments:
        practices: those that they supervise or administer at this moment.
        whole: all of the organisation's are.
    """

    account: Account
    practices: Sequence[UUID]
    whole: bool


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is declared.

    Arguments:
        known_at: since when it is known (aware).
        entries: what is known, by kind of entry; the facts at least.
    """

    kind: IncidentKind
    known_at: datetime
    practices: Sequence[UUID]
    entries: Sequence[tuple[EntryKind, str]]


@dataclass(frozen=True, slots=True)
class Listed:
    """An incident, without a word of what was written."""

    id: UUID
    kind: IncidentKind
    known_at: datetime
    declared_at: datetime
    notified_at: datetime | None
    closed_at: datetime | None

    @property
    def deadline(self) -> datetime:
        return self.known_at + DEADLINE

    @property
    def runs(self) -> bool:
        """The clock does: nobody has notified the authority, or closed the incident for a reason."""
        return self.notified_at is None and self.closed_at is None


@dataclass(frozen=True, slots=True)
class Concerned:
    """A practice that an incident concerns, and when it was told."""

    practice: UUID
    informed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Written:
    """An entry of the register.

    Arguments:
        by: display name of whoever has written it.
        about: a practice or a call, for some kinds.
    """

    kind: EntryKind
    at: datetime
    by: str
    words: str
    about: UUID | None


@dataclass(frozen=True, slots=True)
class Hold:
    """A call of which nothing is erased."""

    id: UUID
    practice: UUID
    call: UUID
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class Register:
    """Everything of an incident."""

    incident: Listed
    organisation: str
    declared_by: str
    concerned: tuple[Concerned, ...]
    entries: tuple[Written, ...]
    holds: tuple[Hold, ...]
