"""The number that is shown to whomever we ring for a call."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls import rows
from callcenter.calls.house import House
from callcenter.calls.session import Session, session_place
from callcenter.store.database import SET_PRACTICE


async def shown_for(house: House, connection: AsyncConnection, practice: UUID, call: UUID) -> str | None:
    """The number of ours that the caller has dialled: by it the practice is known already, and the caller is not."""
    await connection.execute(SET_PRACTICE, {"practice": str(practice)})
    row = (await connection.execute(rows.SESSION, {"call": call})).one_or_none()
    if row is None:
        return None
    way = Session.from_json(house.sealer.open(row.state, session_place(practice, call))).beginning.way
    return None if way is None else way.called
