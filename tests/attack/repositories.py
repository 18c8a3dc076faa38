"""Every method of the product that reaches rows about patients, each with what it does to somebody else's.

Each case is handed a careless transaction: its connection is in the practice of the attacker, while its queries ask for
rows of the victim's. So nothing in the query helps; what stops it is the database.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.exc import NoResultFound

import callcenter.staff.glass_tables
import callcenter.staff.incident_tables  # noqa: F401 - their tables are among those that are tried
from callcenter.audit.erasing import candidates_named
from callcenter.audit.ledger import Entry, EventKind, Segment, Writing, note, stream_so_far
from callcenter.audit.proving import places_of
from callcenter.audit.reading import (
    checked_records_of_call,
    first_of_stream,
    latest_of_stream,
    read_call,
    records_of_call,
)
from callcenter.calls import callbacks
from callcenter.calls.appointment_texts import tell_by_text
from callcenter.calls.booking import CallBooking, offered
from callcenter.calls.desk import IVR_ACTOR, Desk
from callcenter.calls.documents import DocumentWriter, token_hash
from callcenter.calls.flows import load_flows
from callcenter.calls.lobby import CallLobby
from callcenter.calls.messages import CallMessages
from callcenter.calls.outreach import Asked, CallOutreach, claim_place, take_up, too_often
from callcenter.calls.playbacks import settle
from callcenter.calls.record import CallRecord
from callcenter.calls.recordings import kept_too_long
from callcenter.calls.references import CallReferences
from callcenter.calls.releases import calls_by_flow
from callcenter.calls.returned import take_answered
from callcenter.calls.session import Beginning, Playback, Way
from callcenter.calls.shelf import Shelf
from callcenter.calls.switchboard import CallSwitchboard
from callcenter.calls.verifier import CallVerifier
from callcenter.disclosure import emergency
from callcenter.disclosure.exits import _GRANTED, Receipt, release
from callcenter.disclosure.gate import Gate, Inquiry, Reason, Situation
from callcenter.flow.conversation import HangUp, Rang, Recorded, Reply
from callcenter.flow.language import Act, Lookup, ReachKind
from callcenter.flow.ports import BookingMade, CallbackRequest, CardRight, Done, Found, Offered, SlotKnown, Told
from callcenter.identity.challenges import Challenges, Claim, Counted, Limits, Opened
from callcenter.identity.evidence import CardEvidence, Evidence, standing
from callcenter.identity.references import ReferenceLimits, ReferenceTries, Try
from callcenter.identity.releases import ask, lift, reason_of
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.labels import Category
from callcenter.kernel.levels import Channel
from callcenter.kernel.protected import Protected
from callcenter.kernel.randomness import SystemRandom
from callcenter.notices import choices
from callcenter.notices.addresses import NoticeAddress, NoticeAddresses, NoticeChannel, Rank, Which
from callcenter.notices.telling import make_notices
from callcenter.notices.waiting import waiting
from callcenter.practice import (
    intake,
    on_file,
    plan_appointments,
    plan_contacts,
    plan_patients,
    practitioners,
    slot_references,
)
from callcenter.practice.appointments import Appointments
from callcenter.practice.bookings import Bookings
from callcenter.practice.correspondence import Answer, Correspondence, Whose
from callcenter.practice.directory import Directory
from callcenter.practice.enrolment import NumberTaken, PractitionerRecord, check_lines, write_practitioners
from callcenter.practice.facts import Arrival, PracticeFacts
from callcenter.practice.file import PatientFile
from callcenter.practice.free_slots import BookablePractitioner, OfferedTo
from callcenter.practice.inbox import Inbox
from callcenter.practice.numbers import E164
from callcenter.practice.patients import Patients
from callcenter.practice.people import NewPerson, NoSuchPractitioner, PersonWanted, add_person, change_person, people_of
from callcenter.practice.plans import Draft, ImportContext
from callcenter.practice.records import AppointmentRecord, ContactRecord, PatientRecord, Reading
from callcenter.practice.slots import Bookable
from callcenter.practice.values import Appointment, AppointmentStatus, Change, Contact, PatientFlags
from callcenter.practice.voice_messages import Sound, VoiceMessages, count_left
from callcenter.practice.waiting_bookings import WaitingBookings
from callcenter.reports.on_record import Sought, patients_on_record
from callcenter.reports.reasons import keep_reason
from callcenter.reports.searching import search
from callcenter.reports.timeline import timeline_of
from callcenter.reports.values import Area, Criteria, Kind
from callcenter.routing.queue import Entered, Queue
from callcenter.routing.reservations import Reservations
from callcenter.staff.acts import StaffActs
from callcenter.store.database import Transaction
from callcenter.store.sealed import Place
from tests.attack.extract_cases import EXTRACT_CASES, EXTRACTS_NOT_ATTACKED
from tests.attack.ground import Ground
from tests.attack.scene import A_STRANGER, CARD, FIRST_VISIT, JEANNE, JEANNES_MOBILE, PROJECT, TILLEULS
from tests.attack.script_cases import SCRIPT_CASES, SCRIPTS_NOT_ATTACKED
from tests.texts import APPOINTMENT_TEXT


@dataclass(slots=True)
class Careless:
    """A transaction in the attacker's practice, and all that is needed to ask in it for the victim's rows.

    Arguments:
        tx: connected as the attacker's practice, asking as the victim's.
        facts: what is public about the victim's practice.
        call, challenge, attempt, message, record, stream, audio, doctor, booking, held, tried: rows of the victim's
            practice.
        voice, recording: of a spoken message of theirs whose sound is still at the carrier.
        voice_kept, message_kept: of one whose sound is here.
    """

    tx: Transaction
    ground: Ground
    clock: DrivenClock
    facts: PracticeFacts
    call: UUID
    challenge: UUID
    attempt: tuple[int, bytes]
    message: UUID
    record: UUID
    stream: UUID
    audio: UUID
    doctor: UUID
    voice: UUID
    recording: str
    voice_kept: UUID
    message_kept: UUID
    booking: UUID
    held: UUID
    tried: Any

    @classmethod
    async def of(cls, connection: Any, ground: Ground, clock: DrivenClock) -> Careless:
        async def one(query: str) -> Any:
            return (await ground.rows(f"{query} LIMIT 1"))[0]

        attempt = await one('SELECT challenge_id, document, keyed FROM challenge_attempt WHERE NOT "right"')
        audio = await one(
            "SELECT a.id, a.call_id, a.record_id, r.stream FROM audio a JOIN audit_record r ON r.id = record_id"
        )
        waiting, kept = [
            await one(f"SELECT id, recording_sid, message_id FROM voice_message WHERE state = '{state}'")
            for state in ("waiting", "kept")
        ]
        return cls(
            tx=Transaction(connection, TILLEULS),
            ground=ground,
            clock=clock,
            facts=await Directory.facts(connection, TILLEULS, clock.now()),
            call=audio.call_id,
            challenge=attempt.challenge_id,
            attempt=(attempt.document, attempt.keyed),
            message=(await one("SELECT id FROM message WHERE kind = 'callback'")).id,
            record=audio.record_id,
            stream=audio.stream,
            audio=audio.id,
            doctor=(await one("SELECT id FROM practitioner WHERE name = 'Claire Moreau'")).id,
            voice=waiting.id,
            recording=waiting.recording_sid,
            voice_kept=kept.id,
            message_kept=kept.message_id,
            booking=(await one("SELECT id FROM booking_request")).id,
            held=(await one("SELECT call_id FROM slot_hold")).call_id,
            tried=await one('SELECT call_id, document, keyed FROM reference_try WHERE NOT "right"'),
        )

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def file(self) -> PatientFile:
        return PatientFile(self.ground.sealer, TILLEULS)

    @property
    def patients(self) -> Patients:
        return Patients(self.ground.sealer)

    @property
    def inbox(self) -> Inbox:
        return Inbox(self.ground.sealer)

    @property
    def voices(self) -> VoiceMessages:
        return VoiceMessages(self.ground.sealer)

    @property
    def addresses(self) -> NoticeAddresses:
        return NoticeAddresses(self.ground.sealer)

    @property
    def challenges(self) -> Challenges:
        return Challenges(self.ground.sealer, self.clock, SystemRandom(), Limits(), self.ground.app)

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.record, self.call, TILLEULS, JEANNE, shared=False, at=self.now)

    @property
    def reading(self) -> Reading:
        return Reading(self.facts.timezone, self.now, self.facts.own_lines)

    @property
    def context(self) -> ImportContext:
        return ImportContext(self.tx, self.file, "file.csv", self.reading, SystemRandom())

    def writing(self) -> Writing:
        return Writing(self.tx, Segment(uuid4(), self.call), self.clock, SystemRandom())

    def gate(self, writing: Writing) -> Gate:
        flow = {"name": "accueil", "sha256": ""}
        return Gate(FLOWS.policy, Channel.VOICE, writing, IVR_ACTOR, flow, self.now.date(), sealed=True)

    def desk(self) -> Desk:
        writing = self.writing()
        kept = (None, 0, self.evidence, JEANNES_MOBILE)
        return Desk(self.tx, writing, self.gate(writing), self.facts, self.call, 1, self.now, *kept)

    @property
    def bookings(self) -> Bookings:
        return Bookings(self.ground.sealer, SystemRandom())

    @property
    def tries(self) -> ReferenceTries:
        return ReferenceTries(self.ground.sealer, self.clock, ReferenceLimits(), self.ground.app)

    @property
    def to(self) -> OfferedTo:
        return OfferedTo(self.held, A_STRANGER)

    def strangers_desk(self) -> Desk:
        """In the call that holds a slot, with the card of Jeanne's next appointment shown."""
        desk = self.desk()
        desk.call = self.held
        desk.caller = A_STRANGER
        desk.card = CardEvidence(self.record, self.held, TILLEULS, FIRST_VISIT, self.now)
        return desk

    def call_booking(self) -> CallBooking:
        return CallBooking(self.strangers_desk(), self.bookings, None)

    def call_references(self) -> CallReferences:
        return CallReferences(self.strangers_desk(), FLOWS.book, self.bookings, self.patients, self.tries, Limits())

    def call_record(self) -> CallRecord:
        return CallRecord(self.desk(), FLOWS.book, self.patients, Limits())


