"""What a reference leads to: a booking, or an appointment with a printed card; found, and cancelled, by whoever has it.

A booking is nobody's file: what the caller typed is sealed in it, and it is found by keyed hashes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from callcenter.kernel.labels import Category
from callcenter.kernel.protected import Protected
from callcenter.kernel.randomness import Random
from callcenter.practice.typed_at_booking import TypedAtBooking
from callcenter.practice.values import Change
from callcenter.store.database import Transaction
from callcenter.store.sealed import Sealer

#: A reference: eight digits, all equally likely.
DIGITS = 8
_REFERENCES = 10**DIGITS
_EVEN = 2**32 - 2**32 % _REFERENCES


class SlotKind(StrEnum):
    """What a reference leads to: a request by telephone, or an appointment of the agenda with a printed card."""

    BOOKING = "booking"
    APPOINTMENT = "appointment"


@dataclass(frozen=True, slots=True)
class Slot:
    """What a reference leads to.

    Arguments:
        subject: the patient of an appointment; of a booking, which is nobody's file, its own identifier.
        sensitive: the practitioner's speciality tells something (D05).
        birth_date: of a booking, as it was typed; ``None`` of an appointment, whose patient's file has it.
    """

    id: UUID
    kind: SlotKind
    subject: UUID
    practitioner: UUID
    sensitive: bool
    starts_at: Protected[datetime]
    duration_minutes: int
    place: Protected[str] | None
    birth_date: Protected[date] | None


class ReferencedSlots:
    """Slots with a reference, of the practice of a transaction. Times are aware.

    Arguments:
        sealer: for what the caller typed, and for the hashes.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._typed = TypedAtBooking(sealer)

    def reference_index(self, practice: UUID, reference: str) -> bytes:
        """The keyed hash under which a reference is kept."""
        return reference_index(self._sealer, practice, reference)

    async def by_reference(self, tx: Transaction, reference: str, now: datetime) -> Slot | None:
        """The slot to come that ``reference`` leads to; ``None`` if it leads to none, or to one that is cancelled."""
        values = {"reference": self.reference_index(tx.practice, reference), "slot": None, "now": now}
        return self._slot(tx, (await tx.connection.execute(_SLOTS, values)).all())

    async def slot(self, tx: Transaction, slot_id: UUID, now: datetime) -> Slot | None:
        """The slot to come of that identifier, if it still stands."""
        values = {"reference": None, "slot": slot_id, "now": now}
        return self._slot(tx, (await tx.connection.execute(_SLOTS, values)).all())

    async def of_appointment(self, tx: Transaction, appointment: UUID, patient: UUID, now: datetime) -> Slot | None:
        """A standing appointment to come of this patient, as the slot that it is, whether or not it has a card."""
        values = {"appointment": appointment, "patient": patient, "now": now}
        return self._slot(tx, (await tx.connection.execute(_APPOINTMENT, values)).all())

    async def cancel(self, tx: Transaction, slot: Slot, now: datetime) -> Change:
        """Free a slot to come that stands. Staff see a cancelled booking again, even if they had dealt with it."""
        values = {"slot": slot.id, "now": now}
        cancelled = (await tx.connection.execute(_CANCEL[slot.kind], values)).one_or_none()
        return Change.NOT_POSSIBLE if cancelled is None else Change.DONE

    def _slot(self, tx: Transaction, rows: Sequence[Row[Any]]) -> Slot | None:
        if len(rows) != 1:
            return None
        row, kind = rows[0], SlotKind(rows[0].kind)
        subject = row.id if row.patient_id is None else row.patient_id
        born = None if row.birth_date is None else self._typed.birth_date(tx.practice, row.id, row.birth_date)
        return Slot(
            id=row.id,
            kind=kind,
            subject=subject,
            practitioner=row.practitioner_id,
            sensitive=row.sensitive,
            starts_at=Protected(row.starts_at, Category.APPOINTMENT_TIME, subject),
            duration_minutes=row.duration_minutes,
            place=None if row.place is None else Protected(row.place, Category.PLACE, subject),
            birth_date=None if born is None else Protected(born, Category.RECORD_EXISTS, subject),
        )


def draw_reference(random: Random) -> str:
    """Eight digits, each string of them as likely as any other."""
    while (drawn := int.from_bytes(random.token_bytes(4), "big")) >= _EVEN:
        pass
    return f"{drawn % _REFERENCES:0{DIGITS}d}"


def reference_index(sealer: Sealer, practice: UUID, reference: str) -> bytes:
    """The keyed hash of a reference: worth nothing at another practice."""
    return sealer.blind_index(practice, "booking.reference", reference)


async def references_in_use(tx: Transaction, indexes: Sequence[bytes]) -> Mapping[bytes, str]:
    """Those of ``indexes`` that lead to something, with the appointment's external id, or « » for a booking."""
    rows = await tx.connection.execute(_ALL_IN_USE, {"references": list(indexes)})
    return {row.reference_index: row.external_id for row in rows}


_ALL_IN_USE = text(
    """
    SELECT reference_index, '' AS external_id FROM booking_request
    WHERE reference_index = ANY(cast(:references AS bytea[]))
    UNION ALL
    SELECT reference_index, external_id FROM appointment WHERE reference_index = ANY(cast(:references AS bytea[]))
    """
)

_SLOTS = text(
    """
    SELECT 'booking' AS kind, b.id, cast(NULL AS uuid) AS patient_id, b.practitioner_id, b.starts_at,
        b.duration_minutes, cast(NULL AS text) AS place, b.birth_date, p.sensitive
    FROM booking_request b JOIN practitioner p ON p.practice_id = b.practice_id AND p.id = b.practitioner_id
    WHERE (b.reference_index = cast(:reference AS bytea) OR b.id = cast(:slot AS uuid))
      AND b.state = 'open' AND b.starts_at > :now
    UNION ALL
    SELECT 'appointment', a.id, a.patient_id, a.practitioner_id, a.starts_at,
        a.duration_minutes, a.place, NULL, p.sensitive
    FROM appointment a JOIN practitioner p ON p.practice_id = a.practice_id AND p.id = a.practitioner_id
    WHERE (a.reference_index = cast(:reference AS bytea) OR (a.id = cast(:slot AS uuid)
      AND a.reference_index IS NOT NULL))
      AND a.status IN ('planned', 'confirmed') AND a.starts_at > :now
    """
)

_APPOINTMENT = text(
    """
    SELECT 'appointment' AS kind, a.id, a.patient_id, a.practitioner_id, a.starts_at,
        a.duration_minutes, a.place, cast(NULL AS bytea) AS birth_date, p.sensitive
    FROM appointment a JOIN practitioner p ON p.practice_id = a.practice_id AND p.id = a.practitioner_id
    WHERE a.id = :appointment AND a.patient_id = :patient
      AND a.status IN ('planned', 'confirmed') AND a.starts_at > :now
    """
)

_CANCEL = {
    SlotKind.BOOKING: text(
        """
        UPDATE booking_request SET state = 'cancelled', changed_at = :now, handled_at = NULL, handled_by = NULL
        WHERE id = :slot AND state = 'open' AND starts_at > :now RETURNING id
        """
    ),
    SlotKind.APPOINTMENT: text(
        """
        UPDATE appointment SET status = 'cancelled', changed_at = :now
        WHERE id = :slot AND status IN ('planned', 'confirmed') AND starts_at > :now RETURNING id
        """
    ),
}
