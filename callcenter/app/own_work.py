"""What somebody who answers calls has done, for their own eyes: calls that they have not closed, and their day."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls.script_door import NOTED_WITHIN
from callcenter.console.workplace_ports import Today, Unfinished
from callcenter.practice.called import practice_name
from callcenter.staff.rights import may
from callcenter.staff.values import HOUSE_TIMEZONE, Role, day_of
from callcenter.store.database import SET_PRACTICE

#: Calls that are looked at; who has more of them open finds the others once these are closed.
MOST = 5


async def unfinished(connection: AsyncConnection, staff: UUID, now: datetime) -> tuple[Unfinished, ...]:
    """Talks of ``staff`` that are over and whose script nobody has closed, the last first, as long as it can be closed.

    The transaction is in some practice's scope afterwards.
    """
    values = {"staff": staff, "since": now - NOTED_WITHIN, "most": MOST}
    found = []
    for row in (await connection.execute(_OVER, values)).all():
        await connection.execute(SET_PRACTICE, {"practice": str(row.practice_id)})
        is_open = (await connection.execute(_OPEN, {"id": row.id})).one_or_none() is not None
        if is_open and await may(connection, staff, Role.OPERATOR, row.practice_id, day_of(now)):
            name = await practice_name(connection, row.practice_id, now)
            found.append(Unfinished(row.id, name, row.ended_at))
    return tuple(found)


async def today(connection: AsyncConnection, staff: UUID, now: datetime) -> Today:
    """How many calls ``staff`` has had since midnight where the house stands, and how long one took on average.

    That is the field's average handling time (« DMT »): conversation and hold, by the talks, and wrapping up, by what
    they did; divided by calls. What goes on at this moment counts once it has ended.
    """
    values = {"staff": staff, "since": datetime.combine(day_of(now), time(), HOUSE_TIMEZONE)}
    talks = (await connection.execute(_TALKS, values)).one()
    wrapped = (await connection.execute(_WRAPPED_UP, values)).scalar_one()
    total: timedelta = talks.spoken + wrapped
    return Today(talks.calls, total / talks.calls if talks.calls else None)


_OVER = text(
    """
    SELECT r.id, e.practice_id, r.ended_at FROM reservation r JOIN queue_entry e ON e.call_id = r.call_id
    WHERE r.staff_id = :staff AND r.state = 'over' AND r.ended_at > :since
    ORDER BY r.ended_at DESC, r.number DESC LIMIT :most
    """
)
_OPEN = text("SELECT id FROM script WHERE id = :id AND ended_at IS NULL")
_TALKS = text(
    """
    SELECT count(*) AS calls, coalesce(sum(ended_at - connected_at), interval '0') AS spoken
    FROM reservation WHERE staff_id = :staff AND state = 'over' AND connected_at >= :since AND made_at >= :since
    """
)
_WRAPPED_UP = text(
    """
    SELECT coalesce(sum(until - at), interval '0') FROM (
        SELECT at, detail, lead(at) OVER (ORDER BY number) AS until
        FROM routing_event WHERE staff_id = :staff AND kind = 'presence' AND at >= :since
    ) AS did WHERE detail = 'wrap_up' AND until IS NOT NULL
    """
)
