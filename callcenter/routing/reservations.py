"""What becomes of an offer: accepted, refused, missed, connected, dropped, over.

Every act is one transaction that begins with the locks of ``routing.held``: done once, whoever clicks how often, and on
whichever worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.routing.events import note_call
from callcenter.routing.held import (
    RESERVATION,
    Held,
    end,
    free,
    leave,
    lock_reservation,
    reservation_of,
    to_front,
    wrap_up,
)
from callcenter.routing.values import (
    EntryKind,
    EventKind,
    LeftReason,
    Limits,
    NotPossible,
    PresenceState,
    Reservation,
    ReservationState,
)
from callcenter.routing.waking import About, Waking, wake
from callcenter.staff.values import day_of
from callcenter.store.jobs import defer

#: The job that tells the practice whom nobody has reached.
NOTE_UNREACHED = "note_unreached"

_OFFERED, _ACCEPTED, _CONNECTED = ReservationState.OFFERED, ReservationState.ACCEPTED, ReservationState.CONNECTED


@dataclass(frozen=True, slots=True)
class Accepted:
    """The call is the operator's.

    Arguments:
        attempt: for a callback, the how manieth time the caller is rung; 0 for a caller on the line.
        again: the click came a second time: whoever connects the two has been told already.
    """

    reservation: UUID
    call: UUID
    kind: EntryKind
    attempt: int
    again: bool


class Reservations:
    """Acts on reservations, in the transaction of a connection in house scope."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()

    async def of(self, connection: AsyncConnection, staff: UUID) -> Reservation | None:
        """The live reservation of an operator: what a page that is loaded again shows."""
        row = (await connection.execute(_OF, {"staff": staff})).one_or_none()
        return None if row is None else reservation_of(row)

    async def accept(
        self, connection: AsyncConnection, reservation: UUID, staff: UUID, now: datetime
    ) -> Accepted | NotPossible:
        """Take the call that is offered to ``staff``. A second click has the same answer, and no effect.

        A callback counts as rung from here on: if we fail afterwards, the caller is not rung twice for it.
        """
        held = await lock_reservation(connection, reservation, staff)
        match held:
            case Held(reservation=Reservation(state=ReservationState.ACCEPTED | ReservationState.CONNECTED)):
                return Accepted(reservation, held.call, held.kind, held.attempts, again=True)
            case Held(reservation=Reservation(state=ReservationState.OFFERED, ends_at=ends_at)) if now < ends_at:
                attempt = held.attempts + 1 if held.kind is EntryKind.CALLBACK else 0
                await connection.execute(_ACCEPT, {"id": reservation, "now": now})
                await connection.execute(_RING_BACK, {"call": held.call, "attempts": attempt})
                await connection.execute(_NOT_MISSED, {"staff": staff})
                await self._note(connection, EventKind.ACCEPTED, held, staff, now)
                await wake(connection, Waking(About.STAFF, staff), Waking(About.CALL, held.call))
                return Accepted(reservation, held.call, held.kind, attempt, again=False)
        return NotPossible()

    async def refuse(self, connection: AsyncConnection, reservation: UUID, staff: UUID, now: datetime) -> bool:
        """Give the call back unanswered; the operator stays available. False when it is offered to them no more."""
        held = await self._in_state(connection, reservation, staff, _OFFERED)
        if held is None:
            return False
        await end(connection, _live(held), ReservationState.REFUSED, now)
        await self._note(connection, EventKind.REFUSED, held, staff, now)
        await to_front(connection, held, now, passed_by=staff)
        await free(connection, held, staff, PresenceState.AVAILABLE, now)
        return True

    async def miss(
        self, connection: AsyncConnection, reservation: UUID, staff: UUID, now: datetime, *, gone: bool = False
    ) -> bool:
        """Give the call back that an operator has let ring. Whoever does so too often in a row is paused.

        Arguments:
            gone: their page is; they are offline at once, and the time of the offer does not matter.
        """
        held = await self._in_state(connection, reservation, staff, _OFFERED)
        if held is None or (now < _live(held).ends_at and not gone):
            return False
        await end(connection, _live(held), ReservationState.EXPIRED, now)
        await self._note(connection, EventKind.MISSED, held, staff, now)
        await to_front(connection, held, now, passed_by=staff)
        await free(connection, held, staff, await self._after_missing(connection, staff, gone), now)
        return True

    async def connected(self, connection: AsyncConnection, reservation: UUID, staff: UUID, now: datetime) -> bool:
        """The two speak with each other. The same word again has no effect; False when the call is not theirs."""
        held = await lock_reservation(connection, reservation, staff)
        if held is None or held.reservation is None or held.reservation.state not in (_ACCEPTED, _CONNECTED):
            return False
        if held.reservation.state is _ACCEPTED:
            await connection.execute(_CONNECT, {"id": reservation, "now": now})
            await connection.execute(_ANSWERED, {"call": held.call, "now": now})
            await connection.execute(_ON_CALL, {"staff": staff, "now": now, "today": day_of(now)})
            await note_call(
                connection,
                EventKind.CONNECTED,
                held.call,
                now,
                staff=staff,
                reservation=reservation,
                detail=held.kind.value,
                waited=held.waited(now),
            )
            await wake(connection, Waking(About.STAFF, staff), Waking(About.QUEUE, held.organisation))
        return True

    async def unreached(self, connection: AsyncConnection, reservation: UUID, staff: UUID, now: datetime) -> bool:
        """The caller who was to be rung back has not answered. Tried again later, in the same place, or given up."""
        held = await self._in_state(connection, reservation, staff, _ACCEPTED)
        if held is None or held.kind is not EntryKind.CALLBACK:
            return False
        await end(connection, _live(held), ReservationState.WITHDRAWN, now)
        await self._note(connection, EventKind.UNREACHED, held, staff, now)
        await self._back_or_given_up(connection, held, now, now + self._limits.callback_again)
        await free(connection, held, staff, PresenceState.AVAILABLE, now)
        return True

    async def dropped(self, connection: AsyncConnection, reservation: UUID, staff: UUID, now: datetime) -> bool:
        """The operator's own line has failed. The caller, who is still there, goes to the front of the queue.

        Before they spoke it counts as missed, so that a telephone that never works is soon offered no more; afterwards
        the operator wraps up. A caller whom we have rung is rung again, if that may be.
        """
        held = await self._in_state(connection, reservation, staff, _ACCEPTED, _CONNECTED)
        if held is None:
            return False
        spoke = _live(held).state is _CONNECTED
        await end(connection, _live(held), ReservationState.OVER if spoke else ReservationState.WITHDRAWN, now)
        await self._note(connection, EventKind.RETURNED, held, staff, now)
        if held.kind is EntryKind.CALLBACK:
            # Their telephone may be ringing still: nobody else rings it meanwhile.
            await self._back_or_given_up(connection, held, now, now + self._limits.ring_back)
        else:
            await to_front(connection, held, now, passed_by=staff)
        if spoke:
            await wrap_up(connection, held, staff, now)
        else:
            await free(connection, held, staff, await self._after_missing(connection, staff, gone=False), now)
        return True

    async def not_connected(self, connection: AsyncConnection, reservation: UUID, staff: UUID, now: datetime) -> bool:
        """Whoever was to connect a caller with the operator who took the call has failed: both wait again, as long
        as they have. A callback goes by :meth:`unreached`."""
        held = await self._in_state(connection, reservation, staff, _ACCEPTED)
        if held is None:
            return False
        await end(connection, _live(held), ReservationState.WITHDRAWN, now)
        await self._note(connection, EventKind.RETURNED, held, staff, now)
        await to_front(connection, held, now)
        await free(connection, held, staff, PresenceState.AVAILABLE, now, still_idle=True)
        return True

    async def over(self, connection: AsyncConnection, reservation: UUID, staff: UUID, now: datetime) -> bool:
        """The conversation has ended: the call leaves, the operator wraps up. False when it has already."""
        held = await self._in_state(connection, reservation, staff, _CONNECTED)
        if held is None:
            return False
        await conversation_over(connection, held, now)
        return True

    async def _back_or_given_up(
        self, connection: AsyncConnection, held: Held, now: datetime, not_before: datetime
    ) -> None:
        if held.attempts >= self._limits.callback_attempts:
            await leave(connection, held, LeftReason.UNREACHED, now)
            await defer(connection, NOTE_UNREACHED, practice=held.practice, call=held.call)
        else:
            await to_front(connection, held, now, not_before=not_before)

    async def _after_missing(self, connection: AsyncConnection, staff: UUID, gone: bool) -> PresenceState:
        missed = (await connection.execute(_MISSED, {"staff": staff})).scalar_one()
        if gone:
            return PresenceState.OFFLINE
        return PresenceState.BREAK if missed >= self._limits.missed_before_pause else PresenceState.AVAILABLE

    @staticmethod
    async def _in_state(
        connection: AsyncConnection, reservation: UUID, staff: UUID, *states: ReservationState
    ) -> Held | None:
        held = await lock_reservation(connection, reservation, staff)
        return held if held and held.reservation and held.reservation.state in states else None

    @staticmethod
    async def _note(connection: AsyncConnection, kind: EventKind, held: Held, staff: UUID, now: datetime) -> None:
        await note_call(connection, kind, held.call, now, staff=staff, reservation=_live(held).id)


