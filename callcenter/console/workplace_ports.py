"""What the page of whoever answers calls needs of the house: how everything stands, and acts upon it.

As in ``console.ports``, every method finds out anew whose the session is. An act that comes too late, twice, or from
somebody whose call it is not, changes nothing and says so.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class Doing(StrEnum):
    """What somebody does, as it is kept (``routing.values.PresenceState``)."""

    OFFLINE = "offline"
    AVAILABLE = "available"
    RESERVED = "reserved"
    ON_CALL = "on_call"
    WRAP_UP = "wrap_up"
    BREAK = "break"
    LUNCH = "lunch"
    TRAINING = "training"
    ADMIN = "admin"

    @property
    def on_duty(self) -> bool:
        """Calls are offered, or one was and its work goes on. A pause is none, whoever has begun it."""
        return self in (Doing.AVAILABLE, Doing.RESERVED, Doing.ON_CALL, Doing.WRAP_UP)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who waits on the line for an operator, at the practices that one answers for.

    Arguments:
        since: when the first of them came; ``None`` where nobody waits.
    """

    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Ring:
    """A call that is offered.

    Arguments:
        practice: its name.
        waiting_since: when the caller came.
        until: when it is offered to somebody else.
        by_telephone: it rings at their telephone, and is taken there.
        callback: nobody is on the line: whoever takes it has the caller rung.
        language: of the caller, two letters.
        professional: it came by the line of health professionals.
    """

    id: UUID
    practice: str
    waiting_since: datetime
    until: datetime
    by_telephone: bool
    callback: bool = False
    language: str = "fr"
    professional: bool = False


class Act(StrEnum):
    """What can be done with a call."""

    ACCEPT = "decrocher"
    REFUSE = "refuser"
    HANG_UP = "raccrocher"
    #: The voice could not be had: the caller goes back to the front.
    GIVE_BACK = "rendre"
    HOLD = "attente"
    RESUME = "reprise"
    CONSULT = "consulter"
    CONSULT_HEARD = "appeler-en-renfort"
    END_CONSULTATION = "fin-de-consultation"
    TOGETHER = "reunir"
    HAND_OVER = "transmettre"
    SEND = "envoyer"
    KEYPAD = "clavier"
    #: Come into the talk of a colleague who asks for it, and leave it again.
    JOIN = "rejoindre"
    LEAVE = "quitter"


class Keypad(StrEnum):
    """How far the caller has come with proving who they are: on their keys, now or before they came to an operator."""

    NOTHING = "nothing"
    UNDER_WAY = "under_way"
    PROVED = "proved"


@dataclass(frozen=True, slots=True)
class Third:
    """Somebody whom the operator has asked into the talk.

    Arguments:
        name: of a colleague, or what the line is.
        there: they are in the room; otherwise they are rung.
    """

    name: str
    there: bool


@dataclass(frozen=True, slots=True)
class Talk:
    """A call that somebody has taken.

    Arguments:
        practice: its name.
        since: when the two came together; ``None`` while they are brought together.
        voice: what the softphone names, to come into it.
        acts: what can be done with it now.
        held: the caller hears music.
        held_since: since when, where that is known.
        level: at which the caller is verified, where ``keypad`` says so.
        callback: the caller is rung by us, until the two come together.
    """

    id: UUID
    practice: str
    since: datetime | None
    voice: UUID
    acts: frozenset[Act] = frozenset()
    held: bool = False
    third: Third | None = None
    keypad: Keypad = Keypad.NOTHING
    level: int | None = None
    held_since: datetime | None = None
    callback: bool = False


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A call that is over, and of which nobody has said yet what became of it.

    Arguments:
        practice: its name.
        ended: when the talk was over.
    """

    id: UUID
    practice: str
    ended: datetime


@dataclass(frozen=True, slots=True)
class Today:
    """What somebody has done today; shown to themselves alone, and kept nowhere.

    Arguments:
        calls: that they have taken and ended.
        handling: how long one took on average: conversation, hold and wrapping up (« DMT »); ``None`` without any.
    """

    calls: int
    handling: timedelta | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A colleague asks one into a talk.

    Arguments:
        id: of the request.
        practice, who: for which practice, and who asks.
        joined: one is there already.
        held: the caller hears music, and none of the two.
    """

    id: UUID
    practice: str
    who: str
    since: datetime
    joined: bool
    held: bool = False


