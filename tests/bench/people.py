"""Who of the demonstration can be verified by a text message, and then be told their next appointment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from sqlalchemy import select

from callcenter.kernel.age import is_adult
from callcenter.practice.appointments import Appointments
from callcenter.practice.directory import Directory
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.file import PatientFile
from callcenter.practice.numbers import receives_sms
from callcenter.practice.tables import contact, patient
from callcenter.practice.values import EntryKind
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Sealer
from tests.bench.values import Person

#: An appointment must still lie ahead when the bench ends.
_AHEAD = timedelta(hours=1)


async def verifiable(database: Database, sealer: Sealer, now: datetime) -> list[Person]:
    """Everybody whose call can go its whole way: adult, unmarked, one own mobile on file, and appointments to come,
    none of them with a sensitive practitioner. They call the number that is for patients. The practices take turns:
    the shortest run has callers of each.

    Arguments:
        database: as the app role, with the demonstration in it.
        now: aware.
    """
    async with database.house() as connection:
        practices = await Directory.all(connection, now)
    people: list[list[Person]] = []
    for facts in practices:
        async with database.practice(facts.id) as tx:
            for number, door in facts.numbers.items():
                if door.entry is EntryKind.MAIN:  # behind another the menu is another
                    people.append(await _of_practice(tx, PatientFile(sealer, facts.id), number, now))
    return [person for turn in zip_longest(*people) for person in turn if person is not None]


async def some_of_each(
    database: Database, sealer: Sealer, now: datetime, practices: Sequence[PracticeFacts], each: int
) -> list[Person]:
    """Up to ``each`` of every one of ``practices``, no two with the same telephone: a code is known by its number."""
    people: dict[str, Person] = {}
    for facts in practices:
        async with database.practice(facts.id) as tx:
            found, file, called = 0, PatientFile(sealer, facts.id), next(iter(facts.numbers))
            for row in (await tx.connection.execute(_QUERY)).all():
                if found == each:
                    break
                if file.open("contact", "phone", row.id, row.phone) in people:
                    continue
                person = await _person(tx, file, called, row, now)
                if person is not None:
                    people[person.phone] = person
                    found += 1
    return list(people.values())


_QUERY = (
    select(contact.c.id, contact.c.patient_id, contact.c.phone, contact.c.birth_phone_index, patient.c.birth_date)
    .join_from(
        contact, patient, (patient.c.practice_id == contact.c.practice_id) & (patient.c.id == contact.c.patient_id)
    )
    .where(
        ~(contact.c.shared | patient.c.birth_date_fictive | patient.c.deceased),
        ~(patient.c.homonym | patient.c.doubtful | patient.c.contact_restricted),
    )
    .order_by(contact.c.patient_id, contact.c.id)
)


async def _of_practice(tx: Transaction, file: PatientFile, called: str, now: datetime) -> list[Person]:
    rows = (await tx.connection.execute(_QUERY)).all()
    found = [await _person(tx, file, called, row, now) for row in rows]
    return [person for person in found if person is not None]


async def _person(tx: Transaction, file: PatientFile, called: str, row: Any, now: datetime) -> Person | None:
    phone = file.open("contact", "phone", row.id, row.phone)
    birth_date = file.open_birth_date(row.patient_id, row.birth_date)
    if not receives_sms(phone) or not is_adult(birth_date, now.date()):
        return None
    appointment = await Appointments.next(tx, row.patient_id, now + _AHEAD)
    if appointment is None or appointment.sensitive_to_come:
        return None
    return Person(
        phone=phone,
        called=called,
        birth_date=birth_date,
        practice=tx.practice,
        patient=row.patient_id,
        contact=row.id,
        appointment=appointment.id,
        birth_phone=row.birth_phone_index,
    )
