"""Supervisors' review in memory: what it finds is what a test says, and what was asked of it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from callcenter.calls.call_references import NoCall
from callcenter.console.review_ports import (
    CallNote,
    CallReview,
    LookUp,
    LookUpProblem,
    Match,
    Matches,
    Results,
    ReviewDesk,
    Unreferred,
    Unsealed,
    Untrained,
)
from callcenter.kernel.errors import NotFound
from callcenter.kernel.labels import Category
from callcenter.reports.values import (
    Area,
    Chain,
    Fact,
    Found,
    Moment,
    Outcome,
    Person,
    Supervised,
    Timeline,
    Who,
    Words,
)

PRACTICE = UUID("44444444-2222-4333-8444-555555555555")
CALL = UUID("33333333-2222-4333-8444-555555555555")
PERSON = UUID("11111111-2222-4333-8444-555555555555")
BEGAN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
DESK = ReviewDesk(
    date(2026, 11, 26),
    (Supervised(PRACTICE, "Cabinet des Tilleuls"),),
    (Person(PERSON, "Télésecrétaire 1"),),
    tuple((category.value, f"catégorie {category.value}") for category in Category),
)
CALL_LINE = Found(CALL, BEGAN, "call", None, CALL, (Outcome.GRANTED, Outcome.VERIFIED))
RECORD_LINE = Found(
    UUID(int=3),
    BEGAN,
    "disclosure",
    Who("operator", "Télésecrétaire 1"),
    CALL,
    (Outcome.WITHHELD,),
    (Category.APPOINTMENT_TIME,),
    2,
    "minor",
)


def _moment(seconds: int, area: Area, title: str, who: Who, **more: Any) -> Moment:
    after = timedelta(seconds=seconds)
    return Moment(BEGAN + after, after, area, title, who, **more)


MOMENTS = (
    _moment(0, Area.CALL, "L’appel commence", Who("ivr"), record=UUID(int=1), flow="accueil 0123456789"),
    _moment(
        2,
        Area.HEARD,
        "L’appelant entend",
        Who("ivr"),
        words=(Words("welcome", "[nom du cabinet], bonjour."), Words("gone", None)),
        flow="accueil 0123456789",
    ),
    _moment(
        30,
        Area.TYPED,
        "L’appelant a tapé",
        Who("caller"),
        facts=(Fact("question", "date de naissance"), Fact("keys", "8")),
    ),
    _moment(
        65, Area.DISCLOSURE, "Communication", Who("ivr"), facts=(Fact("decision", "accordée"),), record=UUID(int=2)
    ),
    _moment(3700, Area.REVIEW, "Un superviseur ouvre le déroulé de l’appel", Who("staff", "Superviseur 1")),
)
CHAIN = Chain(2, 1, (), "d" * 64)
TIMELINE = Timeline(CALL, PRACTICE, BEGAN, BEGAN + timedelta(seconds=80), MOMENTS, CHAIN)


@dataclass(slots=True)
class ReviewsDouble:
    """Implements ``console.review_ports.Reviews``."""

    desk_shown: ReviewDesk = DESK
    results: Results = field(default_factory=lambda: Results((CALL_LINE, RECORD_LINE)))
    found: Matches | LookUpProblem = field(default_factory=lambda: Matches((Match("a-key", 7),)))
    timeline: Timeline = TIMELINE
    practice: str = "Cabinet des Tilleuls"
    asked: list[Any] = field(default_factory=list)
    theirs: bool = True
    trained: bool = True
    unsealed: bool = False
    no_call: NoCall | None = None
    typed: list[tuple[str, UUID | None]] = field(default_factory=list)
    noted: tuple[CallNote, ...] = (CallNote("Télésecrétaire 1", BEGAN, "Rappeler <b>jeudi</b>"),)

    def _reach(self, *what: Any) -> None:
        if not self.theirs:
            raise NotFound
        if self.unsealed and what[0] != "desk":
            raise Unsealed
        self.asked.append(what)
        if self.no_call is not None and what[0] in {"practice_of", "search", "look_up", "export"}:
            raise Unreferred(self.no_call)

    def _follow(self, asked: Any) -> None:
        if asked.patient and not self.trained:
            raise Untrained

    async def desk(self, token: str, named: str = "", chosen: UUID | None = None) -> ReviewDesk:
        self._reach("desk")
        self.typed.append((named, chosen))
        return self.desk_shown

    async def practice_of(self, token: str, reference: str) -> UUID:
        self._reach("practice_of", reference)
        return PRACTICE

    async def search(self, token: str, asked: Any) -> Results:
        self._reach("search", asked)
        self._follow(asked)
        return self.results

    async def look_up(self, token: str, wanted: LookUp) -> Matches | LookUpProblem:
        self._reach("look_up", wanted)
        return self.found

    async def call(self, token: str, call: UUID) -> CallReview:
        self._reach("call", call)
        return CallReview(self.timeline, self.practice)

    async def notes(self, token: str, call: UUID) -> CallReview:
        self._reach("notes", call)
        if not self.trained:
            raise Untrained
        return CallReview(self.timeline, self.practice, self.noted)

    async def paper(self, token: str, call: UUID) -> bytes:
        self._reach("paper", call)
        return b"%PDF-1.4"

    async def export(self, token: str, asked: Any) -> bytes:
        self._reach("export", asked)
        self._follow(asked)
        return '\ufeff"Date"\r\n'.encode()
