"""What a talk is, as its operator's page shows it, and how an act on it ended. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Act(StrEnum):
    """How an act on a talk ended."""

    DONE = "done"
    #: The reservation is somebody else's, or none, or the talk is over.
    NOT_YOURS = "not_yours"
    #: It is theirs, but this cannot be done as it stands: nobody is there to hand it to, or somebody was asked already.
    NOT_POSSIBLE = "not_possible"
    #: The carrier has not done it. The talk is as it was.
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of staff, who is there and available."""

    staff: UUID


@dataclass(frozen=True, slots=True)
class PracticeLine:
    """The practice's own line: the one that is not forwarded to us."""


Whom = Colleague | PracticeLine


@dataclass(frozen=True, slots=True)
class Third:
    """Who is asked into a talk.

    Arguments:
        id: of the request.
        there: whether they are in the room; until then they are rung, or asked on their page.
        since: when they were asked, or came.
        private: the caller was to hear music meanwhile.
    """

    id: UUID
    whom: Whom
    there: bool
    since: datetime
    private: bool


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk as it stands.

    Arguments:
        room: opaque name of the room.
        practice_name: as it is written.
        since: when it began for this operator.
        on_hold: the caller hears music.
        third: who is asked into it, or ``None``.
    """

    reservation: UUID
    room: str
    practice: UUID
    practice_name: str
    since: datetime
    on_hold: bool
    third: Third | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A colleague is asked into somebody's talk.

    Arguments:
        id: of the request.
        by: whose talk it is.
        joined: they are in the room already.
    """

    id: UUID
    practice: UUID
    practice_name: str
    by: UUID
    since: datetime
    joined: bool


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a softphone comes in.

    Arguments:
        room: name of the conference.
        label: of the participant, by which it is found again.
    """

    room: str
    label: str
