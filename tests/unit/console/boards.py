"""A board in memory, of a morning on which not all goes well."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from callcenter.app.supervising import marks_of, targets_of
from callcenter.calls.counts import Counts
from callcenter.console.board_ports import Board, Person, Row
from callcenter.console.workplace_ports import Doing
from callcenter.kernel.errors import NotFound
from callcenter.routing.statistics import Queue, Queued, Span
from callcenter.settings.sections import BoardSettings
from tests.unit.console.workplaces import NOW, TILLEULS

DAY = Span(
    offered=40,
    answered=30,
    within=27,
    abandoned=6,
    short=2,
    callbacks=2,
    elsewhere=1,
    waited=timedelta(seconds=720),
    longest=timedelta(seconds=185),
    half=timedelta(seconds=14),
    most=timedelta(seconds=61),
)
MARKS, TARGETS = marks_of(BoardSettings()), targets_of(BoardSettings())
MORNING = Board(
    now=NOW,
    total=Queue(Queued(3, NOW - timedelta(seconds=95), 2, 1), DAY, Span()),
    counts=Counts(16, 12, 1),
    rows=(
        Row(TILLEULS, Queue(Queued(3, NOW - timedelta(seconds=95), 0, 0), DAY), Counts(16, 12, 1)),
        Row("Maison de santé du Port", Queue(Queued(0, None, 2, 1)), Counts()),
    ),
    quiet=4,
    people=(
        Person("Télésecrétaire 1", Doing.AVAILABLE),
        Person("Télésecrétaire 2", Doing.ON_CALL),
        Person("Télésecrétaire 3", Doing.LUNCH),
    ),
    marks=MARKS,
    targets=TARGETS,
)


@dataclass(slots=True)
class BoardsDouble:
    """Implements ``Boards``."""

    board: Board = MORNING
    supervises: bool = True
    looked: list[str] = field(default_factory=list)

    def stands(self, **how: Any) -> None:
        self.board = replace(MORNING, **how)

    async def look(self, token: str) -> Board:
        await self.check(token)
        self.looked.append(token)
        return self.board

    async def check(self, token: str) -> None:
        if not self.supervises:
            raise NotFound