FLOWS = Shelf(
    load_flows(
        PROJECT / "flows", "accueil", PROJECT / "flows/prompts/fr.yaml", PROJECT / "config/disclosure-policy.yaml"
    )
)
JEANNES_TRAITS = {
    "external_id": "jeanne-martin-duval",
    "birth_name": "Martin-Duval",
    "first_name": "Jeanne",
    "birth_date": "14/03/1962",
    "sex": "F",
}
BORN = date(1962, 3, 14)
CLAIM = Claim(said=bytes(32), caller=None)
INQUIRY = Inquiry(frozenset({Category.RECORD_EXISTS}), frozenset(), (), {}, "step")

ANOTHER_RECORDING = "RE" + "f" * 32

#: What each method gives the attacker: a truthy value, or rows of the victim changed.
Case = Callable[[Careless], Awaitable[object]]


#: Locks of the practice of Lyon that somebody wants lifted: one has been.
GLASS = UUID(int=0x61A55)
LIFTED, ASKED_FOR, SUPERVISOR = uuid4(), uuid4(), uuid4()


async def plant_releases(ground: Ground, now: datetime) -> None:
    """Locks of Jeanne's call: one is lifted, one is not yet."""
    call = (await ground.rows("SELECT call_id AS id FROM audio LIMIT 1"))[0].id
    values = {"practice": TILLEULS, "call": call, "by": SUPERVISOR, "now": now, "patient": JEANNE}
    await ground.change(_A_SUPERVISOR, **values)
    for one in (LIFTED, ASKED_FOR):
        for statement in _A_RELEASE:
            await ground.change(statement, id=one, **values)
    # Long before her code was sent, so that it counts.
    await ground.change(_A_LOCK_LIFTED, id=LIFTED, **values | {"now": now - timedelta(days=1)})


async def plant_glass(ground: Ground, now: datetime) -> None:
    """Glass through which Jeanne's file was opened."""
    values = {"id": GLASS, "practice": TILLEULS, "by": SUPERVISOR, "now": now, "patient": JEANNE}
    for statement in _BROKEN_GLASS:
        await ground.change(statement, **values)


async def plant_notice(ground: Ground, now: datetime) -> None:
    """An incident that concerns the practice of Lyon, and what it was told of it."""
    values = {"id": uuid4(), "notice": uuid4(), "practice": TILLEULS, "by": SUPERVISOR, "now": now}
    for statement in _AN_INCIDENT:
        await ground.change(statement, **values)


_AN_INCIDENT = (
    "INSERT INTO incident (id, organisation_id, kind, known_at, declared_at, declared_by) "
    "SELECT :id, organisation_id, 'loss', :now, :now, :by FROM practice WHERE id = :practice",
    "INSERT INTO incident_practice (incident_id, practice_id) VALUES (:id, :practice)",
    "INSERT INTO incident_notice (id, incident_id, practice_id, made_at, made_by) "
    "VALUES (:notice, :id, :practice, :now, :by)",
    "INSERT INTO incident_notice_words (practice_id, notice_id, words) VALUES (:practice, :notice, 'sealed')",
)
_BROKEN_GLASS = (
    "INSERT INTO glass_break (id, practice_id, staff_id, asks, broken_at, confirmed_at) "
    "VALUES (:id, :practice, :by, 'rescue', :now, :now)",
    "INSERT INTO glass_words (glass_id, practice_id, kind, words) VALUES (:id, :practice, 'asked', 'sealed')",
    "INSERT INTO glass_file (glass_id, practice_id, patient_id) VALUES (:id, :practice, :patient)",
)
_A_SUPERVISOR = (
    "INSERT INTO staff_account (id, organisation_id, login, display_name, languages, made_at) "
    "SELECT :by, organisation_id, 'superviseur-de-lyon', 'Superviseur', '{fr}', :now FROM practice WHERE id = :practice"
)
_A_RELEASE = (
    "INSERT INTO lock_release (id, practice_id, call_id, asked_by, asked_at) VALUES (:id, :practice, :call, :by, :now)",
    "INSERT INTO lock_release_reason (release_id, practice_id, words) VALUES (:id, :practice, 'sealed')",
)
_A_LOCK_LIFTED = (
    "INSERT INTO lock_lifted (release_id, practice_id, patient_id, at) VALUES (:id, :practice, :patient, :now)"
)


async def leave_message(on: Careless) -> None:
    number = JEANNES_MOBILE
    await on.inbox.leave(on.tx, id=uuid4(), reason="other", number=number, call_reference=None, now=on.now)


async def handle_message(on: Careless) -> bool:
    return await on.inbox.handle(on.tx, on.message, "somebody", on.now) is Change.DONE


def letters(on: Careless) -> Correspondence:
    return Correspondence(on.ground.sealer)


async def open_message(on: Careless) -> bool:
    """What stands in no row of the attacker's practice is not there to be opened."""
    try:
        return bool(await letters(on).opened(on.tx, on.message))
    except NoResultFound:
        return False


EVERYBODYS = Whose(everybodys=True)


async def confirm(on: Careless) -> bool:
    return await Appointments.confirm(on.tx, FIRST_VISIT, JEANNE, on.now) is Change.DONE


async def cancel(on: Careless) -> bool:
    return await Appointments.cancel(on.tx, FIRST_VISIT, JEANNE, on.now) is Change.DONE


async def put_patients(on: Careless) -> None:
    record = PatientRecord.model_validate({**JEANNES_TRAITS, "external_id": "another"}, context=on.reading)
    await intake.put_patients(on.tx, on.file, [(uuid4(), record)])


async def put_contacts(on: Careless) -> None:
    entry = intake.ContactEntry(uuid4(), JEANNE, BORN, E164("+33639980042"), on.now, on.now)
    await intake.put_contacts(on.tx, on.file, [entry])


async def index_of_telephone(on: Careless) -> bytes | None:
    (contact,) = await on.ground.rows("SELECT id FROM contact WHERE patient_id = :jeanne", jeanne=JEANNE)
    return await on.patients.phone_index(on.tx, contact.id)


async def remove_contact(on: Careless) -> None:
    (contact,) = await on.ground.rows("SELECT id FROM contact WHERE patient_id = :jeanne", jeanne=JEANNE)
    await intake.remove_contacts(on.tx, [contact.id])


async def put_appointments(on: Careless) -> None:
    planned, later = AppointmentStatus.PLANNED, on.now + timedelta(days=1)
    entry = intake.AppointmentEntry(uuid4(), "another", JEANNE, on.doctor, later, 15, None, planned, on.now)
    await intake.put_appointments(on.tx, [entry])


