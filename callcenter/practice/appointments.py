"""The agenda: the next appointments of a patient, confirming and cancelling them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select, tuple_, update
from sqlalchemy.engine import RowMapping

from callcenter.kernel.errors import NotFound
from callcenter.kernel.labels import Category
from callcenter.kernel.protected import Protected
from callcenter.practice.tables import appointment, practitioner
from callcenter.practice.values import Appointment, AppointmentStatus, Change
from callcenter.store.database import Transaction

#: The states of an appointment that takes place.
STANDING = (AppointmentStatus.PLANNED.value, AppointmentStatus.CONFIRMED.value)

# Made once: to build a statement costs as much as to send it.
_ALL = (
    select(appointment, practitioner.c.name, practitioner.c.title, practitioner.c.speciality, practitioner.c.sensitive)
    .join_from(
        appointment,
        practitioner,
        (practitioner.c.practice_id == appointment.c.practice_id)
        & (practitioner.c.id == appointment.c.practitioner_id),
    )
    .where(appointment.c.practice_id == bindparam("practice"))
)
_ONE = _ALL.where(appointment.c.id == bindparam("appointment"))
_TO_COME = _ALL.where(
    appointment.c.patient_id == bindparam("patient"),
    appointment.c.status.in_(STANDING),
    appointment.c.starts_at > bindparam("after"),
)
_earlier = appointment.alias("earlier").c
_PLACE = select(_earlier.starts_at, _earlier.id).where(
    _earlier.practice_id == bindparam("practice"),
    _earlier.patient_id == bindparam("patient"),
    _earlier.id == bindparam("following"),
)
# The window sees every appointment to come, before the first is taken of them: one statement tells both.
_NEXT = (
    _TO_COME.add_columns(func.bool_or(practitioner.c.sensitive).over().label("sensitive_to_come"))
    .order_by(appointment.c.starts_at, appointment.c.id)
    .limit(1)
)
_FOLLOWING = _NEXT.where(tuple_(appointment.c.starts_at, appointment.c.id) > _PLACE.scalar_subquery())
_CHANGE = (
    update(appointment)
    .where(
        appointment.c.practice_id == bindparam("practice"),
        appointment.c.id == bindparam("appointment"),
        appointment.c.patient_id == bindparam("patient"),
        appointment.c.status.in_(STANDING),
        appointment.c.starts_at > bindparam("now"),
    )
    .values(status=bindparam("to"), changed_at=bindparam("now"))
    .returning(appointment.c.id)
)


class NoSuchAppointment(NotFound):
    """There is no such appointment in this practice."""


class Appointments:
    """Appointments of the practice of a transaction. Times are aware; what they tell comes out ``Protected``."""

    @staticmethod
    async def next(
        tx: Transaction, patient_id: UUID, after: datetime, following: UUID | None = None
    ) -> Appointment | None:
        """The first standing appointment of a patient that begins after ``after``, and whether any of those that do is
        with a sensitive practitioner.

        Arguments:
            following: an appointment of the same patient; only what comes after it in the order of (start, id) counts,
                even if it has been cancelled meanwhile.
        """
        values = {"practice": tx.practice, "patient": patient_id, "after": after}
        if following is None:
            rows = await tx.connection.execute(_NEXT, values)
        else:
            rows = await tx.connection.execute(_FOLLOWING, {**values, "following": following})
        row = rows.mappings().one_or_none()
        return None if row is None else _appointment(row)

    @staticmethod
    async def get(tx: Transaction, appointment_id: UUID) -> Appointment:
        """One appointment, whatever its status.

        Raises:
            NoSuchAppointment: this practice has none of that id.
        """
        rows = await tx.connection.execute(_ONE, {"practice": tx.practice, "appointment": appointment_id})
        row = rows.mappings().one_or_none()
        if row is None:
            raise NoSuchAppointment
        return _appointment(row)

    @staticmethod
    async def confirm(tx: Transaction, appointment_id: UUID, patient_id: UUID, now: datetime) -> Change:
        """Confirm a standing appointment to come of this patient; a confirmed one stays so."""
        return await _change(tx, appointment_id, patient_id, AppointmentStatus.CONFIRMED, now)

    @staticmethod
    async def cancel(tx: Transaction, appointment_id: UUID, patient_id: UUID, now: datetime) -> Change:
        """Cancel a standing appointment to come of this patient."""
        return await _change(tx, appointment_id, patient_id, AppointmentStatus.CANCELLED, now)


async def _change(
    tx: Transaction, appointment_id: UUID, patient_id: UUID, status: AppointmentStatus, now: datetime
) -> Change:
    """One conditional update, so that two who act at once cannot both succeed against each other."""
    values = {
        "practice": tx.practice,
        "appointment": appointment_id,
        "patient": patient_id,
        "now": now,
        "to": status.value,
    }
    changed = (await tx.connection.execute(_CHANGE, values)).one_or_none()
    return Change.NOT_POSSIBLE if changed is None else Change.DONE


def _appointment(row: RowMapping) -> Appointment:
    subject = row["patient_id"]
    return Appointment(
        id=row["id"],
        patient_id=subject,
        practitioner_id=row["practitioner_id"],
        practitioner_sensitive=row["sensitive"],
        sensitive_to_come=row.get("sensitive_to_come", row["sensitive"]),
        status=AppointmentStatus(row["status"]),
        starts_at=Protected(row["starts_at"], Category.APPOINTMENT_TIME, subject),
        practitioner=Protected(f"{row['title']} {row['name']}".strip(), Category.PRACTITIONER, subject),
        speciality=Protected(row["speciality"], Category.SPECIALITY, subject),
        place=None if row["place"] is None else Protected(row["place"], Category.PLACE, subject),
    )
