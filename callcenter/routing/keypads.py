"""Sending a caller out of a talk to type something, and having them back: who may, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.routing.held import lock_reservation
from callcenter.routing.values import ReservationState
from callcenter.routing.waking import About, Waking, wake

#: In one talk: each is several events of the call, which has only so many (P7).
MOST_ASKS = 3


class NotAsked(StrEnum):
    """Why a caller is not sent to their keys."""

    NOT_YOURS = "not_yours"
    ALREADY = "already"
    #: The caller is on hold, or somebody else is asked into the talk: it is for the two alone (P2).
    NOT_ALONE = "not_alone"
    TOO_OFTEN = "too_often"


@dataclass(frozen=True, slots=True)
class Sent:
    """The caller is to be sent out of the talk.

    Arguments:
        call: whose they are.
        practice: which they have called.
    """

    call: UUID
    practice: UUID


@dataclass(frozen=True, slots=True)
class Back:
    """The caller comes back to where they were sent out.

    Arguments:
        stands: the talk goes on, whether or not its operator is there.
        lost: the operator's line was lost meanwhile, and has not come again.
    """

    reservation: UUID
    staff: UUID
    stands: bool
    lost: bool


async def send_out(connection: AsyncConnection, reservation: UUID, staff: UUID, now: datetime) -> Sent | NotAsked:
    """Note that the caller of ``staff`` goes to type something."""
    held = await lock_reservation(connection, reservation, staff)
    if held is None or held.reservation is None or held.reservation.state is not ReservationState.CONNECTED:
        return NotAsked.NOT_YOURS
    row = (await connection.execute(_READ, {"id": reservation})).one()
    if row.keypad_at is not None:
        return NotAsked.ALREADY
    if row.on_hold or row.third:
        return NotAsked.NOT_ALONE
    if row.keypad_asks >= MOST_ASKS:
        return NotAsked.TOO_OFTEN
    await connection.execute(_OUT, {"id": reservation, "now": now})
    await wake(connection, Waking(About.STAFF, staff))
    return Sent(held.call, held.practice)


async def not_sent(connection: AsyncConnection, reservation: UUID) -> None:
    """They could not be sent out after all: they are in the talk still."""
    await connection.execute(_NOT_OUT, {"id": reservation})


async def back(connection: AsyncConnection, call: UUID) -> Back | None:
    """The caller of ``call`` comes back; ``None`` if nobody has sent them out."""
    row = (await connection.execute(_BACK, {"call": call})).one_or_none()
    if row is None:
        return None
    await wake(connection, Waking(About.STAFF, row.staff_id))
    return Back(row.id, row.staff_id, row.state == ReservationState.CONNECTED.value, row.leg_ended_at is not None)


_READ = text(
    """
    SELECT r.keypad_at, r.keypad_asks, coalesce(t.on_hold, false) AS on_hold,
        EXISTS (
            SELECT 1 FROM talk_party y WHERE y.reservation_id = r.id AND y.state IN ('ringing', 'there')
        ) AS third
    FROM reservation r LEFT JOIN talk t ON t.reservation_id = r.id WHERE r.id = :id
    """
)
_OUT = text("UPDATE reservation SET keypad_at = :now, keypad_asks = keypad_asks + 1 WHERE id = :id")
_NOT_OUT = text(
    "UPDATE reservation SET keypad_at = NULL, keypad_asks = keypad_asks - 1 WHERE id = :id AND keypad_at IS NOT NULL"
)
_BACK = text(
    """
    UPDATE reservation SET keypad_at = NULL WHERE call_id = :call AND keypad_at IS NOT NULL
    RETURNING id, staff_id, state, leg_ended_at
    """
)
