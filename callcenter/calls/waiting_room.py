"""What somebody hears who waits for an operator, and where they meet: public words, made anew each time (a view).

The truth about the wait, or nothing: the place in the queue, and a range only where enough waits of this hour are
known.
Whoever cannot be taken any more is let out: the practice closes, everybody has gone, or it has lasted too long.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls import rows
from callcenter.calls.callbacks import ask, may_ask
from callcenter.calls.evidence_ends import forget_what_was_proved, lock_the_call
from callcenter.calls.house import House
from callcenter.calls.session import Session, session_place
from callcenter.calls.steps import AnotherCallsStep, NoSuchCall
from callcenter.calls.values import AtAWait, CallStatus, Meeting, RingsLine, SayText, WaitOver, Waits
from callcenter.flow.prompts import PromptBook
from callcenter.flow.state import Phase
from callcenter.practice.facts import PracticeFacts
from callcenter.routing.sent_lines import ringing_for
from callcenter.routing.stays import Stay, stay_of
from callcenter.routing.values import EntryKind, EntryState, LeftReason, ReservationState
from callcenter.routing.waits import wait_range
from callcenter.speech.numerals import spoken_feminine
from callcenter.speech.waits import spoken_wait
from callcenter.store.database import Transaction

#: What asks to be rung back in the place that one has, and for a message instead.
CALLBACK_KEY, MESSAGE_KEY = "1", "2"
#: Whoever has just come hears other words than whoever is there still.
JUST_COME = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class _There:
    """A call that waits, as it stands, with the words of its flow."""

    connection: AsyncConnection
    session: Session
    book: PromptBook
    facts: PracticeFacts
    stay: Stay
    now: datetime


class WaitingRoom:
    """Answers the webhooks of waits. Implements ``telephony.ports.Lobby``."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def heard(self, at: AtAWait) -> Waits | WaitOver:
        async with self._house.database.house() as connection:
            there = await self._look(connection, at)
            return WaitOver() if there is None else await self._heard(there, at)

    async def keyed(self, at: AtAWait, keys: str) -> Waits | WaitOver:
        async with self._house.database.house() as connection:
            there = await self._look(connection, at)
            if there is None:
                return WaitOver()
            if keys == MESSAGE_KEY:
                await self._house.queue.leave(connection, at.call, LeftReason.MESSAGE, there.now)
                return WaitOver()
            if keys == CALLBACK_KEY and await self._rung_back(there, at):
                return WaitOver()
            return await self._heard(there, at)

    async def let_out(self, at: AtAWait) -> Waits | WaitOver:
        async with self._house.database.house() as connection:
            there = await self._look(connection, at)
            if there is None:
                return WaitOver()
            if there.stay.reservation is not None and there.stay.reservation.state in _TAKEN:
                return await self._heard(there, at)
            await self._house.queue.leave(connection, at.call, LeftReason.REDIRECTED, there.now)
            return WaitOver()

    async def _rung_back(self, there: _There, at: AtAWait) -> bool:
        """They are to be rung back, if that may be; not while somebody is about to take the call."""
        caller = there.session.caller
        if caller is None or not self._may_ask(there):
            return False
        tx = Transaction(there.connection, there.stay.practice)
        return await ask(tx, self._house.sealer, self._house.queue, at.call, caller, there.now)

    @staticmethod
    def _may_ask(there: _There) -> bool:
        session = there.session
        return may_ask(there.facts, session.caller, relayed=session.state.manner.relay, now=there.now)

    async def meeting(self, at: AtAWait) -> Meeting | WaitOver:
        async with self._house.database.house() as connection:
            there = await self._look(connection, at)
            taken = None if there is None else there.stay.reservation
            room = None if there is None else there.stay.room
            if there is None or taken is None or room is None or taken.state not in _TAKEN:
                return WaitOver()
            if taken.state is ReservationState.ACCEPTED and there.stay.answered:
                # Somebody else has talked with them before, and no step has said so since (P2).
                await lock_the_call(connection, at.call)
                await forget_what_was_proved(self._house, connection, there.stay.practice, at.call)
            await self._house.reservations.connected(connection, taken.id, taken.staff, there.now)
            return Meeting(room.hex, (self._line(there, "queue.taken"),))

    async def at_line(self, at: AtAWait) -> RingsLine | WaitOver:
        async with self._house.database.house() as connection:
            there = await self._look(connection, at)
            party = None if there is None else await ringing_for(connection, at.call, there.now)
            if there is None or party is None or there.session.beginning.way is None:
                return WaitOver()
            # That it may be rung for this call was asked when they were sent to it.
            line, shown = there.facts.rescue_number, there.session.beginning.way.called
            return RingsLine(line, shown, party, (self._line(there, "queue.line"),))

    async def line_over(self, at: AtAWait) -> WaitOver:
        async with self._house.database.house() as connection:
            there = await self._look(connection, at)  # nobody who has left: the line has taken the call
            return WaitOver() if there is None else WaitOver((self._line(there, "queue.line_silent"),))

    async def _look(self, connection: AsyncConnection, at: AtAWait) -> _There | None:
        """The call as it stands; ``None`` if it does not wait at that document any more."""
        house, now = self._house, self._house.clock.now()
        row = (await connection.execute(rows.LOOK, {"id": at.call})).one_or_none()
        if row is None:
            raise NoSuchCall
        if not hmac.compare_digest(row.carrier_sid, at.carrier_sid):
            raise AnotherCallsStep
        kept = (await connection.execute(rows.STANDS, {"call": at.call})).one_or_none()
        stay = await stay_of(connection, at.call)
        if kept is None or kept.document != at.document or stay is None or CallStatus(row.status).terminal:
            return None
        session = Session.from_json(house.sealer.open(kept.state, session_place(row.practice_id, at.call)))
        if session.state.phase is not Phase.QUEUED or stay.state is EntryState.LEFT:
            return None
        if stay.kind is EntryKind.CALLBACK:  # they have asked for it, and are still there
            return None
        began = session.beginning
        facts = await house.places.facts(connection, row.practice_id, began.revision, began.at)
        # Whoever waits goes on waiting, whatever became of the flow: an operator is worth more than the rescue line.
        book = await house.flows.book_of(connection, session.flow)
        return _There(connection, session, book, facts, stay, now)

    async def _heard(self, there: _There, at: AtAWait) -> Waits | WaitOver:
        reason = await self._why_out(there)
        if reason is not None:
            await self._house.queue.leave(there.connection, at.call, reason, there.now)
            return WaitOver((self._line(there, _SAID_OUT[reason]),))
        new = there.now - there.stay.entered_at < JUST_COME
        lines = [self._line(there, "queue.wait" if new else "queue.still")]
        position = await self._house.queue.position(there.connection, at.call, there.now)
        if position is not None:
            lines.append(self._place(there, position))
        expected = await wait_range(there.connection, at.call, there.now)
        if expected is not None:
            said = spoken_wait(expected.half, expected.most, there.session.state.manner.language)
            lines.append(self._line(there, "queue.range", {"queue.range": said}))
        keys = ("queue.callback_key", "queue.keys") if self._may_ask(there) else ("queue.keys",)
        return Waits(tuple(lines), tuple(self._line(there, key) for key in keys))

    async def _why_out(self, there: _There) -> LeftReason | None:
        """Why the caller need not wait any longer; never while somebody is about to take the call."""
        if there.stay.state is not EntryState.WAITING:
            return None
        if not there.facts.is_open(there.now):
            return LeftReason.CLOSED
        if there.stay.overdue(there.now):
            return LeftReason.OVERFLOW
        stay = there.stay
        if not await self._house.queue.staffed(there.connection, stay.practice, stay.language, there.now):
            return LeftReason.NOBODY
        return None

    def _place(self, there: _There, position: int) -> SayText:
        if position == 1:
            return self._line(there, "queue.next")
        others = str(position - 1) if there.session.state.manner.language == "en" else spoken_feminine(position - 1)
        return self._line(there, "queue.before", {"queue.others": others})

    def _line(self, there: _There, prompt: str, given: dict[str, str] | None = None) -> SayText:
        manner = there.session.state.manner
        words = there.book.said(prompt, manner.language)
        public = there.facts.public(there.now, words.language)
        return SayText(words.render({**public, **(given or {})}), words.language, manner.pace)


#: What whoever is let out hears first.
_SAID_OUT = {
    LeftReason.CLOSED: "queue.closed",
    LeftReason.OVERFLOW: "queue.too_long",
    LeftReason.NOBODY: "queue.nobody",
}
_TAKEN = frozenset({ReservationState.ACCEPTED, ReservationState.CONNECTED})