async def write_practitioner(on: Careless) -> None:
    record = PractitionerRecord(uuid4(), "Paul Autre", "Dr", "médecine générale", sensitive=False)
    await write_practitioners(on.tx, [record])


async def change_practitioner(on: Careless) -> bool:
    """Whoever may change another practice's practitioners takes a mark away, or puts a line of theirs in."""
    wanted = PersonWanted("Dr", "autre", sensitive=False, line="+33465710077", loses_mark=True)
    try:
        await change_person(on.tx, on.doctor, wanted, "somebody", StaffActs(on.clock, SystemRandom()))
    except NoSuchPractitioner:
        return False
    return True


async def add_practitioner(on: Careless) -> None:
    new = NewPerson("Paul Autre", "Dr", "autre", sensitive=False)
    await add_person(on.tx, uuid4(), new, "somebody", StaffActs(on.clock, SystemRandom()))


async def learn_a_practitioners_line(on: Careless) -> bool:
    """Whoever takes a number into their plan is told whose line it is: of their own practitioners alone."""
    (row,) = await on.ground.rows("SELECT line FROM practitioner WHERE id = :doctor", doctor=on.doctor)
    served = text("INSERT INTO directory_number (number, practice_id) VALUES (:number, :practice)")
    await on.tx.connection.execute(served, {"number": row.line, "practice": TILLEULS})
    try:
        await check_lines(on.tx)
    except NumberTaken as taken:
        return row.line in str(taken)
    return False


async def recognise_patient(on: Careless) -> bool:
    draft = Draft(2, PatientRecord.model_validate(JEANNES_TRAITS, context=on.reading))
    return (await plan_patients.plan_patients(on.context, [draft])).added == 0


async def recognise_contact(on: Careless) -> bool:
    cells = {"patient": "jeanne-martin-duval", "phone": JEANNES_MOBILE}
    draft = Draft(2, ContactRecord.model_validate(cells, context=on.reading))
    return not (await plan_contacts.plan_contacts(on.context, [draft])).problems


async def recognise_appointment(on: Careless) -> bool:
    cells = {
        "external_id": "new",
        "patient": "jeanne-martin-duval",
        "practitioner": "Claire Moreau",
        "starts_at": "02/12/2026 10:00",
    }
    draft = Draft(2, AppointmentRecord.model_validate(cells, context=on.reading))
    return not (await plan_appointments.plan_appointments(on.context, [draft])).problems


async def open_challenge(on: Careless) -> None:
    (contact,) = await Patients(on.ground.sealer).code_contacts(on.tx, JEANNE) or (None,)
    await on.challenges.open(on.tx, on.call, JEANNE, contact, CLAIM)


async def code_was_sent(on: Careless) -> bool:
    """Whether a code was sent to Jeanne lately: the attacker would learn it from a limit of one."""
    limits = Limits(codes_per_patient=1)
    challenges = Challenges(on.ground.sealer, on.clock, SystemRandom(), limits, on.ground.app)
    return await challenges.spent(on.tx, JEANNE, CLAIM)


async def checked_of_call(on: Careless) -> object:
    return (await checked_records_of_call(on.tx, on.call, 10)).checked


async def read_of_call(on: Careless) -> object:
    return (await read_call(on.tx, on.call)).checked


async def last_of_stream(on: Careless) -> bool:
    _, last = await stream_so_far(on.tx, on.stream)
    return last is not None


async def consume_challenge(on: Careless) -> bool:
    document, keyed = on.attempt
    counted = Counted(keyed, b"", JEANNE, last=False, barred=False)
    return await on.challenges.consume(on.tx, Opened(on.challenge, JEANNE, shared=False), counted, document)


async def chain_record(on: Careless) -> object:
    return await on.writing().add(Entry(EventKind.CALL_STARTED, IVR_ACTOR, JEANNE))


async def write_record(on: Careless) -> None:
    writing = on.writing()
    await writing.add(Entry(EventKind.CALL_STARTED, IVR_ACTOR))
    await writing.flush()


async def note_of_patient(on: Careless) -> None:
    await note(on.tx, Entry(EventKind.CALL_STARTED, IVR_ACTOR, JEANNE), on.clock, SystemRandom())


async def grant(on: Careless) -> object:
    stands = standing(on.evidence, call=on.call, practice=TILLEULS, now=on.now, life=timedelta(minutes=10))
    situation = Situation(JEANNE, Protected(BORN, Category.RECORD_EXISTS, JEANNE), *[False] * 7)
    return await on.gate(on.writing()).decide(INQUIRY, stands, situation)


async def check(on: Careless) -> object:
    stands = standing(on.evidence, call=on.call, practice=TILLEULS, now=on.now, life=timedelta(minutes=10))
    situation = Situation(JEANNE, Protected(BORN, Category.RECORD_EXISTS, JEANNE), *[True] * 7)
    return await on.gate(on.writing()).check(INQUIRY, stands, situation)


async def refuse(on: Careless) -> None:
    writing = on.writing()
    stands = standing(on.evidence, call=on.call, practice=TILLEULS, now=on.now, life=timedelta(minutes=10))
    await on.gate(writing).refuse(Reason.LEVEL, INQUIRY, stands)
    await writing.flush()


async def lay_words_ready(on: Careless) -> None:
    receipt = Receipt(on.record, JEANNE, frozenset({Category.APPOINTMENT_TIME}), on.writing(), _GRANTED)
    spoken = release(receipt, "words", {}, lambda _: "Mardi.")
    writer = DocumentWriter(on.tx, on.call, on.ground.sealer, SystemRandom(), on.now, local_voice=True)
    await writer.write(Reply((spoken,), HangUp()), 1)


async def settle_playback(on: Careless) -> None:
    writing = on.writing()
    await settle(on.tx, writing, [Playback(on.record, on.audio)], reached=True)
    await writing.flush()


def call_messages(on: Careless) -> CallMessages:
    beginning = Beginning(on.now, 1, Arrival.MENU, None)
    return CallMessages(on.desk(), beginning, on.inbox, on.voices, SystemRandom())


class AnyLine:
    """Lets any line be rung."""

    def may_ring(self, line: str, way: Way) -> bool:
        return True


async def put_through(on: Careless, rang: Rang | None = None) -> None:
    desk = on.desk()
    way = Way("+33465710001", (JEANNES_MOBILE,), "CA")
    switchboard = CallSwitchboard(desk, Beginning(on.now, 1, Arrival.PRACTICE, None, way), AnyLine())
    await (switchboard.put_through() if rang is None else switchboard.came_back(rang))
    await desk.writing.flush()


async def come_back(on: Careless) -> None:
    await put_through(on, Rang.BUSY)


class AnybodyThere(Queue):
    """A queue in which somebody is on duty for everybody, and which takes everybody: its own rows are the house's."""

    async def staffed(self, *_: object) -> bool:
        return True

    async def enter(self, *_: object, **__: object) -> Entered:
        return Entered.NEW

    async def ask_callback(self, *_: object, **__: object) -> bool:
        return True


async def wait_for_an_operator(on: Careless, *, left: bool = False) -> None:
    desk = on.desk()
    beginning = Beginning(on.now, 1, Arrival.MENU, None)
    lobby = CallLobby(desk, beginning, AnybodyThere(), Reservations(), on.ground.sealer)
    await (lobby.left(met=False) if left else lobby.enter("fr", relayed=False))
    await desk.writing.flush()


async def wait_no_more(on: Careless) -> None:
    await wait_for_an_operator(on, left=True)


async def leave_callback(on: Careless) -> None:
    await call_messages(on).leave(CallbackRequest("other", JEANNES_MOBILE))


async def speak_with_callback(on: Careless) -> None:
    await call_messages(on).add_voice(on.message, Recorded(ANOTHER_RECORDING, 5))


async def keep_voice(on: Careless) -> None:
    values = {"id": uuid4(), "message_id": on.message, "call": on.call, "recording_sid": ANOTHER_RECORDING}
    await on.voices.add(on.tx, **values, seconds=5, now=on.now)


async def keep_sound(on: Careless) -> bool:
    return await on.voices.keep(on.tx, on.voice, Sound(b"RIFF", "audio/wav"), on.now)


async def count_try(on: Careless) -> None:
    await on.voices.tried(on.tx, on.voice, on.now, alerted=True)


async def erase_sounds(on: Careless) -> object:
    return await on.voices.erase_old(on.tx, on.now + timedelta(days=365))


async def find_appointment(on: Careless) -> bool:
    return isinstance(await on.call_record().find(Lookup.NEXT_APPOINTMENT, None), Found)


