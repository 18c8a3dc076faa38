"""What was proved in a call dies when somebody else takes it (P2): whoever has it next asks anew."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls import rows
from callcenter.calls.session import Session
from callcenter.calls.steps import House, session_place


async def forget_what_was_proved(house: House, connection: AsyncConnection, call: UUID) -> None:
    """Take evidence, open challenge and what was found out of a call, in the transaction that hands it on.

    It takes the lock of the call, so it comes before the locks of its queue, as a step does.
    """
    entered = (await connection.execute(rows.ENTER_BY_ID, {"id": call})).one_or_none()
    kept = (await connection.execute(rows.SESSION, {"call": call})).one_or_none()
    if entered is None or kept is None:
        return
    place = session_place(entered.practice_id, call)
    session = Session.from_json(house.sealer.open(kept.state, place))
    bare = replace(session, state=session.state.emptied(), evidence=None, challenge=None, card=None)
    if bare != session:
        values = {"call": call, "state": house.sealer.seal(bare.to_json(), place)}
        await connection.execute(rows.SAVE_STATE, values)
