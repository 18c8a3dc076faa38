"""Patients, appointments and the inbox, through their repositories, on the demonstration's data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, insert, select, text, update

from callcenter.calls.tables import call
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import IntegrityError, Leak
from callcenter.kernel.labels import Category
from callcenter.kernel.protected import expose
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.appointments import Appointments, NoSuchAppointment
from callcenter.practice.changing import SettingsDesk
from callcenter.practice.demo_file import demo_id
from callcenter.practice.inbox import Inbox
from callcenter.practice.patients import NoSuchPatient, Patients
from callcenter.practice.practice_form import Setting
from callcenter.practice.setting_versions import Author, Period
from callcenter.practice.sharing import SharedTelephones
from callcenter.practice.tables import appointment, contact, message, patient, practitioner
from callcenter.practice.values import AppointmentStatus, Change
from callcenter.staff.acts import StaffActs
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer

TILLEULS, PORT = demo_id("practice", "cabinet-des-tilleuls"), demo_id("practice", "maison-de-sante-du-port")
PARIS = ZoneInfo("Europe/Paris")
JEANNE = demo_id("patient", "jeanne-martin-duval")
FIRST, SECOND = (demo_id("appointment", f"jeanne-martin-duval/{n}") for n in (1, 2))


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
def demonstration(database: Database) -> Database:
    return database


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The statements sent meanwhile."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)


# --- candidates


async def test_exactly_one_record_has_this_birth_date_and_telephone(demonstration: Database, sealer: Sealer) -> None:
    async with demonstration.practice(TILLEULS) as tx:
        (jeanne,) = await Patients(sealer).by_birth_and_phone(tx, date(1962, 3, 14), "+33639980001")
    assert jeanne.patient_id == JEANNE
    assert not jeanne.shared
    assert jeanne.birth_date.category is Category.RECORD_EXISTS
    assert jeanne.birth_date.subject == JEANNE
    assert expose(jeanne.birth_date) == date(1962, 3, 14)
    with pytest.raises(Leak):
        f"{jeanne.birth_date:%d}"


@pytest.mark.parametrize(
    ("birth_date", "phone", "who"),
    [
        (date(1962, 3, 15), "+33639980001", []),
        (date(1962, 3, 14), "+33639980002", []),
        (date(2012, 5, 5), "+33639980002", ["lucas-petit", "hugo-petit"]),
        (date(1984, 9, 17), "+33639980002", ["marie-petit"]),
        (date(1931, 1, 30), "+33639980005", ["odette-roux"]),
        (date(1971, 8, 8), "+33639980007", []),  # Yves is a patient of Brest
    ],
)
async def test_p6_whoever_is_claimed_the_same_one_statement_is_sent(
    demonstration: Database, sealer: Sealer, birth_date: date, phone: str, who: list[str]
) -> None:
    async with demonstration.practice(TILLEULS) as tx:
        with statements(demonstration) as sent:
            found = await Patients(sealer).by_birth_and_phone(tx, birth_date, phone)
    assert {candidate.patient_id for candidate in found} == {demo_id("patient", key) for key in who}
    assert len(sent) == 1
    assert "birth_phone_index" in sent[0]


async def test_p6_a_field_is_opened_even_when_nobody_matches(
    demonstration: Database, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    inner = Sealer.open

    def counted(self: Sealer, sealed: bytes, place: object) -> bytes:
        opened.append(place)
        return inner(self, sealed, place)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(Sealer, "open", counted)
    for birth_date in (date(1962, 3, 14), date(1962, 3, 15)):
        opened.clear()
        async with demonstration.practice(TILLEULS) as tx:
            await Patients(sealer).by_birth_and_phone(tx, birth_date, "+33639980001")
        assert len(opened) == 1


async def test_flags_tell_what_restricts(demonstration: Database, sealer: Sealer) -> None:
    patients = Patients(sealer)
    async with demonstration.practice(TILLEULS) as tx:
        assert (await patients.flags(tx, demo_id("patient", "odette-roux"))).deceased
        assert (await patients.flags(tx, demo_id("patient", "sophie-bernard"))).birth_date_fictive
        jeanne = await patients.flags(tx, JEANNE)
        flags = (jeanne.birth_date_fictive, jeanne.deceased, jeanne.homonym, jeanne.doubtful, jeanne.contact_restricted)
        assert flags == (False,) * 5
        assert not jeanne.fictitious
        with pytest.raises(NoSuchPatient):
            await patients.flags(tx, demo_id("patient", "yves-le-bras"))


async def test_id03_a_fictitious_identity_is_read_back_as_such(demonstration: Database, sealer: Sealer) -> None:
    async with demonstration.practice(TILLEULS) as tx:
        made_up = update(patient).where(patient.c.id == JEANNE).values(fictitious=True, identity_status="PROV")
        await tx.connection.execute(made_up)
        assert (await Patients(sealer).flags(tx, JEANNE)).fictitious


async def test_telephones_that_may_get_a_code(demonstration: Database, sealer: Sealer, clock: DrivenClock) -> None:
    async with demonstration.practice(TILLEULS) as tx:
        (mobile,) = await Patients(sealer).code_contacts(tx, JEANNE)
        (landline,) = await Patients(sealer).code_contacts(tx, demo_id("patient", "emile-dangelo-le-goeff"))
        (common,) = await Patients(sealer).code_contacts(tx, demo_id("patient", "paul-garnier"))
        (family,) = await Patients(sealer).code_contacts(tx, demo_id("patient", "marie-petit"))
        assert await Patients(sealer).code_contacts(tx, UUID(int=1)) == ()
    assert expose(mobile.phone) == "+33639980001"
    assert mobile.phone.category is Category.CONTACT_DETAILS
    assert mobile.receives_sms
    assert not landline.receives_sms
    assert common.shared  # a couple
    assert not family.shared  # one adult and her children
    assert clock.now() - mobile.entered_at > timedelta(days=7)
    assert clock.now() - mobile.confirmed_at < timedelta(days=2 * 365)


async def test_a_telephone_is_shared_from_the_day_on_which_a_child_turns_eighteen(
    demonstration: Database, sealer: Sealer, clock: DrivenClock
) -> None:
    """Lucas and Hugo, born on 5 May 2012, have their mother's telephone."""
    telephones = SharedTelephones(demonstration, sealer, clock)

    async def shared_at(moment: datetime) -> bool:
        clock.set(moment)
        await telephones.refresh()
        async with demonstration.practice(TILLEULS) as tx:
            (family,) = await Patients(sealer).code_contacts(tx, demo_id("patient", "marie-petit"))
        return family.shared

    assert not await shared_at(datetime(2030, 5, 4, 0, 7, tzinfo=PARIS))
    assert not await shared_at(datetime(2030, 5, 4, 12, 7, tzinfo=PARIS))
    assert await shared_at(datetime(2030, 5, 5, 0, 7, tzinfo=PARIS))
    assert await shared_at(datetime(2030, 5, 5, 12, 7, tzinfo=PARIS))


