"""What happens around a call: the practice keeps and changes its files, parts of the database go away."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Update, select, text, update
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.calls.tables import outreach
from callcenter.identity.tables import challenge
from callcenter.practice.enrolment import write_organisation, write_practice, write_practitioners
from callcenter.practice.file import PatientFile
from callcenter.practice.intake import put_appointments, put_contacts, put_patients, refresh_shared
from callcenter.practice.setting_versions import Author
from callcenter.practice.slot_references import reference_index
from callcenter.practice.tables import appointment, patient, practitioner
from callcenter.practice.values import AppointmentStatus
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Sealer
from tests.attack.leak_oracle.invention import bookable
from tests.attack.leak_oracle.people import OPEN, Person, Population

#: Marks of a patient's file, any of which closes it.
FLAGS = ("deceased", "homonym", "doubtful", "fictitious", "contact_restricted")

#: Longer than evidence stands, shorter than a code is good for twice.
AGE_OF_EVIDENCE = timedelta(minutes=11)


async def enrol(database: Database, sealer: Sealer, population: Population) -> None:
    """Write everybody into an empty database."""
    async with database.house() as connection:
        for facts in population.practices.values():
            await write_organisation(connection, facts.organisation_id, f"Télésecrétariat {facts.slug}")
            await write_practice(connection, facts, Author("oracle", OPEN))
    for facts in population.practices.values():
        async with database.practice(facts.id) as tx:
            await write_files(tx, sealer, population)
            file = PatientFile(sealer, tx.practice)
            people = list(population.of(tx.practice))
            await put_contacts(tx, file, [contact for person in people for contact in person.contacts])
            await refresh_shared(tx, file, OPEN.date())


async def write_files(tx: Transaction, sealer: Sealer, population: Population) -> None:
    """Set practitioners, patients and appointments of a practice as they were invented."""
    people = list(population.of(tx.practice))
    visits = [visit for person in people for visit in person.visits]
    booked = [one for facts in population.practices.values() if facts.id == tx.practice for one in bookable(facts)]
    doctors = {visit.practitioner.id: visit.practitioner for visit in visits}
    doctors |= {doctor.id: replace(doctor, line=population.lines[tx.practice]) for doctor in booked}
    await write_practitioners(tx, list(doctors.values()))
    await put_patients(tx, PatientFile(sealer, tx.practice), [(person.id, person.record) for person in people])
    cards = [(visit.entry, reference_index(sealer, tx.practice, visit.reference)) for visit in visits]
    await put_appointments(tx, [replace(entry, reference_index=index) for entry, index in cards])


@dataclass(frozen=True, slots=True)
class Reached:
    """A telephone that is reached for whoever asked.

    Arguments:
        request: what was asked for.
    """

    request: UUID
    practice: UUID
    patient: UUID
    contact: UUID


class Office:
    """The practice's own software, at work while a call is on.

    Arguments:
        database: connections of its own, as the app role.
        sealer: writes what is sealed.
    """

    def __init__(self, database: Database, sealer: Sealer, population: Population) -> None:
        self._database = database
        self._sealer = sealer
        self._population = population
        self._changed: set[UUID] = set()

    async def mark(self, person: Person, flag: str) -> None:
        """Put a mark on a patient's file, and take off what may not stand beside it (ID-03)."""
        same = (patient.c.practice_id == person.practice.id) & (patient.c.id == person.id)
        await self._do(person, update(patient).where(same).values({mark: mark == flag for mark in FLAGS}))

    async def make_sensitive(self, person: Person) -> None:
        """Every practitioner whom the patient sees becomes a sensitive one."""
        seen = [visit.practitioner.id for visit in person.visits]
        same = (practitioner.c.practice_id == person.practice.id) & practitioner.c.id.in_(seen)
        await self._do(person, update(practitioner).where(same).values(sensitive=True))

    async def cancel(self, person: Person, *, but: UUID | None = None, only: UUID | None = None) -> None:
        """Cancel the patient's appointments."""
        which = (appointment.c.practice_id == person.practice.id) & (appointment.c.patient_id == person.id)
        if but is not None:
            which &= appointment.c.id != but
        if only is not None:
            which &= appointment.c.id == only
        await self._do(person, update(appointment).where(which).values(status=AppointmentStatus.CANCELLED.value))

    async def restore(self, called: UUID) -> None:
        """The files as they were in the beginning.

        Arguments:
            called: the practice that was called; it may have changed by what the caller did.
        """
        changed, self._changed = self._changed | {called}, set()
        for practice in changed:
            async with self._database.practice(practice) as tx:
                await write_files(tx, self._sealer, self._population)

    async def challenge(self, challenge_id: UUID) -> tuple[UUID, UUID, bytes] | None:
        """Whose and which telephone's a real challenge is, and its sealed secret, if that is still kept."""
        query = select(challenge.c.patient_id, challenge.c.contact_id, challenge.c.secret).where(
            challenge.c.id == challenge_id, challenge.c.contact_id.is_not(None), challenge.c.secret.is_not(None)
        )
        for facts in self._population.practices.values():
            async with self._database.practice(facts.id) as tx:
                row = (await tx.connection.execute(query)).one_or_none()
            if row is not None:
                return row.patient_id, row.contact_id, row.secret
        return None

    async def outreach(self, *, id: UUID | None = None, token: bytes | None = None) -> Reached | None:
        """Whose and which telephone is reached for a request, by its identifier or by the hash of a ring's token."""
        which = outreach.c.id == id if token is None else outreach.c.token_hash == token
        query = select(outreach).where(which, outreach.c.contact_id.is_not(None))
        for facts in self._population.practices.values():
            async with self._database.practice(facts.id) as tx:
                row = (await tx.connection.execute(query)).one_or_none()
            if row is not None:
                return Reached(row.id, facts.id, row.patient_id, row.contact_id)
        return None

    async def _do(self, person: Person, statement: Update) -> None:
        self._changed.add(person.practice.id)
        async with self._database.practice(person.practice.id) as tx:
            await tx.connection.execute(statement)


