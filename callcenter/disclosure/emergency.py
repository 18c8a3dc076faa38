"""What a supervisor may open of a file where a life is in danger: one person, found by birth date and whole names, and
four topics of their file, each through the gate by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Row, text

from callcenter.disclosure.exits import GlassReceipt, Line, Uncovered, uncover
from callcenter.disclosure.gate import Gate, Inquiry, Refused, Situation
from callcenter.identity.matching import is_named, matches
from callcenter.kernel.errors import IntegrityError
from callcenter.kernel.labels import EMERGENCY_LABELS, Category, with_implied
from callcenter.kernel.protected import Protected
from callcenter.practice.appointments import Appointments
from callcenter.practice.file import PatientFile
from callcenter.practice.numbers import in_pairs
from callcenter.practice.patients import Patients
from callcenter.practice.practitioners import has_sensitive_practitioner
from callcenter.speech.written import written_datetime
from callcenter.store.database import Transaction
from callcenter.store.sealed import Sealer

_log = structlog.get_logger(__name__)

#: Files that are looked through for somebody; and after how many others have their turn.
MOST_FILES, _AT_ONCE = 50_000, 200
#: Appointments that are shown.
MOST_SHOWN = 3
#: For so long what was opened stays on the page (decision 42).
SHOWN_SECONDS = 60


class Topic(StrEnum):
    """What may be opened, one at a time."""

    IDENTITY = "identity"
    TELEPHONES = "telephones"
    APPOINTMENTS = "appointments"
    PRACTITIONERS = "practitioners"


_PATHS: Mapping[Topic, str] = {
    Topic.IDENTITY: "patient.identity",
    Topic.TELEPHONES: "patient.telephones",
    Topic.APPOINTMENTS: "appointments.next",
    Topic.PRACTITIONERS: "appointments.practitioners",
}


@dataclass(frozen=True, slots=True)
class Sought:
    """Who is looked for, as whoever asks has said it.

    Arguments:
        birth_date: exactly.
        name: of birth, or the one that is used.
        first_name: the first of those of birth, or the one that is used.
    """

    birth_date: date
    name: str = field(repr=False)
    first_name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Glass:
    """Glass that is broken.

    Arguments:
        id: for the records.
        recipient: who asks.
    """

    id: UUID
    recipient: str


class Behind:
    """What stands behind the glass, in one transaction.

    Arguments:
        gate: for the screen, whose writing is open.
        now: aware.
        zone: the practice's, in which appointments are written.
    """

    def __init__(self, tx: Transaction, sealer: Sealer, gate: Gate, now: datetime, zone: ZoneInfo) -> None:
        self._tx = tx
        self._sealer = sealer
        self._file = PatientFile(sealer, tx.practice)
        self._gate = gate
        self._now = now
        self._zone = zone

    async def find(self, glass: Glass, sought: Sought) -> UUID | None:
        """Whose file it opens, on record; ``None``: nobody fits, several do, or all of it is withheld."""
        fit = await self._fitting(sought)
        situation = await self._situation(fit[0]) if len(fit) == 1 else None
        inquiry = _inquiry(glass, frozenset({Category.RECORD_EXISTS}), "file")
        match await self._gate.break_glass(inquiry, situation, glass.recipient):
            case GlassReceipt() as receipt:
                return receipt.patient
            case Refused():
                return None

    async def open(self, glass: Glass, patient: UUID, topic: Topic) -> Uncovered | None:
        """One topic of the file, on record; ``None``: it is withheld."""
        path = _PATHS[topic]
        category = EMERGENCY_LABELS[path]
        inquiry = replace(_inquiry(glass, with_implied(frozenset({category})), path), seconds=SHOWN_SECONDS)
        situation = await self._situation(patient)
        match await self._gate.break_glass(inquiry, situation, glass.recipient):
            case GlassReceipt() as receipt:
                lines = await self._lines(topic, patient)
                return uncover(receipt, path, Protected(lines, category, patient))
            case Refused():
                return None

    async def refuse(self, glass: Glass, topic: Topic) -> None:
        """Nobody's file is open, and somebody asks for a topic of it: refused, on record."""
        inquiry = _inquiry(glass, with_implied(frozenset({EMERGENCY_LABELS[_PATHS[topic]]})), _PATHS[topic])
        await self._gate.break_glass(inquiry, None, glass.recipient)

    async def _situation(self, patient: UUID) -> Situation:
        flags = await Patients(self._sealer).flags(self._tx, patient)
        following = await Appointments.next(self._tx, patient, self._now)
        return Situation(
            patient=patient,
            birth_date=flags.birth_date,
            deceased=flags.deceased,
            homonym=flags.homonym,
            # A birth date that is a convention says nothing about who somebody is (MA-04).
            doubtful=flags.doubtful or flags.birth_date_fictive,
            fictitious=flags.fictitious,
            contact_restricted=flags.contact_restricted,
            sensitive=following is not None and following.sensitive_to_come,
            practice_has_sensitive=await has_sensitive_practitioner(self._tx),
        )

    # --- who

    async def _fitting(self, sought: Sought) -> list[UUID]:
        """Everybody of that birth date and those names; all dates are looked at, whoever is among them.

        Of more files than are looked through nobody fits: somebody of the same names might stand among the rest.
        """
        values = {"practice": self._tx.practice, "most": MOST_FILES + 1}
        rows = (await self._tx.connection.execute(_DATES, values)).all()
        if len(rows) > MOST_FILES:
            _log.error("too_many_files_to_look_through", practice=str(self._tx.practice), most=MOST_FILES)
            return []
        born = []
        for number, row in enumerate(rows):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if self._was_born(row, sought.birth_date):
                born.append(row.id)
        named = (await self._tx.connection.execute(_NAMES, {"practice": self._tx.practice, "ids": born})).all()
        return [row.id for row in named if self._is_named(row, sought)]

    def _was_born(self, row: Row[Any], day: date) -> bool:
        try:
            on_file = self._file.open_birth_date(row.id, row.birth_date)
        except IntegrityError:
            _log.error("sealed_field_does_not_open", table="patient", rows=[str(row.id)])
            return False
        return matches(Protected(on_file, Category.RECORD_EXISTS, row.id), day)

    def _is_named(self, row: Row[Any], sought: Sought) -> bool:
        try:
            surnames = self._protected(row, "birth_name", "used_name")
            first_names = self._protected(row, "first_name", "used_first_name")
        except IntegrityError:
            _log.error("sealed_field_does_not_open", table="patient", rows=[str(row.id)])
            return False
        return is_named(surnames, sought.name) and is_named(first_names, sought.first_name)

    def _protected(self, row: Row[Any], *columns: str) -> list[Protected[str]]:
        return [
            Protected(self._file.open("patient", column, row.id, sealed), Category.RECORD_EXISTS, row.id)
            for column in columns
            if (sealed := getattr(row, column)) is not None
        ]

    # --- what

    async def _lines(self, topic: Topic, patient: UUID) -> tuple[Line, ...]:
        match topic:
            case Topic.IDENTITY:
                return await self._identity(patient)
            case Topic.TELEPHONES:
                return await self._telephones(patient)
            case Topic.APPOINTMENTS:
                rows = (await self._to_come(patient))[:MOST_SHOWN]
                return tuple(("appointment", written_datetime(row.starts_at.astimezone(self._zone))) for row in rows)
            case Topic.PRACTITIONERS:
                named = [f"{row.title} {row.name}".strip() for row in await self._to_come(patient)]
                return tuple(("practitioner", name) for name in list(dict.fromkeys(named))[:MOST_SHOWN])

    async def _identity(self, patient: UUID) -> tuple[Line, ...]:
        values = {"practice": self._tx.practice, "patient": patient}
        row = (await self._tx.connection.execute(_IDENTITY, values)).one()
        told = {
            column: self._file.open("patient", column, patient, sealed)
            for column in ("birth_name", "used_name", "first_names", "birth_date", "sex")
            if (sealed := getattr(row, column)) is not None
        }
        told["birth_date"] = f"{date.fromisoformat(told['birth_date']):%d/%m/%Y}"
        return tuple(told.items())

    async def _telephones(self, patient: UUID) -> tuple[Line, ...]:
        values = {"practice": self._tx.practice, "patient": patient, "most": MOST_SHOWN}
        rows = (await self._tx.connection.execute(_TELEPHONES, values)).all()
        return tuple(("telephone", in_pairs(self._file.open("contact", "phone", row.id, row.phone))) for row in rows)

    async def _to_come(self, patient: UUID) -> Sequence[Row[Any]]:
        values = {"practice": self._tx.practice, "patient": patient, "now": self._now}
        return (await self._tx.connection.execute(_TO_COME, values)).all()


