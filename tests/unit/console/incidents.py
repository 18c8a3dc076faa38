"""Incidents in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from callcenter.calls.call_references import NoCall
from callcenter.console.incident_notice_ports import NotPossible, OfPractice, ToTell
from callcenter.console.incident_ports import Choices, Deadline, Declared, Implausible, Shown, UnknownPractice
from callcenter.kernel.errors import NotFound
from callcenter.staff.incident_tables import EntryKind, IncidentKind
from callcenter.staff.incident_values import (
    DEADLINE,
    Concerned,
    Contact,
    Hold,
    Listed,
    Notice,
    Receipt,
    Register,
    Telling,
    Told,
    Written,
)
from tests.unit.console.workplaces import CALL, NOW, TILLEULS

INCIDENT = UUID("44444444-2222-4333-8444-555555555555")
PRACTICE = UUID("55555555-2222-4333-8444-555555555555")
HOLD = UUID("66666666-2222-4333-8444-555555555555")
NOTICE = UUID("77777777-2222-4333-8444-555555555555")
OPEN = Listed(INCIDENT, IncidentKind.WRONG_PERSON, NOW - timedelta(hours=5), NOW - timedelta(hours=4), None, None, 1)
REGISTER = Register(
    OPEN,
    "Télésecrétariat de démonstration",
    "Superviseur",
    (Concerned(PRACTICE, None),),
    (Written(EntryKind.FACTS, OPEN.declared_at, "Superviseur", "Une date a été dite à un tiers.", None),),
    (Hold(HOLD, PRACTICE, CALL, NOW),),
)


@dataclass(slots=True)
class IncidentsDouble:
    """Implements ``Incidents``."""

    register: Register = REGISTER
    may: bool = True
    runs: bool = False
    late: int = 0
    notified: bool = False
    reach: frozenset[UUID] = frozenset({PRACTICE})
    done: list[tuple[Any, ...]] = field(default_factory=list)
    read_as: list[bool] = field(default_factory=list)

    async def running(self, token: str) -> Sequence[Deadline]:
        at = OPEN.known_at + DEADLINE
        one = Deadline(INCIDENT, at, at - NOW, not self.notified, self.late)
        return [one] if self.runs or self.late else ()

    async def choices(self, token: str) -> Choices:
        self._check()
        return Choices(NOW, [(PRACTICE, TILLEULS)], 2)

    async def declare(self, token: str, declared: Declared) -> UUID:
        self._check()
        if declared.known_at > NOW:
            raise Implausible
        if declared.slugs:
            raise UnknownPractice(declared.slugs[0])
        self.done.append((declared,))
        return INCIDENT

    async def all(self, token: str) -> tuple[datetime, Sequence[Listed]]:
        self._check()
        return NOW, [self.register.incident]

    async def read(self, token: str, incident: UUID, *, exported: bool = False) -> Shown:
        self._check()
        self.read_as.append(exported)
        return Shown(NOW, self.register, {PRACTICE: TILLEULS}, self.reach)

    async def write(self, token: str, incident: UUID, kind: EntryKind, words: str) -> None:
        self._check()
        if self.register.incident.closed_at is not None:
            raise NotFound
        self.done.append((kind, words))

    async def hold(self, token: str, incident: UUID, reference: str) -> NoCall | None:
        self.done.append(("hold", reference))
        return None if reference == str(CALL) else NoCall.UNKNOWN

    async def lift(self, token: str, incident: UUID, hold: UUID) -> bool:
        self.done.append(("lift", hold))
        return PRACTICE in self.reach

    def _check(self) -> None:
        if not self.may:
            raise NotFound


#: The same, known for so long that its practice is told late.
LATE = replace(REGISTER, incident=replace(OPEN, known_at=NOW - timedelta(hours=30)))
GIVEN = Notice(NOTICE, NOW, "Superviseur", "Un rendez-vous a été dit à un tiers.", (Receipt("Dr Roux", NOW),))
TOLD = Told(
    INCIDENT, PRACTICE, OPEN.kind, OPEN.known_at, OPEN.declared_at, None, REGISTER.organisation, GIVEN.at, unread=True
)


@dataclass(slots=True)
class IncidentNoticesDouble:
    """Implements ``IncidentNotices``.

    Arguments:
        now: of whoever looks.
        last: the notice after which another is taken.
        meanwhile: who is told before several are told the same.
    """

    register: Register = REGISTER
    notices: tuple[Notice, ...] = ()
    told: Told = TOLD
    may: bool = True
    waits: int = 0
    now: datetime = NOW
    last: UUID | None = None
    names: dict[UUID, str] = field(default_factory=lambda: {PRACTICE: TILLEULS})
    meanwhile: frozenset[UUID] = frozenset()
    done: list[tuple[Any, ...]] = field(default_factory=list)
    read_as: list[bool] = field(default_factory=list)

    async def to_tell(self, token: str, incident: UUID, practice: UUID, *, exported: bool = False) -> ToTell:
        self._check(practice)
        self.read_as.append(exported)
        shown = Shown(self.now, self.register, {PRACTICE: TILLEULS}, frozenset({PRACTICE}))
        return ToTell(shown, practice, Contact(("Dr Roux",), "+33187650099"), self.notices)

    async def make(self, token: str, incident: UUID, practice: UUID, words: str, after: UUID | None) -> bool:
        self._check(practice)
        if after != self.last:
            return False
        self.done.append(("made", practice, words))
        return True

    async def several(self, token: str, incident: UUID) -> Shown:
        if not self.may:
            raise NotFound
        return Shown(self.now, self.register, self.names, frozenset(self.names))

    async def make_each(self, token: str, incident: UUID, practices: Sequence[UUID], words: str) -> Sequence[UUID]:
        self.done.append(("made each", [one for one in practices if one not in self.meanwhile], words))
        return [one for one in practices if one in self.meanwhile]

    async def informed(self, token: str, incident: UUID, practice: UUID, telling: Telling) -> bool:
        self._check(practice)
        if not OPEN.known_at <= telling.at <= self.now:
            raise NotPossible
        if self.register.concerned[0].informed_at is not None:
            return False
        self.done.append(("informed", practice, telling))
        return True

    async def unread(self, token: str) -> int:
        return self.waits

    async def mine(self, token: str) -> Sequence[OfPractice]:
        return [OfPractice(self.told, TILLEULS)] if self.may else []

    async def read(self, token: str, incident: UUID, practice: UUID) -> OfPractice:
        self._check(practice)
        return OfPractice(self.told, TILLEULS, self.notices)

    async def acknowledge(self, token: str, incident: UUID, practice: UUID, notice: UUID) -> bool:
        self._check(practice)
        if notice != NOTICE:
            return False
        self.done.append(("read", notice))
        self.told = replace(self.told, unread=False)
        return True

    def _check(self, practice: UUID) -> None:
        if not self.may or practice != PRACTICE:
            raise NotFound
