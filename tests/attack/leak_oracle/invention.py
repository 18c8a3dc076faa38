"""Inventing the people of the oracle: who there is, and what every field of theirs holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from uuid import UUID, uuid5

from callcenter.kernel.randomness import SeededRandom, new_id
from callcenter.practice.enrolment import PractitionerRecord
from callcenter.practice.facts import Door, PracticeFacts
from callcenter.practice.intake import AppointmentEntry, ContactEntry
from callcenter.practice.numbers import E164
from callcenter.practice.practice_file import read_practice_file
from callcenter.practice.reception import AnswerMode, Answers, Reception, Rule
from callcenter.practice.records import PatientRecord, Reading
from callcenter.practice.slots import Bookable, BookingPlan
from callcenter.practice.values import AppointmentStatus, EntryKind, VoiceMode
from tests.attack.leak_oracle.canaries import Mint
from tests.attack.leak_oracle.people import OPEN, Person, Population, Stranger, Visit

_DESCRIPTION = Path(__file__).resolve().parents[3] / "config" / "demo" / "practices" / "maison-de-sante-du-port.yaml"

#: Who can be booked by telephone, at every practice: said to anybody, so no canaries. Slots begin at the full and the
#: half hour, on days that are public.
ALIX = "Alix Guichet"
CAMILLE = "Camille Guichet"
BOOKING = BookingPlan(
    {ALIX: Bookable(slot_minutes=30, days_ahead=10), CAMILLE: Bookable(False, slot_minutes=30, days_ahead=10)}
)


def bookable(practice: PracticeFacts) -> list[PractitionerRecord]:
    """The practitioners of a practice who can be booked."""
    return [
        PractitionerRecord(uuid5(practice.id, name), name, "Dr", "médecine générale", sensitive=False)
        for name in practice.booking.practitioners
    ]


class _Register:
    """Makes up people, one after the other."""

    def __init__(self, seed: int) -> None:
        self._mint = Mint(seed)
        self._random = SeededRandom(seed)

    def practice(
        self,
        slug: str,
        number: str,
        voice: VoiceMode = VoiceMode.LOCAL,
        *,
        entries: Sequence[EntryKind] = (EntryKind.MAIN,),
        reception: Reception | None = None,
    ) -> PracticeFacts:
        """A practice like the one of the demonstration that reads names, under numbers of its own from ``number`` on,
        which ends in 1."""
        described = read_practice_file(_DESCRIPTION, new_id(self._random), lambda *_: new_id(self._random)).facts
        numbers = {E164(f"{number[:-1]}{at}"): Door(entry) for at, entry in enumerate(entries, start=1)}
        rescue = E164(number[:-2] + "90")
        return replace(
            described,
            slug=slug,
            numbers=numbers,
            rescue_number=rescue,
            voice=voice,
            reception=reception or Reception(),
            booking=BOOKING,
        )

    def person(
        self,
        key: str,
        practice: PracticeFacts,
        *,
        visits: int = 1,
        born: tuple[int, int] = (1940, 1999),
        phones: Sequence[str] | None = None,
        sensitive: bool = False,
        fictive: bool = False,
        withheld: bool = False,
        shares_phone: bool = False,
        history: bool = False,
        bookable_doctor: bool = False,
    ) -> Person:
        """A patient.

        Arguments:
            visits: how many appointments are to come.
            sensitive: the last of them is with a sensitive practitioner.
            history: there are a past and a cancelled appointment too.
            bookable_doctor: the appointments are with somebody who can be booked by telephone.
        """
        patient, mint = new_id(self._random), self._mint
        record = self._record(practice, born, fictive=fictive)
        contacts = tuple(self._contact(patient, record, phone) for phone in phones or (mint.mobile(), mint.mobile()))
        to_come = [
            self._visit(
                patient,
                practice,
                day,
                sensitive=sensitive and at == visits - 1,
                doctor=bookable(practice)[0] if bookable_doctor else None,
            )
            for at, day in enumerate(mint.days(visits, date(2027, 1, 5), date(2027, 6, 25)))
        ]
        gone: list[Visit] = []
        if history:
            gone = [
                self._visit(patient, practice, mint.day(2025, 2025)),
                self._visit(patient, practice, mint.days(1, date(2027, 7, 1), date(2027, 8, 30))[0], cancelled=True),
            ]
        everything = (*to_come, *gone)
        return Person(key, practice, patient, record, contacts, everything, withheld, shares_phone)

    def stranger(self, key: str) -> Stranger:
        mint = self._mint
        return Stranger(key, mint.mobile(), mint.day(1950, 1999), mint.mobile(), mint.landline(), mint.word())

    def shared_phone(self) -> str:
        return self._mint.mobile()

    def landline(self) -> str:
        return self._mint.landline()

    def _record(self, practice: PracticeFacts, born: tuple[int, int], *, fictive: bool) -> PatientRecord:
        mint = self._mint
        first_name = mint.word()
        cells = {
            "external_id": mint.word(),
            "birth_name": mint.name(),
            "first_name": first_name,
            "first_names": f"{first_name}, {mint.word()} {mint.word()}",
            "used_name": mint.name(),
            "used_first_name": mint.word(),
            "birth_date": mint.day(*born).isoformat(),
            "sex": "I",
            "birth_place_code": mint.place_code(),
            "birth_date_fictive": "oui" if fictive else "non",
        }
        return PatientRecord.model_validate(cells, context=Reading(practice.timezone, OPEN, practice.own_lines))

    def _contact(self, patient: UUID, record: PatientRecord, phone: str) -> ContactEntry:
        """A telephone that may be sent codes: on file for a year and more, confirmed since."""
        entered, confirmed = (
            datetime.combine(day, time(12), OPEN.tzinfo)
            for day in (self._mint.day(2024, 2024), self._mint.day(2025, 2025))
        )
        return ContactEntry(new_id(self._random), patient, record.birth_date, E164(phone), entered, confirmed)

    def _visit(
        self,
        patient: UUID,
        practice: PracticeFacts,
        day: date,
        *,
        sensitive: bool = False,
        cancelled: bool = False,
        doctor: PractitionerRecord | None = None,
    ) -> Visit:
        mint = self._mint
        doctor = doctor or PractitionerRecord(
            id=new_id(self._random),
            name=f"{mint.word()} {mint.name()}",
            title="Dr",
            speciality=mint.word(),
            sensitive=sensitive,
        )
        starts = datetime.combine(day, mint.time_of_day(), practice.timezone)
        entry = AppointmentEntry(
            id=new_id(self._random),
            external_id=mint.word(),
            patient_id=patient,
            practitioner_id=doctor.id,
            starts_at=starts,
            duration_minutes=15,
            place=mint.word(),
            status=AppointmentStatus.CANCELLED if cancelled else AppointmentStatus.PLANNED,
            changed_at=datetime.combine(mint.day(2024, 2025), time(12), OPEN.tzinfo),
        )
        return Visit(entry, doctor, mint.reference())


def invent(seed: int = 20261126) -> Population:
    """Everybody; the same seed invents the same people."""
    register = _Register(seed)
    doors = (EntryKind.MAIN, EntryKind.OVERFLOW, EntryKind.PROFESSIONALS)
    port = register.practice("port", "+33261910001", entries=doors)
    direct = register.practice("direct", "+33199000101", reception=Reception((), AnswerMode.DIRECT))
    itself, and_direct, and_overflow = (
        register.practice(slug, number, reception=Reception((Rule(Answers.PRACTICE),), mode))
        for slug, number, mode in (
            ("itself", "+33199000201", AnswerMode.MENU),
            ("itself-or-direct", "+33199000301", AnswerMode.DIRECT),
            ("itself-or-overflow", "+33199000401", AnswerMode.OVERFLOW),
        )
    )
    tilleuls = register.practice("tilleuls", "+33465710001")
    dicte = register.practice("dicte", "+33199000001", VoiceMode.CARRIER)
    shared = register.shared_phone()
    people = [
        register.person("several", port, visits=3, history=True),
        register.person("single", port),
        register.person("nothing", port, visits=0, history=True),
        register.person("minor", port, born=(2010, 2016), withheld=True),
        register.person("couple_one", port, phones=[shared], shares_phone=True),
        register.person("couple_two", port, phones=[shared], shares_phone=True),
        register.person("landline", port, phones=[register.landline()]),
        register.person("fictive", port, fictive=True),
        register.person("veiled", tilleuls, visits=2),
        register.person("sensitive", tilleuls, visits=2, sensitive=True),
        register.person("dictated", dicte, visits=2),
        register.person("carded", port, visits=2, bookable_doctor=True),
    ]
    strangers = [register.stranger(key) for key in ("stranger_one", "stranger_two", "stranger_three")]
    practices = {facts.slug: facts for facts in (port, tilleuls, dicte, direct, itself, and_direct, and_overflow)}
    organisations = dict.fromkeys(facts.organisation_id for facts in practices.values())
    desks = {organisation: register.landline() for organisation in organisations}
    lines = {facts.id: E164(register.landline()) for facts in practices.values()}
    return Population(practices, {person.key: person for person in people}, strangers, desks, lines)
