"""The rooms of talks, once their caller is gone: whoever is left in one is not left alone.

A caller's leaving ends no room by itself, for they may be sent out to their keys and come back. So the end of their
call ends it, in the transaction that writes the end down; and where nobody has told us of that end, it is asked for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.store.database import SET_PRACTICE
from callcenter.store.jobs import defer

#: The job that ends a room.
DISSOLVE = "dissolve_room"
#: How often the carrier is asked whether the caller of a talk is still there.
LOOKED_AT_EVERY = timedelta(minutes=1)


async def dissolve_later(connection: AsyncConnection, practice: UUID, room: UUID) -> None:
    """Have a room ended once the transaction of ``connection`` is committed; one that is empty already stays so."""
    await defer(connection, DISSOLVE, practice=practice, room=room)


async def dissolve_of_call(connection: AsyncConnection, practice: UUID, call: UUID) -> None:
    """The same for the room in which the caller of ``call`` was, or was to be, last; nothing where there is none.

    Not while somebody waits there to whom they may yet come: an operator who has them rung back.
    """
    room = (await connection.execute(_LAST_ROOM, {"call": call})).scalar_one_or_none()
    if room is not None:
        await dissolve_later(connection, practice, room)


async def dissolve_of_talk(connection: AsyncConnection, reservation: UUID) -> None:
    """The same for the room of a talk; nothing where the two have never met. Whoever is left in it goes on from there:
    a caller waits again, at the front."""
    row = (await connection.execute(_ROOM_OF, {"reservation": reservation})).one_or_none()
    if row is not None:
        await connection.execute(SET_PRACTICE, {"practice": str(row.practice_id)})
        await dissolve_later(connection, row.practice_id, row.room)


async def to_look_at(connection: AsyncConnection, now: datetime, limit: int) -> list[str]:
    """The carrier's identifiers of callers who are in a talk and were not looked at for :data:`LOOKED_AT_EVERY`; they
    count as looked at from here on, so that of several workers one looks."""
    values = {"now": now, "before": now - LOOKED_AT_EVERY, "limit": limit}
    return list((await connection.execute(_LOOK_AT, values)).scalars())


_LAST_ROOM = text(
    """
    SELECT CASE WHEN r.ended_at IS NULL THEN NULL ELSE coalesce(t.room, r.id) END
    FROM reservation r LEFT JOIN talk t ON t.reservation_id = r.id
    WHERE r.call_id = :call AND r.accepted_at IS NOT NULL ORDER BY r.number DESC LIMIT 1
    """
)
_ROOM_OF = text(
    """
    SELECT e.practice_id, coalesce(t.room, r.id) AS room
    FROM reservation r JOIN queue_entry e ON e.call_id = r.call_id LEFT JOIN talk t ON t.reservation_id = r.id
    WHERE r.id = :reservation AND r.connected_at IS NOT NULL
    """
)
_LOOK_AT = text(
    """
    WITH due AS (
        SELECT id FROM reservation WHERE state = 'connected' AND coalesce(looked_at, connected_at) <= :before
        ORDER BY coalesce(looked_at, connected_at) LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE reservation r SET looked_at = :now FROM due, call k WHERE r.id = due.id AND k.id = r.call_id
    RETURNING k.carrier_sid
    """
)
