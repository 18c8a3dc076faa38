"""What an operator's script does to rows about patients, each tried on another practice's; and rows to be tried on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from callcenter.audit.ledger import Segment
from callcenter.calls import script_notes, script_timeline
from callcenter.calls.keypad import Keypad
from callcenter.calls.script_booking import OperatorsBooking
from callcenter.calls.script_notes import OperatorsNotes
from callcenter.calls.script_record import OperatorsRecord
from callcenter.calls.script_session import note_place
from callcenter.calls.script_verifier import OperatorsVerifier
from callcenter.calls.session import Beginning, Session
from callcenter.flow.language import Act
from callcenter.flow.ports import BookingMade, Done, Offered
from callcenter.flow.prompts import PromptBook
from callcenter.flow.script_language import Disposition, Shown
from callcenter.flow.script_ports import Declared, Revealed
from callcenter.flow.state import State
from callcenter.identity.challenges import Limits
from callcenter.kernel.labels import Category
from callcenter.practice.facts import Agenda, AgendaKind, Arrival
from callcenter.practice.free_slots import BookablePractitioner
from callcenter.practice.slots import Bookable
from tests.attack.ground import Ground
from tests.attack.scene import FIRST_VISIT, JEANNE, JEANNES_MOBILE, TILLEULS

if TYPE_CHECKING:
    from tests.attack.repositories import Careless

#: Of the script that is planted, and whose it is.
SCRIPT, STAFF = UUID(int=0x5C1), UUID(int=0x5C2)


async def plant_script(ground: Ground, now: datetime) -> None:
    """An operator of the practice in Lyon has a script, and has read its instructions."""
    (call,) = await ground.rows("SELECT call_id AS id FROM audio LIMIT 1")
    (practice,) = await ground.rows("SELECT organisation_id FROM practice WHERE id = :id", id=TILLEULS)
    whose = {"staff": STAFF, "practice": TILLEULS, "now": now}
    await ground.change(
        "INSERT INTO staff_account (id, organisation_id, login, display_name, languages, made_at, secrecy_signed_on) "
        "VALUES (:staff, :organisation, 'lyon', 'Télésecrétaire', '{fr}', :now, cast(:now AS timestamptz)::date)",
        staff=STAFF,
        organisation=practice.organisation_id,
        now=now,
    )
    await ground.change(
        "INSERT INTO script (id, practice_id, call_id, staff_id, document, begun_at, shown, shown_until, note) "
        "VALUES (:id, :practice, :call, :staff, 1, :now, 'what Jeanne has', :now, :note)",
        note=ground.sealer.seal_text("Jeanne rappellera.", note_place(TILLEULS, SCRIPT)),
        id=SCRIPT,
        call=call.id,
        **whose,
    )
    await ground.change(
        "INSERT INTO instruction_ack (staff_id, practice_id, revision, read_at) VALUES (:staff, :practice, 1, :now)",
        **whose,
    )


def _moreau(on: Careless) -> BookablePractitioner:
    return BookablePractitioner(on.doctor, "Dr Claire Moreau", Bookable())


def _booking(on: Careless) -> OperatorsBooking:
    return OperatorsBooking(on.strangers_desk(), on.bookings, None, live=True)


def _record(on: Careless, *, outside: bool = False) -> OperatorsRecord:
    desk = on.desk()
    if outside:
        desk.facts = replace(on.facts, agenda=Agenda(AgendaKind.EXTERNAL, "https://agenda.example/"))
    book = PromptBook.load("flows/prompts/fr.yaml")
    return OperatorsRecord(desk, book, on.patients, Limits(), on.bookings)


def _notes(on: Careless) -> OperatorsNotes:
    return OperatorsNotes(on.desk(), on.ground.sealer, STAFF, SCRIPT)


def _verifier(on: Careless) -> OperatorsVerifier:
    beginning = Beginning(on.now, 1, Arrival.MENU, None)
    session = Session(beginning, None, "", State("operators"), Segment(uuid4(), on.call))
    keypad = Keypad(None, None)  # type: ignore[arg-type]  # nobody is led anywhere
    return OperatorsVerifier(
        on.desk(), session, keypad, on.ground.sealer, Limits(), STAFF, SCRIPT, live=True, typing=False
    )


async def several_slots(on: Careless) -> bool:
    """Free where everything seems free: what is taken is not seen."""
    seen = await on.bookings.free.several(on.tx, on.facts, on.call, _moreau(on), on.now, most=400)
    (row,) = await on.ground.rows(
        "SELECT starts_at FROM booking_request WHERE practitioner_id = :id LIMIT 1", id=on.doctor
    )
    return row.starts_at not in seen


async def hold_slot(on: Careless) -> object:
    free = on.bookings.free
    (starts, *_) = await free.several(on.tx, on.facts, on.held, _moreau(on), on.now, most=1)
    return await free.hold(on.tx, on.facts, on.to, _moreau(on), starts, on.now)


async def slots_by_screen(on: Careless) -> object:
    return await _booking(on).slots(on.doctor, None)


async def hold_by_screen(on: Careless) -> bool:
    starts = on.now + timedelta(days=5)
    listed = await _booking(on).slots(on.doctor, None)
    return isinstance(await _booking(on).hold(on.doctor, listed[0] if listed else starts), Offered)


async def book_by_screen(on: Careless) -> bool:
    return isinstance(await _booking(on).book(date(1962, 3, 14), JEANNES_MOBILE), BookingMade)


async def show_field(on: Careless) -> bool:
    return isinstance(await _record(on).show("appointment.starts_at", {"appointment": FIRST_VISIT}), Revealed)


async def declare_category(on: Careless) -> bool:
    return isinstance(await _record(on, outside=True).declare(Category.APPOINTMENT_EXISTS), Declared)


async def move_slots(on: Careless) -> object:
    return await _record(on).slots_for(FIRST_VISIT, None)


async def move_by_screen(on: Careless) -> bool:
    record = _record(on)
    listed = await record.slots_for(FIRST_VISIT, None)
    return bool(listed) and isinstance(await record.move(FIRST_VISIT, listed[0]), Done)


async def confirm_by_screen(on: Careless) -> bool:
    return isinstance(await _record(on).perform(Act.CONFIRM_APPOINTMENT, FIRST_VISIT), Done)


async def was_read(on: Careless) -> bool:
    return not await script_notes.instructions_changed(on.tx, STAFF, 1)


async def closing_notes(on: Careless) -> object:
    return await script_notes.notes_of(on.tx, on.ground.sealer, on.call)


async def forget_proof(on: Careless) -> None:
    await _verifier(on).forget()


async def timeline(on: Careless) -> object:
    return await script_timeline.timeline(on.tx, on.stream)


async def appointment_as_slot(on: Careless) -> object:
    return await on.bookings.referenced.of_appointment(on.tx, FIRST_VISIT, JEANNE, on.now)


#: As in ``repositories.CASES``.
SCRIPT_CASES: Mapping[str, Callable[[Careless], Awaitable[object]]] = {
    "practice.free_slots.FreeSlots.several": several_slots,
    "practice.free_slots.FreeSlots.hold": hold_slot,
    "practice.slot_references.ReferencedSlots.of_appointment": appointment_as_slot,
    "calls.script_booking.OperatorsBooking.slots": slots_by_screen,
    "calls.script_booking.OperatorsBooking.hold": hold_by_screen,
    "calls.script_booking.OperatorsBooking.book": book_by_screen,
    "calls.script_booking.OperatorsBooking.release": lambda on: _booking(on).release(),
    "calls.script_record.OperatorsRecord.perform": confirm_by_screen,
    "calls.script_record.OperatorsRecord.show": show_field,
    "calls.script_record.OperatorsRecord.declare": declare_category,
    "calls.script_record.OperatorsRecord.slots_for": move_slots,
    "calls.script_record.OperatorsRecord.move": move_by_screen,
    "calls.script_notes.OperatorsNotes.acknowledge": lambda on: _notes(on).acknowledge(Shown.INSTRUCTIONS),
    "calls.script_notes.OperatorsNotes.dispose": lambda on: _notes(on).dispose(Disposition.TOLD, "hers"),
    "calls.script_notes.instructions_changed": was_read,
    "calls.script_notes.notes_of": closing_notes,
    "calls.script_verifier.OperatorsVerifier.forget": forget_proof,
    "calls.script_timeline.timeline": timeline,
}

_OF_THE_SCRIPT = "the practice is the talk's, and whose talk it is is asked each time: tests/attack/test_scripts.py"

#: As in ``repositories.NOT_ATTACKED``.
SCRIPTS_NOT_ATTACKED: Mapping[str, str] = {
    "calls.scripts.Scripts.look": _OF_THE_SCRIPT,
    "calls.scripts.Scripts.answer": _OF_THE_SCRIPT,
    "calls.scripts.Scripts.draft": _OF_THE_SCRIPT,
    "calls.scripts.Scripts.emergency": _OF_THE_SCRIPT,
    "calls.script_verifier.OperatorsVerifier.standing": "reaches no row: what stands was read with the call",
    "calls.script_verifier.OperatorsVerifier.by_keypad": _OF_THE_SCRIPT,
    "calls.keypad.Keypad.send": "of the talk of whoever asks: test_typed_in_a_talk",
    "calls.keypad.Keypad.lead": "of the talk of whoever asks: test_typed_in_a_talk",
}
