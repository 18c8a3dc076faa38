"""What stands behind the pages of messages in their unit tests, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from callcenter.console.inbox_ports import (
    Act,
    Answer,
    As,
    Due,
    Envelope,
    Heard,
    Line,
    Named,
    Opened,
    Overview,
    Sound,
    TakenTooMuch,
    Voice,
    Why,
)
from callcenter.kernel.errors import Forbidden, NotFound

PRACTICE = UUID("33333333-2222-4333-8444-555555555555")
MESSAGE = UUID("44444444-2222-4333-8444-555555555555")
SINCE = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
TILLEULS = Named(PRACTICE, "Cabinet des Tilleuls")
LINE = Line(MESSAGE, TILLEULS, "renewal", "prescription", True, "Dr Claire Moreau", SINCE, spoken=True)
WORDS = "Mme Dupont <script>alert(1)</script> demande son ordonnance"
ALL = (Answer.READY, Answer.REFUSED, Answer.CALL_BACK, Answer.APPOINTMENT_GIVEN, Answer.OTHER, Answer.NOTHING)


@dataclass(slots=True)
class InboxesDouble:
    """One message, read by whoever is said to. Implements ``console.inbox_ports.Inboxes``."""

    line: Line = LINE
    overviewed: Overview = field(
        default_factory=lambda: Overview(
            SINCE + timedelta(minutes=5), reads=True, works=True, for_me=(LINE,), to_do=(), waiting=(LINE,)
        )
    )
    ways: frozenset[As] = frozenset({As.ADDRESSEE})
    may_take: bool = False
    heard: Sound | Heard = field(default_factory=lambda: Sound(b"RIFF sound", "audio/wav"))
    voice: Voice | None = field(default_factory=lambda: Voice("kept", 12))
    works: bool = True
    answered: bool = False
    takes_bound: bool = False
    opened_long_ago: bool = False
    done: list[object] = field(default_factory=list)

    async def overview(self, token: str, chosen: UUID | None) -> Overview:
        if chosen is not None and chosen != PRACTICE:
            raise NotFound
        return self.overviewed

    async def envelope(self, token: str, practice: UUID, message: UUID) -> Envelope:
        self._this(practice, message)
        return Envelope(
            self.line, self.ways, self.may_take, ALL if As.ADDRESSEE in self.ways and not self.answered else ()
        )

    async def open(self, token: str, practice: UUID, message: UUID, why: Why | None) -> Opened:
        self._this(practice, message)
        self.done.append(("open", why))
        how = next(iter(self.ways))
        return self._opened(how, ALL if how is As.ADDRESSEE else ())

    async def sound(self, token: str, practice: UUID, message: UUID) -> Sound | Heard:
        self._this(practice, message)
        return self.heard

    async def answer(self, token: str, practice: UUID, message: UUID, answer: Answer, words: str, due: Due) -> bool:
        self._this(practice, message)
        if self.opened_long_ago:
            raise Forbidden("the message was not opened")
        self.done.append((answer, words, due))
        return self.works and not self.answered

    async def take(self, token: str, practice: UUID, message: UUID) -> Opened | None:
        self._this(practice, message)
        if self.takes_bound:
            raise TakenTooMuch
        self.done.append(Act.TAKE)
        self.line = replace(self.line, mine=True)
        return self._opened(As.OPERATOR, ()) if self.works else None

    async def leave(self, token: str, practice: UUID, message: UUID, act: Act) -> bool:
        self._this(practice, message)
        self.done.append(act)
        return self.works

    def _opened(self, how: As, answers: tuple[Answer, ...]) -> Opened:
        return Opened(self.line, how, "06 39 98 00 01", WORDS, None, "en", True, self.voice, answers)

    @staticmethod
    def _this(practice: UUID, message: UUID) -> None:
        if (practice, message) != (PRACTICE, MESSAGE):
            raise NotFound
