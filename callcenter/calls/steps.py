"""One step of one call: one transaction, from the webhook to the bytes of its answer.

Lock the call · answered before? replay · advance the flow · records, jobs, state · render · seal and store · commit.
Only then is there an :class:`~callcenter.calls.values.Answer`. Two workers may serve one call in turn: all that a step
needs is in its rows.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.ledger import Entry, EventKind, Segment, Value, writing
from callcenter.audit.watching import LedgerWatch
from callcenter.calls import rows
from callcenter.calls.answers import KeptAnswer
from callcenter.calls.booking import CallBooking
from callcenter.calls.callbacks import take_rung
from callcenter.calls.desk import IVR_ACTOR, Desk
from callcenter.calls.documents import DocumentWriter, follow
from callcenter.calls.lobby import CallLobby
from callcenter.calls.messages import CallMessages
from callcenter.calls.outreach import CallOutreach
from callcenter.calls.places import NotOurNumber, Places
from callcenter.calls.playbacks import settle
from callcenter.calls.record import CallRecord
from callcenter.calls.recordings import FETCH_RECORDING, RECORDINGS
from callcenter.calls.references import CallReferences
from callcenter.calls.returned import take_answered
from callcenter.calls.session import Beginning, Session, Way
from callcenter.calls.shelf import Shelf
from callcenter.calls.switchboard import CallSwitchboard, OpenLines
from callcenter.calls.trace import Trace, heard_in, typed_in
from callcenter.calls.values import (
    Answer,
    CallStatus,
    Document,
    Incoming,
    Reached,
    RecordingReady,
    Render,
    Slot,
    StepAnswered,
    committed,
)
from callcenter.calls.verifier import CallVerifier
from callcenter.disclosure.gate import Gate
from callcenter.flow.conversation import Dequeued, Dialled, Event, Keyed, Recorded, Started, Then
from callcenter.flow.engine import Turn, advance
from callcenter.flow.ports import Caller, World
from callcenter.flow.prompts import PromptBook
from callcenter.flow.state import Phase, initial
from callcenter.identity.challenges import Challenges, Limits
from callcenter.identity.references import ReferenceLimits, ReferenceTries
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Forbidden, NotFound
from callcenter.kernel.levels import Channel
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.bookings import Bookings
from callcenter.practice.facts import Arrival, PracticeFacts
from callcenter.practice.inbox import Inbox
from callcenter.practice.patients import Patients
from callcenter.practice.values import VoiceMode
from callcenter.practice.voice_messages import VoiceMessages
from callcenter.routing.queue import Queue
from callcenter.routing.reservations import Reservations
from callcenter.store.database import Database, Transaction
from callcenter.store.jobs import defer
from callcenter.store.sealed import Place, Sealer


class AnotherCallsStep(Forbidden):
    """A webhook of one call came to the step URL of another."""


class NoSuchCall(NotFound):
    """There is no such call, or it has not begun."""


@dataclass(frozen=True, slots=True)
class StepKey:
    """Which question is answered.

    Arguments:
        document: number of the document that asked; 0 for the call itself.
        slot: which of its continuations.
        fingerprint: keyed hash of the webhook's meaningful fields: a plain hash of a birth date is a birth date.
    """

    document: int
    slot: Slot
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class House:
    """What every step is done with.

    Arguments:
        database: for the step's transaction.
        attempts: connections of their own, for counting codes.
        flows: that calls begin in, and those that they are in.
        lines: knows which calls were sent to other lines.
        ledger: knows whether what is told is sealed in time.
        queue, reservations: where callers wait for operators.
    """

    database: Database
    attempts: Database
    sealer: Sealer
    clock: Clock
    random: Random
    flows: Shelf
    limits: Limits
    places: Places
    lines: OpenLines
    ledger: LedgerWatch
    reference_limits: ReferenceLimits = field(default_factory=ReferenceLimits)
    queue: Queue = field(default_factory=Queue)
    reservations: Reservations = field(default_factory=Reservations)


@dataclass(frozen=True, slots=True)
class _Entered:
    """A call whose first webhook has come, for the first time or again.

    Arguments:
        revision: of the practice's settings, as it stands now.
        at: now.
        ended: the call is over.
    """

    call: UUID
    revision: int
    at: datetime
    ended: bool


class Steps:
    """Answers the webhooks of calls."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._patients = Patients(house.sealer)
        self._inbox = Inbox(house.sealer)
        self._voices = VoiceMessages(house.sealer)
        self._challenges = Challenges(house.sealer, house.clock, house.random, house.limits, house.attempts)
        self._bookings = Bookings(house.sealer, house.random)
        self._tries = ReferenceTries(house.sealer, house.clock, house.reference_limits, house.attempts)

    async def step(self, event: Incoming | Reached | StepAnswered, render: Render) -> Answer:
        """Answer one webhook.

        Arguments:
            event: what the carrier asked.
            render: makes the carrier's bytes of a document; pure.

        Raises:
            NotFound: the number or the call is not ours.
            AnotherCallsStep: the webhook's call is not the one its URL names.
            DatabaseDown: nothing was changed; the edge answers with its static document.
        """
        house = self._house
        async with house.database.house() as connection:
            match event:
                case Incoming():
                    tx, entered = await self._enter_first(connection, event.called, event.carrier_sid)
                    key = self._key(tx.practice, entered.call, 0, Slot.NEXT, event.fingerprint)
                    body, replayed = await self._first(tx, entered, key, event, render)
                case Reached():
                    tx, entered = await self._enter_first(connection, event.shown, event.carrier_sid)
                    key = self._key(tx.practice, entered.call, 0, Slot.NEXT, event.fingerprint)
                    body, replayed = await self._reached(tx, entered, key, event, render)
                case StepAnswered():
                    tx, ended = await self._enter(connection, event)
                    key = self._key(tx.practice, event.call, event.document, event.slot, event.fingerprint)
                    body, replayed = await self._next(tx, key, event, render, ended=ended)
        return committed(body, replayed=replayed)

    async def recording(self, event: RecordingReady, render: Render) -> None:
        """What a caller has spoken can be fetched: a job does. Should the step that tells of it be lost, it is taken.

        Raises:
            NotFound: the call is not ours.
            AnotherCallsStep: the webhook's call is not the one its URL names.
        """
        step = event.step
        if step.recorded is None or await self._fetch(step, step.recorded) or not event.heard:
            return
        await self.step(step, render)
        await self._fetch(step, step.recorded)

    async def _fetch(self, step: StepAnswered, recorded: Recorded) -> bool:
        """Defer the job that fetches a sound, if its message is known."""
        async with self._house.database.house() as connection:
            tx, _ = await self._enter(connection, step)
            voice = await self._voices.of_recording(tx, recorded.reference)
            if voice is not None:
                await defer(connection, FETCH_RECORDING, queue=RECORDINGS, practice=tx.practice, voice=voice)
            return voice is not None

    def _key(self, practice: UUID, call: UUID, document: int, slot: Slot, fingerprint: bytes) -> StepKey:
        keyed = self._house.sealer.blind_index(practice, "step_answer.fingerprint", f"{call}|{fingerprint.hex()}")
        return StepKey(document, slot, keyed)

    async def _enter_first(
        self, connection: AsyncConnection, number: str, carrier_sid: str
    ) -> tuple[Transaction, _Entered]:
        house, now = self._house, self._house.clock.now()
        values = {
            "id": new_id(house.random),
            "called": number,
            "sid": carrier_sid,
            "status": int(CallStatus.RINGING),
            "now": now,
        }
        row = (await connection.execute(rows.ENTER_BY_SID, values)).one_or_none()
        if row is None:
            raise NotOurNumber
        entered = _Entered(row.id, row.revision, now, CallStatus(row.status).terminal)
        return Transaction(connection, row.practice_id), entered

    async def _enter(self, connection: AsyncConnection, event: StepAnswered) -> tuple[Transaction, bool]:
        row = (await connection.execute(rows.ENTER_BY_ID, {"id": event.call})).one_or_none()
        if row is None:
            raise NoSuchCall
        if not hmac.compare_digest(row.carrier_sid, event.carrier_sid):
            raise AnotherCallsStep
        return Transaction(connection, row.practice_id), CallStatus(row.status).terminal

    async def _first(
        self, tx: Transaction, entered: _Entered, key: StepKey, event: Incoming, render: Render
    ) -> tuple[bytes, bool]:
        call = entered.call
        kept = await self._load(tx, call, key)
        if kept is not None:
            return await self._answered_before(tx, call, key, kept)
        if entered.ended:  # a signature has no date: this one was recorded, and its answer is forgotten by now
            raise NoSuchCall
        facts = await self._house.places.facts(tx.connection, tx.practice, entered.revision, entered.at)
        caller = None if event.caller is None or event.caller in facts.own_lines else event.caller
        door, arrival = facts.door(event.called), facts.arrival(event.called, entered.at)
        way = Way(event.called, event.origins, event.carrier_sid)
        beginning = Beginning(entered.at, entered.revision, arrival, door.practitioner, way)
        flow = self._house.flows.entry
        segment = Segment(new_id(self._house.random), call)
        session = Session(beginning, caller, flow.digest, initial(flow), segment)
        content: dict[str, Value] = {
            "direction": "inbound",
            "caller": self._caller_hash(tx.practice, event.caller),
            "caller_withheld": caller is None,
            "flow": {"name": flow.name, "sha256": flow.digest},
            "settings": entered.revision,
            "arrival": arrival.value,
        }
        opening = Entry(EventKind.CALL_STARTED, IVR_ACTOR, None, content)
        body = await self._work(tx, call, key, session, facts, Started(), render, number=1, entries=(opening,))
        return body, False

    async def _reached(
        self, tx: Transaction, entered: _Entered, key: StepKey, event: Reached, render: Render
    ) -> tuple[bytes, bool]:
        """A line that we ring has answered. The call is ours from here on as any other; nobody has said who they are,
        and its caller is unknown."""
        house, call = self._house, entered.call
        kept = await self._load(tx, call, key)
        if kept is not None:
            return await self._answered_before(tx, call, key, kept)
        if entered.ended:
            raise NoSuchCall
        facts = await house.places.facts(tx.connection, tx.practice, entered.revision, entered.at)
        begun = await self._back_with_code(tx, entered, event) or await self._rung_back(tx, entered, event)
        if begun is None:
            raise NoSuchCall
        session, asked = begun
        flow = (await house.flows.of(tx.connection, session.flow)).flow
        content: dict[str, Value] = {
            "direction": "outbound",
            "refs": [asked],
            "flow": {"name": flow.name, "sha256": flow.digest},
            "settings": entered.revision,
        }
        opening = Entry(EventKind.CALL_STARTED, IVR_ACTOR, None, content)
        body = await self._work(tx, call, key, session, facts, Started(), render, number=1, entries=(opening,))
        return body, False

    async def _back_with_code(self, tx: Transaction, entered: _Entered, event: Reached) -> tuple[Session, str] | None:
        """The line on file answers, for whoever was given a code; and what it was asked for in."""
        house, flow = self._house, self._house.flows.outgoing
        if flow is None:
            return None
        answered = await take_answered(
            tx, house.sealer, self._challenges, self._patients, entered.call, event.token, entered.at
        )
        if answered is None:
            return None
        request, opened = answered
        beginning = Beginning(entered.at, entered.revision, Arrival.DIRECT, None)
        used = house.limits.codes_per_call  # no other code is ever opened in this call
        segment = Segment(new_id(house.random), entered.call)
        session = Session(beginning, None, flow.digest, initial(flow), segment, opened, used)
        return session, f"outreach:{request}"

    async def _rung_back(self, tx: Transaction, entered: _Entered, event: Reached) -> tuple[Session, str] | None:
        """Whoever waited, and asked to be rung back, answers, or somebody else there. P2: nothing is proved."""
        house, flow = self._house, self._house.flows.callback
        if flow is None:
            return None
        answered = await take_rung(tx, house.sealer, entered.call, event.token, entered.at)
        if answered is None:
            return None
        origins = () if answered.number is None else (answered.number,)
        way = Way(event.shown, origins, event.carrier_sid)
        beginning = Beginning(entered.at, entered.revision, Arrival.DIRECT, None, way)
        state = initial(flow)
        spoken = replace(state, manner=replace(state.manner, language=answered.language))
        segment = Segment(new_id(house.random), entered.call)
        return Session(beginning, answered.number, flow.digest, spoken, segment), f"call:{answered.callback}"

    async def _next(
        self, tx: Transaction, key: StepKey, event: StepAnswered, render: Render, *, ended: bool
    ) -> tuple[bytes, bool]:
        call = event.call
        kept = await self._load(tx, call, key)
        if kept is None:
            raise NoSuchCall
        answered = kept.body is not None or key.document != kept.document
        # Whoever hangs up while speaking has left a message: the carrier may tell of the call's end before it.
        if answered or (ended and key.slot is not Slot.RECORDED):
            return await self._answered_before(tx, call, key, kept)
        session = self._open_session(tx.practice, call, kept.state)
        heard = _heard(event, session)
        if heard is None:
            return await self._answered_before(tx, call, key, kept)
        number = kept.document + 1
        if session.pending is not None:
            return await self._go_on(tx, call, key, session, session.pending, render, number), False
        began = session.beginning
        facts = await self._house.places.facts(tx.connection, tx.practice, began.revision, began.at)
        body = await self._work(tx, call, key, session, facts, heard, render, number=number, entries=())
        return body, False

    async def _go_on(
        self,
        tx: Transaction,
        call: UUID,
        key: StepKey,
        session: Session,
        then: Then,
        render: Render,
        number: int,
    ) -> bytes:
        """The words about a patient were heard to their end: record it, and ask what was to be asked behind them."""
        house = self._house
        async with writing(tx, session.segment, house.clock, house.random) as pen:
            await settle(tx, pen, session.playbacks, reached=True)
        turns = replace(session.state, turns=session.state.turns + 1)  # a webhook like any other: it is bounded (P7)
        after = replace(session, state=turns, segment=pen.segment, playbacks=(), pending=None)
        body = render(Document(call, number, (), follow(then, turns.manner.pace)))
        trace = Trace(session.flow, turns.manner.language, Phase.NONE, None, heard_in((), then))
        await self._save(tx, call, key, after, number, KeptAnswer(body), trace, house.clock.now())
        return body

    async def _load(self, tx: Transaction, call: UUID, key: StepKey) -> Row[Any] | None:
        values = {"call": call, "document": key.document, "slot": key.slot.value}
        return (await tx.connection.execute(rows.LOAD, values)).one_or_none()

    async def _answered_before(self, tx: Transaction, call: UUID, key: StepKey, kept: Row[Any]) -> tuple[bytes, bool]:
        """The same webhook again gets the same bytes (P3). Another one is late: no effect, recorded, led back."""
        if kept.body is not None and hmac.compare_digest(kept.fingerprint, key.fingerprint):
            place = answer_place(tx.practice, call, key.document, key.slot.value)
            answer, late = KeptAnswer.from_bytes(self._house.sealer.open(kept.body, place)), []
        else:
            answer = await self._current(tx, call)
            content: dict[str, Value] = {"document": key.document, "slot": key.slot.value}
            late = [Entry(EventKind.WEBHOOK_LATE, IVR_ACTOR, None, content)]
        again = [Entry(EventKind.REDELIVERED, IVR_ACTOR, None, {"of": str(record)}) for record in answer.told]
        await self._note(tx, call, kept.state, [*late, *again])
        return answer.body, True

    async def _current(self, tx: Transaction, call: UUID) -> KeptAnswer:
        """The answer that stands now."""
        row = (await tx.connection.execute(rows.CURRENT_ANSWER, {"call": call})).one_or_none()
        if row is None:
            raise NoSuchCall
        place = answer_place(tx.practice, call, row.document, row.slot)
        return KeptAnswer.from_bytes(self._house.sealer.open(row.body, place))

    async def _note(self, tx: Transaction, call: UUID, state: bytes, entries: Sequence[Entry]) -> None:
        """Add to the ledger, and change nothing else."""
        if not entries:
            return
        session = self._open_session(tx.practice, call, state)
        async with writing(tx, session.segment, self._house.clock, self._house.random) as pen:
            for entry in entries:
                await pen.add(entry)
        await self._save_state(tx, call, replace(session, segment=pen.segment))

    async def _work(
        self,
        tx: Transaction,
        call: UUID,
        key: StepKey,
        session: Session,
        facts: PracticeFacts,
        event: Event,
        render: Render,
        *,
        number: int,
        entries: Sequence[Entry],
    ) -> bytes:
        """Advance the flow by ``event`` and keep everything that follows from it; the body is stored, not yet sent."""
        house = self._house
        now = house.clock.now()
        playable = await house.flows.of(tx.connection, session.flow)
        flow, book = playable.flow, playable.book
        async with writing(tx, session.segment, house.clock, house.random) as pen:
            for entry in entries:
                await pen.add(entry)
            local_day, sealed = now.astimezone(facts.timezone).date(), not house.ledger.is_behind(tx.practice)
            described = {"name": flow.name, "sha256": flow.digest}
            gate = Gate(house.flows.policy, Channel.VOICE, pen, IVR_ACTOR, described, local_day, sealed=sealed)
            desk = Desk.of(tx, pen, gate, facts, session, call, key.document, now)
            turn = await advance(flow, book, session.state, event, self._world(desk, session, book))
            await pen.flush()  # an audio row refers to its record
            local, pace = facts.voice is VoiceMode.LOCAL, turn.state.manner.pace
            writer = DocumentWriter(tx, call, house.sealer, house.random, now, local_voice=local, pace=pace)
            document = await writer.write(turn.reply, number)
            body = render(document)
            after = _after(session, desk, turn, pen.segment, writer)
            told = tuple(playback.record for playback in writer.playbacks if playback.audio is None)
            heard = heard_in(turn.reply.before, None if writer.playbacks else turn.reply.then)
            language = turn.state.manner.language
            trace = Trace(session.flow, language, session.state.phase, typed_in(event), heard)
            await self._save(tx, call, key, after, number, KeptAnswer(body, told), trace, now)
        return body

    def _world(self, desk: Desk, session: Session, book: PromptBook) -> World:
        house = self._house
        of_the_call: dict[str, str | bool] = {
            "caller.number_withheld": session.caller is None,
            "call.arrival": session.beginning.arrival.value,
        }
        public = {**desk.facts.public(desk.now), **of_the_call}
        return World(
            now=desk.now.astimezone(desk.facts.timezone),
            caller=Caller(session.caller),
            public=public,
            verifier=CallVerifier(desk, self._patients, self._challenges, house.limits, house.random),
            record=CallRecord(desk, book, self._patients, house.limits),
            messages=CallMessages(desk, session.beginning, self._inbox, self._voices, house.random),
            outreach=CallOutreach(desk, house.sealer, house.random),
            translated={one: {**desk.facts.public(desk.now, one), **of_the_call} for one in book.translations},
            booking=CallBooking(desk, self._bookings, session.beginning.practitioner),
            references=CallReferences(desk, book, self._bookings, self._patients, self._tries, house.limits),
            switchboard=CallSwitchboard(desk, session.beginning, house.lines),
            lobby=CallLobby(desk, session.beginning, house.queue, house.reservations, house.sealer),
        )

    async def _save(
        self,
        tx: Transaction,
        call: UUID,
        key: StepKey,
        session: Session,
        number: int,
        answer: KeptAnswer,
        trace: Trace,
        now: datetime,
    ) -> None:
        sealer = self._house.sealer
        values = {
            "practice": tx.practice,
            "call": call,
            "number": number,
            "state": sealer.seal(session.to_json(), session_place(tx.practice, call)),
            "document": key.document,
            "slot": key.slot.value,
            "fingerprint": key.fingerprint,
            "body": sealer.seal(answer.to_bytes(), answer_place(tx.practice, call, key.document, key.slot.value)),
            "now": now,
            **trace.to_row(),
        }
        await tx.connection.execute(rows.SAVE_FIRST if key.document == 0 else rows.SAVE, values)

    async def _save_state(self, tx: Transaction, call: UUID, session: Session) -> None:
        state = self._house.sealer.seal(session.to_json(), session_place(tx.practice, call))
        await tx.connection.execute(rows.SAVE_STATE, {"call": call, "state": state})

    def _open_session(self, practice: UUID, call: UUID, state: bytes) -> Session:
        return Session.from_json(self._house.sealer.open(state, session_place(practice, call)))

    def _caller_hash(self, practice: UUID, caller: str | None) -> str | None:
        """Keyed by the month (UTC) of the call: the ledger is kept for years, and links no line's calls for longer."""
        key = f"audit.caller.{self._house.clock.now().astimezone(UTC):%Y-%m}"
        return None if caller is None else self._house.sealer.blind_index(practice, key, caller).hex()


