"""A reservation and its call, locked: what every act on them begins with.

Locks are taken in one order everywhere: the call's entry, its reservation, the operator. So two acts on one call follow
one another, whichever worker they come to, and no two wait for each other. A step of a call holds the lock of the call
itself before it comes here; nothing here ever waits for that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.routing.events import note_call, note_presence
from callcenter.routing.rules import WRAP_UP_SECONDS
from callcenter.routing.values import (
    EntryKind,
    EntryState,
    EventKind,
    LeftReason,
    PresenceState,
    Priority,
    Reservation,
    ReservationState,
)
from callcenter.routing.waking import About, Waking, wake


@dataclass(frozen=True, slots=True)
class Held:
    """A call of the queue as it is while we hold its lock.

    Arguments:
        reservation: the live one, or the one that was asked for; ``None`` when nobody is offered the call.
        answered: whether the caller has spoken with somebody in this stay already.
    """

    call: UUID
    practice: UUID
    organisation: UUID
    state: EntryState
    kind: EntryKind
    entered_at: datetime
    answered: bool
    attempts: int
    reservation: Reservation | None

    def waited(self, now: datetime) -> timedelta | None:
        """How long the caller has been on the line; ``None`` for one who was answered, or who is to be rung back."""
        return None if self.answered or self.kind is EntryKind.CALLBACK else max(now - self.entered_at, timedelta())


async def lock_reservation(connection: AsyncConnection, reservation: UUID, staff: UUID) -> Held | None:
    """Lock a reservation of ``staff`` with its call; ``None`` when it is not theirs, or there is none."""
    row = (await connection.execute(_LOCK, {"id": reservation, "staff": staff})).one_or_none()
    return None if row is None else _held(row)


async def lock_call(connection: AsyncConnection, call: UUID) -> Held | None:
    """Lock a call of the queue with its live reservation, if it has one; ``None`` when it never entered."""
    if (await connection.execute(_LOCK_ENTRY, {"call": call})).one_or_none() is None:
        return None
    return _held((await connection.execute(_READ_CALL, {"call": call})).one())


def reservation_of(row: Row[Any]) -> Reservation:
    """What a row of :data:`RESERVATION` says."""
    return Reservation(
        row.id,
        row.call_id,
        row.practice_id,
        row.staff_id,
        ReservationState(row.reservation_state),
        EntryKind(row.kind),
        row.made_at,
        row.ends_at,
        row.offers,
        row.entered_at,
        row.language,
        Priority(row.priority),
    )


def _held(row: Row[Any]) -> Held:
    return Held(
        row.call_id,
        row.practice_id,
        row.organisation_id,
        EntryState(row.state),
        EntryKind(row.kind),
        row.entered_at,
        row.answered_at is not None,
        row.attempts,
        None if row.id is None else reservation_of(row),
    )


async def end(connection: AsyncConnection, reservation: Reservation, state: ReservationState, now: datetime) -> None:
    """End a live reservation."""
    values = {"id": reservation.id, "state": state.value, "now": now}
    await connection.execute(_END, values)


async def to_front(
    connection: AsyncConnection,
    held: Held,
    now: datetime,
    *,
    passed_by: UUID | None = None,
    not_before: datetime | None = None,
) -> None:
    """Let the call wait again. It never lost its place, so it stands before all who came later.

    Arguments:
        passed_by: who let it ring or refused it, and comes after others for a while.
        not_before: of a callback.
    """
    values = {"call": held.call, "passed_by": passed_by, "now": now, "not_before": not_before}
    await connection.execute(_TO_FRONT, values)
    await wake(connection, Waking(About.QUEUE, held.organisation))


async def leave(connection: AsyncConnection, held: Held, reason: LeftReason, now: datetime) -> None:
    """Take the call out of the queue, and write down why."""
    values = {"call": held.call, "reason": reason.value, "now": now, "hung_up": reason is LeftReason.HUNG_UP}
    await connection.execute(_LEAVE, values)
    waited = held.waited(now)
    await note_call(connection, EventKind.LEFT, held.call, now, detail=reason.value, waited=waited)
    await wake(connection, Waking(About.QUEUE, held.organisation), Waking(About.CALL, held.call))


async def free(
    connection: AsyncConnection,
    held: Held,
    staff: UUID,
    state: PresenceState,
    now: datetime,
    *,
    still_idle: bool = False,
) -> None:
    """Let an operator who was reserved or on a call be in ``state``.

    Arguments:
        still_idle: nothing was their doing; they are as long without a call as before.
    """
    values = {"staff": staff, "state": state.value, "now": now, "still_idle": still_idle}
    if (await connection.execute(_FREE, values)).one_or_none() is not None:
        await note_presence(connection, staff, state.value, now)
    await wake(connection, Waking(About.STAFF, staff), Waking(About.QUEUE, held.organisation))


async def withdraw(connection: AsyncConnection, held: Held, now: datetime) -> UUID | None:
    """Take back the offer, if there is one, and say whose it was; the operator has been idle all the while."""
    reservation = held.reservation
    if reservation is None:
        return None
    await end(connection, reservation, ReservationState.WITHDRAWN, now)
    await note_call(
        connection, EventKind.WITHDRAWN, held.call, now, staff=reservation.staff, reservation=reservation.id
    )
    await free(connection, held, reservation.staff, PresenceState.AVAILABLE, now, still_idle=True)
    return reservation.staff


async def wrap_up(connection: AsyncConnection, held: Held, staff: UUID, now: datetime) -> None:
    """Let an operator whose call is over note what it was about, as long as their organisation allows."""
    values = {"staff": staff, "organisation": held.organisation, "now": now, "otherwise": WRAP_UP_SECONDS}
    row = (await connection.execute(_WRAP_UP, values)).one_or_none()
    if row is not None:
        await note_presence(connection, staff, row.state, now)
    await wake(connection, Waking(About.STAFF, staff), Waking(About.QUEUE, held.organisation))


#: Columns of a reservation with its call, from ``reservation r`` and ``queue_entry e``.
RESERVATION = """
    r.id, r.staff_id, r.state AS reservation_state, r.made_at, r.ends_at,
    e.call_id, e.practice_id, e.kind, e.offers, e.entered_at, e.language, e.priority
