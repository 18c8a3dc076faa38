"""What leaves a practice's own software leaves the file here: telephones, and appointments of a complete agenda."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import DataProblems
from callcenter.kernel.protected import expose
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.appointments import Appointments
from callcenter.practice.demo_file import demo_id
from callcenter.practice.importing import ImportKind, ImportReport, NeverComplete, import_file
from callcenter.practice.on_file import all_contacts, appointments_to_come
from callcenter.practice.patients import Patients
from callcenter.practice.slot_references import ReferencedSlots
from callcenter.practice.values import Appointment, AppointmentStatus
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer

TILLEULS = demo_id("practice", "cabinet-des-tilleuls")
JEANNE, PAUL, HELENE = "jeanne-martin-duval", "paul-garnier", "helene-garnier"
JEANNES_MOBILE, AN_OLD_MOBILE = "+33639980001", "+33639981998"


@dataclass
class Practice:
    """A practice whose software exports files for us."""

    database: Database
    sealer: Sealer
    clock: DrivenClock
    random: SeededRandom
    folder: Path

    async def exports(
        self, kind: ImportKind, header: str, *rows: str, complete: bool = False, dry_run: bool = False
    ) -> ImportReport:
        file = self.folder / "export.csv"
        file.write_text("\n".join([header, *rows]), encoding="utf-8")
        return await import_file(
            self.database, self.sealer, TILLEULS, file, kind, {}, dry_run, self.clock, self.random, complete=complete
        )

    async def contacts(self, *rows: str, complete: bool = False, dry_run: bool = False) -> ImportReport:
        return await self.exports(
            ImportKind.CONTACTS, "patient;phone;entered_at", *rows, complete=complete, dry_run=dry_run
        )

    async def agenda(self, *rows: str, complete: bool = True, dry_run: bool = False) -> ImportReport:
        header = "external_id;patient;practitioner;starts_at"
        return await self.exports(ImportKind.APPOINTMENTS, header, *rows, complete=complete, dry_run=dry_run)

    async def telephones(self, key: str) -> dict[str, bool]:
        """The telephones of a patient, and whether they are shared."""
        async with self.database.practice(TILLEULS) as tx:
            contacts = await Patients(self.sealer).code_contacts(tx, demo_id("patient", key))
        return {expose(contact.phone): contact.shared for contact in contacts}

    async def next(self, key: str) -> Appointment | None:
        async with self.database.practice(TILLEULS) as tx:
            return await Appointments.next(tx, demo_id("patient", key), self.clock.now())

    async def number_of(self, what: Callable[..., Awaitable[object]]) -> int:
        async with self.database.practice(TILLEULS) as tx:
            found = await (what(tx) if what is all_contacts else what(tx, self.clock.now()))
        return len(found)  # type: ignore[arg-type]  # a set or a mapping


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
def practice(database: Database, sealer: Sealer, clock: DrivenClock, random: SeededRandom, tmp_path: Path) -> Practice:
    return Practice(database, sealer, clock, random, tmp_path)


# --- telephones


async def test_a_telephone_that_the_practice_has_taken_off_leaves_the_file(practice: Practice) -> None:
    both = (f"{JEANNE};{AN_OLD_MOBILE};01/02/2019", f"{JEANNE};{JEANNES_MOBILE};01/02/2019")
    report = await practice.contacts(*both)
    assert (report.added, report.updated, report.removed) == (1, 1, 0)
    assert await practice.telephones(JEANNE) == {JEANNES_MOBILE: False, AN_OLD_MOBILE: False}
    before = await practice.number_of(all_contacts)
    report = await practice.contacts(both[1])
    assert (report.rows, report.added, report.updated, report.removed) == (1, 0, 1, 1)
    assert await practice.telephones(JEANNE) == {JEANNES_MOBILE: False}
    assert await practice.number_of(all_contacts) == before - 1, "patients whom the file does not name keep theirs"


async def test_a_dry_run_counts_what_would_leave_and_leaves_it(practice: Practice) -> None:
    report = await practice.contacts(f"{JEANNE};{AN_OLD_MOBILE};01/02/2019", dry_run=True)
    assert (report.added, report.removed, report.dry_run) == (1, 1, True)
    assert await practice.telephones(JEANNE) == {JEANNES_MOBILE: False}


async def test_a_telephone_is_shared_no_more_once_one_of_the_two_has_left_it(practice: Practice) -> None:
    ((common, shared),) = (await practice.telephones(PAUL)).items()
    assert shared
    await practice.contacts(f"{HELENE};{AN_OLD_MOBILE};01/02/2019")
    assert await practice.telephones(PAUL) == {common: False}


async def test_a_complete_list_removes_the_telephones_of_patients_whom_it_does_not_name(practice: Practice) -> None:
    before = await practice.number_of(all_contacts)
    report = await practice.contacts(f"{JEANNE};{JEANNES_MOBILE};", complete=True)
    assert (report.updated, report.removed) == (1, before - 1)
    assert await practice.telephones(PAUL) == {}
    assert await practice.telephones(JEANNE) == {JEANNES_MOBILE: False}


@pytest.mark.parametrize("kind", [ImportKind.CONTACTS, ImportKind.APPOINTMENTS])
async def test_a_complete_list_that_names_nothing_is_refused(practice: Practice, kind: ImportKind) -> None:
    headers = {
        ImportKind.CONTACTS: "patient;phone",
        ImportKind.APPOINTMENTS: "external_id;patient;practitioner;starts_at",
    }
    before = await practice.number_of(all_contacts), await practice.number_of(appointments_to_come)
    with pytest.raises(DataProblems, match="names nothing"):
        await practice.exports(kind, headers[kind], complete=True)
    assert (await practice.number_of(all_contacts), await practice.number_of(appointments_to_come)) == before


async def test_no_list_of_patients_is_complete(practice: Practice) -> None:
    with pytest.raises(NeverComplete, match="without --complete"):
        await practice.exports(ImportKind.PATIENTS, "external_id;birth_name", complete=True)


# --- the agenda


def row(visit: Appointment, number: int) -> str:
    return f"{JEANNE}/{number};{JEANNE};Claire Moreau;{expose(visit.starts_at):%Y-%m-%dT%H:%M%z}"


async def test_an_appointment_that_a_complete_agenda_does_not_name_is_cancelled(practice: Practice) -> None:
    first = await practice.next(JEANNE)
    assert first is not None
    before = await practice.number_of(appointments_to_come)
    tried = await practice.agenda(row(first, 1), dry_run=True)
    assert (tried.updated, tried.cancelled, await practice.number_of(appointments_to_come)) == (1, before - 1, before)
    done = await practice.agenda(row(first, 1))
    assert (done.updated, done.cancelled) == (1, before - 1)
    assert await practice.number_of(appointments_to_come) == 1
    stands = await practice.next(JEANNE)
    assert stands is not None
    assert (stands.id, stands.status) == (first.id, AppointmentStatus.PLANNED)
    assert await practice.next(PAUL) is None
    async with practice.database.practice(TILLEULS) as tx:
        gone = await Appointments.get(tx, demo_id("appointment", f"{PAUL}/1"))
    assert gone.status is AppointmentStatus.CANCELLED


async def test_without_saying_that_it_is_complete_a_file_cancels_nothing(practice: Practice) -> None:
    first = await practice.next(JEANNE)
    assert first is not None
    before = await practice.number_of(appointments_to_come)
    assert (await practice.agenda(row(first, 1), complete=False)).cancelled == 0
    assert await practice.number_of(appointments_to_come) == before


async def test_what_has_been_stays_as_it_was(practice: Practice) -> None:
    second = await practice.next(JEANNE)
    assert second is not None
    practice.clock.set(expose(second.starts_at) + timedelta(hours=1))
    following = await practice.next(JEANNE)
    assert following is not None
    await practice.agenda(row(following, 2))
    async with practice.database.practice(TILLEULS) as tx:
        assert (await Appointments.get(tx, second.id)).status is AppointmentStatus.PLANNED


async def test_an_old_agenda_does_not_cancel_everything(practice: Practice) -> None:
    before = await practice.number_of(appointments_to_come)
    with pytest.raises(DataProblems, match="names no appointment to come, and would cancel all"):
        await practice.agenda(f"old-1;{JEANNE};Claire Moreau;02/11/2026 09:00")
    assert await practice.number_of(appointments_to_come) == before


# --- printed cards


def carded(visit: Appointment, reference: str, number: int = 1) -> str:
    return f"{row(visit, number)};{reference}"


async def cards(practice: Practice, *rows: str) -> ImportReport:
    return await practice.exports(
        ImportKind.APPOINTMENTS, "external_id;patient;practitioner;starts_at;reference", *rows
    )


async def leads_to(practice: Practice, reference: str) -> object:
    async with practice.database.practice(TILLEULS) as tx:
        slot = await ReferencedSlots(practice.sealer).by_reference(tx, reference, practice.clock.now())
    return slot and slot.id


async def test_the_reference_of_a_printed_card_leads_to_its_appointment_and_is_kept_as_a_hash(
    practice: Practice,
) -> None:
    first = await practice.next(JEANNE)
    assert first is not None
    await cards(practice, carded(first, "4827 1936"))
    assert await leads_to(practice, "48271936") == first.id
    await practice.agenda(row(first, 1), complete=False)  # without the column
    assert await leads_to(practice, "48271936") == first.id
    await cards(practice, carded(first, "59382047"))
    assert await leads_to(practice, "48271936") is None
    assert await leads_to(practice, "59382047") == first.id


@pytest.mark.parametrize("reference", ["1234567", "123456789", "abcdefgh"])
async def test_what_is_no_reference_is_refused_with_the_mend(practice: Practice, reference: str) -> None:
    first = await practice.next(JEANNE)
    assert first is not None
    with pytest.raises(DataProblems, match="eight digits of the printed card") as refused:
        await cards(practice, carded(first, reference))
    assert reference not in str(refused.value)


async def test_two_appointments_with_one_reference_are_refused(practice: Practice) -> None:
    first = await practice.next(JEANNE)
    assert first is not None
    with pytest.raises(DataProblems, match="the same reference stands on line 2 already"):
        await cards(practice, carded(first, "48271936"), carded(first, "48271936", 9))
    await cards(practice, carded(first, "48271936"))
    with pytest.raises(DataProblems, match="leads to another appointment already"):
        await cards(practice, carded(first, "48271936", 9))
