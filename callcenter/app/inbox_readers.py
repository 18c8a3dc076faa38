"""Who somebody is to a message: as what they may open it, and what they may do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from callcenter.console.inbox_ports import Answer, As, Why
from callcenter.kernel.errors import NotFound
from callcenter.practice.correspondence import Heading, answers_to
from callcenter.practice.follow_ups import FollowUp
from callcenter.staff.practitioners import Practises


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody at a page, at the practice of a transaction.

    Arguments:
        answers, supervises: they have the role of an operator, of a supervisor.
        practises: who they are as a practitioner.
        reveals: their training holds.
        confirmed: they have given a second factor just now.
    """

    staff: UUID
    answers: bool
    supervises: bool
    practises: Practises | None
    reveals: bool
    confirmed: bool

    def is_addressee(self, heading: Heading) -> bool:
        """Whether a message is for them. It is the training of those who answer that opens files, not a physician's."""
        if self.practises is None:
            return False
        if heading.practitioner is None:
            return self.practises.of_practice
        return heading.practitioner == self.practises.practitioner

    def ways(self, heading: Heading) -> frozenset[As]:
        """As what they may open a message."""
        found = {As.ADDRESSEE} if self.is_addressee(heading) else set()
        if self.reveals and (self.answers or self.supervises) and heading.written_by == self.staff:
            found.add(As.WRITER)
        if self.reveals and self.supervises:
            found.add(As.SUPERVISOR)
        return frozenset(found)

    @property
    def works(self) -> bool:
        return self.answers or self.supervises

    def sees(self, heading: Heading) -> bool:
        """Whether they may know that it is there."""
        return self.works or self.is_addressee(heading)


def way_of(reader: Reader, heading: Heading, why: Why | None) -> As:
    """As what somebody opens a message.

    Raises:
        NotFound: they may not.
    """
    ways = reader.ways(heading)
    for way in (As.ADDRESSEE, As.WRITER):
        if way in ways:
            return way
    if As.SUPERVISOR not in ways or why is None:
        raise NotFound
    return As.SUPERVISOR


def takes(reader: Reader, left: FollowUp | None, now: datetime) -> bool:
    """Whether somebody does what is to be done about a message."""
    return reader.works and reader.reveals and left is not None and left.is_of(reader.staff, now)


def can_take(reader: Reader, left: FollowUp | None, now: datetime) -> bool:
    """Whether somebody may take it, or has."""
    if not (reader.works and reader.reveals) or left is None:
        return False
    return left.is_of(reader.staff, now) or not left.is_taken(now)


def answers_for(reader: Reader, heading: Heading, left: FollowUp | None, now: datetime) -> tuple[Answer, ...]:
    """What somebody may answer to a message: nothing where it was dealt with, or an operator does at this moment."""
    if not reader.is_addressee(heading) or heading.handled_at is not None or (left is not None and left.is_taken(now)):
        return ()
    return tuple(Answer(one.value) for one in answers_to(heading.kind))