async def test_shared_telephones_are_looked_at_when_the_practices_day_begins(
    demonstration: Database, sealer: Sealer, clock: DrivenClock
) -> None:
    clock.set(datetime(2026, 11, 26, 0, 0, tzinfo=UTC))
    author, acts = Author("tests", clock.now()), StaffActs(clock, SeededRandom(3))
    desk = SettingsDesk(demonstration, "maison-de-sante-du-port", author, acts)
    await desk.put(Setting.TIMEZONE, "Indian/Reunion", Period(clock.now()))
    telephones = SharedTelephones(demonstration, sealer, clock)
    seen = []
    for hour in range(24):
        clock.set(datetime(2026, 11, 26, hour, 7, tzinfo=UTC))
        seen += [hour] * await telephones.refresh()
    assert seen == [2, 20, 23, 23], "0 h and 3 h of Paris are 23 h and 2 h UTC, those of Saint-Denis 20 h and 23 h"


async def test_nothing_about_a_patient_lies_open_in_the_tables(demonstration: Database) -> None:
    async with demonstration.practice(TILLEULS) as tx:
        rows = (await tx.connection.execute(select(patient))).mappings().all()
        contacts = (await tx.connection.execute(select(contact))).mappings().all()
    assert len(rows) > 200
    everything = repr([list(row.values()) for row in [*rows, *contacts] if row.get("external_id") != "x"])
    for canary in ("Angélo", "1962", "14/03", "639980001", "465710099", "Émile"):
        assert canary not in everything.replace("jeanne-martin-duval", "")


async def test_a_sealed_field_of_another_row_does_not_open(demonstration: Database, sealer: Sealer) -> None:
    """Somebody with the database, but not the keys, gives Jeanne the birth date of Karim."""
    karim = select(patient.c.birth_date).where(patient.c.id == demo_id("patient", "karim-haddad")).scalar_subquery()
    async with demonstration.practice(TILLEULS) as tx:
        await tx.connection.execute(update(patient).where(patient.c.id == JEANNE).values(birth_date=karim))
        with pytest.raises(IntegrityError):
            await Patients(sealer).flags(tx, JEANNE)


# --- agenda