def _heard(event: StepAnswered, session: Session) -> Keyed | Recorded | Dialled | Dequeued | None:
    """What a continuation tells the flow; ``None`` if the document that stands has no such continuation."""
    if session.state.phase is Phase.QUEUED and session.pending is None:
        return Dequeued(met=event.slot is not Slot.ENQUEUED) if event.slot in _ENDS_A_WAIT else None
    asked_to_speak = session.state.phase is Phase.RECORDING and session.pending is None
    rings = session.state.phase is Phase.RINGING and session.pending is None
    match event.slot:
        case Slot.DIALLED if rings:
            return event.dialled
        case Slot.NEXT if not rings:
            return Keyed("") if asked_to_speak else event.keyed
        case Slot.RECORDED if asked_to_speak:
            return event.recorded
        case _:
            return None


#: Of a document at which the caller waits: out of the queue, back from an operator, or led to one who is gone.
_ENDS_A_WAIT = frozenset({Slot.ENQUEUED, Slot.DIALLED, Slot.NEXT})


def session_place(practice: UUID, call: UUID) -> Place:
    """Where a session is sealed for."""
    return Place(practice, "call_session", "state", call)


def answer_place(practice: UUID, call: UUID, document: int, slot: str) -> Place:
    """Where an answer is sealed for."""
    return Place(practice, "step_answer", "body", f"{call}/{document}/{slot}")


def _after(session: Session, desk: Desk, turn: Turn, segment: Segment, writer: DocumentWriter) -> Session:
    return replace(
        session,
        state=turn.state,
        segment=segment,
        challenge=desk.challenge,
        challenges_used=desk.challenges_used,
        evidence=desk.evidence,
        card=desk.card,
        playbacks=tuple(writer.playbacks),
        pending=turn.reply.then if writer.playbacks else None,
    )
