"""What the workplace shows of the queue: whether one answers for anybody, who waits, for which practice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.console.workplace_ports import Waiting, Whom
from callcenter.practice.practitioners import PublicName, public_names, those_with_a_line
from callcenter.routing.fitting import ANSWER_FOR, HELP_FOR, SEEN, SPEAKS
from callcenter.staff.values import day_of
from callcenter.store.database import in_practice

#: Colleagues that are shown.
COLLEAGUES = 50


async def answers(connection: AsyncConnection, staff: UUID) -> bool:
    """Whether somebody answers for a practice, or helps those who do."""
    return bool((await connection.execute(_ANSWERS, {"staff": staff})).scalar_one())


async def waiting_for(connection: AsyncConnection, staff: UUID) -> Waiting:
    """Who waits on the line at the practices that ``staff`` answers for, and since when the first of them."""
    row = (await connection.execute(_WAITING, {"staff": staff})).one()
    return Waiting(row.many, row.since)


async def colleagues(
    connection: AsyncConnection, staff: UUID, call: UUID, now: datetime, unseen: timedelta
) -> tuple[Whom, ...]:
    """Who is there, available, and may be asked into the talk of ``staff`` on ``call``; by name, the first of them.

    Arguments:
        unseen: after which a page that gives no sign is gone.
    """
    values = {"staff": staff, "call": call, "seen": now - unseen, "today": day_of(now), "most": COLLEAGUES}
    rows = (await connection.execute(_COLLEAGUES, values)).all()
    return tuple(Whom(row.id.hex, row.display_name) for row in rows)


async def display_name(connection: AsyncConnection, staff: UUID) -> str:
    """What colleagues read."""
    return str((await connection.execute(_DISPLAYED, {"staff": staff})).scalar_one())


async def practitioners(connection: AsyncConnection, practice: UUID) -> Sequence[PublicName]:
    """The practitioners of a practice who can be asked into a talk; their lines are not read."""
    return await those_with_a_line(await in_practice(connection, practice))


async def practitioner_name(connection: AsyncConnection, practice: UUID, whom: UUID) -> str | None:
    """What staff call a practitioner; ``None`` for nobody of that practice."""
    names = await public_names(await in_practice(connection, practice))
    return next((one.titled for one in names if one.id == whom), None)


_ANSWERS = text("SELECT EXISTS (SELECT FROM staff_role WHERE staff_id = :staff AND role IN ('operator', 'supervisor'))")
_COLLEAGUES = text(
    f"""
    SELECT a.id, a.display_name
    FROM queue_entry e JOIN practice c ON c.id = e.practice_id CROSS JOIN presence p
    JOIN staff_account a ON a.id = p.staff_id
    WHERE e.call_id = :call AND p.staff_id <> :staff AND p.state = 'available'
        AND {SEEN} AND {SPEAKS} AND p.staff_id IN ({HELP_FOR})
    ORDER BY a.display_name, a.id LIMIT :most
    """  # noqa: S608 - our own words alone
)
_DISPLAYED = text("SELECT display_name FROM staff_account WHERE id = :staff")
_WAITING = text(
    f"""
    SELECT count(*) AS many, min(e.entered_at) AS since
    FROM queue_entry e JOIN practice c ON c.id = e.practice_id
    WHERE e.state IN ('waiting', 'reserved') AND e.kind = 'live' AND :staff IN ({ANSWER_FOR})
    """  # noqa: S608 - our own words alone
)