async def test_appointments_come_one_after_the_other(demonstration: Database, clock: DrivenClock) -> None:
    async with demonstration.practice(TILLEULS) as tx:
        first = await Appointments.next(tx, JEANNE, clock.now())
        assert first is not None
        second = await Appointments.next(tx, JEANNE, clock.now(), first.id)
        assert second is not None
        assert await Appointments.next(tx, JEANNE, clock.now(), second.id) is None
    assert (first.id, second.id) == (FIRST, SECOND)
    assert expose(first.starts_at) == datetime(2026, 12, 1, 13, 30, tzinfo=UTC)
    assert expose(first.practitioner) == "Dr Claire Moreau"
    assert expose(first.speciality) == "médecine générale"
    assert not first.practitioner_sensitive
    labels = (first.starts_at.category, first.practitioner.category, first.speciality.category)
    assert labels == (Category.APPOINTMENT_TIME, Category.PRACTITIONER, Category.SPECIALITY)
    assert first.starts_at.subject == JEANNE


async def test_an_appointment_with_a_sensitive_practitioner_says_so(
    demonstration: Database, clock: DrivenClock
) -> None:
    async with demonstration.practice(TILLEULS) as tx:
        karims = await Appointments.next(tx, demo_id("patient", "karim-haddad"), clock.now())
    assert karims is not None
    assert karims.practitioner_sensitive
    assert karims.sensitive_to_come
    assert expose(karims.practitioner) == "Dr Nadia Benali"


@pytest.mark.parametrize(("sensitive", "first", "second"), [(FIRST, True, False), (SECOND, True, True)])
async def test_the_first_appointment_says_whether_any_to_come_is_with_a_sensitive_practitioner(
    demonstration: Database, clock: DrivenClock, sensitive: UUID, first: bool, second: bool
) -> None:
    psychiatrist = select(practitioner.c.id).where(practitioner.c.sensitive).scalar_subquery()
    hers = update(appointment).where(appointment.c.id == sensitive).values(practitioner_id=psychiatrist)
    async with demonstration.practice(TILLEULS) as tx:
        await tx.connection.execute(hers)
        with statements(demonstration) as sent:
            found = await Appointments.next(tx, JEANNE, clock.now())
        following = await Appointments.next(tx, JEANNE, clock.now(), FIRST)
        paul = await Appointments.next(tx, demo_id("patient", "paul-garnier"), clock.now())
    assert len(sent) == 1
    assert found is not None
    assert following is not None
    assert paul is not None
    assert (found.id, found.sensitive_to_come, found.practitioner_sensitive) == (FIRST, first, sensitive == FIRST)
    assert (following.id, following.sensitive_to_come) == (SECOND, second)
    assert not paul.sensitive_to_come


async def test_an_appointment_that_is_over_or_cancelled_makes_nothing_sensitive(
    demonstration: Database, clock: DrivenClock
) -> None:
    psychiatrist = select(practitioner.c.id).where(practitioner.c.sensitive).scalar_subquery()
    hers = update(appointment).where(appointment.c.id == FIRST).values(practitioner_id=psychiatrist)
    async with demonstration.practice(TILLEULS) as tx:
        await tx.connection.execute(hers)
        first = await Appointments.get(tx, FIRST)
        once_over = await Appointments.next(tx, JEANNE, expose(first.starts_at))
        await Appointments.cancel(tx, FIRST, JEANNE, clock.now())
        once_cancelled = await Appointments.next(tx, JEANNE, clock.now())
    for found in (once_over, once_cancelled):
        assert found is not None
        assert (found.id, found.sensitive_to_come) == (SECOND, False)


async def test_after_a_cancelled_appointment_comes_the_one_that_follows_it(
    demonstration: Database, clock: DrivenClock
) -> None:
    async with demonstration.practice(TILLEULS) as tx:
        assert await Appointments.cancel(tx, FIRST, JEANNE, clock.now()) is Change.DONE
        following = await Appointments.next(tx, JEANNE, clock.now(), FIRST)
        assert following is not None
        assert following.id == SECOND
        assert (await Appointments.get(tx, FIRST)).status is AppointmentStatus.CANCELLED


async def test_an_appointment_of_somebody_else_leads_to_none(demonstration: Database, clock: DrivenClock) -> None:
    karims = demo_id("appointment", "karim-haddad/1")
    async with demonstration.practice(TILLEULS) as tx:
        assert await Appointments.next(tx, JEANNE, clock.now(), karims) is None


