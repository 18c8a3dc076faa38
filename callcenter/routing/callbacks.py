"""A caller who is to be rung back, on the line again: their new call takes the place of the one that they hung up.

From there on it is a call like any other: whoever loses the operator waits on the line, and is not rung again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.routing.events import note_call
from callcenter.routing.held import leave, lock_call, to_front, withdraw
from callcenter.routing.values import EntryKind, EntryState, EventKind, LeftReason, ReservationState


class TakenOver(Enum):
    """What the new call has found."""

    #: The operator who had it rung is there still.
    EXPECTED = "expected"
    #: Nobody is: the caller waits, in the place that they had.
    WAITS = "waits"
    #: The place is gone, or somebody else has them rung: the caller comes as anybody does.
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class RungBack:
    """Somebody whom we rang is on the line.

    Arguments:
        callback: the call in which they asked to be rung.
        reservation: of the operator who had them rung.
        overflow_at: from when on to be led elsewhere, should they have to wait.
    """

    callback: UUID
    reservation: UUID
    overflow_at: datetime | None


async def take_over(connection: AsyncConnection, call: UUID, rung: RungBack, now: datetime) -> TakenOver:
    """Let ``call`` have the place of the callback, and its operator. Once: the callback is over with it."""
    held = await lock_call(connection, rung.callback)
    if held is None or held.kind is not EntryKind.CALLBACK or held.state is EntryState.LEFT:
        return TakenOver.GONE
    reservation = held.reservation
    expected = reservation is not None and reservation.id == rung.reservation
    if reservation is not None and not expected:
        if reservation.state is not ReservationState.OFFERED:
            return TakenOver.GONE
        await withdraw(connection, held, now)
    values = {
        "call": call,
        "callback": rung.callback,
        "state": EntryState.RESERVED if expected else EntryState.WAITING,
        "overflow": rung.overflow_at,
        "now": now,
    }
    if (await connection.execute(_ENTER_INSTEAD, values)).one_or_none() is None:
        return TakenOver.GONE
    await note_call(connection, EventKind.ENTERED, call, now, detail="rung_back")
    if expected:
        await connection.execute(_MOVE, {"id": rung.reservation, "call": call})
    await leave(connection, held, LeftReason.ANSWERED, now)
    return TakenOver.EXPECTED if expected else TakenOver.WAITS


async def postpone(connection: AsyncConnection, callback: UUID, until: datetime, now: datetime) -> bool:
    """Let a callback rest until then, which nobody has begun to ring; an offer is taken back."""
    held = await lock_call(connection, callback)
    if held is None or held.kind is not EntryKind.CALLBACK or held.state is EntryState.LEFT:
        return False
    if held.reservation is not None and held.reservation.state is not ReservationState.OFFERED:
        return False
    await withdraw(connection, held, now)
    await to_front(connection, held, now, not_before=until)
    return True


# Answered already: the wait on the line was over when they hung up to be rung, and is counted by nobody.
_ENTER_INSTEAD = text(
    """
    INSERT INTO queue_entry
        (call_id, practice_id, language, priority, place, kind, state, entered_at, answered_at, overflow_at)
    SELECT k.id, e.practice_id, e.language, e.priority, e.place, 'live', :state, :now, :now, :overflow
    FROM queue_entry e JOIN call k ON k.practice_id = e.practice_id
    WHERE e.call_id = :callback AND k.id = :call AND k.ended_at IS NULL
    ON CONFLICT (call_id) DO NOTHING RETURNING call_id
    """
)
_MOVE = text("UPDATE reservation SET call_id = :call WHERE id = :id")
