"""Finding a call and whose it is. House scope: opaque identifiers only."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls.tables import call


@dataclass(frozen=True, slots=True)
class FoundCall:
    """A call that is on file."""

    id: UUID
    practice_id: UUID


async def find_call(connection: AsyncConnection, *, id: UUID | None = None, sid: str | None = None) -> FoundCall | None:
    """The call of that identifier of ours, or of the carrier's; with neither, the last that began."""
    query = select(call.c.id, call.c.practice_id).order_by(call.c.started_at.desc(), call.c.id).limit(1)
    if id is not None:
        query = query.where(call.c.id == id)
    if sid is not None:
        query = query.where(call.c.carrier_sid == sid)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else FoundCall(row.id, row.practice_id)
