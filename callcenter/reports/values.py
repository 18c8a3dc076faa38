"""What is asked of the ledger and the calls, and what is found: plain values, without anything of a patient."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from callcenter.kernel.labels import Category

#: Of one search; a list that somebody looks through is not made of years.
LONGEST_PERIOD = timedelta(days=92)


class Kind(StrEnum):
    """What is looked for."""

    CALLS = "calls"
    DISCLOSURES = "disclosures"
    REFUSALS = "refusals"
    VERIFICATIONS = "verifications"
    STAFF = "staff"


class Outcome(StrEnum):
    """What has come of it. The two ways of not telling are kept apart everywhere, and defined on the pages."""

    GRANTED = "granted"
    #: Nothing that was proved opens it.
    REFUSED = "refused"
    #: The file says that it is not told, whatever was proved.
    WITHHELD = "withheld"
    VERIFIED = "verified"
    FAILED = "failed"
    MESSAGE = "message"
    APPOINTMENT = "appointment"
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    PUT_THROUGH = "put_through"


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is looked for, in one practice.

    Arguments:
        first, last: the days, as the house counts them, both included.
        staff: who has done it, or has talked with the caller.
        call: one call alone, of whatever day.
        subject: the patient's token in the ledger, found by a search of its own.
    """

    practice: UUID
    kind: Kind
    first: date
    last: date
    category: Category | None = None
    outcome: Outcome | None = None
    staff: UUID | None = None
    call: UUID | None = None
    subject: UUID | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list goes on: behind this one.

    Arguments:
        at: as the ledger writes times.
        id: tells apart what is of one moment.
    """

    at: str
    id: UUID


class Area(StrEnum):
    """To what a moment belongs."""

    CALL = "call"
    HEARD = "heard"
    TYPED = "typed"
    PROOF = "proof"
    DISCLOSURE = "disclosure"
    ROUTING = "routing"
    ACT = "act"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Who:
    """Who has done something.

    Arguments:
        kind: ``ivr``, ``job``, ``staff``, ``operator``, ``recipient``, ``command``, or what the record says.
        name: of somebody of staff, where one is known.
    """

    kind: str
    name: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a moment tells.

    Arguments:
        label: what it is (``words.FACTS``).
        value: words of ours, a number or a reference; never something of a patient.
    """

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Found:
    """One line of a list.

    Arguments:
        what: the event, or ``call``.
        who: who has done it; of a call, who has talked with the caller, one after the other.
        outcomes: what has come of it.
        ended: of a call.
        seconds: for how long it stood on a screen at most; ``None`` where it did not, or the record does not say.
    """

    id: UUID
    at: datetime
    what: str
    who: Who | None
    call: UUID | None
    outcomes: tuple[Outcome, ...] = ()
    categories: tuple[Category, ...] = ()
    level: int | None = None
    reason: str | None = None
    ended: datetime | None = None
    place: Place | None = None
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What was found, newest first.

    Arguments:
        after: where it goes on, or ``None`` at its end.
    """

    found: tuple[Found, ...]
    after: Place | None


@dataclass(frozen=True, slots=True)
class Words:
    """What was said, without what it was said of.

    Arguments:
        prompt: its key.
        text: the words with labels in the place of values; ``None`` where this version is not here any more.
    """

    prompt: str
    text: str | None
    language: str = "fr"


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened in a call, or to what it has left.

    Arguments:
        title: in French (``words``), to be translated.
        after: since the call began.
        record: of the ledger; ``None`` where it stands beside it.
        flow: name and first signs of the digest of the flow's version.
    """

    at: datetime
    after: timedelta
    area: Area
    title: str
    who: Who
    facts: tuple[Fact, ...] = ()
    words: tuple[Words, ...] = ()
    record: UUID | None = None
    flow: str | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """How the ledger's chain stands behind a call.

    Arguments:
        records, streams: how many were looked at.
        faults: what does not match, each by the record; none: every record is the one that was written, in its order.
        digest: SHA-256 over the records' leaves, in order.
        whole: all of them were looked at.
        taken: how many are missing although no erasure on record says why.
        erased: when, why and how many were erased by an erasure on record; no moment where it says none.
    """

    records: int
    streams: int
    faults: tuple[UUID, ...]
    digest: str
    whole: bool = True
    taken: int = 0
    erased: tuple[tuple[datetime | None, str, int], ...] = ()

    @property
    def is_broken(self) -> bool:
        """Whether something does not match, or was taken away."""
        return bool(self.faults or self.taken)


@dataclass(frozen=True, slots=True)
class Timeline:
    """One call, gone through again.

    Arguments:
        practice: its name is the reader's to add.
    """

    call: UUID
    practice: UUID
    started: datetime
    ended: datetime | None
    moments: tuple[Moment, ...]
    chain: Chain


@dataclass(frozen=True, slots=True)
class Supervised:
    """A practice that somebody supervises."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of staff."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class OnRecord:
    """A patient about whom something is on record, as much as whoever asks has said themselves.

    Arguments:
        patient: their identifier, for the record of the search.
        subject: their token in the ledger.
        records: in the period that was searched.
    """

    patient: UUID = field(repr=False)
    subject: UUID
    records: int
