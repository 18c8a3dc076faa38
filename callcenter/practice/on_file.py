"""What is on file under the keys that an import names; every look-up goes in batches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from callcenter.practice.appointments import STANDING
from callcenter.practice.file import PatientFile
from callcenter.practice.intake import batches
from callcenter.practice.names import normalise_name
from callcenter.practice.tables import appointment, contact, patient
from callcenter.practice.values import AppointmentStatus
from callcenter.store.database import Transaction


@dataclass(frozen=True, slots=True, repr=False)
class KnownPatient:
    """A patient on file."""

    id: UUID
    birth_date: date


@dataclass(frozen=True, slots=True, repr=False)
class NamedPatient:
    """A patient on file, found by birth date and birth name.

    Arguments:
        index: blind index of the two.
        first_name: normalised.
    """

    external_id: str
    index: bytes
    first_name: str
    homonym: bool


@dataclass(frozen=True, slots=True)
class KnownContact:
    """A telephone on file."""

    id: UUID
    entered_at: datetime
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class KnownAppointment:
    """An appointment in the agenda."""

    id: UUID
    starts_at: datetime
    status: AppointmentStatus
    changed_at: datetime


async def patients_on_file(
    tx: Transaction, file: PatientFile, external_ids: Collection[str]
) -> Mapping[str, KnownPatient]:
    """Those of ``external_ids`` that are on file."""
    found = {}
    for batch in batches(sorted(set(external_ids))):
        query = select(patient.c.external_id, patient.c.id, patient.c.birth_date).where(
            patient.c.practice_id == tx.practice, patient.c.external_id.in_(batch)
        )
        for row in (await tx.connection.execute(query)).all():
            found[row.external_id] = KnownPatient(row.id, file.open_birth_date(row.id, row.birth_date))
    return found


async def patients_by_name(tx: Transaction, file: PatientFile, indexes: Sequence[bytes]) -> list[NamedPatient]:
    """Everybody on file under these blind indexes of birth date and birth name (one batch)."""
    query = select(
        patient.c.id, patient.c.external_id, patient.c.birth_name_index, patient.c.first_name, patient.c.homonym
    ).where(patient.c.practice_id == tx.practice, patient.c.birth_name_index.in_(indexes))
    return [
        NamedPatient(
            row.external_id,
            row.birth_name_index,
            normalise_name(file.open("patient", "first_name", row.id, row.first_name)),
            row.homonym,
        )
        for row in (await tx.connection.execute(query)).all()
    ]


async def contacts_on_file(tx: Transaction, patient_ids: Collection[UUID]) -> Mapping[tuple[UUID, bytes], KnownContact]:
    """The telephones of these patients, by patient and index of the number."""
    found = {}
    for batch in batches(sorted(set(patient_ids))):
        query = select(contact).where(contact.c.practice_id == tx.practice, contact.c.patient_id.in_(batch))
        for row in (await tx.connection.execute(query)).all():
            found[row.patient_id, row.phone_index] = KnownContact(row.id, row.entered_at, row.confirmed_at)
    return found


async def all_contacts(tx: Transaction) -> Set[UUID]:
    """Every telephone of the practice's patients."""
    query = select(contact.c.id).where(contact.c.practice_id == tx.practice)
    return frozenset((await tx.connection.execute(query)).scalars())


async def appointments_on_file(tx: Transaction, external_ids: Collection[str]) -> Mapping[str, KnownAppointment]:
    """Those of ``external_ids`` that are in the agenda."""
    found = {}
    for batch in batches(sorted(set(external_ids))):
        query = select(appointment).where(
            appointment.c.practice_id == tx.practice, appointment.c.external_id.in_(batch)
        )
        for row in (await tx.connection.execute(query)).all():
            status = AppointmentStatus(row.status)
            found[row.external_id] = KnownAppointment(row.id, row.starts_at, status, row.changed_at)
    return found


async def appointments_to_come(tx: Transaction, now: datetime) -> Mapping[str, UUID]:
    """Every standing appointment of the practice that begins after ``now``, by its external id."""
    query = select(appointment.c.external_id, appointment.c.id).where(
        appointment.c.practice_id == tx.practice, appointment.c.status.in_(STANDING), appointment.c.starts_at > now
    )
    return {row.external_id: row.id for row in (await tx.connection.execute(query)).all()}