async def tell_appointment(on: Careless) -> bool:
    return isinstance(await on.call_record().tell("appointment_summary", {"appointment": FIRST_VISIT}), Told)


async def confirm_by_telephone(on: Careless) -> bool:
    return isinstance(await on.call_record().perform(Act.CONFIRM_APPOINTMENT, FIRST_VISIT), Done)


async def claim_by_telephone(on: Careless) -> None:
    verifier = CallVerifier(on.desk(), on.patients, on.challenges, Limits(), SystemRandom())
    await verifier.open_challenge(BORN, JEANNES_MOBILE)


#: What practitioners of the victim are told at, and what Jeanne has chosen (``furnish_outreach``).
TOLD_AT, CHOSEN_BY_JEANNE = UUID(int=0x7E11), UUID(int=0xC405E)


async def furnish_outreach(ground: Ground, clock: DrivenClock) -> None:
    """An address for notices and what was sent to it, a reminder, and a choice about reminders: the victim's."""
    sealed = ground.sealer.seal_text("+33639980091", Place(TILLEULS, "notice_address", "address", TOLD_AT))
    values = {"id": TOLD_AT, "practice": TILLEULS, "sealed": sealed, "index": bytes(32), "now": clock.now()}
    await ground.change(_FURNISH_ADDRESS, **values)
    choice = {"id": CHOSEN_BY_JEANNE, "practice": TILLEULS, "jeanne": JEANNE, "now": clock.now()}
    await ground.change(_FURNISH_CHOICE, **choice)
    digest = {"id": UUID(int=0xD16E57), "practice": TILLEULS, "address": TOLD_AT, "now": clock.now()}
    await ground.change(_FURNISH_NOTICE, **digest)
    reminder = {"id": UUID(int=0x4E11), "practice": TILLEULS, "visit": FIRST_VISIT, "now": clock.now()}
    await ground.change(_FURNISH_REMINDER, **reminder)


_FURNISH_ADDRESS = (
    "INSERT INTO notice_address (id, practice_id, rank, channel, which, address, address_index, added_at) "
    "VALUES (:id, :practice, 1, 'sms', 'all', :sealed, :index, :now)"
)
_FURNISH_NOTICE = (
    "INSERT INTO message_notice (id, practice_id, address_id, kind, slot, made_at) "
    "VALUES (:id, :practice, :address, 'digest', :now, :now)"
)
_FURNISH_REMINDER = (
    "INSERT INTO reminder (id, practice_id, appointment_id, made_at, phone_index) "
    "VALUES (:id, :practice, :visit, :now, decode(repeat('00', 32), 'hex'))"
)
_FURNISH_CHOICE = (
    "INSERT INTO reminder_choice (id, practice_id, patient_id, choice, channel, wording, made_at) "
    "VALUES (:id, :practice, :jeanne, 'opposed', 'staff', 'x', :now)"
)


def _told_at(id: UUID) -> NoticeAddress:
    return NoticeAddress(id, None, Rank.FIRST, NoticeChannel.SMS, Which.ALL, "+33639980092")


async def add_address(on: Careless) -> bool:
    return await on.addresses.add(on.tx, _told_at(uuid4()), on.now) is Change.DONE


async def remove_address(on: Careless) -> bool:
    return await on.addresses.remove(on.tx, TOLD_AT) is Change.DONE


async def notify(on: Careless) -> int:
    return await make_notices(on.tx, [_told_at(TOLD_AT)], "urgent", on.message, on.now, SystemRandom())


async def learn_choice(on: Careless) -> bool:
    return (await choices.chosen(on.tx, JEANNE, on.file.phone_index(JEANNES_MOBILE))).opposed


async def choose(on: Careless) -> None:
    await choices.choose_for_patient(on.tx, JEANNE, choices.Choice.CONSENTED, on.now, SystemRandom())


async def oppose(on: Careless) -> None:
    await choices.oppose_by_carrier(on.tx, on.file.phone_index(JEANNES_MOBILE), on.now, SystemRandom())


#: What somebody has asked to have done at the victim's telephone: done today, waiting, and ringing.
REACHED_TODAY, WAITING, RINGING = (uuid4() for _ in range(3))
RING_TOKEN = "ab" * 32


async def ask_for_outreach(ground: Ground, now: datetime) -> None:
    """As the superuser, in the victim's practice."""
    query = "SELECT c.id, c.phone, a.call_id FROM contact c, audio a WHERE c.patient_id = :jeanne LIMIT 1"
    (row,) = await ground.rows(query, jeanne=JEANNE)
    asked = ((REACHED_TODAY, "reminder", None), (WAITING, "reminder", None), (RINGING, "return_call", RING_TOKEN))
    for request, kind, token in asked:
        typed = json.dumps([BORN.isoformat(), JEANNES_MOBILE, "00" * 20])
        claim = ground.sealer.seal_text(typed, claim_place(TILLEULS, request))
        values = {
            "id": request,
            "practice": TILLEULS,
            "kind": kind,
            "call": row.call_id,
            "claim": None if request == REACHED_TODAY else claim,
            "now": now,
            "patient": None if request == WAITING else JEANNE,
            "contact": None if request == WAITING else row.id,
            "token": None if token is None else token_hash(token),
        }
        await ground.change(
            "INSERT INTO outreach "
            "(id, practice_id, kind, call_id, claim, asked_at, patient_id, contact_id, token_hash) "
            "VALUES (:id, :practice, :kind, :call, :claim, :now, :patient, :contact, :token)",
            **values,
        )


#: Attempts to ring back whoever called in the victim's call: one that nobody has answered, one that became that call.
RINGS, RUNG = uuid4(), uuid4()
CALLBACK_TOKEN = "cd" * 32


#: Who has looked a patient of the practice of Lyon up.
REVIEWER = UUID("5e7c2a10-0000-4000-8000-000000000001")


async def plant_reason(ground: Ground, now: datetime) -> None:
    """A supervisor has looked Jeanne up, and has said why."""
    await ground.change(
        "INSERT INTO staff_account (id, organisation_id, login, display_name, languages, made_at) "
        "SELECT :id, organisation_id, 'relecture', 'Superviseur', ARRAY['fr'], :now FROM practice WHERE id = :practice",
        id=REVIEWER,
        now=now,
        practice=TILLEULS,
    )
    async with ground.app.practice(TILLEULS) as tx:
        await keep_reason(tx, ground.sealer, uuid4(), REVIEWER, "control", "Contrôle du mois", now)


def _reviewed(kind: Kind) -> Criteria:
    return Criteria(TILLEULS, kind, date(2026, 11, 26), date(2026, 11, 27))


async def _found(on: Careless, kind: Kind) -> object:
    return (await search(on.tx, _reviewed(kind))).found


async def review_call(on: Careless) -> bool:
    """That there is a call is house scope; what it was about is not."""
    timeline = await timeline_of(on.tx, on.call, FLOWS)
    return timeline is not None and any(one.record or one.area is Area.HEARD for one in timeline.moments)


async def give_a_reason(on: Careless) -> None:
    await keep_reason(on.tx, on.ground.sealer, uuid4(), REVIEWER, "control", "Contrôle", on.now)


async def plant_call_in_progress(ground: Ground, now: datetime) -> None:
    """Somebody is on the line of the practice in Lyon, and has heard the menu."""
    call = uuid4()
    await ground.change(
        "INSERT INTO call (id, practice_id, carrier_sid, status, started_at) VALUES (:id, :practice, :sid, 2, :now)",
        id=call,
        practice=TILLEULS,
        sid=f"CA{call.hex}",
        now=now,
    )
    await ground.change(
        "INSERT INTO call_trace (practice_id, call_id, document, at, flow, language, asked, prompts) "
        "VALUES (:practice, :call, 0, :now, :flow, 'fr', '', '{}')",
        practice=TILLEULS,
        call=call,
        now=now,
        flow=FLOWS.entry.digest,
    )


