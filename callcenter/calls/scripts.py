"""One answer of an operator to the script of their call: one transaction, from the form to the screen.

Lock the call and its reservation · is it theirs, does it live, may they · is it the screen that stands · advance the
script · records, rows, state · commit. Only then is there a :class:`~callcenter.calls.script_values.ScriptScreen`, and
only then is a caller led to their keys. An answer to another screen than the one that stands has no effect: it comes
from a page that was left open, a second window, or a second click.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from callcenter.audit.ledger import Entry, EventKind, Segment, Value, Writing, writing
from callcenter.calls import script_rows
from callcenter.calls.desk import Desk
from callcenter.calls.flows import FlowRefused, NoSuchFlow, Playable
from callcenter.calls.house import House
from callcenter.calls.keypad import Keypad, Out
from callcenter.calls.messages import CallMessages
from callcenter.calls.script_booking import OperatorsBooking
from callcenter.calls.script_door import At, entered
from callcenter.calls.script_hiding import hidden_early, seen_next
from callcenter.calls.script_notes import OperatorsNotes, instructions_changed
from callcenter.calls.script_record import OperatorsRecord
from callcenter.calls.script_screens import drafts_of, with_drafts
from callcenter.calls.script_session import ScriptSession, kept, sealed_shown, shown_place, state_place
from callcenter.calls.script_timeline import timeline, with_proof
from callcenter.calls.script_values import Emergency, Operator, ScriptScreen, Stands, committed_screen
from callcenter.calls.script_verifier import OperatorsVerifier
from callcenter.disclosure.gate import Gate
from callcenter.flow.conversation import Started
from callcenter.flow.language import Flow
from callcenter.flow.ports import Caller
from callcenter.flow.prompts import PromptBook
from callcenter.flow.screens import AtKeys, Filled, Finished, Returned, ScriptEvent
from callcenter.flow.script_alone import alone
from callcenter.flow.script_choosing import proving
from callcenter.flow.script_engine import NotOffered, advance_script, initial
from callcenter.flow.script_ports import ScriptWorld
from callcenter.identity.evidence import standing
from callcenter.kernel.errors import NotFound
from callcenter.kernel.levels import Channel
from callcenter.kernel.randomness import new_id
from callcenter.practice.bookings import Bookings
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.inbox import Inbox
from callcenter.practice.numbers import in_pairs
from callcenter.practice.patients import Patients
from callcenter.practice.practitioners import public_names
from callcenter.practice.values import Urgency
from callcenter.practice.voice_messages import VoiceMessages

_EMERGENCY_PROMPT = "script.emergency"
#: Of the message that the practice gets of it. The operator's own words, if they find the time, are another.
_EMERGENCY_TEXT = "Urgence vitale signalée pendant un appel : l’appelant a été invité à composer le 15."


class NoScript(NotFound):
    """The installation has no flow for operators."""


class Scripts:
    """The scripts of all operators.

    Arguments:
        house: what steps are done with.
        keypad: has callers type.
    """

    def __init__(self, house: House, keypad: Keypad) -> None:
        self._house = house
        self._keypad = keypad
        self._patients = Patients(house.sealer)
        self._inbox = Inbox(house.sealer)
        self._voices = VoiceMessages(house.sealer)
        self._bookings = Bookings(house.sealer, house.random)

    async def look(self, operator: Operator, reservation: UUID) -> ScriptScreen | None:
        """How the script stands; the first look begins it. ``None`` where ``operator`` has no such call.

        Raises:
            Forbidden: they are no operator of the practice any more.
        """
        async with entered(self._house, operator, reservation) as at:
            if at is None:
                return None
            if at.script is None:
                await self._begin(at)
            stands = await self._stands(at)
        return committed_screen(stands)

    async def answer(
        self, operator: Operator, reservation: UUID, document: int, event: Filled | Returned
    ) -> ScriptScreen | None:
        """Answer the screen ``document``; see :meth:`look`."""
        out: Out | None = None
        async with entered(self._house, operator, reservation) as at:
            if at is None:
                return None
            if at.script is None:
                await self._begin(at)
            elif at.stands_at(document) and not (isinstance(event, Returned) and at.typing):
                out = await self._advance(at, event)
            stands = await self._stands(at, typing=at.typing or out is not None)
        if out is not None:
            await self._keypad.lead(out)
        return committed_screen(stands)

    async def draft(self, operator: Operator, reservation: UUID, document: int, values: Mapping[str, str]) -> bool:
        """Keep what is typed into the screen ``document``, without answering it; false where another one stands."""
        async with entered(self._house, operator, reservation) as at:
            if at is None or at.script is None or not at.stands_at(document):
                return False
            drafts = {**at.script.drafts, **drafts_of(at.script.screen, values)}
            if drafts != at.script.drafts:
                at.script = replace(at.script, drafts=drafts)
                await self._save_state(at, at.script)
            return True

    async def emergency(self, operator: Operator, reservation: UUID) -> Emergency | None:
        """Note that a life is in danger, and tell the practice. A second time it is known already."""
        async with entered(self._house, operator, reservation) as at:
            if at is None:
                return None
            if at.script is None:
                await self._begin(at)
            assert at.script is not None, "it was begun"  # noqa: S101 - for the types
            connection, now = at.tx.connection, self._house.clock.now()
            noted = await connection.execute(script_rows.EMERGENCY, {"id": reservation, "now": now})
            if noted.one_or_none() is not None:
                message = new_id(self._house.random)
                async with writing(at.tx, at.script.segment, self._house.clock, self._house.random) as pen:
                    await self._tell_of_it(at, pen, message)
                at.script = replace(at.script, segment=pen.segment)
                await self._save_state(at, at.script)
            row = (await connection.execute(script_rows.LOAD, {"id": reservation})).one()
            return await self._emergency(at, row.emergency_at, self._house.flows.book)

    async def _emergency(self, at: At, noted: datetime, book: PromptBook) -> Emergency:
        """One that is on record since ``noted``."""
        facts = await self._house.places.latest(at.tx.connection, at.tx.practice, self._house.clock.now())
        line = in_pairs(facts.emergency_line) if facts.emergency_line else ""
        return Emergency(noted, (book.said(_EMERGENCY_PROMPT, "fr").render({}),), line)

    async def _tell_of_it(self, at: At, pen: Writing, message: UUID) -> None:
        await self._inbox.leave(
            at.tx,
            id=message,
            reason="emergency",
            number=at.session.caller,
            call_reference=at.call,
            now=self._house.clock.now(),
            practitioner=await self._called(at),
            urgency=Urgency.URGENT,
            language=at.session.state.manner.language,
            text=_EMERGENCY_TEXT,
            written_by=at.operator.staff,
        )
        content: dict[str, Value] = {"refs": [f"message:{message}"]}
        await pen.add(Entry(EventKind.CALL_EMERGENCY, at.operator.actor, None, content))

    # --- one answer

    @staticmethod
    async def _called(at: At) -> UUID | None:
        """The practitioner whose number was called; ``None`` for the practice's."""
        name = at.session.beginning.practitioner
        return next((one.id for one in await public_names(at.tx) if one.name == name), None)

    async def _begin(self, at: At) -> None:
        current = self._house.flows.current  # once: a release that is published meanwhile says other words
        flow = current.operator
        if flow is None:
            raise NoScript
        values = {
            "id": at.reservation,
            "practice": at.tx.practice,
            "call": at.call,
            "staff": at.operator.staff,
            "now": self._house.clock.now(),
        }
        await at.tx.connection.execute(script_rows.BEGIN, values)
        content: dict[str, Value] = {"flow": _described(flow), "refs": [f"reservation:{at.reservation}"]}
        begun = Entry(EventKind.SCRIPT_BEGUN, at.operator.actor, None, content)
        segment = Segment(new_id(self._house.random), at.call)
        at.script = ScriptSession(flow.digest, initial(flow), segment, Finished(()))
        await self._work(at, Playable(flow, current.book), at.script, Started(), begun)

    async def _advance(self, at: At, event: Filled | Returned) -> Out | None:
        assert at.script is not None, "it was begun"  # noqa: S101 - for the types
        if isinstance(at.script.screen, Finished) or (
            isinstance(event, Returned) and not isinstance(at.script.screen, AtKeys)
        ):
            return None
        playable = await self._house.flows.of(at.tx.connection, at.script.flow)
        return await self._work(at, playable, at.script, event)

    async def _work(
        self, at: At, playable: Playable, script: ScriptSession, event: ScriptEvent, *entries: Entry
    ) -> Out | None:
        """Advance the script by ``event``, and keep everything that follows from it."""
        house, now, flow, book = self._house, self._house.clock.now(), playable.flow, playable.book
        facts = await house.places.latest(at.tx.connection, at.tx.practice, now)
        try:
            async with writing(at.tx, script.segment, house.clock, house.random) as pen:
                for entry in entries:
                    await pen.add(entry)
                desk = self._desk(at, pen, facts, flow, now)
                verifier = self._verifier(at, desk)
                record = OperatorsRecord(desk, book, self._patients, house.limits, self._bookings)
                world = await self._world(at, desk, verifier, record, book)
                turn = await advance_script(flow, book, script.state, event, world)
                let_out = tuple(kept(one, now, house.limits.shown_life) for one in record.shown)
                stands = () if verifier.ended or record.changed else at.shown  # else it may be seen no more
                shown = () if isinstance(turn.screen, Finished) else seen_next(stands, let_out)
                for entry in hidden_early(at.operator, at.shown, shown, now, house.limits.shown_life):
                    await pen.add(entry)
                await pen.flush()
        except NotOffered:
            return None  # another screen's answer, or a forged one
        at.shown = shown
        at.session = replace(at.session, evidence=desk.evidence)
        at.script = ScriptSession(script.flow, turn.state, pen.segment, turn.screen)
        at.document += 1
        await self._save(at, at.script)
        return verifier.out

    def _desk(self, at: At, pen: Writing, facts: PracticeFacts, flow: Flow, now: datetime) -> Desk:
        actor, day = at.operator.actor, now.astimezone(facts.timezone).date()
        policy, trained = self._house.flows.policy, at.operator.trained
        sealed = not self._house.ledger.is_behind(at.tx.practice)
        gate = Gate(policy, Channel.CONSOLE, pen, actor, _described(flow), day, sealed=sealed, trained=trained)
        desk = Desk.of(at.tx, pen, gate, facts, at.session, at.call, at.document, now)
        desk.actor = actor
        return desk

    def _verifier(self, at: At, desk: Desk) -> OperatorsVerifier:
        house, whose = self._house, (at.operator.staff, at.reservation)
        return OperatorsVerifier(
            desk, at.session, self._keypad, house.sealer, house.limits, *whose, live=at.live, typing=at.typing
        )

    async def _world(
        self, at: At, desk: Desk, verifier: OperatorsVerifier, record: OperatorsRecord, book: PromptBook
    ) -> ScriptWorld:
        house, facts, beginning = self._house, desk.facts, at.session.beginning
        of_the_call: dict[str, str | bool] = {
            "caller.number_withheld": at.session.caller is None,
            "call.arrival": beginning.arrival.value,
            "script.instructions_changed": await instructions_changed(
                at.tx, at.operator.staff, facts.instructions_revision
            ),
        }
        return ScriptWorld(
            now=desk.now.astimezone(facts.timezone),
            caller=Caller(at.session.caller),
            public={**facts.public(desk.now), **of_the_call},
            verifier=verifier,
            record=record,
            messages=CallMessages(desk, beginning, self._inbox, self._voices, house.random),
            booking=OperatorsBooking(desk, self._bookings, beginning.practitioner, live=at.live),
            notes=OperatorsNotes(desk, house.sealer, at.operator.staff, at.reservation),
            translated={one: {**facts.public(desk.now, one), **of_the_call} for one in book.translations},
        )

    async def _playable(self, at: At, flow: str) -> Playable | None:
        """``None`` of a flow that this version does not run: the screen is shown as it stands, and not answered."""
        try:
            return await self._house.flows.of(at.tx.connection, flow)
        except (NoSuchFlow, FlowRefused):
            return None

    # --- what is kept

    async def _save(self, at: At, script: ScriptSession) -> None:
        sealer, practice = self._house.sealer, at.tx.practice
        ended = isinstance(script.screen, Finished)
        values = {
            "id": at.reservation,
            "document": at.document,
            "state": sealer.seal(script.to_json(), state_place(practice, at.reservation)),
            **sealed_shown(sealer, at.shown, shown_place(practice, at.reservation)),
            "ended": ended,
            "now": self._house.clock.now(),
        }
        await at.tx.connection.execute(script_rows.SAVE, values)

    async def _save_state(self, at: At, script: ScriptSession) -> None:
        state = self._house.sealer.seal(script.to_json(), state_place(at.tx.practice, at.reservation))
        await at.tx.connection.execute(script_rows.SAVE_STATE, {"id": at.reservation, "state": state})

    async def _stands(self, at: At, *, typing: bool | None = None) -> Stands:
        assert at.script is not None, "it was begun"  # noqa: S101 - for the types
        now, evidence = self._house.clock.now(), at.session.evidence
        life = self._house.limits.evidence_life
        proved = standing(evidence, call=at.call, practice=at.tx.practice, now=now, life=life)
        screen = with_drafts(at.script.screen, at.script.drafts)
        playable = await self._playable(at, at.script.flow)
        flow = None if playable is None else playable.flow
        if playable is not None and not at.live:
            screen = alone(playable.flow, at.script.state, screen, playable.book)
        told = with_proof(await timeline(at.tx, at.script.segment.stream), evidence if proved.patient else None)
        noted = next((one.at for one in told if one.kind == EventKind.CALL_EMERGENCY.value), None)
        words = self._house.flows.book if playable is None else playable.book
        return Stands(
            reservation=at.reservation,
            document=at.document,
            screen=screen,
            shown=at.shown,
            timeline=told,
            level=proved.level,
            patient=proved.patient is not None,
            live=at.live,
            typing=at.typing if typing is None else typing,
            now=now,
            book=None if playable is None else playable.book,
            proving=proving(flow, at.script.state) if flow is not None and at.live else "",
            emergency=None if noted is None else await self._emergency(at, noted, words),
        )


def _described(flow: Flow) -> dict[str, str]:
    return {"name": flow.name, "sha256": flow.digest}
