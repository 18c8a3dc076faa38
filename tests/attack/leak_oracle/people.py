"""Three practices and their patients, every field of whom is a canary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from callcenter.practice.enrolment import PractitionerRecord
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.intake import AppointmentEntry, ContactEntry
from callcenter.practice.numbers import E164
from callcenter.practice.records import PatientRecord
from callcenter.practice.values import AppointmentStatus, VoiceMode
from callcenter.speech import english, french
from tests.attack.leak_oracle.canaries import Canary, Value

#: When the calls take place: a Thursday on which the practices are open, and the Sunday after.
OPEN, CLOSED = (datetime.fromisoformat(f"2026-11-{day}:00+01:00") for day in ("26T10:00", "29T11:00"))

#: Columns that hold no canary, and why.
NO_CANARY: Mapping[str, str] = {
    "patient.id": "an opaque identifier",
    "patient.sex": "one of three letters",
    "patient.identity_status": "one of four words",
    "patient.birth_name_index": "a keyed digest",
    "patient.birth_date_fictive": "yes or no",
    "patient.deceased": "yes or no",
    "patient.homonym": "yes or no",
    "patient.doubtful": "yes or no",
    "patient.fictitious": "yes or no",
    "patient.contact_restricted": "yes or no",
    "contact.id": "an opaque identifier",
    "contact.patient_id": "an opaque identifier",
    "contact.phone_index": "a keyed digest",
    "contact.birth_phone_index": "a keyed digest",
    "contact.shared": "yes or no",
    "appointment.id": "an opaque identifier",
    "appointment.patient_id": "an opaque identifier",
    "appointment.practitioner_id": "an opaque identifier",
    "appointment.duration_minutes": "a small number, which anything may be",
    "appointment.status": "one of three words",
    "appointment.reference_index": "a keyed digest",
    "practitioner.id": "an opaque identifier",
    "practitioner.title": "one of two words",
    "practitioner.sensitive": "yes or no",
}


@dataclass(frozen=True, slots=True)
class Visit:
    """An appointment, and whom it is with: here, every appointment has a practitioner of its own, but for those who can
    be booked by telephone, whose names are said to anybody.

    Arguments:
        reference: eight digits on a printed card.
    """

    entry: AppointmentEntry
    practitioner: PractitionerRecord
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A patient.

    Arguments:
        key: how the oracle calls them.
        practice: whose patient.
        phones: E.164, the one that they call from first.
        visits: to come, past and cancelled.
        withheld: nothing may be told about them, whoever is on the line.
        shares_phone: an adult beside them has the same telephone on file.
    """

    key: str
    practice: PracticeFacts
    id: UUID
    record: PatientRecord
    contacts: tuple[ContactEntry, ...]
    visits: tuple[Visit, ...]
    withheld: bool
    shares_phone: bool

    @property
    def birth_date(self) -> date:
        return self.record.birth_date

    @property
    def phones(self) -> tuple[str, ...]:
        return tuple(contact.phone for contact in self.contacts)


@dataclass(frozen=True, slots=True)
class Stranger:
    """A caller who is nobody's patient, what they type, and a word that they say after the tone."""

    key: str
    number: str
    birth_date: date
    typed_number: str
    callback_number: str
    spoken: str