async def test_confirming_and_cancelling_happen_once_and_only_when_they_can(
    demonstration: Database, clock: DrivenClock
) -> None:
    now = clock.now()
    async with demonstration.practice(TILLEULS) as tx:
        assert await Appointments.confirm(tx, FIRST, demo_id("patient", "karim-haddad"), now) is Change.NOT_POSSIBLE
        assert (await Appointments.get(tx, FIRST)).status is AppointmentStatus.PLANNED
        assert await Appointments.confirm(tx, FIRST, JEANNE, now) is Change.DONE
        assert (await Appointments.get(tx, FIRST)).status is AppointmentStatus.CONFIRMED
        assert await Appointments.confirm(tx, FIRST, JEANNE, now) is Change.DONE
        assert await Appointments.cancel(tx, FIRST, JEANNE, now) is Change.DONE
        assert await Appointments.cancel(tx, FIRST, JEANNE, now) is Change.NOT_POSSIBLE
        assert await Appointments.confirm(tx, FIRST, JEANNE, now) is Change.NOT_POSSIBLE
        late = now + timedelta(days=365)
        assert await Appointments.cancel(tx, SECOND, JEANNE, late) is Change.NOT_POSSIBLE
        assert await Appointments.confirm(tx, SECOND, JEANNE, late) is Change.NOT_POSSIBLE


# --- inbox


async def test_messages_wait_in_order_until_somebody_handles_them(
    demonstration: Database, sealer: Sealer, clock: DrivenClock
) -> None:
    inbox, now = Inbox(sealer), clock.now()
    standing = {"id": UUID(int=50), "practice_id": TILLEULS, "carrier_sid": "CA50", "status": 3, "started_at": now}
    async with demonstration.practice(TILLEULS) as tx:
        await tx.connection.execute(insert(call).values(standing))
        for n, reason in ((2, "other"), (1, "appointment")):
            await inbox.leave(
                tx,
                id=UUID(int=n),
                reason=reason,
                number=f"+3363998000{n}",
                call_reference=UUID(int=50),
                now=now + timedelta(minutes=n),
            )
        waiting = await inbox.waiting(tx)
        assert [(found.id.int, found.reason, found.number) for found in waiting] == [
            (1, "appointment", "+33639980001"),
            (2, "other", "+33639980002"),
        ]
        assert waiting[0].call_reference == UUID(int=50)
        assert await inbox.handle(tx, UUID(int=1), "operator-7", now) is Change.DONE
        assert await inbox.handle(tx, UUID(int=1), "operator-8", now) is Change.NOT_POSSIBLE
        assert [found.id.int for found in await inbox.waiting(tx)] == [2]
        row = (await tx.connection.execute(select(message).where(message.c.id == UUID(int=1)))).one()
        assert row.handled_by == "operator-7"
        assert b"639980001" not in row.number


async def test_a_callers_words_are_no_reason(demonstration: Database, sealer: Sealer, clock: DrivenClock) -> None:
    with pytest.raises(Exception, match="reason_is_a_key"):
        async with demonstration.practice(TILLEULS) as tx:
            await Inbox(sealer).leave(
                tx, id=UUID(int=1), reason="J'ai mal", number="+33639980001", call_reference=None, now=clock.now()
            )


# --- isolation


async def test_p5_no_repository_method_reaches_a_row_of_another_practice(
    demonstration: Database, sealer: Sealer, clock: DrivenClock
) -> None:
    patients, inbox, now = Patients(sealer), Inbox(sealer), clock.now()
    async with demonstration.practice(TILLEULS) as tx:
        number = "+33639980001"
        await inbox.leave(tx, id=UUID(int=1), reason="other", number=number, call_reference=None, now=now)
    async with demonstration.practice(PORT) as tx:
        assert await patients.by_birth_and_phone(tx, date(1962, 3, 14), "+33639980001") == ()
        assert await patients.code_contacts(tx, JEANNE) == ()
        with pytest.raises(NoSuchPatient):
            await patients.flags(tx, JEANNE)
        assert await Appointments.next(tx, JEANNE, now) is None
        with pytest.raises(NoSuchAppointment):
            await Appointments.get(tx, FIRST)
        assert await Appointments.confirm(tx, FIRST, JEANNE, now) is Change.NOT_POSSIBLE
        assert await Appointments.cancel(tx, FIRST, JEANNE, now) is Change.NOT_POSSIBLE
        assert await inbox.waiting(tx) == ()
        assert await inbox.handle(tx, UUID(int=1), "operator-7", now) is Change.NOT_POSSIBLE
    async with demonstration.practice(TILLEULS) as tx:
        assert (await Appointments.get(tx, FIRST)).status is AppointmentStatus.PLANNED
        assert len(await inbox.waiting(tx)) == 1


async def test_p5_a_contact_cannot_name_a_patient_of_another_practice(demonstration: Database) -> None:
    """Foreign keys ignore row-level security: only a composite one holds."""
    statement = text("UPDATE contact SET patient_id = :yves WHERE patient_id = :jeanne")
    values = {"yves": demo_id("patient", "yves-le-bras"), "jeanne": JEANNE}
    with pytest.raises(Exception, match="fk_contact_practice_id_patient_id_patient"):
        async with demonstration.practice(TILLEULS) as tx:
            await tx.connection.execute(statement, values)
