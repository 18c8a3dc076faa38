"""Whom an operator names in an act on a talk, and how it ended. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Practitioner:
    """A practitioner of the practice, at a line of their own."""

    id: UUID


Whom = Colleague | PracticeLine | Practitioner


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a softphone comes in.

    Arguments:
        room: name of the conference.
        label: of the participant, by which it is found again.
    """

    room: str
    label: str
