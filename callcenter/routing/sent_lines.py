"""Callers who were sent on to the practice's line without a word: who rings for them, and what became of it.

The call waits in the queue meanwhile, and nobody is offered it; the bound of the request frees it by itself. So a
caller whom the line does not take has never lost their place.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.routing.held import Held, leave, lock_call, lock_reservation, to_front, wrap_up
from callcenter.routing.talks import Party, Standing, given_away, party_of
from callcenter.routing.values import EntryKind, EntryState, LeftReason, Limits, PartyState
from callcenter.routing.waking import About, Waking, wake


async def send(
    connection: AsyncConnection, held: Held, standing: Standing, party: UUID, now: datetime, limits: Limits
) -> bool:
    """The caller of a talk that is locked goes to the line; its operator wraps up. False when the talk is not for two
    alone, or its caller is at the keys.

    Arguments:
        party: the identifier that the request gets.
    """
    if held.reservation is None or standing.third is not None or standing.at_keypad:
        return False
    ends = now + limits.line
    await given_away(connection, held, held.reservation, now)
    await to_front(connection, held, now, passed_by=standing.staff, not_before=ends)
    await connection.execute(_SEND, {"id": party, "reservation": standing.reservation, "now": now, "ends": ends})
    await wrap_up(connection, held, standing.staff, now)
    return True


async def ringing_for(connection: AsyncConnection, call: UUID, now: datetime) -> UUID | None:
    """The request by which the line rings for ``call``; ``None`` when it does no more."""
    return (await connection.execute(_RINGING, {"call": call, "now": now})).scalar_one_or_none()


async def practice_of(connection: AsyncConnection, party: Party) -> UUID | None:
    """For which practice the line is rung; ``None`` when the caller waits for it no more."""
    return (await connection.execute(_PRACTICE, {"reservation": party.reservation})).scalar_one_or_none()


async def takes(connection: AsyncConnection, party: Party, now: datetime) -> bool:
    """The line takes the call, which is answered, and leaves. The same again has the same answer, and no effect; false
    when the caller is gone, or somebody else may have been offered the call."""
    held = await lock_reservation(connection, party.reservation, party.owner)
    fresh = await party_of(connection, party.id)
    if held is None or fresh is None:
        return False
    if fresh.state is PartyState.TOOK:
        return True
    if fresh.state is not PartyState.RINGING or now >= fresh.ends_at or held.state is not EntryState.WAITING:
        return False
    await connection.execute(_TAKE, {"id": party.id, "now": now})
    await leave(connection, held, LeftReason.ANSWERED, now)
    return True


async def back(connection: AsyncConnection, call: UUID, now: datetime) -> None:
    """The caller of ``call`` is at the line no more, and it has not taken the call: whoever is free is offered it."""
    held = await lock_call(connection, call)
    if held is None or held.state is not EntryState.WAITING or held.kind is not EntryKind.LIVE:
        return
    if (await connection.execute(_BACK, {"call": call, "now": now})).all():
        await connection.execute(_AT_ONCE, {"call": call})
        await wake(connection, Waking(About.QUEUE, held.organisation))


_SEND = text(
    """
    INSERT INTO talk_party (id, reservation_id, state, private, sent, made_at, ends_at)
    VALUES (:id, :reservation, 'ringing', false, true, :now, :ends)
    """
)
_RINGING = text(
    """
    SELECT y.id FROM talk_party y JOIN reservation r ON r.id = y.reservation_id
    WHERE r.call_id = :call AND y.sent AND y.state = 'ringing' AND y.ends_at > :now ORDER BY r.number DESC LIMIT 1
    """
)
_PRACTICE = text(
    """
    SELECT e.practice_id FROM reservation r JOIN queue_entry e ON e.call_id = r.call_id
    WHERE r.id = :reservation AND e.state = 'waiting'
    """
)
_TAKE = text("UPDATE talk_party SET state = 'took', joined_at = :now, ended_at = :now WHERE id = :id")
_BACK = text(
    """
    UPDATE talk_party y SET state = 'missed', ended_at = :now FROM reservation r
    WHERE r.id = y.reservation_id AND r.call_id = :call AND y.sent AND y.state = 'ringing' RETURNING y.id
    """
)
_AT_ONCE = text("UPDATE queue_entry SET not_before = NULL WHERE call_id = :call")
