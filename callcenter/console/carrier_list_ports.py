"""What the page of the comparison with the carrier's list needs of the house. It shows no number and no caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Differing:
    """A call about which the carrier and we do not agree.

    Arguments:
        practice: its name.
        sid: how the carrier knows the call.
        kind: key of what differs, as the database has it.
        day: of UTC.
    """

    id: UUID
    practice: str
    sid: str
    kind: str
    day: date
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the comparison stands.

    Arguments:
        last: the latest day that was compared, ``None`` before the first.
        missed: days that were not, the latest first.
        total: of what is open.
        open: the oldest of it.
    """

    last: date | None
    missed: Sequence[date]
    total: int
    open: Sequence[Differing]


class CarrierLists(Protocol):
    """Differences that concern practices which one supervises or administers.

    Raises, all of them: Forbidden where the session is over; NotFound for whoever does neither.
    """

    async def comparison(self, token: str) -> Comparison:
        """How it stands."""

    async def settle(self, token: str, findings: Sequence[UUID], cause: str) -> int:
        """Say what the cause was, each on record; returns how many were open and theirs.

        Arguments:
            cause: one of ``CAUSES``.

        Raises:
            Forbidden: no second factor was given just now, or there is no such cause.
        """


#: Keys of causes, in the order of the page.
CAUSES = ("outage", "rescue", "test", "elsewhere", "clock", "incident")
