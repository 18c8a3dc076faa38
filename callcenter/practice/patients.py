"""Patients, as verification needs them: candidates for a claim, flags, telephones that may get a code."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import structlog
from sqlalchemy import bindparam, select
from sqlalchemy.engine import RowMapping

from callcenter.kernel.errors import IntegrityError, NotFound
from callcenter.kernel.labels import Category
from callcenter.kernel.protected import Protected
from callcenter.practice.file import PatientFile
from callcenter.practice.numbers import receives_sms
from callcenter.practice.tables import contact, patient
from callcenter.practice.values import Candidate, Contact, PatientFlags
from callcenter.store.database import Transaction
from callcenter.store.sealed import Sealer

_log = structlog.get_logger(__name__)

_FLAGS = (
    patient.c.birth_date,
    patient.c.birth_date_fictive,
    patient.c.deceased,
    patient.c.homonym,
    patient.c.doubtful,
    patient.c.fictitious,
    patient.c.contact_restricted,
)

# Made once: to build a statement costs as much as to send it.
_BY_BIRTH_AND_PHONE = (
    select(patient.c.id, contact.c.id.label("contact_id"), contact.c.shared, *_FLAGS)
    .join_from(
        contact, patient, (patient.c.practice_id == contact.c.practice_id) & (patient.c.id == contact.c.patient_id)
    )
    .where(contact.c.practice_id == bindparam("practice"), contact.c.birth_phone_index == bindparam("index"))
    .order_by(patient.c.id)
)
_CONTACTS = (
    select(contact)
    .where(contact.c.practice_id == bindparam("practice"), contact.c.patient_id == bindparam("patient"))
    .order_by(contact.c.confirmed_at.desc(), contact.c.id)
    # What a challenge will refer to may not go before it is written; and one that is leaving the file is passed over,
    # or whoever has it would be told from a stranger by the waiting (P6).
    .with_for_update(read=True, key_share=True, skip_locked=True)
)
_ONE = select(patient.c.id, *_FLAGS).where(
    patient.c.practice_id == bindparam("practice"), patient.c.id == bindparam("patient")
)


class NoSuchPatient(NotFound):
    """There is no such patient in this practice."""


class Patients:
    """Patients of the practice of a transaction.

    Arguments:
        sealer: opens their sealed fields and makes blind indexes.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def by_birth_and_phone(self, tx: Transaction, birth_date: date, e164: str) -> tuple[Candidate, ...]:
        """Everybody with exactly this birth date and this telephone on file (V1), deceased and flagged ones too.

        One statement, and at least one field is opened, whether somebody matches or not (P6: no oracle in time). Where
        one of several cannot be compared, nobody is the one: it is an error in the log, and none that can be heard.
        """
        file = PatientFile(self._sealer, tx.practice)
        values = {"practice": tx.practice, "index": file.birth_phone_index(birth_date, e164)}
        rows = (await tx.connection.execute(_BY_BIRTH_AND_PHONE, values)).mappings().all()
        if not rows:
            _open_a_decoy(file, birth_date)
        try:
            return tuple(Candidate(row["id"], row["contact_id"], row["shared"], _flags(file, row)) for row in rows)
        except IntegrityError:
            _log.error("sealed_field_does_not_open", table="patient", rows=[str(row["id"]) for row in rows])
            return ()

    async def code_contacts(self, tx: Transaction, patient_id: UUID) -> tuple[Contact, ...]:
        """Every telephone of a patient, the most recently confirmed first; which may get a code is decided above.

        They stay until the transaction ends. One that does not open is left out, and is an error in the log.
        """
        file = PatientFile(self._sealer, tx.practice)
        rows = await tx.connection.execute(_CONTACTS, {"practice": tx.practice, "patient": patient_id})
        contacts = (_contact(file, row) for row in rows.mappings().all())
        return tuple(contact for contact in contacts if contact is not None)

    @staticmethod
    async def phone_index(tx: Transaction, contact_id: UUID) -> bytes | None:
        """Under what the number of a telephone on file is found: a STOP is kept under it. ``None``: there is none."""
        query = select(contact.c.phone_index).where(contact.c.practice_id == tx.practice, contact.c.id == contact_id)
        found = (await tx.connection.execute(query)).scalar_one_or_none()
        return None if found is None else bytes(found)

    async def flags(self, tx: Transaction, patient_id: UUID) -> PatientFlags:
        """What forbids or restricts disclosures about a patient.

        Raises:
            NoSuchPatient: this practice has none of that id.
        """
        flags = await self.flags_if_any(tx, patient_id)
        if flags is None:
            raise NoSuchPatient
        return flags

    async def flags_if_any(self, tx: Transaction, patient_id: UUID) -> PatientFlags | None:
        """The same, or ``None`` of a patient whom this practice does not have."""
        rows = await tx.connection.execute(_ONE, {"practice": tx.practice, "patient": patient_id})
        row = rows.mappings().one_or_none()
        return None if row is None else _flags(PatientFile(self._sealer, tx.practice), row)


def _open_a_decoy(file: PatientFile, birth_date: date) -> None:
    nobody = UUID(int=0)
    file.open_birth_date(nobody, file.seal("patient", "birth_date", nobody, birth_date.isoformat()))


def _flags(file: PatientFile, row: RowMapping) -> PatientFlags:
    birth_date = file.open_birth_date(row["id"], row["birth_date"])
    return PatientFlags(
        birth_date=Protected(birth_date, Category.RECORD_EXISTS, row["id"]),
        birth_date_fictive=row["birth_date_fictive"],
        deceased=row["deceased"],
        homonym=row["homonym"],
        doubtful=row["doubtful"],
        fictitious=row["fictitious"],
        contact_restricted=row["contact_restricted"],
    )


def _contact(file: PatientFile, row: RowMapping) -> Contact | None:
    try:
        phone = file.open("contact", "phone", row["id"], row["phone"])
    except IntegrityError:
        _log.error("sealed_field_does_not_open", table="contact", rows=[str(row["id"])])
        return None
    return Contact(
        id=row["id"],
        phone=Protected(phone, Category.CONTACT_DETAILS, row["patient_id"]),
        receives_sms=receives_sms(phone),
        entered_at=row["entered_at"],
        confirmed_at=row["confirmed_at"],
        shared=row["shared"],
    )
