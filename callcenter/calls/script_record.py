"""The port by which an operator's script reaches the verified patient's record: through the gate, field by field.

What is granted is handed to whoever runs the script, and never to the flow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from callcenter.audit.ledger import Entry, EventKind, Value
from callcenter.calls.booking import offered_to
from callcenter.calls.desk import Desk
from callcenter.calls.record import CallRecord
from callcenter.calls.verifier import standing_at
from callcenter.disclosure.exits import Shown, show
from callcenter.disclosure.gate import Control, Granted, Inquiry, Reason, Refused
from callcenter.flow.language import Act
from callcenter.flow.ports import Done, Failed, Withheld
from callcenter.flow.prompts import PromptBook
from callcenter.flow.script_ports import Declared, Revealed
from callcenter.identity.challenges import Limits
from callcenter.identity.evidence import Standing
from callcenter.kernel.labels import FIELD_LABELS, Category, with_implied
from callcenter.kernel.protected import Protected
from callcenter.practice.appointments import Appointments, NoSuchAppointment
from callcenter.practice.bookings import Bookings
from callcenter.practice.facts import AgendaKind
from callcenter.practice.free_slots import BookablePractitioner
from callcenter.practice.patients import Patients
from callcenter.practice.slot_references import Slot
from callcenter.practice.values import Appointment, AppointmentStatus, Change
from callcenter.speech.written import written_datetime, written_slot

#: Slots that are listed at once.
MOST_SLOTS = 8
#: In the place of a field that the appointment does not have.
NOT_WRITTEN = "non indiqué"
_ACT = frozenset({Category.RECORD_EXISTS, Category.APPOINTMENT_EXISTS})


class OperatorsRecord(CallRecord):
    """The record of the patient whom the caller is verified for. Implements ``flow.script_ports.ScriptRecord``.

    ``shown`` is what the gate has let out in this transaction, in order. ``changed``: something was done to an
    appointment, so that what was shown of it before may be so no more.
    """

    def __init__(self, desk: Desk, book: PromptBook, patients: Patients, limits: Limits, bookings: Bookings) -> None:
        super().__init__(desk, book, patients, limits)
        self._bookings = bookings
        self.shown: list[Shown] = []
        self.changed = False

    async def perform(self, act: Act, reference: UUID) -> Done | Failed:
        outcome = await super().perform(act, reference)
        self.changed = self.changed or (isinstance(outcome, Done) and act is Act.CANCEL_APPOINTMENT)
        return outcome

    async def show(self, path: str, bound: Mapping[str, UUID]) -> Revealed | Withheld:
        desk, reference, category = self._desk, bound["appointment"], FIELD_LABELS[path]
        stands = standing_at(desk, self._limits)
        told = with_implied(frozenset({category}))
        inquiry = Inquiry(told, frozenset(), (f"{path}:{reference}",), {}, "reveal", seconds=self._seconds)
        appointment = await _appointment(desk, reference)
        value = None if appointment is None else self._field(path, appointment)
        if stands.patient is None or appointment is None or value is None:
            reason = Reason.UNVERIFIED if stands.patient is None else Reason.CHANGED
            await desk.gate.refuse(reason, inquiry, stands)
            return Withheld()
        if appointment.status is AppointmentStatus.CANCELLED:
            await desk.gate.refuse(Reason.CHANGED, inquiry, stands)
            return Withheld()
        situation = await self._situation(appointment.patient_id, appointment)
        match await desk.gate.decide(inquiry, stands, situation):
            case Refused():
                return Withheld()
            case Granted(receipt):
                self.shown.append(show(receipt, path, value, str))
                return Revealed()

    async def declare(self, category: Category) -> Declared | Withheld:
        """What an operator reads in the practice's own tool we do not see: they say it, and what we can decide, which
        is whether it may be told at all, we decide."""
        desk = self._desk
        stands = standing_at(desk, self._limits)
        told = with_implied(frozenset({category}))
        inquiry = Inquiry(told, frozenset(), ("agenda:external",), {}, "declare", Control.DECLARED)
        if desk.facts.agenda.kind is AgendaKind.INTERNAL:
            await desk.gate.refuse(Reason.NOT_DECLARED, inquiry, stands)
            return Withheld()
        if stands.patient is None:
            await desk.gate.refuse(Reason.UNVERIFIED, inquiry, stands)
            return Withheld()
        match await desk.gate.decide(inquiry, stands, await self._situation(stands.patient, None)):
            case Refused():
                return Withheld()
            case Granted():
                return Declared()

    async def slots_for(self, appointment: UUID, after: datetime | None) -> Sequence[datetime]:
        desk = self._desk
        found = await self._movable(appointment, "move_slots")
        if found is None:
            return ()
        _, slot, whom = found
        free = self._bookings.free
        minutes = slot.duration_minutes
        listed = await free.several(
            desk.tx, desk.facts, desk.call, whom, desk.now, most=MOST_SLOTS, after=after, lasting=minutes
        )
        return [starts.astimezone(desk.facts.timezone) for starts in listed]

    async def move(self, appointment: UUID, starts_at: datetime) -> Done | Failed:
        desk = self._desk
        found = await self._movable(appointment, "move")
        if found is None:
            return Failed()
        stands, slot, whom = found
        to, free = offered_to(desk), self._bookings.free
        before = await _appointment(desk, appointment)
        content: dict[str, Value] = {
            "refs": [f"appointment:{appointment}"],
            "level": int(stands.level),
            "evidence": [factor.value for factor in stands.factors],
            "evidence_records": [str(record) for record in stands.records],
        }
        held = await free.hold(desk.tx, desk.facts, to, whom, starts_at, desk.now, lasting=slot.duration_minutes)
        if held and await self._bookings.move(desk.tx, desk.facts, to, slot, desk.now) is Change.DONE:
            await desk.writing.add(Entry(EventKind.APPOINTMENT_MOVED, desk.actor, stands.patient, content))
            self.changed = True
            if before is not None:
                await self._show_moved(stands, before, starts_at)
            return Done()
        tried = {**content, "act": "move"}
        await desk.writing.add(Entry(EventKind.APPOINTMENT_NOT_CHANGED, desk.actor, stands.patient, tried))
        return Failed()

    # --- within

    @property
    def _seconds(self) -> int:
        """For how long a field stands, as it is set now: what is set may change, the record stays."""
        return int(self._limits.shown_life.total_seconds())

    async def _show_moved(self, stands: Standing, before: Appointment, starts_at: datetime) -> None:
        """Show from when to when, if the gate lets out when it was: alone, that was the wrong day by now."""
        desk, path = self._desk, "appointment.starts_at"
        zone, today = desk.facts.timezone, desk.now.astimezone(desk.facts.timezone).date()
        told = with_implied(frozenset({FIELD_LABELS[path]}))
        inquiry = Inquiry(told, frozenset(), (f"{path}:{before.id}",), {}, "moved", seconds=self._seconds)
        match await desk.gate.decide(inquiry, stands, await self._situation(before.patient_id, before)):
            case Granted(receipt):
                to = written_slot(starts_at.astimezone(zone), today)
                both: Protected[object] = before.starts_at.map(
                    lambda at: f"avant : {written_slot(at.astimezone(zone), today)} → désormais : {to}"
                )
                self.shown.append(show(receipt, path, both, str))
            case Refused():
                pass  # whoever has just chosen the slot knows it

    async def _movable(self, appointment: UUID, step: str) -> tuple[Standing, Slot, BookablePractitioner] | None:
        """The appointment as a slot, with whoever it is with, if the caller may have it moved."""
        desk = self._desk
        stands = standing_at(desk, self._limits)
        inquiry = Inquiry(_ACT, frozenset(), (f"appointment:{appointment}",), {}, step)
        if stands.patient is None:
            await desk.gate.refuse(Reason.UNVERIFIED, inquiry, stands)
            return None
        if await desk.gate.check(inquiry, stands, await self._marks(stands.patient)) is not None:
            return None
        slot = await self._bookings.referenced.of_appointment(desk.tx, appointment, stands.patient, desk.now)
        everybody = await self._bookings.free.practitioners(desk.tx, desk.facts)
        whom = None if slot is None else next((one for one in everybody if one.id == slot.practitioner), None)
        return None if slot is None or whom is None else (stands, slot, whom)

    def _field(self, path: str, appointment: Appointment) -> Protected[object] | None:
        """One field as it is written on a screen; ``None`` if the appointment has none."""
        zone = self._desk.facts.timezone
        match path:
            case "appointment.starts_at":
                return appointment.starts_at.map(lambda at: written_datetime(at.astimezone(zone)))
            case "appointment.practitioner":
                return appointment.practitioner.map(str)
            case "appointment.speciality":
                return appointment.speciality.map(str)
            case "appointment.place" if appointment.place is not None:
                return appointment.place.map(str)
            case "appointment.place":  # that none is written down tells no less
                return Protected(NOT_WRITTEN, Category.PLACE, appointment.patient_id)
            case _:
                return None


async def _appointment(desk: Desk, reference: UUID) -> Appointment | None:
    """What is bound, if the practice has it."""
    try:
        return await Appointments.get(desk.tx, reference)
    except NoSuchAppointment:
        return None
