"""What the live board needs of the house: queues, who is there, and counts, over the practices that one supervises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from callcenter.calls.counts import Counts
from callcenter.console.workplace_ports import Doing
from callcenter.routing.statistics import Marks, Queue


@dataclass(frozen=True, slots=True)
class Targets:
    """What figures are measured against; shares from 0 to 1.

    Arguments:
        service: of « qualité de service ».
        answered: of « taux de décroché ».
        abandoned: of « taux d'abandon », at most.
        speed, longest: of the mean and the longest wait, at most.
    """

    service: float
    answered: float
    abandoned: float
    speed: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Row:
    """A practice of the board.

    Arguments:
        name: of the practice.
    """

    name: str
    queue: Queue
    counts: Counts


@dataclass(frozen=True, slots=True)
class Person:
    """An operator who is there. A state, and no figure of theirs (LG-05)."""

    name: str
    doing: Doing


@dataclass(frozen=True, slots=True)
class Board:
    """Everything at one moment.

    Arguments:
        now: when it was looked at.
        total, counts: of all practices that one supervises.
        rows: practices at which something has happened today, those where somebody waits first; not more than a page
            holds.
        quiet: how many other practices one supervises.
        people: who is there, by name.
        glass: broken glass that nobody has reviewed in time.
    """

    now: datetime
    total: Queue
    counts: Counts
    rows: tuple[Row, ...]
    quiet: int
    people: tuple[Person, ...]
    marks: Marks
    targets: Targets
    glass: int = 0


class Boards(Protocol):
    """The boards of all who supervise.

    Raises, both of them: Forbidden where the session is over; NotFound for whoever supervises no practice.
    """

    async def look(self, token: str) -> Board:
        """How everything stands."""

    async def check(self, token: str) -> None:
        """Let only those on who have a board."""
