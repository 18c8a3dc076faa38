"""Broken glass in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from callcenter.console.glass_ports import (
    Breaking,
    GlassDesk,
    Listed,
    Named,
    NotNow,
    NotShown,
    Opened,
    Own,
    Shown,
    ToReview,
)
from callcenter.disclosure.emergency import Topic
from callcenter.staff.glass import Asked, Glass
from callcenter.staff.glass_tables import Asks, Verdict
from tests.unit.console.workplaces import NOW, TILLEULS

OWN, OTHERS, PRACTICE = (UUID(int=0x61A550 + number) for number in range(3))
HER_HOUR = "mardi 1er décembre 2026 à 14 h 30"
BROKEN = Glass(OWN, PRACTICE, UUID(int=1), "Superviseur 1", Asks.RESCUE, None, NOW, None, None, None)
ASKED = Asked("Trouvée inconsciente dans la rue.", "Docteur Weil, SAMU 69", "+33465710099")


@dataclass(slots=True)
class GlassDouble:
    """Implements ``GlassBreaking``.

    Arguments:
        found: there is a file.
        enough: nothing more is opened.
        trained, forgotten: of whoever reviews, and what was written.
    """

    not_now: NotNow | None = None
    found: bool = True
    enough: bool = False
    trained: bool = True
    forgotten: bool = False
    others: Glass = field(default_factory=lambda: replace(BROKEN, id=OTHERS, broken_at=NOW - timedelta(hours=80)))
    done: list[tuple[Any, ...]] = field(default_factory=list)

    async def desk(self, token: str) -> GlassDesk:
        listed = (Listed(self.others, TILLEULS, own=False), Listed(BROKEN, TILLEULS, own=True))
        return GlassDesk(NOW, (Named(PRACTICE, TILLEULS),), breaks=True, not_now=self.not_now, listed=listed)

    async def break_glass(self, token: str, wanted: Breaking) -> UUID | NotNow:
        self.done.append(("break", wanted))
        return self.not_now or OWN

    async def look(self, token: str, glass: UUID) -> Own | ToReview:
        if glass == OWN:
            return Own(Listed(BROKEN, TILLEULS, own=True), NOW, self.found, self.found, "04 65 71 00 90")
        opened = (Opened(NOW, "file", granted=True), Opened(NOW, "appointments.next", granted=False))
        listed = Listed(self.others, TILLEULS, own=False)
        if not self.trained:
            return ToReview(listed, NOW, opened, trained=False)
        verdict = "Le SAMU a rappelé." if self.others.verdict else None
        return ToReview(listed, NOW, opened, True, None if self.forgotten else ASKED, verdict)

    async def open(self, token: str, glass: UUID, topic: Topic) -> Shown | NotShown:
        self.done.append(("open", topic))
        if self.enough:
            return NotShown.ENOUGH
        if not self.found or topic is Topic.PRACTITIONERS:
            return NotShown.WITHHELD
        return Shown(topic, () if topic is Topic.TELEPHONES else (("appointment", HER_HOUR),))

    async def review(self, token: str, glass: UUID, verdict: Verdict, words: str) -> bool | NotNow:
        self.done.append(("review", verdict, words))
        if not self.trained:
            return NotNow.UNTRAINED
        if self.others.verdict is not None:
            return False
        self.others = replace(self.others, reviewed_at=NOW, reviewer="Superviseur 2", verdict=verdict)
        return True
