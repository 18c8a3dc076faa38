"""Writing patients, contacts and appointments in bulk. Who decides what to write is ``importing`` and ``demo``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import PrimaryKeyConstraint, Table, UniqueConstraint, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert

from callcenter.kernel.age import is_adult
from callcenter.practice.appointments import STANDING
from callcenter.practice.file import PatientFile
from callcenter.practice.numbers import E164
from callcenter.practice.records import PatientRecord
from callcenter.practice.tables import appointment, contact, patient
from callcenter.practice.values import AppointmentStatus
from callcenter.store.database import Transaction

#: Rows in one statement: well under the statement timeout, well over the cost of a round trip.
BATCH = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class ContactEntry:
    """A telephone to write, of the patient born on ``birth_date``."""

    id: UUID
    patient_id: UUID
    birth_date: date
    phone: E164
    entered_at: datetime
    confirmed_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class AppointmentEntry:
    """An appointment to write; times are aware."""

    id: UUID
    external_id: str
    patient_id: UUID
    practitioner_id: UUID
    starts_at: datetime
    duration_minutes: int
    place: str | None
    status: AppointmentStatus
    changed_at: datetime
    reference_index: bytes | None = None


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """``items`` in slices of at most :data:`BATCH`."""
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


async def lock_intake(tx: Transaction) -> None:
    """Let nobody else write patients of this practice in bulk until the transaction ends.

    A sealed field is bound to its row's id, so which id an external id has may not change between look-up and write.
    """
    key = func.hashtextextended(f"callcenter intake {tx.practice}", 0)
    await tx.connection.execute(select(func.pg_advisory_xact_lock(key)))


async def put_patients(tx: Transaction, file: PatientFile, batch: Sequence[tuple[UUID, PatientRecord]]) -> None:
    """Add patients, or replace what is on file under their ids."""
    await _put(tx, patient, [_patient_row(file, patient_id, record) for patient_id, record in batch])


async def put_contacts(tx: Transaction, file: PatientFile, batch: Sequence[ContactEntry]) -> None:
    """Add telephones, or replace what is on file under their ids; :func:`refresh_shared` must follow."""
    await _put(tx, contact, [_contact_row(file, entry) for entry in batch])


async def put_appointments(tx: Transaction, batch: Sequence[AppointmentEntry]) -> None:
    """Add appointments, or replace what is in the agenda under their ids."""
    await _put(tx, appointment, [_appointment_row(tx, entry) for entry in batch])


async def _put(tx: Transaction, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """One statement for all ``rows``, a column an array: a statement a row took PostgreSQL twice as long."""
    if rows:
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        await tx.connection.execute(_put_statement(table, tuple(columns)), columns)


@lru_cache(maxsize=8)  # of three tables, always with the same columns
def _put_statement(table: Table, names: tuple[str, ...]) -> Insert:
    kept = _lookup_keys(table)
    arrays = (bindparam(name, type_=ARRAY(table.c[name].type)) for name in names)
    given = func.unnest(*arrays).table_valued(*names).render_derived()
    statement = insert(table).from_select(names, select(*(given.c[name] for name in names)))
    changed: dict[str, Any] = {name: statement.excluded[name] for name in names if name not in kept}
    if table is appointment:  # a file without the reference of a printed card leaves the one that stands
        standing = appointment.c.reference_index
        changed["reference_index"] = func.coalesce(statement.excluded.reference_index, standing)
    return statement.on_conflict_do_update(index_elements=["id"], set_=changed)


def _lookup_keys(table: Table) -> Set[str]:
    """The columns by which rows of ``table`` are found and referred to; under one id they never change.

    They are not written anew: PostgreSQL would lock each row against whatever refers to it, so that a real challenge
    would wait for the end of an import, and a decoy not (P6, P7).
    """
    unique = (key for key in table.constraints if isinstance(key, UniqueConstraint | PrimaryKeyConstraint))
    return {column.name for key in unique for column in key.columns}


def _patient_row(file: PatientFile, patient_id: UUID, record: PatientRecord) -> dict[str, object]:
    traits = {
        "birth_name": record.birth_name,
        "first_names": record.all_first_names,
        "first_name": record.first_name,
        "used_name": record.used_name,
        "used_first_name": record.used_first_name,
        "birth_date": record.birth_date.isoformat(),
        "sex": record.sex.value,
        "birth_place_code": record.birth_place_code,
    }
    sealed = {
        column: None if value is None else file.seal("patient", column, patient_id, value)
        for column, value in traits.items()
    }
    return sealed | {
        "id": patient_id,
        "practice_id": file.practice,
        "external_id": record.external_id,
        "identity_status": record.identity_status.value,
        "birth_date_fictive": record.birth_date_fictive,
        "deceased": record.deceased,
        "homonym": record.homonym,
        "doubtful": record.doubtful,
        "fictitious": record.fictitious,
        "contact_restricted": record.contact_restricted,
        "birth_name_index": file.birth_name_index(record.birth_date, record.birth_name),
    }


def _contact_row(file: PatientFile, entry: ContactEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "practice_id": file.practice,
        "patient_id": entry.patient_id,
        "phone": file.seal("contact", "phone", entry.id, entry.phone),
        "phone_index": file.phone_index(entry.phone),
        "birth_phone_index": file.birth_phone_index(entry.birth_date, entry.phone),
        "entered_at": entry.entered_at,
        "confirmed_at": entry.confirmed_at,
    }


def _appointment_row(tx: Transaction, entry: AppointmentEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "practice_id": tx.practice,
        "external_id": entry.external_id,
        "patient_id": entry.patient_id,
        "practitioner_id": entry.practitioner_id,
        "starts_at": entry.starts_at,
        "duration_minutes": entry.duration_minutes,
        "place": entry.place,
        "status": entry.status.value,
        "changed_at": entry.changed_at,
        "reference_index": entry.reference_index,
    }


async def reindex_contacts(tx: Transaction, file: PatientFile, birth_dates: Mapping[UUID, date]) -> None:
    """Renew the index (birth date + phone) of the telephones of patients whose birth date was corrected."""
    for batch in batches(list(birth_dates)):
        query = select(contact.c.id, contact.c.patient_id, contact.c.phone).where(
            contact.c.practice_id == tx.practice, contact.c.patient_id.in_(batch)
        )
        for row in (await tx.connection.execute(query)).all():
            phone = file.open("contact", "phone", row.id, row.phone)
            renewed = file.birth_phone_index(birth_dates[row.patient_id], phone)
            same = (contact.c.practice_id == tx.practice) & (contact.c.id == row.id)
            await tx.connection.execute(update(contact).where(same).values(birth_phone_index=renewed))


async def remove_contacts(tx: Transaction, contact_ids: Sequence[UUID]) -> None:
    """Take telephones off the file; the codes that went there open nothing any more."""
    await tx.connection.execute(
        delete(contact).where(contact.c.practice_id == tx.practice, contact.c.id.in_(contact_ids))
    )


async def cancel_appointments(tx: Transaction, appointment_ids: Sequence[UUID], now: datetime) -> None:
    """Cancel those of these appointments that still stand."""
    these = (appointment.c.practice_id == tx.practice) & appointment.c.id.in_(appointment_ids)
    cancelled = {"status": AppointmentStatus.CANCELLED.value, "changed_at": now}
    await tx.connection.execute(update(appointment).where(these, appointment.c.status.in_(STANDING)).values(cancelled))


async def refresh_shared(
    tx: Transaction, file: PatientFile, today: date, leaving: Collection[UUID] = frozenset()
) -> None:
    """Mark every telephone that two or more adults of the practice have as shared, and no other.

    Arguments:
        today: the date in the practice's zone, on which one is adult or not.
        leaving: telephones that are about to leave the file, and make nothing shared any more.
    """
    adults: dict[bytes, set[UUID]] = {}
    marked: dict[UUID, tuple[bytes, bool]] = {}
    last = UUID(int=0)
    while batch := await _contacts_after(tx, last):
        for contact_id, phone_index, shared, patient_id, sealed in batch:
            last = contact_id
            if contact_id in leaving:
                continue
            owners = adults.setdefault(phone_index, set())
            if is_adult(file.open_birth_date(patient_id, sealed), today):
                owners.add(patient_id)
            marked[contact_id] = phone_index, shared
    for verdict in (True, False):
        wrong = [key for key, (index, shared) in marked.items() if shared != verdict == (len(adults[index]) > 1)]
        for some in batches(wrong):
            these = (contact.c.practice_id == tx.practice) & contact.c.id.in_(some)
            await tx.connection.execute(update(contact).where(these).values(shared=verdict))


async def _contacts_after(tx: Transaction, last: UUID) -> Sequence[tuple[UUID, bytes, bool, UUID, bytes]]:
    query = (
        select(contact.c.id, contact.c.phone_index, contact.c.shared, patient.c.id, patient.c.birth_date)
        .join_from(
            contact, patient, (patient.c.practice_id == contact.c.practice_id) & (patient.c.id == contact.c.patient_id)
        )
        .where(contact.c.practice_id == tx.practice, contact.c.id > last)
        .order_by(contact.c.id)
        .limit(BATCH)
    )
    return [tuple(row) for row in (await tx.connection.execute(query)).all()]
