"""What the workplace shows of the queue: whether one answers for anybody, who waits, for which practice."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.console.workplace_ports import Waiting
from callcenter.routing.fitting import ANSWER_FOR


async def answers(connection: AsyncConnection, staff: UUID) -> bool:
    """Whether somebody answers for a practice at all."""
    return bool((await connection.execute(_ANSWERS, {"staff": staff})).scalar_one())


async def waiting_for(connection: AsyncConnection, staff: UUID) -> Waiting:
    """Who waits on the line at the practices that ``staff`` answers for, and since when the first of them."""
    row = (await connection.execute(_WAITING, {"staff": staff})).one()
    return Waiting(row.many, row.since)


async def practice_name(connection: AsyncConnection, practice: UUID, at: datetime) -> str:
    """The name of a practice at a moment."""
    return str((await connection.execute(_NAME, {"practice": practice, "at": at})).scalar_one())


_ANSWERS = text("SELECT EXISTS (SELECT FROM staff_role WHERE staff_id = :staff AND role = 'operator')")
_WAITING = text(
    f"""
    SELECT count(*) AS many, min(e.entered_at) AS since
    FROM queue_entry e JOIN practice c ON c.id = e.practice_id
    WHERE e.state IN ('waiting', 'reserved') AND e.kind = 'live' AND :staff IN ({ANSWER_FOR})
    """  # noqa: S608 - our own words alone
)
_NAME = text(
    """
    SELECT coalesce((
        SELECT v.value #>> '{}' FROM setting_version v
        WHERE v.practice_id = p.id AND v.setting = 'name' AND v.withdrawn_revision IS NULL
          AND v.effective_from <= :at AND (v.effective_to IS NULL OR v.effective_to > :at)
        ORDER BY v.revision DESC LIMIT 1
    ), p.slug) FROM practice p WHERE p.id = :practice
    """
)