async def plant_callback(ground: Ground, now: datetime) -> None:
    """Somebody waited in the practice of Lyon, and is rung back."""
    call = (await ground.rows("SELECT call_id AS id FROM audio LIMIT 1"))[0].id
    number = ground.sealer.seal_text(JEANNES_MOBILE, Place(TILLEULS, "callback", "number", call))
    await ground.change(
        "INSERT INTO queue_entry (call_id, practice_id, language, priority, place, kind, state, entered_at) "
        "VALUES (:call, :practice, 'fr', 3, :now, 'callback', 'waiting', :now)",
        call=call,
        practice=TILLEULS,
        now=now,
    )
    await ground.change(
        "INSERT INTO callback (call_id, practice_id, number, line, asked_at) "
        "VALUES (:call, :practice, :number, :line, :now)",
        call=call,
        practice=TILLEULS,
        number=number,
        line=bytes(32),
        now=now,
    )
    for reservation, token, reached in ((RINGS, CALLBACK_TOKEN, None), (RUNG, "ef" * 32, call)):
        await ground.change(
            "INSERT INTO callback_ring "
            "(reservation_id, practice_id, call_id, operator_leg, token_hash, rung_at, reached_call_id) "
            "VALUES (:reservation, :practice, :call, :leg, :token, :now, :reached)",
            reservation=reservation,
            practice=TILLEULS,
            call=call,
            leg=f"CA{'0' * 32}",
            token=token_hash(token),
            now=now,
            reached=reached,
        )


async def ask_for_callback(on: Careless) -> bool:
    return await callbacks.ask(on.tx, on.ground.sealer, AnybodyThere(), on.call, A_STRANGER, on.now)


async def begin_to_ring(on: Careless) -> object:
    sealer, random = on.ground.sealer, SystemRandom()
    return await callbacks.begin_ring(on.tx, sealer, random, on.facts, on.call, uuid4(), f"CA{'1' * 32}", on.now)


def call_outreach(on: Careless) -> CallOutreach:
    return CallOutreach(on.desk(), on.ground.sealer, SystemRandom())


async def reached_too_often(on: Careless) -> bool:
    asked = Asked(WAITING, on.call, BORN, JEANNES_MOBILE, bytes(20), None, on.now, call_ended=True)
    return await too_often(on.tx, asked, ReachKind.REMINDER, JEANNE, bytes(32), on.now)


async def answer_the_ring(on: Careless) -> object:
    return await take_answered(on.tx, on.ground.sealer, on.challenges, on.patients, on.call, RING_TOKEN, on.now)


async def push(on: Careless) -> object:
    situation = Situation(JEANNE, Protected(BORN, Category.RECORD_EXISTS, JEANNE), *[False] * 7)
    inquiry = replace(INQUIRY, categories=frozenset({Category.APPOINTMENT_TIME}))
    return await on.gate(on.writing()).push(inquiry, situation, None)


PANE = emergency.Glass(GLASS, "rescue")


def behind(on: Careless, writing: Writing | None = None) -> emergency.Behind:
    gate = on.gate(writing or on.writing())
    return emergency.Behind(on.tx, on.ground.sealer, gate, on.now, on.facts.timezone)


async def broken(on: Careless) -> object:
    situation = Situation(JEANNE, Protected(BORN, Category.RECORD_EXISTS, JEANNE), *[False] * 7)
    inquiry = replace(INQUIRY, categories=frozenset({Category.APPOINTMENT_TIME}))
    return await on.gate(on.writing()).break_glass(inquiry, situation, "rescue")


async def refuse_behind(on: Careless) -> None:
    writing = on.writing()
    await behind(on, writing).refuse(PANE, emergency.Topic.IDENTITY)
    await writing.flush()


async def tell_by_text_message(on: Careless) -> object:
    def about(value: Any, category: Category) -> Protected[Any]:
        return Protected(value, category, JEANNE)

    starts_at = about(on.now + timedelta(days=1), Category.APPOINTMENT_TIME)
    names = about("Dr Claire Moreau", Category.PRACTITIONER), about("médecine générale", Category.SPECIALITY)
    planned = AppointmentStatus.PLANNED
    visit = Appointment(FIRST_VISIT, JEANNE, on.doctor, False, False, planned, starts_at, *names, None)
    flags = PatientFlags(about(BORN, Category.RECORD_EXISTS), *[False] * 6)
    contact = Contact(uuid4(), about(JEANNES_MOBILE, Category.CONTACT_DETAILS), True, on.now, on.now, False)
    told = (on.writing(), FLOWS.policy, on.facts, visit, flags, contact, on.now)
    return await tell_by_text(*told, words=APPOINTMENT_TEXT, sender="+33199000001", actor=IVR_ACTOR, sealed=True)


async def offer_slot(on: Careless) -> object:
    moreau = BookablePractitioner(on.doctor, "Dr Claire Moreau", Bookable(), "Claire Moreau")
    return await on.bookings.free.offer(on.tx, on.facts, on.to, moreau, on.now)


async def cancel_slot(on: Careless) -> bool:
    slot = await on.bookings.referenced.slot(on.tx, FIRST_VISIT, on.now)
    return slot is not None and await on.bookings.referenced.cancel(on.tx, slot, on.now) is Change.DONE


async def move_slot(on: Careless) -> bool:
    slot = await on.bookings.referenced.slot(on.tx, FIRST_VISIT, on.now)
    return slot is not None and await on.bookings.move(on.tx, on.facts, on.to, slot, on.now) is Change.DONE


async def handle_booking(on: Careless) -> bool:
    return await WaitingBookings(on.ground.sealer).handle(on.tx, on.booking, "somebody", on.now) is Change.DONE


async def offer_by_telephone(on: Careless) -> bool:
    return isinstance(await on.call_booking().offer(on.doctor), Offered)


async def offer_to_a_call(on: Careless) -> bool:
    moreau = BookablePractitioner(on.doctor, "Dr Claire Moreau", Bookable(), "Claire Moreau")
    return isinstance(await offered(on.strangers_desk(), on.bookings, moreau), Offered)


async def right_try(on: Careless) -> None:
    row = on.tried
    await on.tries.right(on.tx, Try(row.call_id, row.document, row.keyed, on.now, None, last=False))


async def reference_by_telephone(on: Careless) -> bool:
    references = on.call_references()
    references._count = lambda *_: _counted(on)  # type: ignore[method-assign]  # no transaction of its own here
    return isinstance(await references.find(CARD), SlotKnown)


async def _counted(on: Careless) -> Try:
    return Try(on.call, 1, bytes(32), on.now, None, last=False)


async def card_by_telephone(on: Careless) -> bool:
    references = on.call_references()
    references._count = lambda *_: _counted(on)  # type: ignore[method-assign]  # no transaction of its own here
    return isinstance(await references.check_birth_date(FIRST_VISIT, BORN), CardRight)


async def tell_slot(on: Careless) -> bool:
    return isinstance(await on.call_references().tell("slot_summary", FIRST_VISIT), Told)


async def cancel_by_reference(on: Careless) -> bool:
    return isinstance(await on.call_references().cancel(FIRST_VISIT), Done)


async def offer_for_move(on: Careless) -> bool:
    return isinstance(await on.call_references().offer(FIRST_VISIT), Offered)


async def move_by_reference(on: Careless) -> bool:
    return isinstance(await on.call_references().move(FIRST_VISIT), Done)


async def book_by_telephone(on: Careless) -> bool:
    return isinstance(await on.call_booking().book(BORN, JEANNES_MOBILE), BookingMade)