class Administrator:
    """Whoever runs the database: cuts its connections as a failover does, lets a day pass, looks at the queue.

    Arguments:
        url: of the server, as a role that may.
    """

    def __init__(self, url: str) -> None:
        self._engine = create_async_engine(url, isolation_level="AUTOCOMMIT")

    async def close(self) -> None:
        await self._engine.dispose()

    async def cut(self, application: str) -> int:
        """Cut every connection of ``application`` to this database; tells how many there were."""
        query = text(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = :application AND pid <> pg_backend_pid()"
        )
        async with self._engine.connect() as connection:
            return len((await connection.execute(query, {"application": application})).all())

    async def let_a_day_pass(self) -> None:
        """What was claimed and tried so far was claimed and tried the day before yesterday: nobody is barred by it."""
        async with self._engine.connect() as connection:
            for statement in _TWO_DAYS_EARLIER:
                await connection.execute(text(statement))

    async def jobs_done(self) -> None:
        """Wait until every message has been sent, and every line rung, that will be; ten seconds at most."""
        query = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND queue_name = 'messages'"
        async with self._engine.connect() as connection:
            for _ in range(1000):
                if not (await connection.execute(text(query))).scalar_one():
                    return
                await asyncio.sleep(0.01)
        raise AssertionError("a message was not sent, or a line not rung, within ten seconds")

    async def recordings_done(self) -> None:
        """Wait until no job works on what callers have spoken; twenty seconds at most."""
        query = (
            "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND queue_name = 'recordings'"
        )
        async with self._engine.connect() as connection:
            for _ in range(2000):
                if not (await connection.execute(text(query))).scalar_one():
                    return
                await asyncio.sleep(0.01)
        raise AssertionError("a recording was not settled within twenty seconds")


_TWO_DAYS_EARLIER = (
    "UPDATE challenge SET created_at = created_at - interval '2 days', expires_at = expires_at - interval '2 days'",
    "UPDATE challenge_attempt SET at = at - interval '2 days'",
    "UPDATE outreach SET asked_at = asked_at - interval '2 days'",
    "UPDATE reference_try SET at = at - interval '2 days'",
    # what was booked has taken place, and nobody has too much open
    "UPDATE booking_request SET state = 'cancelled'",
    "DELETE FROM slot_hold",
)
