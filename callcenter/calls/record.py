"""The port by which a flow reaches the verified patient's record: always through the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from callcenter.audit.ledger import Entry, EventKind, Value
from callcenter.calls.desk import Desk
from callcenter.calls.verifier import standing_at
from callcenter.disclosure.exits import release
from callcenter.disclosure.gate import Granted, Inquiry, Reason, Refused, Situation
from callcenter.flow.language import Act, Lookup
from callcenter.flow.ports import Done, Failed, Found, Nothing, Told, Withheld
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.identity.challenges import Limits
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.labels import FIELD_LABELS, Category, with_implied
from callcenter.kernel.protected import Protected
from callcenter.practice.appointments import Appointments
from callcenter.practice.patients import Patients
from callcenter.practice.practitioners import has_sensitive_practitioner
from callcenter.practice.values import Appointment, AppointmentStatus, Change

_FIND = frozenset({Category.RECORD_EXISTS, Category.APPOINTMENT_EXISTS})

_EVENTS = {
    Act.CONFIRM_APPOINTMENT: EventKind.APPOINTMENT_CONFIRMED,
    Act.CANCEL_APPOINTMENT: EventKind.APPOINTMENT_CANCELLED,
}


class CallRecord:
    """The record of the patient whom the caller is verified for. Implements ``flow.ports.Record``."""

    def __init__(self, desk: Desk, book: PromptBook, patients: Patients, limits: Limits) -> None:
        self._desk = desk
        self._book = book
        self._patients = patients
        self._limits = limits

    async def find(self, what: Lookup, after: UUID | None) -> Found | Nothing | Withheld:
        desk = self._desk
        stands = standing_at(desk, self._limits)
        inquiry = Inquiry(_FIND, frozenset(), ("appointment",), {}, what.value)
        if stands.patient is None:
            await desk.gate.refuse(Reason.UNVERIFIED, inquiry, stands)
            return Withheld()
        following = after if what is Lookup.FOLLOWING_APPOINTMENT else None
        found = await Appointments.next(desk.tx, stands.patient, desk.now, following)
        if found:
            inquiry = replace(inquiry, references=(f"appointment:{found.id}",))
        situation = await self._situation(stands.patient, found)
        match await desk.gate.decide(inquiry, stands, situation):
            case Refused():
                return Withheld()
            case Granted():
                return Found(found.id) if found else Nothing()

    async def tell(self, prompt: str, bound: Mapping[str, UUID], language: str = "fr") -> Told | Withheld:
        desk = self._desk
        words = self._book.said(prompt, language)
        stands = standing_at(desk, self._limits)
        inquiry = _inquiry(words, bound)
        appointment = await Appointments.get(desk.tx, bound["appointment"])
        if stands.patient is None:
            await desk.gate.refuse(Reason.UNVERIFIED, inquiry, stands)
            return Withheld()
        if appointment.status is AppointmentStatus.CANCELLED:
            await desk.gate.refuse(Reason.CHANGED, inquiry, stands)
            return Withheld()
        situation = await self._situation(appointment.patient_id, appointment)
        match await desk.gate.decide(inquiry, stands, situation):
            case Refused():
                return Withheld()
            case Granted(receipt):
                local = desk.now.astimezone(desk.facts.timezone)
                public = desk.facts.public(desk.now, words.language)

                def phrase(opened: Mapping[str, object]) -> str:
                    return words.render({**public, **opened}, today=local.date())

                return Told(release(receipt, prompt, self._fields(words, appointment), phrase, words.language))

    async def perform(self, act: Act, reference: UUID) -> Done | Failed:
        desk = self._desk
        stands = standing_at(desk, self._limits)
        inquiry = Inquiry(_FIND, frozenset(), (f"appointment:{reference}",), {}, act.value)
        if stands.patient is None:
            await desk.gate.refuse(Reason.UNVERIFIED, inquiry, stands)
            return Failed()
        # The file may have changed since it was told. Whose agenda it stands in may not: `find` bound it by that.
        situation = await self._marks(stands.patient)
        if await desk.gate.check(inquiry, stands, situation) is not None:
            return Failed()
        change = await self._change(act, reference, stands.patient)
        content: dict[str, Value] = {
            "refs": list(inquiry.references),
            "level": int(stands.level),
            "evidence": [factor.value for factor in stands.factors],
            "evidence_records": [str(record) for record in stands.records],
        }
        if change is Change.DONE:
            await desk.writing.add(Entry(_EVENTS[act], desk.actor, stands.patient, content))
            return Done()
        tried = {**content, "act": act.value}
        await desk.writing.add(Entry(EventKind.APPOINTMENT_NOT_CHANGED, desk.actor, stands.patient, tried))
        return Failed()

    async def _change(self, act: Act, reference: UUID, patient: UUID) -> Change:
        desk = self._desk
        match act:
            case Act.CONFIRM_APPOINTMENT:
                return await Appointments.confirm(desk.tx, reference, patient, desk.now)
            case Act.CANCEL_APPOINTMENT:
                return await Appointments.cancel(desk.tx, reference, patient, desk.now)
            case Act.CANCEL_SLOT:
                raise CallcenterError("what a reference leads to is no patient's record")

    async def _situation(self, patient: UUID, appointment: Appointment | None) -> Situation:
        marks = await self._marks(patient)
        return replace(
            marks,
            sensitive=appointment.sensitive_to_come if appointment else False,
            practice_has_sensitive=await has_sensitive_practitioner(self._desk.tx),
        )

    async def _marks(self, patient: UUID) -> Situation:
        """What the file says of the patient, and nothing of a practitioner."""
        flags = await self._patients.flags(self._desk.tx, patient)
        return Situation(
            patient=patient,
            birth_date=flags.birth_date,
            deceased=flags.deceased,
            homonym=flags.homonym,
            doubtful=flags.doubtful,
            fictitious=flags.fictitious,
            contact_restricted=flags.contact_restricted,
            sensitive=False,
            practice_has_sensitive=False,
        )

    def _fields(self, words: Prompt, appointment: Appointment) -> dict[str, Protected[object]]:
        """The appointment's fields that ``words`` names, in the practice's local time."""
        zone = self._desk.facts.timezone
        known: dict[str, Protected[object]] = {
            "appointment.starts_at": appointment.starts_at.map(lambda at: at.astimezone(zone)),
            "appointment.practitioner": appointment.practitioner.map(str),
            "appointment.speciality": appointment.speciality.map(str),
        }
        if appointment.place is not None:
            known["appointment.place"] = appointment.place.map(str)
        return {path: value for path, value in known.items() if path in words.fields}


def _inquiry(words: Prompt, bound: Mapping[str, UUID]) -> Inquiry:
    """What telling ``words`` about what is bound discloses."""
    if "appointment" not in bound:
        raise CallcenterError("a prompt about an appointment was reached without one; the proof forbids it")
    optional = frozenset(FIELD_LABELS[path] for path in words.optional)
    told = frozenset(FIELD_LABELS[path] for path in words.fields - words.optional) - {Category.PUBLIC}
    told |= {Category.APPOINTMENT_EXISTS}  # whatever is left out
    references = tuple(f"{path}:{bound['appointment']}" for path in sorted(words.fields) if path.startswith("appoi"))
    return Inquiry(with_implied(told), optional, references, {"key": words.key, "sha256": words.digest}, words.key)
