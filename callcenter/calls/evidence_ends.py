"""What was proved in a call dies when somebody else takes it (P2): whoever has it next asks anew."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls import rows
from callcenter.calls.house import House
from callcenter.calls.session import Session, session_place


async def lock_the_call(connection: AsyncConnection, call: UUID) -> None:
    """What :func:`forget_what_was_proved` needs first: the lock of a call comes before those of its queue, as in a
    step. Where nothing is forgotten after all, nothing has changed."""
    await connection.execute(rows.ENTER_BY_ID, {"id": call})


async def forget_what_was_proved(house: House, connection: AsyncConnection, practice: UUID, call: UUID) -> None:
    """Take evidence, open challenge and what was found out of a call, in the transaction that hands it on."""
    kept = (await connection.execute(rows.SESSION, {"call": call})).one_or_none()
    if kept is None:
        return
    place = session_place(practice, call)
    session = Session.from_json(house.sealer.open(kept.state, place))
    bare = replace(session, state=session.state.emptied(), evidence=None, challenge=None, card=None)
    if bare != session:
        values = {"call": call, "state": house.sealer.seal(bare.to_json(), place)}
        await connection.execute(rows.SAVE_STATE, values)
