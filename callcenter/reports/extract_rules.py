"""What must be so before an extract of the register is prepared, and before it is given. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from callcenter.audit.ledger import Value
from callcenter.disclosure.gate import Purpose
from callcenter.kernel.age import is_adult
from callcenter.kernel.labels import Category
from callcenter.practice.values import PatientFlags
from callcenter.reports.extract_tables import Asks, IdentityCheck
from callcenter.reports.extracts import RequestRow
from callcenter.reports.register_extract import MOST_LINES, Extract


class Form(StrEnum):
    """In which form an extract is given."""

    PDF = "pdf"
    JSON = "json"


class Objection(StrEnum):
    """What is against it, whoever asks."""

    #: SP-06: in writing, and a physician answers.
    DECEASED = "deceased"
    #: SP-07: nothing is sent, and nothing is said by telephone.
    RESTRICTED = "restricted"
    #: Of age: nobody holds parental authority.
    OF_AGE = "of_age"
    #: What would be given is not what was read.
    CHANGED = "changed"
    #: Lines are held back, of an extract that does not hold all of them.
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Choice:
    """How an extract is given.

    Arguments:
        staff_named: with the names of staff, for the reason ``why``.
        held_back: records that are not given to somebody who acts for the patient.
        seen_at: when what is given was read; what has been written since then is not in it. ``None``: all of it is.
        digest: of what was read, as ``Extract.digest``; ``None`` where nobody has read it.
    """

    form: Form
    staff_named: bool = False
    why: str = field(default="", repr=False)
    held_back: frozenset[UUID] = frozenset()
    seen_at: datetime | None = None
    digest: str | None = None


def may_ask(asks: Asks, check: IdentityCheck, born: date, flags: PatientFlags, today: date) -> Objection | None:
    """Why somebody is not given an extract of this patient's, or not by this way."""
    if flags.deceased:
        return Objection.DECEASED  # SP-06
    if flags.contact_restricted and check is not IdentityCheck.IN_PERSON:
        return Objection.RESTRICTED  # SP-07: whoever hunts them reads their letters and answers their telephone
    if asks is Asks.PARENT and is_adult(born, today):
        return Objection.OF_AGE
    return None


def as_read(shown: Extract, choice: Choice) -> Objection | None:
    """Why what was read is not what would be given: nobody has decided about what was not on their screen (SP-01).

    Arguments:
        shown: what stands now in place of what was read, with nothing held back.
    """
    if choice.digest is not None and choice.digest != shown.digest:
        return Objection.CHANGED
    # A line that is held back makes room for one that nobody has read; and fewer lines than fit would tell of it.
    fewer = bool(choice.held_back) or len(shown.lines) < MOST_LINES
    if shown.request.asks is not Asks.PATIENT and not shown.whole and fewer:
        return Objection.TOO_LONG
    return None


def is_unsure(flags: PatientFlags) -> bool:
    """Whether it is not settled who is in this file (ID-03)."""
    return flags.homonym or flags.doubtful or flags.fictitious or flags.birth_date_fictive


def days_as_moments(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the first moment of the first day to the first one after the last day, where the practice stands."""
    return datetime.combine(first, time.min, zone), datetime.combine(last + timedelta(days=1), time.min, zone)


def released(request: RequestRow, choice: Choice, made: Extract, digest: str) -> dict[str, Value]:
    """What is on record of an extract that leaves: its digest, and never what it says."""
    return {
        "recipient": request.asks.value,
        "check": request.check.value,
        "purpose": Purpose.PATIENT_REQUEST.value,
        "categories": [Category.ACCESS_HISTORY.value],
        "form": choice.form.value,
        "count": len(made.lines),
        "held_back": 0 if request.asks is Asks.PATIENT else len(choice.held_back),
        "staff": "named" if choice.staff_named else "unnamed",
        "digest": digest,
    }
