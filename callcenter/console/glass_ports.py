"""What the pages of broken glass need of the house: to break it, to read one topic of one file, to review.

As in ``console.ports``, every method finds out anew whose the session is and who they are at the practice. What is not
theirs is not there (``NotFound``). What is shown is on record, committed before the method returns (P1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from callcenter.disclosure.emergency import Topic
from callcenter.staff.glass import Asked, Glass
from callcenter.staff.glass_tables import Asks, Verdict


class NotNow(StrEnum):
    """Why the glass is not broken at this moment. The words stand in ``templates/glass_words.html``."""

    UNTRAINED = "untrained"
    #: What is told is not sealed in time: nothing is, and nobody may override that.
    UNSEALED = "unsealed"
    #: No second factor was given just now, or it has broken glass already.
    UNCONFIRMED = "unconfirmed"
    #: Whoever asks is rung back: nothing is told in the conversation in which it is asked for (SM-07).
    TALKING = "talking"
    BOUND = "bound"
    CALL = "call"
    #: The first signs of a reference that several calls have.
    SEVERAL_CALLS = "several_calls"


class NotShown(StrEnum):
    """Why a topic that was asked for is not shown."""

    #: Or its time is over.
    WITHHELD = "withheld"
    #: So many were asked for (``staff.glass.MOST_TOPICS``).
    ENOUGH = "enough"


@dataclass(frozen=True, slots=True)
class Named:
    """A practice."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Listed:
    """Glass that was broken, as lists show it.

    Arguments:
        practice: its name.
        own: by whoever looks, who does not review it.
    """

    glass: Glass
    practice: str
    own: bool


@dataclass(frozen=True, slots=True)
class GlassDesk:
    """What somebody may do about broken glass.

    Arguments:
        practices: those of which they may break the glass now: supervised, and switched on.
        breaks: they supervise anything.
        not_now: why they may not at this moment.
        listed: what waits to be reviewed, then what was.
    """

    now: datetime
    practices: tuple[Named, ...]
    breaks: bool
    not_now: NotNow | None
    listed: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class Breaking:
    """The glass is to be broken.

    Arguments:
        reference: of the call in which it was asked for; empty for none.
        asked: what is kept of it, sealed.
    """

    practice: UUID
    asks: Asks
    asked: Asked
    reference: str
    birth_date: date = field(repr=False)
    name: str = field(repr=False)
    first_name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """What was opened, for whoever reviews it; never what it said.

    Arguments:
        what: path of the topic, or ``file``: that there is one.
    """

    at: datetime
    what: str
    granted: bool


@dataclass(frozen=True, slots=True)
class Own:
    """Glass that one has broken oneself.

    Arguments:
        found: there is a file, and it may be opened.
        open: for whatever is still to be read.
        rescue: a line of the practice, where somebody knows more.
    """

    listed: Listed
    now: datetime
    found: bool
    open: bool
    rescue: str


@dataclass(frozen=True, slots=True)
class ToReview:
    """Somebody else's.

    Arguments:
        trained: whoever looks may read its words; ``asked`` and ``verdict`` are absent where they may not (SM-02).
        asked: absent too once it is forgotten.
        verdict: why it is what it is, once there is one, and until it is forgotten.
    """

    listed: Listed
    now: datetime
    opened: tuple[Opened, ...]
    trained: bool
    asked: Asked | None = None
    verdict: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """One topic of a file; must not be logged.

    Arguments:
        lines: each with what it is called; none: nothing is on file.
    """

    topic: Topic
    lines: tuple[tuple[str, str], ...] = field(repr=False)


class GlassBreaking(Protocol):
    """Broken glass.

    Raises, all of them: NotFound for whatever is not theirs, Forbidden where the session is over, and Unavailable.
    """

    async def desk(self, token: str) -> GlassDesk:
        """What one may do."""

    async def break_glass(self, token: str, wanted: Breaking) -> UUID | NotNow:
        """Break it, on record; the practice is told."""

    async def look(self, token: str, glass: UUID) -> Own | ToReview:
        """One: to go on reading, or to review; that the words of somebody else's are read is on record."""

    async def open(self, token: str, glass: UUID, topic: Topic) -> Shown | NotShown:
        """One topic of its file, or why it is not shown."""

    async def review(self, token: str, glass: UUID, verdict: Verdict, words: str) -> bool | NotNow:
        """Review somebody else's. False where somebody has; or why they may not: ``UNTRAINED``."""
