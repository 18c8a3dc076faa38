"""What a talk is, as its operator's page shows it, and how an act on it ended. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Acted(StrEnum):
    """How an act on a talk ended."""

    DONE = "done"
    #: The reservation is somebody else's, or none, or the talk is over.
    NOT_YOURS = "not_yours"
    #: It is theirs, but this cannot be done as it stands: nobody is there to hand it to, or somebody was asked already.
    NOT_NOW = "not_now"
    #: The carrier has not done it. The talk is as it was.
    NOT_DONE = "not_done"


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of staff, who is there and available."""

    staff: UUID


@dataclass(frozen=True, slots=True)
class PracticeLine:
    """The practice's own line: the one that is not forwarded to us."""


Whom = Colleague | PracticeLine


class ThirdState(StrEnum):
    """How far somebody has come who is asked into a talk."""

    #: Their telephone rings, or their page asks them.
    RINGING = "ringing"
    THERE = "there"


@dataclass(frozen=True, slots=True)
class Third:
    """Who is asked into a talk.

    Arguments:
        since: when they were asked, or came.
        private: they were asked without the caller's hearing it.
    """

    whom: Whom
    state: ThirdState
    since: datetime
    private: bool


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk as it stands: what a page that is loaded again shows.

    Arguments:
        reservation: names the talk for every act.
        practice: its name.
        since: when it began for this operator.
        on_hold: the caller hears music, and nobody.
        third: who is asked into it, or ``None``.
    """

    reservation: UUID
    practice_id: UUID
    practice: str
    since: datetime
    on_hold: bool
    third: Third | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A colleague is asked into somebody's talk.

    Arguments:
        request: names it for ``join`` and ``decline``.
        practice: its name.
        by: whose talk it is.
        since, until: when they were asked, and when the request ends by itself unless they have come.
        there: they are in the room already.
    """

    request: UUID
    practice: str
    by: UUID
    since: datetime
    until: datetime
    there: bool


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a softphone comes in.

    Arguments:
        room: name of the conference.
        label: of the participant, by which it is found again.
    """

    room: str
    label: str