async def conversation_over(connection: AsyncConnection, held: Held, now: datetime) -> None:
    """End what was connected: reservation, entry, and the operator's part."""
    reservation = _live(held)
    await end(connection, reservation, ReservationState.OVER, now)
    await note_call(connection, EventKind.OVER, held.call, now, staff=reservation.staff, reservation=reservation.id)
    await leave(connection, held, LeftReason.ANSWERED, now)
    await wrap_up(connection, held, reservation.staff, now)


def _live(held: Held) -> Reservation:
    assert held.reservation is not None, "only what has a reservation comes here"  # noqa: S101 - for the types
    return held.reservation


_OF = text(
    f"""
    SELECT {RESERVATION} FROM reservation r JOIN queue_entry e ON e.call_id = r.call_id
    WHERE r.staff_id = :staff AND r.state IN ('offered', 'accepted', 'connected')
    """  # noqa: S608 - our own words alone
)
_ACCEPT = text("UPDATE reservation SET state = 'accepted', accepted_at = :now WHERE id = :id")
_RING_BACK = text("UPDATE queue_entry SET attempts = greatest(attempts, :attempts) WHERE call_id = :call")
_NOT_MISSED = text("UPDATE presence SET missed_in_a_row = 0 WHERE staff_id = :staff")
_MISSED = text(
    "UPDATE presence SET missed_in_a_row = missed_in_a_row + 1 WHERE staff_id = :staff RETURNING missed_in_a_row"
)
_CONNECT = text("UPDATE reservation SET state = 'connected', connected_at = :now WHERE id = :id")
_ANSWERED = text(
    "UPDATE queue_entry SET state = 'connected', answered_at = coalesce(answered_at, :now) WHERE call_id = :call"
)
_ON_CALL = text(
    """
    UPDATE presence SET state = 'on_call', since = :now, calls_on = :today,
        calls = CASE WHEN calls_on = :today THEN calls + 1 ELSE 1 END
    WHERE staff_id = :staff
    """
)
