"""A workplace in memory: how it stands is what a test says, and what was done with it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from callcenter.console.workplace_ports import Act, Asked, Doing, Ring, SoftphonePass, Talk, Waiting, Workplace

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
CALL = UUID("33333333-2222-4333-8444-555555555555")
TILLEULS = "Cabinet des Tilleuls"
IDLE = Workplace(
    now=NOW,
    answers=True,
    doing=Doing.AVAILABLE,
    since=NOW - timedelta(minutes=3),
    by_telephone=False,
    wrap_up_until=None,
    waiting=Waiting(0, None),
    ring=None,
    talk=None,
)
RING = Ring(CALL, TILLEULS, NOW - timedelta(seconds=65), NOW + timedelta(seconds=20), by_telephone=False)
TALK = Talk(CALL, TILLEULS, NOW - timedelta(seconds=125), CALL, frozenset({Act.HANG_UP}))
ASKED = Asked(CALL, TILLEULS, "Télésecrétaire 2", NOW - timedelta(seconds=5), joined=False)


@dataclass(slots=True)
class WorkplacesDouble:
    """Implements ``Workplaces`` and ``Bells``."""

    place: Workplace = IDLE
    done: list[tuple[Any, ...]] = field(default_factory=list)
    willing: bool = True
    looks: int = 0
    bells: set[asyncio.Event] = field(default_factory=set)

    def stands(self, **how: Any) -> None:
        self.place = replace(IDLE, **how)

    async def look(self, token: str) -> Workplace:
        self.looks += 1
        return self.place

    async def move(self, token: str, to: Doing) -> bool:
        self.done.append((to,))
        return self.willing

    async def act(self, token: str, act: Act, call: UUID, whom: str = "") -> bool:
        self.done.append((act, call, whom))
        return self.willing

    async def softphone_pass(self, token: str) -> SoftphonePass | None:
        return SoftphonePass("a.pass.of-tests", 600) if self.willing else None

    @asynccontextmanager
    async def of(self, staff: UUID) -> AsyncIterator[BellDouble]:
        bell = BellDouble()
        self.bells.add(bell.event)
        try:
            yield bell
        finally:
            self.bells.discard(bell.event)

    def ring(self) -> None:
        for bell in self.bells:
            bell.set()


class BellDouble:
    def __init__(self) -> None:
        self.event = asyncio.Event()

    async def rung(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self.event.wait()
        except TimeoutError:
            return False
        self.event.clear()
        return True