@dataclass(frozen=True, slots=True)
class Population:
    """Everybody.

    Arguments:
        practices: by slug: ``port`` reads practitioners' names, ``tilleuls`` has a sensitive practitioner and does
            not, ``dicte`` has chosen the carrier's voice.
        desks: by organisation, the private telephone of its operator: it is rung, and stands nowhere else.
        lines: by practice, the line of its practitioners who can be booked: rung too, and nowhere else.
    """

    practices: Mapping[str, PracticeFacts]
    people: Mapping[str, Person]
    strangers: Sequence[Stranger]
    desks: Mapping[UUID, str]
    lines: Mapping[UUID, E164]

    def of(self, practice: UUID) -> Iterator[Person]:
        """The patients of one practice."""
        return (person for person in self.people.values() if person.practice.id == practice)

    def speaks_by_carrier(self, practice: UUID) -> bool:
        """Whether the practice has chosen the carrier's voice for patient words."""
        return any(facts.id == practice and facts.voice is VoiceMode.CARRIER for facts in self.practices.values())

    def public_lists(self) -> Iterator[str]:
        """Of each practice, all its practitioners as its menu reads them to everybody, in each language: only such a
        list is public, and a name by itself tells whom a patient sees."""
        for facts in self.practices.values():
            names = {visit.practitioner.name for person in self.of(facts.id) for visit in person.visits}
            listed = list(zip(sorted(names | facts.booking.practitioners.keys()), "12345678", strict=False))
            for speech, press in ((french, "tapez"), (english, "press")):
                yield ", ".join(f"{speech.spoken_name(f'Dr {name}')}, {press} {key}" for name, key in listed)

    def canaries(self) -> Iterator[Canary]:
        """Every canary of everybody, each value once."""
        seen: set[Value] = set()
        for person in self.people.values():
            for canary in _canaries_of(person, sensitive=self._has_sensitive(person.practice.id)):
                if canary.value not in seen:  # a couple's telephone is one value
                    seen.add(canary.value)
                    yield canary
        for stranger in self.strangers:
            for field in ("number", "birth_date", "typed_number", "callback_number", "spoken"):
                yield Canary(f"caller.{field}", stranger.key, getattr(stranger, field))
        for organisation, desk in self.desks.items():
            yield Canary("staff_credential.telephone", f"operator of {organisation}", desk)
        for practice, line in self.lines.items():
            yield Canary("practitioner.line", f"practitioners of {practice}", line)

    def _has_sensitive(self, practice: UUID) -> bool:
        return any(visit.practitioner.sensitive for person in self.of(practice) for visit in person.visits)


def _canaries_of(person: Person, *, sensitive: bool) -> Iterator[Canary]:
    def canary(field: str, value: Value | None, visit: Visit | None = None, told_as: str | None = None) -> Canary:
        appointment = visit.entry.id if visit else None
        return Canary(field, person.key, value or "", person.id, appointment, None if person.withheld else told_as)

    record = person.record
    yield canary("patient.external_id", record.external_id)
    yield canary("patient.birth_name", record.birth_name)
    yield canary("patient.first_name", record.first_name)
    yield canary("patient.first_names", record.first_names.removeprefix(record.first_name))
    yield canary("patient.used_name", record.used_name)
    yield canary("patient.used_first_name", record.used_first_name)
    yield canary("patient.birth_date", record.birth_date)
    yield canary("patient.birth_place_code", record.birth_place_code)
    for contact in person.contacts:
        yield canary("contact.phone", contact.phone)
        yield canary("contact.entered_at", contact.entered_at.date())
        yield canary("contact.confirmed_at", contact.confirmed_at.date())
    closed = any(visit.practitioner.sensitive for visit in person.visits)  # each is to come: then none is told
    for visit in person.visits:
        entry, doctor = visit.entry, visit.practitioner
        to_come = entry.starts_at > OPEN and entry.status is AppointmentStatus.PLANNED and not closed
        names = to_come and not sensitive and not person.shares_phone
        starts = entry.starts_at.astimezone(person.practice.timezone)
        yield canary("appointment.external_id", entry.external_id)
        yield canary("appointment.starts_at", starts.date(), visit, "appointment.starts_at" if to_come else None)
        yield canary("appointment.starts_at", starts, visit, "appointment.starts_at" if to_come else None)
        yield canary("appointment.place", entry.place, visit, "slot.place" if to_come else None)
        yield canary("appointment.changed_at", entry.changed_at.date())
        if doctor.name in person.practice.booking.practitioners:
            continue
        yield canary("practitioner.name", doctor.name, visit, "appointment.practitioner" if names else None)
        yield canary("practitioner.speciality", doctor.speciality)
