"""What the pages of messages need of the house: what waits for whom, what a message says, and what is done about it.

As in ``console.ports``, every method finds out anew whose the session is and what they may do for the practice. What is
not theirs is ``NotFound``, whatever it is and whether it is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from callcenter.kernel.errors import Conflict


class As(StrEnum):
    """Why somebody may read what a message says. The names stand in ledger records."""

    #: It is for them.
    ADDRESSEE = "addressee"
    #: They wrote it.
    WRITER = "writer"
    #: They supervise who answers for the practice, and give a reason.
    SUPERVISOR = "supervisor"
    #: They do what is to be done about it: see whom to call, and what was answered.
    OPERATOR = "operator"


class Why(StrEnum):
    """For what a supervisor reads what is for a practitioner. The names stand in ledger records."""

    #: It is urgent, and whoever it is for cannot be reached.
    ABSENCE = "absence"
    COMPLAINT = "complaint"
    INCIDENT = "incident"
    #: Somebody has asked what is kept about them (GDPR art. 15).
    ACCESS_REQUEST = "access_request"


class Answer(StrEnum):
    """What may be answered (``practice.correspondence.Answer``)."""

    CALL_BACK = "call_back"
    APPOINTMENT_GIVEN = "appointment_given"
    READY = "ready"
    REFUSED = "refused"
    OTHER = "other"
    NOTHING = "nothing"


class Due(StrEnum):
    """By when operators are to do it."""

    HOUR = "hour"
    HALF_DAY = "half_day"
    DAY = "day"


class Act(StrEnum):
    """What operators do with what is to be done."""

    TAKE = "prendre"
    GIVE_BACK = "rendre"
    FINISH = "terminer"


@dataclass(frozen=True, slots=True)
class Named:
    """A practice."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """A message in a list: nothing of what it says, of who called, or of their number.

    Arguments:
        whom: title and name of whom it is for; ``None`` for the practice.
        spoken: there is, or was, a sound with it.
        own: the reader of the page wrote it.
        read_at, read_by: when whoever it is for has read it, and the name of who has.
        answer, handled_at, handled_by: how, when and by whom it was dealt with.
        due_at: by when something is to be done about it.
        mine, taken: the reader does that; somebody else does.
    """

    id: UUID
    practice: Named
    kind: str
    reason: str
    urgent: bool
    whom: str | None
    since: datetime
    spoken: bool
    own: bool = False
    read_at: datetime | None = None
    read_by: str | None = None
    answer: Answer | None = None
    handled_at: datetime | None = None
    handled_by: str | None = None
    due_at: datetime | None = None
    mine: bool = False
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Overview:
    """What waits, for one person.

    Arguments:
        reads: they are a practitioner: ``for_me`` is theirs.
        works: they answer for practices, or supervise who does: ``to_do`` and ``waiting`` are theirs.
        more_for_me, more_to_do, more_waiting: there is more than is shown.
        practices: to choose one of, whose messages ``waiting`` shows; empty where all are shown.
    """

    now: datetime
    reads: bool
    works: bool
    for_me: tuple[Line, ...] = ()
    more_for_me: bool = False
    to_do: tuple[Line, ...] = ()
    more_to_do: int = 0
    waiting: tuple[Line, ...] = ()
    more_waiting: bool = False
    practices: tuple[Named, ...] = ()
    chosen: Named | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message, unopened.

    Arguments:
        ways: as what the reader may open it; empty where they only see that it is there.
        may_take: what is to be done about it may be taken, or is the reader's already.
        answers: what the reader may answer now.
    """

    line: Line
    ways: frozenset[As]
    may_take: bool
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Voice:
    """The sound with a message.

    Arguments:
        state: ``waiting``, ``kept``, ``lost`` or ``erased``.
    """

    state: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Opened:
    """What a message says, once that it is told is on record.

    Arguments:
        how: why the reader may see it; an operator sees of a practitioner's message whom to call and the answer alone.
        number: as it is written in French, ``None`` where at most the message tells it.
        language: in which the caller was spoken to (ISO 639-1); ``relayed``: by a relay service.
        answers: what may be answered, by this reader, now.
    """

    line: Line
    how: As
    number: str | None = field(repr=False)
    text: str | None = field(repr=False)
    answer_text: str | None = field(repr=False)
    language: str
    relayed: bool
    voice: Voice | None
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound file."""

    content: bytes = field(repr=False)
    media_type: str


class Heard(StrEnum):
    """Why a sound is not given."""

    #: The message was not opened by the reader within the last minutes.
    NOT_OPENED = "not_opened"
    #: It was fetched often enough for now.
    TOO_OFTEN = "too_often"


class TakenTooMuch(Conflict):
    """Somebody has taken as much within the hour as anybody may, who could collect numbers by giving back."""


class Inboxes(Protocol):
    """Messages of practices.

    Raises, all of them: Forbidden where the session is over; NotFound for what is not the reader's.
    """

    async def overview(self, token: str, chosen: UUID | None) -> Overview:
        """What waits. ``chosen``: of which practice, for somebody who answers for many."""

    async def envelope(self, token: str, practice: UUID, message: UUID) -> Envelope:
        """One message, unopened."""

    async def open(self, token: str, practice: UUID, message: UUID, why: Why | None) -> Opened:
        """Open it; for whom it is for, that gives the receipt, and nobody is rung about it any more.

        Arguments:
            why: given by a supervisor; without one, nobody opens it as that.

        Raises:
            Forbidden: no second factor was given just now.
        """

    async def sound(self, token: str, practice: UUID, message: UUID) -> Sound | Heard:
        """What was spoken with it, to its reader of the last minutes; each time is on record."""

    async def answer(self, token: str, practice: UUID, message: UUID, answer: Answer, words: str, due: Due) -> bool:
        """Answer it, which deals with it. False where somebody has, or does at this moment.

        Arguments:
            words: at most 1,000 letters; empty where nothing is added.

        Raises:
            Forbidden: the reader has not opened it within the last hour.
        """

    async def take(self, token: str, practice: UUID, message: UUID) -> Opened | None:
        """Do what is to be done about it, and see what that takes. ``None`` where somebody else does, or it is done.

        Raises:
            Forbidden: no second factor was given just now.
            TakenTooMuch: enough for this hour.
        """

    async def leave(self, token: str, practice: UUID, message: UUID, act: Act) -> bool:
        """Give it back, or finish it. False where the reader does not do it any more."""
