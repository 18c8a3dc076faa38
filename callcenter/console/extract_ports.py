"""What the pages of extracts of the register need of the house: to prepare one, read it, give it, or decline.

As in ``console.ports``, every method finds out anew whose the session is and who they are at the practice. What is not
theirs is not there (``NotFound``). Supervisors prepare; the practice's own people, practitioners, decide. What is shown
or leaves is on record, committed before the method returns (P1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from callcenter.reports.extract_rules import Choice, Form
from callcenter.reports.extract_tables import Asks, IdentityCheck
from callcenter.reports.extracts import RequestRow
from callcenter.reports.extracts_given import GivenOnRecord
from callcenter.reports.register_extract import Extract, Named


class NotNow(StrEnum):
    """Why something is not done: ``reports.extract_rules.Objection``, and what is of whoever asks. The words stand in
    ``templates/extract_words.html``."""

    UNTRAINED = "untrained"
    #: No second factor was given just now.
    UNCONFIRMED = "unconfirmed"
    BOUND = "bound"
    #: What whoever asks has shown is not what the file says: somebody else was found, or is asking.
    SOMEBODY_ELSE = "somebody_else"
    #: SP-06: in writing, and a physician answers.
    DECEASED = "deceased"
    #: SP-07: nothing is sent, and nothing is said by telephone.
    RESTRICTED = "restricted"
    #: Of age: nobody holds parental authority.
    OF_AGE = "of_age"
    #: There is no such call, or the patient was not verified in it.
    CALL = "call"
    #: The first signs of a reference that several calls have.
    SEVERAL_CALLS = "several_calls"
    #: It is declined, or was given too long ago.
    CLOSED = "closed"
    #: What would be given is not what was read.
    CHANGED = "changed"
    #: Lines are held back, of an extract that does not hold all of them.
    TOO_LONG = "too_long"
    #: The ledger is not sealed in time: nothing about patients is told meanwhile (P4).
    UNSEALED = "unsealed"


@dataclass(frozen=True, slots=True)
class Listed:
    """A request, as lists show it: nothing of whose it is.

    Arguments:
        practice: its name.
        decides: whoever looks may.
    """

    request: RequestRow
    practice: str
    decides: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """Requests of the practices that somebody supervises or practises at."""

    now: datetime
    listed: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """A patient was found, and an extract may be prepared.

    Arguments:
        practice: its name.
        today: where it stands.
        begins: the first day of its register.
    """

    practice: str
    today: date
    begins: date


@dataclass(frozen=True, slots=True)
class Wanted:
    """An extract is to be prepared.

    Arguments:
        patient: what the look-up has given for whom it found.
        call: reference of the call in which they were verified; empty for none.
        named: as the identity document says, or the caller.
    """

    practice: UUID
    patient: str = field(repr=False)
    asks: Asks
    check: IdentityCheck
    call: str
    first: date
    last: date
    named: Named


@dataclass(frozen=True, slots=True)
class Read:
    """A request with its extract as it would be given, for whoever prepares or decides.

    Arguments:
        extract: ``None`` for whoever may not read it (SM-02), where it was given and nobody asks for it again, and
            where nothing is decided any more.
        named: whose it is, for the same.
        minor: the patient is one: lines may be held back from whoever acts for them.
        unsure: the file is marked: two people may be in it, or it is nobody's.
        unsealed: the ledger is not sealed in time, so that nothing is shown.
        given: each time that it was given, as it is on record.
    """

    listed: Listed
    now: datetime
    trained: bool
    extract: Extract | None = None
    named: Named | None = None
    minor: bool = False
    unsure: bool = False
    unsealed: bool = False
    given: Sequence[GivenOnRecord] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """An extract that leaves.

    Arguments:
        digest: SHA-256 of ``content``, as it is on record.
    """

    form: Form
    content: bytes = field(repr=False)
    digest: str


class Extracts(Protocol):
    """Extracts of the register.

    Raises, all of them: NotFound for whatever is not theirs, Forbidden where the session is over, and Unavailable.
    """

    async def desk(self, token: str) -> Desk:
        """What waits, and what was decided."""

    async def start(self, token: str, practice: UUID, patient: str) -> Start:
        """What a form to prepare one needs."""

    async def prepare(self, token: str, wanted: Wanted) -> UUID | NotNow:
        """Prepare one, on record."""

    async def read(self, token: str, extract: UUID, *, again: bool = False) -> Read:
        """One as it would be given: that it is read is on record, and committed, before.

        Arguments:
            again: also of one that was given, to give it once more.
        """

    async def release(self, token: str, extract: UUID, choice: Choice) -> Given | NotNow:
        """Give it, on record with the digest of the file. A practitioner of the practice alone does."""

    async def decline(self, token: str, extract: UUID, why: str) -> bool | NotNow:
        """Decline it, on record. False where it was decided meanwhile."""