def _inquiry(glass: Glass, categories: frozenset[Category], what: str) -> Inquiry:
    return Inquiry(categories, frozenset(), (f"glass_break:{glass.id}", what), {}, "break_glass")


_DATES = text("SELECT id, birth_date FROM patient WHERE practice_id = :practice ORDER BY id LIMIT :most")
_NAMES = text(
    "SELECT id, birth_name, used_name, first_name, used_first_name FROM patient "
    "WHERE practice_id = :practice AND id = ANY(cast(:ids AS uuid[])) ORDER BY id"
)
_IDENTITY = text(
    "SELECT birth_name, used_name, first_names, birth_date, sex FROM patient "
    "WHERE practice_id = :practice AND id = :patient"
)
_TELEPHONES = text(
    "SELECT id, phone FROM contact WHERE practice_id = :practice AND patient_id = :patient "
    "ORDER BY confirmed_at DESC, id LIMIT :most"
)
_TO_COME = text(
    """
    SELECT a.starts_at, p.title, p.name FROM appointment a
    JOIN practitioner p ON p.practice_id = a.practice_id AND p.id = a.practitioner_id
    WHERE a.practice_id = :practice AND a.patient_id = :patient AND a.starts_at > :now
      AND a.status IN ('planned', 'confirmed')
    ORDER BY a.starts_at, a.id LIMIT 20
    """
)
