"""One step of one call: one transaction, from the webhook to the bytes of its answer.

Lock the call · answered before? replay · advance the flow · records, jobs, state · render · seal and store · commit.
Only then is there an :class:`~callcenter.calls.values.Answer`. Two workers may serve one call in turn: all that a step
needs is in its rows.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.ledger import Entry, EventKind, Segment, Value, writing
from callcenter.calls import rows
from callcenter.calls.answers import KeptAnswer
from callcenter.calls.desk import IVR_ACTOR, Desk
from callcenter.calls.documents import DocumentWriter, follow
from callcenter.calls.first_steps import Begun, Entered, FirstSteps
from callcenter.calls.house import House
from callcenter.calls.playbacks import settle
from callcenter.calls.recordings import FETCH_RECORDING, RECORDINGS
from callcenter.calls.session import Session, session_place
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
from callcenter.calls.worlds import Worlds
from callcenter.disclosure.gate import Gate
from callcenter.flow.conversation import Dequeued, Dialled, Event, Keyed, Recorded, Started, Then
from callcenter.flow.engine import Turn, advance
from callcenter.flow.state import Phase
from callcenter.kernel.errors import Forbidden, NotFound
from callcenter.kernel.levels import Channel
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.values import VoiceMode
from callcenter.store.database import Transaction
from callcenter.store.jobs import defer
from callcenter.store.sealed import Place


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


class Steps:
    """Answers the webhooks of calls."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._worlds = Worlds.on(house)
        self._beginnings = FirstSteps(house, self._worlds.challenges, self._worlds.patients)

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
                    tx, entered = await self._beginnings.enter(connection, event.called, event.carrier_sid)
                    key = self._key(tx.practice, entered.call, 0, Slot.NEXT, event.fingerprint)
                    body, replayed = await self._first(tx, entered, key, event, render)
                case Reached():
                    tx, entered = await self._beginnings.enter(connection, event.shown, event.carrier_sid)
                    key = self._key(tx.practice, entered.call, 0, Slot.NEXT, event.fingerprint)
                    body, replayed = await self._first(tx, entered, key, event, render)
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
            voice = await self._worlds.voices.of_recording(tx, recorded.reference)
            if voice is not None:
                await defer(connection, FETCH_RECORDING, queue=RECORDINGS, practice=tx.practice, voice=voice)
            return voice is not None

    def _key(self, practice: UUID, call: UUID, document: int, slot: Slot, fingerprint: bytes) -> StepKey:
        keyed = self._house.sealer.blind_index(practice, "step_answer.fingerprint", f"{call}|{fingerprint.hex()}")
        return StepKey(document, slot, keyed)

    async def _enter(self, connection: AsyncConnection, event: StepAnswered) -> tuple[Transaction, bool]:
        row = (await connection.execute(rows.ENTER_BY_ID, {"id": event.call})).one_or_none()
        if row is None:
            raise NoSuchCall
        if not hmac.compare_digest(row.carrier_sid, event.carrier_sid):
            raise AnotherCallsStep
        return Transaction(connection, row.practice_id), CallStatus(row.status).terminal

    async def _first(
        self, tx: Transaction, entered: Entered, key: StepKey, event: Incoming | Reached, render: Render
    ) -> tuple[bytes, bool]:
        call = entered.call
        kept = await self._load(tx, call, key)
        if kept is not None:
            return await self._answered_before(tx, call, key, kept)
        if entered.ended:  # a signature has no date: this one was recorded, and its answer is forgotten by now
            raise NoSuchCall
        facts = await self._house.places.facts(tx.connection, tx.practice, entered.revision, entered.at)
        if isinstance(event, Incoming):
            begun: Begun | None = self._beginnings.incoming(tx, entered, facts, event)
        else:
            begun = await self._beginnings.reached(tx, entered, event)
        if begun is None:
            raise NoSuchCall
        entries = (begun.opening,)
        body = await self._work(tx, call, key, begun.session, facts, Started(), render, number=1, entries=entries)
        return body, False

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
            turn = await advance(flow, book, session.state, event, self._worlds.of_step(desk, session, book))
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
