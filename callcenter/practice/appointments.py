"""The agenda: the next appointments of a patient, confirming and cancelling them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, tuple_, update
from sqlalchemy.engine import RowMapping

from callcenter.kernel.errors import NotFound
from callcenter.kernel.labels import Category
from callcenter.kernel.protected import Protected
from callcenter.practice.tables import appointment, practitioner
from callcenter.practice.values import Appointment, AppointmentStatus, Change
from callcenter.store.database import Transaction

_STANDING = (AppointmentStatus.PLANNED.value, AppointmentStatus.CONFIRMED.value)


class NoSuchAppointment(NotFound):
    """There is no such appointment in this practice."""


class Appointments:
    """Appointments of the practice of a transaction. Times are aware; what they tell comes out ``Protected``."""

    @staticmethod
    async def next(
        tx: Transaction, patient_id: UUID, after: datetime, following: UUID | None = None
    ) -> Appointment | None:
        """The first standing appointment of a patient that begins after ``after``.

        Arguments:
            following: an appointment of the same patient; only what comes after it in the order of (start, id) counts,
                even if it has been cancelled meanwhile.
        """
        query = _query(tx).where(
            appointment.c.patient_id == patient_id,
            appointment.c.status.in_(_STANDING),
            appointment.c.starts_at > after,
        )
        if following is not None:
            earlier = appointment.alias("earlier").c
            place = select(earlier.starts_at, earlier.id).where(
                earlier.practice_id == tx.practice, earlier.patient_id == patient_id, earlier.id == following
            )
            query = query.where(tuple_(appointment.c.starts_at, appointment.c.id) > place.scalar_subquery())
        first = query.order_by(appointment.c.starts_at, appointment.c.id).limit(1)
        row = (await tx.connection.execute(first)).mappings().one_or_none()
        return None if row is None else _appointment(row)

    @staticmethod
    async def get(tx: Transaction, appointment_id: UUID) -> Appointment:
        """One appointment, whatever its status.

        Raises:
            NoSuchAppointment: this practice has none of that id.
        """
        row = (
            (await tx.connection.execute(_query(tx).where(appointment.c.id == appointment_id))).mappings().one_or_none()
        )
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
    statement = (
        update(appointment)
        .where(
            appointment.c.practice_id == tx.practice,
            appointment.c.id == appointment_id,
            appointment.c.patient_id == patient_id,
            appointment.c.status.in_(_STANDING),
            appointment.c.starts_at > now,
        )
        .values(status=status.value, changed_at=now)
        .returning(appointment.c.id)
    )
    changed = (await tx.connection.execute(statement)).one_or_none()
    return Change.NOT_POSSIBLE if changed is None else Change.DONE


def _query(tx: Transaction) -> Select[Any]:
    return (
        select(
            appointment, practitioner.c.name, practitioner.c.title, practitioner.c.speciality, practitioner.c.sensitive
        )
        .join_from(
            appointment,
            practitioner,
            (practitioner.c.practice_id == appointment.c.practice_id)
            & (practitioner.c.id == appointment.c.practitioner_id),
        )
        .where(appointment.c.practice_id == tx.practice)
    )


def _appointment(row: RowMapping) -> Appointment:
    subject = row["patient_id"]
    return Appointment(
        id=row["id"],
        patient_id=subject,
        practitioner_id=row["practitioner_id"],
        practitioner_sensitive=row["sensitive"],
        status=AppointmentStatus(row["status"]),
        starts_at=Protected(row["starts_at"], Category.APPOINTMENT_TIME, subject),
        practitioner=Protected(f"{row['title']} {row['name']}".strip(), Category.PRACTITIONER, subject),
        speciality=Protected(row["speciality"], Category.SPECIALITY, subject),
        place=None if row["place"] is None else Protected(row["place"], Category.PLACE, subject),
    )
