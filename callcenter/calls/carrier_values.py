"""The carrier's list of calls, as it is compared with ours: plain values, and the carrier as a port.

Of each call it is told which number of ours it concerns, and never who called or was called.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from callcenter.calls.values import CallStatus
from callcenter.kernel.errors import Unavailable


class Difference(StrEnum):
    """About what the carrier and we do not agree."""

    #: It had a call to a number of ours, and no row of ours knows it.
    CALL_UNKNOWN = "call_unknown"
    #: A row of ours knows a leg that it has never had: nobody but a forger can have told us of it.
    CALL_NEVER_HAD = "call_never_had"
    #: Both know it, and it began or ended at other times.
    TIMES_DIFFER = "times_differ"


class Cause(StrEnum):
    """What somebody has found out about a difference. Keys, and no words of their own: those could name a caller."""

    #: Our server did not answer or could not write: the caller heard the words of last resort.
    OUTAGE = "outage"
    #: The kill switch sent calls to the practice's own line.
    RESCUE = "rescue"
    #: Somebody of the house tried something.
    TEST = "test"
    #: The account serves something else too.
    ELSEWHERE = "elsewhere"
    #: A clock was wrong, the carrier's or ours.
    CLOCK = "clock"
    #: It is dealt with as an incident, where the rest is written.
    INCIDENT = "incident"


#: By how much a call may begin or end elsewhere: a webhook takes 15 s, a line that we ring rings for 35 s, and a clock
#: that is kept is right by a second.
AGREED = timedelta(minutes=2)
#: By how much we may learn later that a call is over: its report was lost, and the upkeep asks once four hours have
#: passed, every hour (``calls.upkeep``).
LEARNT_LATER = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class ListedCall:
    """A leg, as the carrier lists it.

    Arguments:
        sid: ``CA…``.
        called: the number that was dialled, if it is a telephone that called; ``None`` of every other leg.
        began_at: when it came in or was answered (aware).
        ended_at: ``None`` while it goes on.
    """

    sid: str
    called: str | None = field(repr=False)
    began_at: datetime
    ended_at: datetime | None


class ListNotComplete(Unavailable):
    """The carrier lists more calls than are looked at: nothing can be said of those that are missing."""


class CarrierCalls(Protocol):
    """The carrier, which knows every call of the account."""

    def listed(self, since: date, before: date) -> AsyncIterator[Sequence[ListedCall]]:
        """The legs that began from ``since`` on and before ``before``, days of UTC, page by page.

        Raises:
            Unavailable: they may be had later.
            ListNotComplete: there are more than are looked at.
        """

    async def call_status(self, sid: str) -> CallStatus | None:
        """How far a leg has come, or ``None`` if the carrier does not know it.

        Raises:
            Unavailable: it may be asked later.
        """


class ComparisonAlarm(Protocol):
    """Who is told of what the comparison finds."""

    def call_differs(self, finding: UUID, kind: Difference) -> None: ...

    def not_compared(self, day: date, error: Unavailable) -> None: ...


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of a day.

    Arguments:
        theirs: calls to numbers of ours that the carrier lists.
        ours: legs of that day that we know.
        found: differences that nobody knew before.
    """

    day: date
    theirs: int
    ours: int
    found: int
