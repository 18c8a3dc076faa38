"""A caller who waits for an operator: their place in the queue, how the wait ended, and what of it goes on record.

What was proved before stays with the caller for the first person who takes the call; it dies with that talk (P2).
"""

from __future__ import annotations

from datetime import timedelta

from callcenter.audit.ledger import Entry, EventKind, Value
from callcenter.calls.callbacks import rung_back_as
from callcenter.calls.desk import IVR_ACTOR, Desk
from callcenter.calls.session import Beginning
from callcenter.flow.ports import Admitted, NotAdmitted, Parted
from callcenter.practice.facts import Arrival
from callcenter.routing.callbacks import TakenOver, take_over
from callcenter.routing.held import lock_call
from callcenter.routing.keypads import back
from callcenter.routing.queue import Arrival as Arriving
from callcenter.routing.queue import Entered, Queue
from callcenter.routing.reservations import Reservations
from callcenter.routing.rooms import dissolve_later
from callcenter.routing.sent_lines import back as back_from_line
from callcenter.routing.stays import Stay, stay_of
from callcenter.routing.values import EntryKind, EntryState, LeftReason, Priority, ReservationState, Way
from callcenter.store.sealed import Sealer

#: Name of the carrier's queue: one for the whole house, since the order of those who wait is kept by us.
CARRIERS_QUEUE = "callcenter"

#: What a call has left the queue for, as far as it is not that nobody came.
_GONE: dict[LeftReason | None, Parted] = {
    LeftReason.ANSWERED: Parted.CONNECTED,
    LeftReason.MESSAGE: Parted.MESSAGE,
    LeftReason.CANCELLED: Parted.CALLBACK,  # a second one, or one too many: of which nothing is heard
}
_MET = frozenset({ReservationState.ACCEPTED, ReservationState.CONNECTED})
_FIRST = {Arrival.PROFESSIONALS: Priority.PROFESSIONAL, Arrival.OVERFLOW: Priority.OVERFLOW}


class CallLobby:
    """Where one call waits. Implements ``flow.ports.Lobby``."""

    def __init__(
        self, desk: Desk, beginning: Beginning, queue: Queue, reservations: Reservations, sealer: Sealer
    ) -> None:
        self._desk = desk
        self._beginning = beginning
        self._queue = queue
        self._reservations = reservations
        self._sealer = sealer

    async def enter(self, language: str, *, relayed: bool) -> Admitted | NotAdmitted:
        """Whoever is there already keeps the place. Nobody waits where nobody on duty could take the call, nor where
        as many wait as the practice allows."""
        desk, practice = self._desk, self._desk.tx.practice
        if await self._back_from_keypad():
            return Admitted(CARRIERS_QUEUE, expected=True)
        overflow_at = desk.now + timedelta(minutes=desk.facts.waiting.longest_minutes)
        rung = await rung_back_as(desk.tx, desk.call, overflow_at)
        if rung is not None:
            taken = await take_over(desk.tx.connection, desk.call, rung, desk.now)
            if taken is not TakenOver.GONE:
                await self._note(EventKind.CALL_WAITS, place="rung_back")
                return Admitted(CARRIERS_QUEUE, expected=taken is TakenOver.EXPECTED)
        if not await self._queue.staffed(desk.tx.connection, practice, language, desk.now):
            await self._queue.leave(desk.tx.connection, desk.call, LeftReason.NOBODY, desk.now)
            return NotAdmitted()
        priority = Priority.RELAY if relayed else Priority.ORDINARY
        arriving = Arriving(
            desk.call,
            practice,
            language,
            min(priority, _FIRST.get(self._beginning.arrival, priority)),
            None if desk.caller is None else self._sealer.blind_index(practice, "queue.caller", desk.caller).hex(),
            overflow_at,
        )
        entered = await self._queue.enter(desk.tx.connection, arriving, desk.now, most=desk.facts.waiting.most)
        if entered in (Entered.ENDED, Entered.FULL):
            return NotAdmitted()
        await self._note(EventKind.CALL_WAITS, place=entered.value)
        return Admitted(CARRIERS_QUEUE)

    async def left(self, *, met: bool) -> Parted:
        parted = await self._parted(met=met)
        if parted in (Parted.CONNECTED, Parted.CUT_OFF):
            self._desk.challenge = self._desk.evidence = self._desk.card = None
        await self._note(EventKind.CALL_WAITED, ended=parted.value)
        return parted

    async def _parted(self, *, met: bool) -> Parted:
        desk = self._desk
        stay = await stay_of(desk.tx.connection, desk.call)
        if stay is not None and stay.kind is EntryKind.CALLBACK and stay.state is not EntryState.LEFT:
            return Parted.CALLBACK
        if stay is None or not met:
            return await self._let_out(stay)
        if stay.reservation is None:
            if stay.state is EntryState.LEFT:
                return _GONE.get(stay.left, Parted.UNANSWERED)
            # Whoever talked with them has lost the line before, and has said so; or has sent them on to a line.
            await back_from_line(desk.tx.connection, desk.call, desk.now)
            return Parted.CUT_OFF
        reservation, staff = stay.reservation.id, stay.reservation.staff
        if stay.reservation.state in _MET and not stay.at_keypad and stay.room is not None:
            await dissolve_later(desk.tx.connection, desk.tx.practice, stay.room)  # whoever is there is alone
        if stay.reservation.state is ReservationState.CONNECTED:
            if stay.at_keypad:
                return Parted.KEYPAD
            if stay.way is Way.TELEPHONE:  # which has no other way to say that the talk is over than to hang up
                await self._reservations.over(desk.tx.connection, reservation, staff, desk.now)
                return Parted.CONNECTED
            # A page says first that the talk is over. It has said nothing, and the caller is still there.
            await self._reservations.dropped(desk.tx.connection, reservation, staff, desk.now)
            return Parted.CUT_OFF
        if stay.reservation.state is ReservationState.ACCEPTED:  # led to somebody who was not there
            await self._reservations.not_connected(desk.tx.connection, reservation, staff, desk.now)
        return Parted.CUT_OFF

    async def _back_from_keypad(self) -> bool:
        """Whether they have been sent out of a talk that goes on, and come back to it. Where the operator's line was
        lost meanwhile, they wait again, at the front: nobody is in the room. What was proved for an operator who is
        gone is proved for nobody else (P2)."""
        desk, connection = self._desk, self._desk.tx.connection
        await lock_call(connection, desk.call)
        came = await back(connection, desk.call)
        if came is None:
            return False
        if came.stands and not came.lost:
            return True
        if came.stands:
            await self._reservations.dropped(connection, came.reservation, came.staff, desk.now)
        desk.challenge = desk.evidence = desk.card = None
        return False

    async def _let_out(self, stay: Stay | None) -> Parted:
        """They have met nobody: they asked for something else, or the carrier does not let them wait any longer."""
        if stay is not None and stay.state is EntryState.LEFT:
            return _GONE.get(stay.left, Parted.UNANSWERED)
        await self._queue.leave(self._desk.tx.connection, self._desk.call, LeftReason.NOBODY, self._desk.now)
        return Parted.UNANSWERED

    async def _note(self, kind: EventKind, **content: Value) -> None:
        await self._desk.writing.add(Entry(kind, IVR_ACTOR, None, content))
