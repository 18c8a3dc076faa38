"""Filling a database with the demonstration, and keeping its agendas ahead of today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random as Chance
from uuid import UUID

from pydantic import ValidationError

from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import DataProblems, Problem
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.demo_file import Demonstration, NamedPerson, demo_id, read_demonstration
from callcenter.practice.enrolment import write_organisation, write_practice, write_practitioners
from callcenter.practice.file import PatientFile
from callcenter.practice.intake import (
    AppointmentEntry,
    ContactEntry,
    lock_intake,
    put_appointments,
    put_contacts,
    put_patients,
    refresh_shared,
)
from callcenter.practice.invented import InventedPatient, invent_patients
from callcenter.practice.numbers import E164
from callcenter.practice.on_file import appointments_on_file, contacts_on_file
from callcenter.practice.opening import Opening
from callcenter.practice.practice_file import DescribedPractice
from callcenter.practice.records import ContactRecord, PatientRecord, Reading
from callcenter.practice.setting_versions import Author, SettingVersions
from callcenter.practice.values import AppointmentStatus
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Sealer

#: Who makes the settings of the demonstration's practices.
DEMONSTRATION = "demonstration"

FOLDER = Path(__file__).resolve().parents[2] / "config" / "demo"

#: Long enough on file to be sent codes (OB-07), and confirmed recently enough.
_ENTERED, _CONFIRMED = timedelta(days=400), timedelta(days=60)
_SLOT = timedelta(minutes=15)
_AGENDA_DAYS = 42


@dataclass(frozen=True, slots=True)
class SeedReport:
    """What stands in the database now.

    Arguments:
        anchored: appointments whose day was set by this run; the others stood right already.
    """

    practices: int
    patients: int
    appointments: int
    anchored: int

    def __str__(self) -> str:
        return (
            f"{self.practices} practices, {self.patients} patients, {self.appointments} appointments "
            f"({self.anchored} moved ahead of today)"
        )


@dataclass(frozen=True, slots=True, repr=False)
class _Person:
    """A patient of the demonstration, named or invented, and who sees them when."""

    key: str
    traits: Mapping[str, str]
    phones: Sequence[str]
    agenda: Sequence[tuple[str, datetime]]


async def seed(
    database: Database, sealer: Sealer, clock: Clock, random: Random, *, folder: Path = FOLDER
) -> SeedReport:
    """Write the demonstration, or bring the one that stands there back to what its files say.

    A second run keeps what was done to appointments, unless their day has gone by or moved: those are planned anew. It
    keeps the settings that somebody has changed.

    Arguments:
        random: makes the identifiers of telephones; all others are fixed (:func:`demo_file.demo_id`).
        folder: of ``demonstration.yaml``.

    Raises:
        DataProblems: the files cannot be used.
        NumberTaken: another practice of the database has one of the numbers.
    """
    demonstration = read_demonstration(folder)
    now = clock.now()
    people = _people(demonstration, now)
    async with database.house() as connection:
        await write_organisation(connection, demonstration.organisation_id, demonstration.organisation)
        author = Author(DEMONSTRATION, now)
        for practice in demonstration.practices.values():
            others = await SettingVersions.set_by_others(connection, practice.facts.id, DEMONSTRATION)
            await write_practice(connection, practice.facts, author, leave=others)
    anchored = 0
    for slug, practice in demonstration.practices.items():
        async with database.practice(practice.facts.id) as tx:
            await lock_intake(tx)
            await write_practitioners(tx, practice.practitioners)
            await _write_people(tx, PatientFile(sealer, tx.practice), practice, people[slug], now, random)
            anchored += await _anchor(tx, practice, people[slug], now)
    everybody = [person for some in people.values() for person in some]
    return SeedReport(
        practices=len(people),
        patients=len(everybody),
        appointments=sum(len(person.agenda) for person in everybody),
        anchored=anchored,
    )


# --- who there is


def _people(demonstration: Demonstration, now: datetime) -> Mapping[str, Sequence[_Person]]:
    """Everybody, by the slug of their practice: the named ones, and the invented ones in turn."""
    invented = invent_patients(demonstration.invented, demonstration.seed)
    count = len(demonstration.practices)
    people = {}
    for index, (slug, practice) in enumerate(demonstration.practices.items()):
        opening = practice.facts.opening
        today = now.astimezone(opening.zone).date()
        named = [_named(person, opening, today) for person in demonstration.named if person.practice == slug]
        taken = {slot for person in named for slot in person.agenda}
        slots = _free_slots(practice, today, taken, Chance(demonstration.seed))  # noqa: S311  # a made-up agenda
        people[slug] = named + [_invented(person, slots) for person in invented[index::count]]
    return people


def _named(person: NamedPerson, opening: Opening, today: date) -> _Person:
    agenda = [(visit.practitioner, visit.starts_at(opening, today)) for visit in person.appointments]
    return _Person(person.key, person.traits, person.phones, agenda)


def _invented(person: InventedPatient, slots: Iterator[tuple[str, datetime]]) -> _Person:
    """Two of three have an appointment."""
    has_one = int(person.key[-3:]) % 3 != 0
    return _Person(person.key, person.traits, person.phones, [next(slots)] if has_one else [])


def _free_slots(
    practice: DescribedPractice, today: date, taken: set[tuple[str, datetime]], chance: Chance
) -> Iterator[tuple[str, datetime]]:
    """The free quarters of an hour of the coming weeks, of all practitioners, in an order of chance."""
    opening, slots = practice.facts.opening, []
    for day in (today + timedelta(days=ahead) for ahead in range(1, _AGENDA_DAYS)):
        for opens, closes in opening.of_day(day):
            start, end = (datetime.combine(day, at, opening.zone) for at in (opens, closes))
            while start + _SLOT <= end:
                slots += [(doctor.name, start) for doctor in practice.practitioners]
                start += _SLOT
    chance.shuffle(slots)
    return (slot for slot in slots if slot not in taken)


# --- writing


async def _write_people(
    tx: Transaction,
    file: PatientFile,
    practice: DescribedPractice,
    people: Sequence[_Person],
    now: datetime,
    random: Random,
) -> None:
    facts = practice.facts
    reading = Reading(facts.timezone, now, facts.own_lines)
    patients: list[tuple[UUID, PatientRecord]] = []
    contacts: list[ContactEntry] = []
    standing = await contacts_on_file(tx, [demo_id("patient", person.key) for person in people])
    for person in people:
        record = _record(person, reading)
        patient = demo_id("patient", person.key)
        patients.append((patient, record))
        for phone in (_phone(written, reading) for written in person.phones):
            on_file = standing.get((patient, file.phone_index(phone)))
            contacts.append(_contact(on_file.id if on_file else new_id(random), patient, record, phone, now))
    await put_patients(tx, file, patients)
    await put_contacts(tx, file, contacts)
    await refresh_shared(tx, file, now.astimezone(facts.timezone).date())


def _record(person: _Person, reading: Reading) -> PatientRecord:
    cells = {"external_id": person.key, **person.traits}
    try:
        return PatientRecord.model_validate(cells, context=reading)
    except ValidationError as error:
        whats = [f"{'.'.join(map(str, detail['loc']))} {detail['msg']}" for detail in error.errors()]
        what = f"the traits of « {person.key} » cannot be used: {'; '.join(whats)}"
        raise DataProblems([Problem("demonstration.yaml", 0, what, "correct them")]) from None


def _phone(written: str, reading: Reading) -> E164:
    return ContactRecord.model_validate({"patient": "of the demonstration", "phone": written}, context=reading).phone


def _contact(contact: UUID, patient: UUID, record: PatientRecord, phone: E164, now: datetime) -> ContactEntry:
    return ContactEntry(
        id=contact,
        patient_id=patient,
        birth_date=record.birth_date,
        phone=phone,
        entered_at=now - _ENTERED,
        confirmed_at=now - _CONFIRMED,
    )


async def _anchor(tx: Transaction, practice: DescribedPractice, people: Sequence[_Person], now: datetime) -> int:
    """Set the appointments that are not where they should be seen from ``now``; tells how many."""
    doctors = {doctor.name: doctor.id for doctor in practice.practitioners}
    wanted = [
        AppointmentEntry(
            id=demo_id("appointment", f"{person.key}/{number}"),
            external_id=f"{person.key}/{number}",
            patient_id=demo_id("patient", person.key),
            practitioner_id=doctors[doctor],
            starts_at=starts_at,
            duration_minutes=15,
            place=None,
            status=AppointmentStatus.PLANNED,
            changed_at=now,
        )
        for person in people
        for number, (doctor, starts_at) in enumerate(person.agenda, start=1)
    ]
    standing = await appointments_on_file(tx, [entry.external_id for entry in wanted])
    moved = [
        entry
        for entry in wanted
        if entry.external_id not in standing or standing[entry.external_id].starts_at != entry.starts_at
    ]
    await put_appointments(tx, moved)
    return len(moved)