@dataclass(frozen=True, slots=True)
class Whom:
    """Somebody who can be asked into a talk.

    Arguments:
        key: what the form sends.
        name: as the page shows it.
        takes_calls: a caller can be sent to them without a word; who is no more than consulted takes none.
    """

    key: str
    name: str
    takes_calls: bool = True


@dataclass(frozen=True, slots=True)
class Workplace:
    """How everything stands for one person.

    Arguments:
        now: when it was looked at.
        answers: somebody who answers for a practice at all.
        since: when what they do began.
        by_telephone: they answer at a telephone, not in the browser.
        wrap_up_until: when wrapping up ends by itself.
        asked: a colleague asks one into a talk.
        hand_by: when the session ends although they are on duty, unless they show that they are there; ``None`` while
            that is not soon.
        lines, colleagues: which lines and who can be asked into one's own, while there is one.
        unfinished: calls of one's own that are over and not closed, the last first. Nobody says of themselves that they
            are available before they have closed them.
        today: one's own figures.
    """

    now: datetime
    answers: bool
    doing: Doing
    since: datetime | None
    by_telephone: bool
    wrap_up_until: datetime | None
    waiting: Waiting
    ring: Ring | None
    talk: Talk | None
    asked: Asked | None = None
    hand_by: datetime | None = None
    lines: tuple[Whom, ...] = ()
    colleagues: tuple[Whom, ...] = ()
    unfinished: tuple[Unfinished, ...] = ()
    today: Today | None = None

    @property
    def scripted(self) -> UUID | None:
        """Whose script is to be shown: that of the talk, or of the last call that is not closed."""
        if self.talk is not None:
            return self.talk.id if self.talk.since is not None else None
        return self.unfinished[0].id if self.unfinished else None


@dataclass(frozen=True, slots=True)
class SoftphonePass:
    """With what the browser reaches the carrier.

    Arguments:
        seconds: for which it is good.
    """

    token: str = field(repr=False)
    seconds: int


class Workplaces(Protocol):
    """The workplaces of all who answer calls.

    Raises, all of them: Forbidden where the session is over, and Unavailable where a part does not answer.
    """

    async def look(self, token: str) -> Workplace:
        """How everything stands; the look is a sign of life of the page, and that its owner is on duty there."""

    async def move(self, token: str, to: Doing) -> bool:
        """Do something else, by one's own will. False where that cannot be now."""

    async def act(self, token: str, act: Act, call: UUID, whom: str = "") -> bool:
        """Do something with a call that is offered to one, or that one has. False where it is not, or not any more.

        Arguments:
            call: the offer's identifier.
            whom: the key of whoever is asked into the talk.
        """

    async def softphone_pass(self, token: str) -> SoftphonePass | None:
        """A fresh pass for the softphone, never longer than the session; ``None`` where there is no softphone."""


class Bell(Protocol):
    """Rings when something is new for one person."""

    async def rung(self, seconds: float) -> bool:
        """Wait until it rings, at most so long; whether it has rung since it was waited for last."""


class Bells(Protocol):
    """Who is told that something is new."""

    def of(self, staff: UUID) -> AbstractAsyncContextManager[Bell]:
        """A bell for as long as the body runs."""


@dataclass(frozen=True, slots=True)
class Softphone:
    """What speaks in the browser.

    Arguments:
        kind: name of the module that speaks: ``emulator`` or ``twilio``.
        endpoint: what it connects to, as the module reads it.
        connects: origins that the browser may fetch from and open sockets to for it (CSP ``connect-src``).
        plays: origins that it may play sound from (CSP ``media-src``).
    """

    kind: str
    endpoint: str
    connects: tuple[str, ...] = ()
    plays: tuple[str, ...] = ()
