"""Extracts of the register in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from callcenter.audit.about import Reach
from callcenter.console.extract_ports import Desk, Given, Listed, NotNow, Read, Start, Wanted
from callcenter.reports.extract_rules import Choice
from callcenter.reports.extract_tables import Asks, IdentityCheck
from callcenter.reports.extracts import RequestRow
from callcenter.reports.extracts_given import GivenOnRecord
from callcenter.reports.register_extract import Extract, Line, Named, OfCall, Practice, Request
from callcenter.reports.register_words import Section
from tests.unit.console.workplaces import NOW, TILLEULS

EXTRACT, PRACTICE, CALL = (UUID(int=0xE87 + number) for number in range(3))
DAY = date(2026, 11, 26)
NAMED = Named("Martin-Duval", "Jeanne", date(1962, 3, 14))
ROW = RequestRow(
    EXTRACT, PRACTICE, Asks.PATIENT, IdentityCheck.IN_PERSON, None, DAY, DAY, "Superviseur 1", NOW, None, None, None
)
LINES = (
    Line(
        UUID(int=1),
        NOW,
        Section.TOLD,
        "Dit au téléphone",
        what=("la date et l’heure d’un rendez-vous",),
        codes=("D03",),
        whom="vous-même, d’après ce qui a été prouvé",
        by="le serveur vocal",
        means=("code reçu par SMS",),
        heard="écouté jusqu’au bout",
        given=1,
        why="pour répondre à une demande",
        call=1,
    ),
    Line(UUID(int=2), NOW, Section.NOT_TOLD, "Demande sans réponse", minors=True),
    Line(UUID(int=3), NOW, Section.LOOKS, "Préparation d’un extrait du registre", intact=False),
)
MADE = Extract(
    Request(EXTRACT, Asks.PATIENT, IdentityCheck.IN_PERSON, NAMED, DAY, DAY, NOW),
    Practice(TILLEULS, "12 rue des Tilleuls", "Télésecrétariat", ZoneInfo("Europe/Paris")),
    NOW,
    LINES,
    (OfCall(CALL, 1, NOW, NOW + timedelta(minutes=2)),),
    Reach(NOW - timedelta(days=40)),
    0,
    whole=True,
    staff_named=False,
    digest="ab" * 32,
)


@dataclass(slots=True)
class ExtractsDouble:
    """Implements ``console.extract_ports.Extracts``.

    Arguments:
        not_now: why nothing is done.
        decides: whoever looks is of the practice.
    """

    row: RequestRow = ROW
    made: Extract | None = MADE
    not_now: NotNow | None = None
    decides: bool = True
    trained: bool = True
    minor: bool = False
    unsure: bool = False
    unsealed: bool = False
    decided: bool = False
    given: tuple[GivenOnRecord, ...] = ()
    done: list[tuple[Any, ...]] = field(default_factory=list)

    def _listed(self) -> Listed:
        return Listed(self.row, TILLEULS, self.decides)

    async def desk(self, token: str) -> Desk:
        late = replace(self.row, id=UUID(int=5), at=NOW - timedelta(days=40))
        return Desk(NOW, (Listed(late, TILLEULS, self.decides), self._listed()))

    async def start(self, token: str, practice: UUID, patient: str) -> Start:
        self.done.append(("start", practice, patient))
        return Start(TILLEULS, NOW.date(), date(2026, 10, 1))

    async def prepare(self, token: str, wanted: Wanted) -> UUID | NotNow:
        self.done.append(("prepare", wanted))
        return self.not_now or EXTRACT

    async def read(self, token: str, extract: UUID, *, again: bool = False) -> Read:
        closed = self.row.outcome is not None and not again
        made = self.made if self.trained and not self.unsealed and not closed else None
        named = NAMED if made else None
        shown = (made, named, self.minor, self.unsure, self.unsealed)
        return Read(self._listed(), NOW, self.trained, *shown, given=self.given)

    async def release(self, token: str, extract: UUID, choice: Choice) -> Given | NotNow:
        self.done.append(("release", choice))
        return self.not_now or Given(choice.form, b"%PDF-1.4", "ab" * 32)

    async def decline(self, token: str, extract: UUID, why: str) -> bool | NotNow:
        self.done.append(("decline", why))
        return self.not_now or not self.decided