CASES: Mapping[str, Case] = {
    "calls.releases.calls_by_flow": lambda on: calls_by_flow(on.tx, on.now - timedelta(days=1)),
    "reports.timeline.timeline_of": review_call,
    "reports.reasons.keep_reason": give_a_reason,
    "reports.searching.search": lambda on: _found(on, Kind.DISCLOSURES),
    "reports.on_record.patients_on_record": lambda on: patients_on_record(
        on.tx, on.ground.sealer, _reviewed(Kind.CALLS), Sought(BORN, "")
    ),
    **SCRIPT_CASES,
    **EXTRACT_CASES,
    "disclosure.gate.Gate.push": push,
    "disclosure.gate.Gate.break_glass": broken,
    "disclosure.emergency.Behind.find": lambda on: behind(on).find(
        PANE, emergency.Sought(BORN, "Martin-Duval", "Jeanne")
    ),
    "disclosure.emergency.Behind.open": lambda on: behind(on).open(PANE, JEANNE, emergency.Topic.IDENTITY),
    "disclosure.emergency.Behind.refuse": refuse_behind,
    "notices.addresses.NoticeAddresses.add": add_address,
    "notices.addresses.NoticeAddresses.all": lambda on: on.addresses.all(on.tx),
    "notices.addresses.NoticeAddresses.remove": remove_address,
    "notices.choices.choose_for_patient": choose,
    "notices.choices.chosen": learn_choice,
    "notices.choices.note_choice": lambda on: choices.note_choice(on.tx, uuid4(), on.clock, SystemRandom()),
    "notices.choices.oppose_by_carrier": oppose,
    "notices.choices.patient_called": lambda on: choices.patient_called(on.tx, "jeanne-martin-duval"),
    "notices.telling.make_notices": notify,
    "notices.waiting.waiting": lambda on: waiting(on.tx, on.now),
    "practice.free_slots.FreeSlots.practitioners": lambda on: on.bookings.free.practitioners(on.tx, on.facts),
    "practice.free_slots.FreeSlots.offer": offer_slot,
    "practice.bookings.Bookings.book": lambda on: on.bookings.book(
        on.tx, on.facts, on.to, BORN, JEANNES_MOBILE, on.now
    ),
    "practice.free_slots.FreeSlots.claim": lambda on: on.bookings.free.claim(on.tx, on.facts, on.to, on.now),
    "practice.free_slots.FreeSlots.release": lambda on: on.bookings.free.release(on.tx, on.held),
    "practice.slot_references.ReferencedSlots.by_reference": lambda on: on.bookings.referenced.by_reference(
        on.tx, CARD, on.now
    ),
    "practice.slot_references.ReferencedSlots.slot": lambda on: on.bookings.referenced.slot(on.tx, FIRST_VISIT, on.now),
    "practice.slot_references.ReferencedSlots.cancel": cancel_slot,
    "practice.bookings.Bookings.move": move_slot,
    "practice.waiting_bookings.WaitingBookings.waiting": lambda on: WaitingBookings(on.ground.sealer).waiting(on.tx),
    "practice.waiting_bookings.WaitingBookings.handle": handle_booking,
    "practice.slot_references.references_in_use": lambda on: slot_references.references_in_use(
        on.tx, [slot_references.reference_index(on.ground.sealer, TILLEULS, CARD)]
    ),
    "identity.references.ReferenceTries.right": right_try,
    "calls.booking.offered": offer_to_a_call,
    "calls.booking.CallBooking.practitioners": lambda on: on.call_booking().practitioners(),
    "calls.booking.CallBooking.offer": offer_by_telephone,
    "calls.booking.CallBooking.book": book_by_telephone,
    "calls.booking.CallBooking.release": lambda on: on.call_booking().release(),
    "calls.references.CallReferences.find": reference_by_telephone,
    "calls.references.CallReferences.card_stands": lambda on: on.call_references().card_stands(FIRST_VISIT),
    "calls.references.CallReferences.check_birth_date": card_by_telephone,
    "calls.references.CallReferences.tell": tell_slot,
    "calls.references.CallReferences.cancel": cancel_by_reference,
    "calls.references.CallReferences.offer": offer_for_move,
    "calls.references.CallReferences.move": move_by_reference,
    "practice.appointments.Appointments.next": lambda on: Appointments.next(on.tx, JEANNE, on.now),
    "practice.appointments.Appointments.get": lambda on: Appointments.get(on.tx, FIRST_VISIT),
    "practice.appointments.Appointments.confirm": confirm,
    "practice.appointments.Appointments.cancel": cancel,
    "practice.enrolment.write_practitioners": write_practitioner,
    "practice.enrolment.check_lines": learn_a_practitioners_line,
    "practice.correspondence.Correspondence.headings": lambda on: letters(on).headings(on.tx, EVERYBODYS, on.now, 10),
    "practice.correspondence.Correspondence.unread": lambda on: letters(on).unread(on.tx, EVERYBODYS),
    "practice.correspondence.Correspondence.headings_of": lambda on: letters(on).headings_of(on.tx, [on.message]),
    "practice.correspondence.Correspondence.held": lambda on: letters(on).held(on.tx, on.message),
    "practice.correspondence.Correspondence.opened": open_message,
    "practice.correspondence.Correspondence.read": lambda on: letters(on).read(on.tx, on.message, uuid4(), on.now),
    "practice.correspondence.Correspondence.answer": lambda on: letters(on).answer(
        on.tx, on.message, Answer.NOTHING, "à jeun", uuid4(), on.now
    ),
    "practice.inbox.Inbox.leave": leave_message,
    "practice.inbox.Inbox.waiting": lambda on: on.inbox.waiting(on.tx),
    "practice.inbox.Inbox.count_waiting": lambda on: on.inbox.count_waiting(on.tx),
    "practice.inbox.Inbox.handle": handle_message,
    "practice.intake.put_patients": put_patients,
    "practice.intake.put_contacts": put_contacts,
    "practice.intake.put_appointments": put_appointments,
    "practice.intake.remove_contacts": remove_contact,
    "practice.intake.cancel_appointments": lambda on: intake.cancel_appointments(on.tx, [FIRST_VISIT], on.now),
    "practice.intake.reindex_contacts": lambda on: intake.reindex_contacts(on.tx, on.file, {JEANNE: date(1962, 3, 15)}),
    # on a day on which nobody is adult yet, nobody shares a telephone
    "practice.intake.refresh_shared": lambda on: intake.refresh_shared(on.tx, on.file, date(1900, 1, 1)),
    "practice.on_file.patients_on_file": lambda on: on_file.patients_on_file(on.tx, on.file, ["jeanne-martin-duval"]),
    "practice.on_file.patients_by_name": lambda on: on_file.patients_by_name(
        on.tx, on.file, [on.file.birth_name_index(BORN, "Martin-Duval")]
    ),
    "practice.on_file.contacts_on_file": lambda on: on_file.contacts_on_file(on.tx, [JEANNE]),
    "practice.on_file.appointments_on_file": lambda on: on_file.appointments_on_file(on.tx, ["jeanne-martin-duval/1"]),
    "practice.on_file.all_contacts": lambda on: on_file.all_contacts(on.tx),
    "practice.on_file.appointments_to_come": lambda on: on_file.appointments_to_come(on.tx, on.now),
    "practice.patients.Patients.by_birth_and_phone": lambda on: on.patients.by_birth_and_phone(
        on.tx, BORN, JEANNES_MOBILE
    ),
    "practice.patients.Patients.phone_index": index_of_telephone,
    "practice.patients.Patients.code_contacts": lambda on: on.patients.code_contacts(on.tx, JEANNE),
    "practice.patients.Patients.flags": lambda on: on.patients.flags(on.tx, JEANNE),
    "practice.patients.Patients.flags_if_any": lambda on: on.patients.flags_if_any(on.tx, JEANNE),
    "practice.plan_patients.plan_patients": recognise_patient,
    "practice.plan_contacts.plan_contacts": recognise_contact,
    "practice.plan_appointments.plan_appointments": recognise_appointment,
    "practice.people.people_of": lambda on: people_of(on.tx),
    "practice.people.change_person": change_practitioner,
    "practice.people.add_person": add_practitioner,
    "practice.practitioners.has_sensitive_practitioner": lambda on: practitioners.has_sensitive_practitioner(on.tx),
    "practice.practitioners.practitioner_names": lambda on: practitioners.practitioner_names(on.tx),
    "practice.practitioners.sensitive_practitioners": lambda on: practitioners.sensitive_practitioners(on.tx),
    "practice.practitioners.practitioners_called": lambda on: practitioners.practitioners_called(on.tx, "Moreau"),
    "practice.practitioners.public_names": lambda on: practitioners.public_names(on.tx),
    "practice.practitioners.those_with_a_line": lambda on: practitioners.those_with_a_line(on.tx),
    "practice.practitioners.line_of": lambda on: practitioners.line_of(on.tx, on.doctor),
    "practice.voice_messages.count_left": lambda on: count_left(on.tx, on.now + timedelta(days=365)),
    "practice.voice_messages.VoiceMessages.add": keep_voice,
    "practice.voice_messages.VoiceMessages.of_recording": lambda on: on.voices.of_recording(on.tx, on.recording),
    "practice.voice_messages.VoiceMessages.at_carrier": lambda on: on.voices.at_carrier(on.tx, on.voice),
    "practice.voice_messages.VoiceMessages.all_at_carrier": lambda on: on.voices.all_at_carrier(on.tx),
    "practice.voice_messages.VoiceMessages.keep": keep_sound,
    "practice.voice_messages.VoiceMessages.lose": lambda on: on.voices.lose(on.tx, on.voice, on.now),
    "practice.voice_messages.VoiceMessages.deleted_at_carrier": lambda on: on.voices.deleted_at_carrier(
        on.tx, on.voice_kept, on.now
    ),
    "practice.voice_messages.VoiceMessages.tried": count_try,
    "practice.voice_messages.VoiceMessages.sound": lambda on: on.voices.sound(on.tx, on.message_kept),
    "practice.voice_messages.VoiceMessages.erase_old": erase_sounds,
    "identity.releases.ask": lambda on: ask(on.tx, uuid4(), on.call, SUPERVISOR, b"sealed", on.now),
    "identity.releases.lift": lambda on: lift(on.tx, ASKED_FOR, on.call, on.now, timedelta(hours=24)),
    "identity.releases.reason_of": lambda on: reason_of(on.tx, LIFTED),
    "identity.challenges.Challenges.spent": code_was_sent,
    "identity.challenges.Challenges.open": open_challenge,
    "identity.challenges.Challenges.consume": consume_challenge,
    "audit.ledger.Writing.add": chain_record,
    "audit.ledger.Writing.flush": write_record,
    "audit.ledger.note": note_of_patient,
    "audit.ledger.stream_so_far": last_of_stream,
    "audit.reading.first_of_stream": lambda on: first_of_stream(on.tx, on.stream, EventKind.CALL_STARTED, 10),
    "audit.reading.latest_of_stream": lambda on: latest_of_stream(on.tx, on.stream, 10),
    "audit.reading.records_of_call": lambda on: records_of_call(on.tx, on.call),
    "audit.reading.checked_records_of_call": checked_of_call,
    "audit.reading.read_call": read_of_call,
    "audit.proving.places_of": lambda on: places_of(on.tx, on.call, 10),
    "audit.erasing.candidates_named": lambda on: candidates_named(on.tx, [on.record]),
    "disclosure.gate.Gate.decide": grant,
    "disclosure.gate.Gate.check": check,
    "disclosure.gate.Gate.refuse": refuse,
    "calls.documents.DocumentWriter.write": lay_words_ready,
    "calls.messages.CallMessages.leave": leave_callback,
    "calls.messages.CallMessages.add_voice": speak_with_callback,
    "calls.messages.CallMessages.addressees": lambda on: call_messages(on).addressees(),
    "calls.switchboard.CallSwitchboard.put_through": put_through,
    "calls.switchboard.CallSwitchboard.came_back": come_back,
    "calls.callbacks.ask": ask_for_callback,
    "calls.callbacks.begin_ring": begin_to_ring,
    "calls.callbacks.leg_to_tell": lambda on: callbacks.leg_to_tell(on.tx, RINGS, on.now),
    "calls.callbacks.number_of": lambda on: callbacks.number_of(on.tx, on.ground.sealer, on.call),
    "calls.callbacks.rung_back_as": lambda on: callbacks.rung_back_as(on.tx, on.call, on.now),
    "calls.callbacks.take_rung": lambda on: callbacks.take_rung(
        on.tx, on.ground.sealer, on.held, CALLBACK_TOKEN, on.now
    ),
    "calls.lobby.CallLobby.enter": wait_for_an_operator,
    "calls.lobby.CallLobby.left": wait_no_more,
    "calls.recordings.kept_too_long": lambda on: kept_too_long(on.tx, on.now + timedelta(days=365)),
    "calls.playbacks.settle": settle_playback,
    "calls.record.CallRecord.find": find_appointment,
    "calls.record.CallRecord.tell": tell_appointment,
    "calls.record.CallRecord.perform": confirm_by_telephone,
    "calls.verifier.CallVerifier.open_challenge": claim_by_telephone,
    "calls.appointment_texts.tell_by_text": tell_by_text_message,
    "calls.outreach.CallOutreach.send_reminder": lambda on: call_outreach(on).send_reminder(BORN, JEANNES_MOBILE),
    "calls.outreach.CallOutreach.return_call": lambda on: call_outreach(on).return_call(BORN, JEANNES_MOBILE),
    "calls.outreach.take_up": lambda on: take_up(on.tx, on.ground.sealer, WAITING, ReachKind.REMINDER),
    "calls.outreach.too_often": reached_too_often,
    "calls.returned.take_answered": answer_the_ring,
}

