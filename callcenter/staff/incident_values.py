"""What is known of an incident, as plain values. Times are aware."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from callcenter.kernel.errors import CallcenterError
from callcenter.staff.incident_tables import EntryKind, IncidentKind, Means
from callcenter.staff.values import Account

#: Within which the authority is notified, from when it is known (RGPD 33.1).
DEADLINE = timedelta(hours=72)
#: Within which a practice that it concerns is to have been told. Art. 33.2 says « without undue delay » and names no
#: hours; a day leaves the practice, whose own 72 hours then begin, the time to see what it must do.
WITHOUT_DELAY = timedelta(hours=24)
#: Characters of an entry; of what a practice is told, which has all that art. 33.3 asks for.
LONGEST, LONGEST_NOTICE = 2_000, 8_000
#: Practices that are told the same at a time.
MOST_AT_ONCE = 50


class NotPlausible(CallcenterError):
    """Known later than now, or more than a year ago; told later than now, or before it was known."""


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
    """An incident, without a word of what was written.

    Arguments:
        untold: how many practices that it concerns nobody has told, or nobody has noted to have.
    """

    id: UUID
    kind: IncidentKind
    known_at: datetime
    declared_at: datetime
    notified_at: datetime | None
    closed_at: datetime | None
    untold: int = 0

    @property
    def deadline(self) -> datetime:
        return self.known_at + DEADLINE

    @property
    def runs(self) -> bool:
        """The clock does: nobody has notified the authority, or closed the incident for a reason."""
        return self.notified_at is None and self.closed_at is None

    def delayed(self, now: datetime) -> bool:
        """Whoever has not been told by now is told late."""
        return now > self.known_at + WITHOUT_DELAY


@dataclass(frozen=True, slots=True)
class Concerned:
    """A practice that an incident concerns, and when it was told.

    Arguments:
        means: how; ``None`` where that is not on record.
        noticed_at: when what it is told last was put on its page.
        read_at: when somebody of it has first said to have read that.
    """

    practice: UUID
    informed_at: datetime | None
    means: Means | None = None
    noticed_at: datetime | None = None
    read_at: datetime | None = None

    @property
    def untold(self) -> bool:
        """Nobody has told it, and it has nothing to read either."""
        return self.informed_at is None and self.noticed_at is None


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


@dataclass(frozen=True, slots=True)
class Telling:
    """That a practice was told.

    Arguments:
        at: when (aware).
        words: to whom, under which reference; empty for nothing.
    """

    at: datetime
    means: Means
    words: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """By whom a practice is reached.

    Arguments:
        names: of its practitioners who have an account; the first of them.
        number: E.164 of a line of the practice that does not lead to us.
    """

    names: tuple[str, ...]
    number: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """That somebody has said to have read a notice.

    Arguments:
        by: their display name.
    """

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """What a practice was told, as it stands on its page.

    Arguments:
        by: display name of whoever has put it there.
        receipts: who of the practice has read it, in the order of time.
    """

    id: UUID
    at: datetime
    by: str
    words: str
    receipts: tuple[Receipt, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """An incident as a practice that it concerns sees it: nothing of the register, and of no other practice.

    Arguments:
        organisation: whoever has declared it, the processor.
        noticed_at: when what the practice is told last was put on its page.
        unread: whoever looks has not said to have read that.
    """

    incident: UUID
    practice: UUID
    kind: IncidentKind
    known_at: datetime
    declared_at: datetime
    closed_at: datetime | None
    organisation: str
    noticed_at: datetime | None
    unread: bool
