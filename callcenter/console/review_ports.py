"""What the pages of supervisors' review need of the house: lists, a patient's records, a call gone through again.

As in ``console.ports``, every method finds out anew whose the session is, and for which practices they are supervisor.
What is not theirs is not there (``NotFound``), whatever it is. Looking is itself on record, committed before the method
returns (P1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from callcenter.calls.call_references import NoCall
from callcenter.kernel.errors import NotFound, Unavailable
from callcenter.reports.values import Criteria, Found, Person, Supervised, Timeline


class Purpose(StrEnum):
    """Why a patient is looked up; the words beside it are sealed."""

    REQUEST = "request"
    COMPLAINT = "complaint"
    INCIDENT = "incident"
    CONTROL = "control"


class Untrained(NotFound):
    """A patient is found, and whoever would list them has let their training lapse (SM-02)."""


class Unsealed(Unavailable):
    """The ledger of the practice is not sealed in time: nothing about patients is told meanwhile (P4)."""


class Unreferred(NotFound):
    """No call of the practice, or of theirs, is named by what was typed, for the reason ``why``."""

    def __init__(self, why: NoCall) -> None:
        super().__init__(why.value)
        self.why = why


class LookUpProblem(StrEnum):
    """Why a patient is not looked up. The words stand in ``templates/review_parts.html``."""

    UNTRAINED = "untrained"
    #: No second factor was given just now.
    UNCONFIRMED = "unconfirmed"
    BOUND = "bound"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class ReviewDesk:
    """What one may choose from.

    Arguments:
        today: where the house stands.
        practices: all of theirs; where they are :attr:`many`, those whose name has what was typed, the first of them,
            and the one that was chosen. Nothing typed brings none.
        categories: code and French name.
        many: more than a list that one chooses from may have.
        found: how many have what was typed.
    """

    today: date
    practices: tuple[Supervised, ...]
    people: tuple[Person, ...]
    categories: tuple[tuple[str, str], ...]
    many: bool = False
    found: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for.

    Arguments:
        patient: what :meth:`Reviews.look_up` has given for one of those whom it found, or empty.
        after: what the page before has given to go on by, or empty.
        reference: of one call alone, of whatever day, as it was typed; or empty.
    """

    criteria: Criteria
    patient: str = field(default="", repr=False)
    after: str = field(default="", repr=False)
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """A page of what was found, newest first.

    Arguments:
        after: to go on by; empty at the end.
    """

    found: tuple[Found, ...]
    after: str = ""


@dataclass(frozen=True, slots=True)
class LookUp:
    """A patient is looked for.

    Arguments:
        criteria: of which practice and period.
        birth_date: exactly.
        letters: of a name or a first name, at most three; or none.
        reason: in the supervisor's words; sealed.
        reference: as of :class:`Asked`.
    """

    criteria: Criteria
    birth_date: date = field(repr=False)
    letters: str = field(repr=False)
    purpose: Purpose
    reason: str = field(repr=False)
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """Somebody of whom something is on record.

    Arguments:
        key: what the form sends to list it; for this supervisor and practice, and for half an hour.
        records: how much, in the period.
    """

    key: str = field(repr=False)
    records: int


@dataclass(frozen=True, slots=True)
class Matches:
    """Who was found.

    Arguments:
        more: there are others, who are not shown.
    """

    matches: tuple[Match, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class CallNote:
    """What an operator has noted of a call as they closed it.

    Arguments:
        who: their name.
        words: theirs; they may be about a patient.
    """

    who: str
    at: datetime
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallReview:
    """A call, to be gone through again.

    Arguments:
        practice: its name.
        notes: of its operators; ``None`` unless they were asked for.
    """

    timeline: Timeline
    practice: str
    notes: tuple[CallNote, ...] | None = None


class Reviews(Protocol):
    """Supervisors' review.

    Raises, all of them: NotFound for whatever is not theirs, Forbidden where the session is over, and Unavailable.
    """

    async def desk(self, token: str, named: str = "", chosen: UUID | None = None) -> ReviewDesk:
        """What one may choose from.

        Arguments:
            named: a part of a practice's name, as typed; or empty.
            chosen: a practice that stays among those to choose from, if it is theirs.
        """

    async def practice_of(self, token: str, reference: str) -> UUID:
        """Whose call a reference names, among the practices that they supervise: others' calls are not there.

        Raises:
            Unreferred: there is no such call, or several.
        """

    async def search(self, token: str, asked: Asked) -> Results:
        """A page of what fits.

        Raises:
            Untrained: it is about a patient.
            Unreferred: there is no such call.
        """

    async def look_up(self, token: str, wanted: LookUp) -> Matches | LookUpProblem:
        """Look for a patient among those of whom something is on record.

        Raises:
            Unreferred: there is no such call.
        """

    async def call(self, token: str, call: UUID) -> CallReview:
        """A call's timeline."""

    async def notes(self, token: str, call: UUID) -> CallReview:
        """The same with what its operators have noted: that it is read is on record, and committed, before.

        Raises:
            Untrained: it may be about a patient.
        """

    async def paper(self, token: str, call: UUID) -> bytes:
        """The same as a PDF."""

    async def export(self, token: str, asked: Asked) -> bytes:
        """What fits as a file for a spreadsheet, up to its bound.

        Raises:
            Untrained: it is about a patient.
            Unreferred: there is no such call.
        """