"""
_ENTRY = "e.state, e.answered_at, e.attempts, c.organisation_id"

_LOCK = text(
    f"""
    SELECT {RESERVATION}, {_ENTRY}
    FROM queue_entry e JOIN reservation r ON r.call_id = e.call_id JOIN practice c ON c.id = e.practice_id
    WHERE r.id = :id AND r.staff_id = :staff FOR UPDATE OF e, r
    """  # noqa: S608 - our own words alone
)
_LOCK_ENTRY = text("SELECT call_id FROM queue_entry WHERE call_id = :call FOR UPDATE")
# After the lock, in a statement of its own: one that waited would show the reservation as it was before.
_READ_CALL = text(
    f"""
    SELECT {RESERVATION}, {_ENTRY}
    FROM queue_entry e JOIN practice c ON c.id = e.practice_id
    LEFT JOIN reservation r ON r.call_id = e.call_id AND r.state IN ('offered', 'accepted', 'connected')
    WHERE e.call_id = :call
    """  # noqa: S608 - our own words alone
)
_END = text("UPDATE reservation SET state = :state, ended_at = :now WHERE id = :id AND ended_at IS NULL")
_TO_FRONT = text(
    """
    UPDATE queue_entry SET state = 'waiting', passed_by = coalesce(:passed_by, passed_by),
        passed_at = CASE WHEN cast(:passed_by AS uuid) IS NULL THEN passed_at ELSE cast(:now AS timestamptz) END,
        not_before = coalesce(:not_before, not_before)
    WHERE call_id = :call
    """
)
_LEAVE = text(
    """
    UPDATE queue_entry SET state = 'left', left_at = :now, left_reason = :reason,
        caller_mark = CASE WHEN :hung_up THEN caller_mark END
    WHERE call_id = :call
    """
)
_FREE = text(
    """
    UPDATE presence SET state = cast(:state AS text), since = :now, wrap_up_until = NULL,
        idle_since = CASE WHEN :still_idle THEN idle_since ELSE cast(:now AS timestamptz) END
    WHERE staff_id = :staff AND state IN ('reserved', 'on_call') RETURNING staff_id
    """
)
_WRAP_UP = text(
    """
    WITH rule AS (
        SELECT coalesce((SELECT wrap_up_seconds FROM routing_rule WHERE organisation_id = :organisation),
                        cast(:otherwise AS smallint)) AS seconds
    )
    UPDATE presence SET state = CASE WHEN rule.seconds = 0 THEN 'available' ELSE 'wrap_up' END,
        since = :now, idle_since = :now,
        wrap_up_until = CASE WHEN rule.seconds > 0
                        THEN cast(:now AS timestamptz) + rule.seconds * interval '1 second' END
    FROM rule WHERE staff_id = :staff AND state IN ('reserved', 'on_call') RETURNING presence.state
    """
)