_OF_THE_CALL = "which practice it works in is what the call's own row says; no caller and no argument names one"
_OF_THE_HOUSE = "house scope: opaque identifiers only, and no practice's row is reached"
_OF_THE_TALK = "the practice is the talk's, and whose talk it is is asked each time: tests/attack/test_talks.py"
_OF_THE_OFFER = "which practice it works in is what the rows of the offer say; no operator and no argument names one"
_OF_ONE_PRACTICE = "opens its own transaction in the one practice that it is given"

#: Methods that no careless transaction can be handed to, each with the reason.
_LOGS = "house scope, by functions that tell identifiers and times alone: tests/integration/test_sealing_tables.py"

NOT_ATTACKED: Mapping[str, str] = {
    **SCRIPTS_NOT_ATTACKED,
    **EXTRACTS_NOT_ATTACKED,
    **dict.fromkeys(
        (f"audit.anchors.{name}" for name in ("latest_head", "last_held", "keep_anchor", "accept_cosignature")),
        "see test_p5_a_log_s_anchors_are_shown_and_written_in_it_alone",
    ),
    **dict.fromkeys(
        (f"audit.agreement.{name}" for name in ("anchors_on", "anchor_at", "compared")),
        "see test_p5_a_log_s_anchors_are_shown_and_written_in_it_alone",
    ),
    **dict.fromkeys(
        (f"audit.standing.{name}" for name in ("sealed_so_far", "held_where", "hours_of", "marks_of")),
        "see test_p5_what_is_sealed_of_a_log_is_shown_in_its_practice_alone",
    ),
    **dict.fromkeys(
        ("audit.erasing.due", "audit.erasing.erase_let_go", "audit.gaps.gone_of"),
        "of what is sealed: see test_p5_what_is_sealed_of_a_practice_is_read_in_another",
    ),
    "audit.erasing.overdue": _LOGS,
    "audit.erasing.unfinished": _LOGS,
    "audit.anchors.root_at": "see test_p5_what_is_sealed_of_a_log_is_shown_in_its_practice_alone",
    "audit.believed.is_believed": _LOGS,
    "audit.believed.time_of": _LOGS,
    "audit.refusals.refused_since": _LOGS,
    "audit.refusals.refused_and_gone": _LOGS,
    "audit.erasing.refused_about": "see test_p5_what_is_sealed_of_a_log_is_shown_in_its_practice_alone",
    "audit.refusals.refusals_of": "see test_p5_what_is_sealed_of_a_log_is_shown_in_its_practice_alone",
    "audit.anchors.unheld_since": _LOGS,
    "audit.export.begin": "see test_p5_what_is_sealed_of_a_log_is_shown_in_its_practice_alone",
    "audit.proving.is_written": "see test_p6_what_is_anothers_and_what_there_is_not_are_told_alike_…",
    "audit.key_changes.announced": "see test_p5_what_is_sealed_of_a_log_is_shown_in_its_practice_alone",
    **dict.fromkeys(
        (f"audit.key_changes.{name}" for name in ("vouched_since", "is_shown", "untold")),
        "see test_p5_what_is_sealed_of_a_log_is_shown_in_its_practice_alone",
    ),
    "audit.proving.prove": "see test_p5_what_is_sealed_of_a_log_is_shown_in_its_practice_alone",
    "audit.proving.continuation": "see test_p5_what_is_sealed_of_a_log_is_shown_in_its_practice_alone",
    "audit.watching.Watch.look": _LOGS,
    "audit.watching.sealed_at": _LOGS,
    "audit.watching.waiting": _LOGS,
    "calls.delivery.deliver_spoken": "sends what it is handed and reaches no row",
    "practice.everywhere.all_practices": "house scope: their identifiers alone",
    "calls.releases.in_use": "goes through all practices, each in its own transaction",
    "practice.everywhere.in_each": "goes through all practices; what is done for each is attacked by itself",
    "practice.everywhere.in_each_as_set": "goes through all practices; what is done for each is attacked by itself",
    "notices.stopping.TextsReceived.keep": "goes through all practices, each in its own transaction",
    "notices.stopping.TextsReceived.settle": _OF_THE_HOUSE,
    "notices.stopping.TextsReceived.start": "see test_p5_the_number_of_a_stop_is_seen_only_by_whoever_names_its_row",
    "notices.stopping.TextsReceived.stop": "see test_p5_the_number_of_a_stop_is_seen_only_by_whoever_names_its_row",
    "notices.escalating.Escalations.acknowledge": _OF_ONE_PRACTICE,
    "notices.escalating.read_on_a_page": "house scope, by a message that its page holds: test_messages",
    "notices.escalating.Escalations.advance": "goes through what is due, each in its practice's own transaction",
    "notices.reminders.Reminders.find": "goes through all practices, each in its own transaction",
    "notices.reminders.pass_over": "goes through all practices, each in its own transaction",
    "notices.reminders.Reminders.send": _OF_ONE_PRACTICE,
    "notices.sending.NoticeSender.send": _OF_ONE_PRACTICE,
    "notices.telling.Teller.digests": "goes through all practices, each in its own transaction",
    "notices.telling.Teller.tell": _OF_ONE_PRACTICE,
    "notices.telling.Teller.tell_of_incident": _OF_ONE_PRACTICE,
    "notices.unfinished.Unfinished.settle": "goes through all practices, each in its own transaction",
    "notices.unfinished.forget_sent": "goes through all practices, each in its own transaction",
    "identity.references.ReferenceTries.count": _OF_ONE_PRACTICE,
    "practice.intake.lock_intake": "takes an advisory lock and reaches no row",
    "practice.importing.import_file": _OF_ONE_PRACTICE,
    "practice.demo.seed": "writes the demonstration, each practice in its own transaction",
    "practice.enrolling.enrol": _OF_ONE_PRACTICE,
    "practice.changing.SettingsDesk.put": _OF_ONE_PRACTICE,
    "practice.changing.SettingsDesk.roll_back": _OF_ONE_PRACTICE,
    "practice.changing.SettingsDesk.withdraw": _OF_ONE_PRACTICE,
    "practice.people.PeopleRecorder.practitioner_changed": "a port; staff.acts writes one record of the practice",
    "practice.changing.Recorder.settings_changed": "a port; staff.acts writes one record of the transaction's practice",
    "identity.challenges.Challenges.attempt": "see test_p5_a_code_is_tried_on_another_practices_challenge",
    "practice.key_fit.check_keys": "opens one row of each practice, each in its own transaction",
    "calls.audio.AudioShelf.audio": _OF_THE_CALL,
    "calls.audio.AudioShelf.complete": _OF_THE_CALL,
    "calls.audio.AudioShelf.give_back": _OF_THE_CALL,
    "calls.audio.Captions.audio": _OF_THE_CALL,
    "calls.audio.Captions.complete": _OF_THE_CALL,
    "calls.audio.Captions.give_back": _OF_THE_CALL,
    "calls.codes.CodeSender.send": _OF_ONE_PRACTICE,
    "calls.endings.Endings.status": _OF_THE_CALL,
    "calls.keypad.Keypad.look": "of the talk of whoever asks: test_typed_in_a_talk",
    "calls.keypad.Keypad.ask": "of the talk of whoever asks: test_typed_in_a_talk",
    "calls.keypad.Keypad.proved": "of the talk of whoever asks: test_typed_in_a_talk",
    "calls.keypad.Keypad.sweep": "the practice is the talk's own; nobody asks for it: test_typed_in_a_talk",
    "calls.leading.led_or_given_back": _OF_THE_OFFER,
    "calls.lost_callers.LostCallers.sweep": "of calls that the carrier says are over: test_two_people_talk",
    "calls.operators.Operators.left": _OF_THE_OFFER,
    "calls.operators.Operators.offer": _OF_THE_OFFER,
    "calls.operators.Operators.offered": _OF_THE_OFFER,
    "calls.operators.Operators.over": _OF_THE_OFFER,
    "calls.ringing_back.RingingBack.begin": _OF_THE_OFFER,
    "calls.ringing_back.RingingBack.over": _OF_THE_OFFER,
    "calls.ringing_back.RingingBack.rests": _OF_THE_OFFER,
    "calls.ringing_back.RingingBack.ring": _OF_THE_OFFER,
    "calls.unreached.Unreached.note": _OF_ONE_PRACTICE,
    "calls.operators.Operators.take": _OF_THE_OFFER,
    "calls.own_legs.OwnLegs.ended": _OF_THE_OFFER,
    "calls.own_legs.OwnLegs.sweep": "goes through all talks, each in its own transaction",
    "calls.own_legs.OwnLegs.joins": "by the rows of the offer alone; the operator's own: test_own_legs of the attacks",
    "calls.coming_in.come_in": _OF_THE_TALK,
    "calls.line_sending.LineSending.send": _OF_THE_TALK,
    "calls.talks.Talks.hold": _OF_THE_TALK,
    "calls.talks.Talks.hang_up": _OF_THE_TALK,
    "calls.talks.Talks.consult": _OF_THE_TALK,
    "calls.talks.Talks.end_consultation": _OF_THE_TALK,
    "calls.talks.Talks.bring_together": _OF_THE_TALK,
    "calls.talks.Talks.hand_over": _OF_THE_TALK,
    "calls.talks.Talks.send": _OF_THE_TALK,
    "calls.rooms.hold_caller": _OF_THE_TALK,
    "calls.lines.practice_line": "the practice is the talk's; the directory is read, which is public",
    "calls.thirds.Thirds.decline": _OF_THE_TALK,
    "calls.thirds.Thirds.join": _OF_THE_TALK,
    "calls.talks.Talks.join": _OF_THE_TALK,
    "calls.talks.Talks.decline": _OF_THE_TALK,
    "calls.thirds.Thirds.offer": _OF_THE_TALK,
    "calls.thirds.Thirds.take": _OF_THE_TALK,
    "calls.thirds.Thirds.left": _OF_THE_TALK,
    "calls.thirds.Thirds.sweep": "goes through all talks, each in its own transaction",
    "calls.shown.shown_for": "enters the practice that its caller names, which is that of the call's own entry",
    "calls.evidence_ends.forget_what_was_proved": "runs in the practice that the lock of the call has entered",
    "calls.first_steps.FirstSteps.enter": _OF_THE_CALL,
    "calls.first_steps.FirstSteps.reached": _OF_THE_CALL,
    "calls.steps.Steps.step": _OF_THE_CALL,
    "calls.steps.Steps.recording": _OF_THE_CALL,
    "calls.recordings.Recordings.fetch": _OF_ONE_PRACTICE,
    "calls.recordings.Recordings.delete": _OF_ONE_PRACTICE,
    "calls.strays.StrayRecordings.take_up": "goes through all practices, each in its own transaction",
    "calls.recordings.Recordings.sweep": "goes through all practices, each in its own transaction",
    "practice.inbox.erase_handled": "a function of the schema for the transaction's practice: test_voice_messages",
    "calls.old_messages.OldMessages.erase": "goes through all practices, each in its own transaction",
    "calls.recordings.Recordings.erase": "goes through all practices, each in its own transaction",
    "calls.recordings.erase_sounds": "goes through all practices, each in its own transaction",
    "calls.waiting_room.WaitingRoom.heard": _OF_THE_CALL,
    "calls.waiting_room.WaitingRoom.keyed": _OF_THE_CALL,
    "calls.waiting_room.WaitingRoom.let_out": _OF_THE_CALL,
    "calls.waiting_room.WaitingRoom.meeting": _OF_THE_CALL,
    "calls.waiting_room.WaitingRoom.at_line": _OF_THE_CALL,
    "calls.waiting_room.WaitingRoom.line_over": _OF_THE_CALL,
    "calls.text_messages.TextMessages.sent": _OF_THE_HOUSE,
    "calls.text_messages.TextMessages.moved": _OF_THE_HOUSE,
    "practice.sharing.SharedTelephones.refresh": "goes through all practices, each in its own transaction",
    "calls.upkeep.Upkeep.forget": "goes through all practices, each in its own transaction",
    "reports.fhir_export.standing": _OF_ONE_PRACTICE,
    "calls.carrier_list.CarrierComparison.compare": "writes into the practice that a number or a call of ours is of",
    "calls.carrier_list.CarrierComparison.compare_due": "compares the days that have not been",
    "calls.upkeep.forget": "goes through all practices, each in its own transaction",
    "calls.upkeep.Upkeep.reconcile": "asks the carrier about calls, and ends them by their own rows",
    "calls.reminders_again.RemindersAgain.send": _OF_ONE_PRACTICE,
    "calls.ring_back.RingBack.ring": _OF_ONE_PRACTICE,
    "calls.verifier.CallVerifier.standing": "computes from the evidence that it holds and reaches no row",
    "calls.verifier.CallVerifier.check_code": "counts in a transaction of its own, in the practice of its call",
}
