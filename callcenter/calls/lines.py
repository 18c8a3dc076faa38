"""The line of a practice that rings for a talk, read when it rings: nothing that addresses a request holds a number."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls.house import House
from callcenter.practice.practitioners import line_of
from callcenter.store.database import in_practice


async def practice_line(house: House, connection: AsyncConnection, practice: UUID, now: datetime) -> str:
    """The practice's own line (E.164): the one of which it has said that it is not forwarded to us (P7)."""
    return (await house.places.latest(connection, practice, now)).rescue_number


async def practitioners_line(connection: AsyncConnection, practice: UUID, whom: UUID) -> str | None:
    """The line (E.164) of a practitioner of the practice of a talk; ``None`` where there is none that could be rung,
    and for whoever belongs to another practice (P5)."""
    return await line_of(await in_practice(connection, practice), whom)
