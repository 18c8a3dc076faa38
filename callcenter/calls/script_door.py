"""Whoever answers a script comes in here: under the locks of the call, and only while it is theirs.

What was proved in the call, and what may be seen, is there only while the two talk; once the talk is over its operator
may note what it was about, until time is up: another call that came while they wrote takes no word of theirs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.ledger import writing
from callcenter.calls import rows, script_rows
from callcenter.calls.evidence_ends import lock_the_call
from callcenter.calls.house import House
from callcenter.calls.script_hiding import hidden_early
from callcenter.calls.script_session import ScriptSession, sealed_shown, shown_from_json, shown_place, state_place
from callcenter.calls.script_values import Operator, ShownField
from callcenter.calls.session import Session, session_place
from callcenter.identity.evidence import standing
from callcenter.kernel.errors import Forbidden
from callcenter.kernel.levels import Level
from callcenter.routing.held import lock_reservation
from callcenter.routing.values import ReservationState
from callcenter.staff.rights import may
from callcenter.staff.values import Role, day_of
from callcenter.store.database import SET_PRACTICE, Transaction

#: For so long after a talk may be noted what it was about.
NOTED_WITHIN = timedelta(minutes=30)

#: Of a reservation, while the two talk.
LIVE = frozenset({ReservationState.CONNECTED})


@dataclass(slots=True)
class At:
    """A script at work, under the locks of its call.

    Arguments:
        session: of the caller's call; nothing was proved in it once the talk is over (P2).
        live: the two talk.
        typing: the caller is at their keys.
        document: number of the screen that stands, 0 before the first.
        script: ``None`` before the first look.
        shown: what may be seen.
    """

    tx: Transaction
    operator: Operator
    reservation: UUID
    call: UUID
    session: Session
    live: bool
    typing: bool
    document: int = 0
    script: ScriptSession | None = None
    shown: tuple[ShownField, ...] = ()

    def stands_at(self, document: int) -> bool:
        """Whether ``document`` is the screen that stands: what is said of another has no effect."""
        return document == self.document


@asynccontextmanager
async def entered(house: House, operator: Operator, reservation: UUID) -> AsyncIterator[At | None]:
    """The script of a reservation, in one transaction with the body; ``None`` where ``operator`` has no such call, or
    it is too late to note anything.

    Raises:
        Forbidden: they are no operator of the practice any more.
    """
    async with house.database.house() as connection:
        at = await _enter(house, connection, operator, reservation)
        if at is not None:
            await _take_up(house, at)
        yield None if at is None or (at.document and at.script is None) else at


async def _enter(house: House, connection: AsyncConnection, operator: Operator, reservation: UUID) -> At | None:
    now = house.clock.now()
    whose = {"id": reservation, "staff": operator.staff}
    call = (await connection.execute(script_rows.WHOSE, whose)).scalar_one_or_none()
    if call is None:
        return None
    await lock_the_call(connection, call)
    held = await lock_reservation(connection, reservation, operator.staff)
    if held is None or held.reservation is None or held.call != call:
        return None
    stands = await _standing(connection, reservation, now)
    live = held.reservation.state in LIVE
    if not live and not stands.noting:
        return None
    if not await may(connection, operator.staff, Role.OPERATOR, held.practice, day_of(now)):
        raise Forbidden("no operator of this practice")
    await connection.execute(SET_PRACTICE, {"practice": str(held.practice)})
    row = (await connection.execute(rows.SESSION, {"call": call})).one_or_none()
    if row is None:
        return None
    session = Session.from_json(house.sealer.open(row.state, session_place(held.practice, call)))
    if not live:
        session = replace(session, evidence=None, challenge=None, card=None)
    typing = live and stands.keypad_at is not None
    return At(Transaction(connection, held.practice), operator, reservation, call, session, live, typing)


async def _standing(connection: AsyncConnection, reservation: UUID, now: datetime) -> Row[Any]:
    """In a statement of its own, behind the locks."""
    values = {"id": reservation, "since": now - NOTED_WITHIN}
    return (await connection.execute(script_rows.STANDS, values)).one()


def _may_be_seen(house: House, at: At, field: ShownField) -> bool:
    """Whether what was let out is still to be seen: its minute is not over, what opened it stands, and was not proved
    anew since, which may have been about somebody else (P2); and whoever looks may be shown something."""
    now, evidence, limits = house.clock.now(), at.session.evidence, house.limits
    proved = standing(evidence, call=at.call, practice=at.tx.practice, now=now, life=limits.evidence_life)
    stands = proved.level is not Level.UNKNOWN
    return now < field.until and at.operator.trained and stands and evidence is not None and evidence.at <= field.since


async def _take_up(house: House, at: At) -> None:
    """Open what is kept of it. What may be seen no more is kept no longer, and before its time that is on record."""
    row = (await at.tx.connection.execute(script_rows.LOAD, {"id": at.reservation})).one_or_none()
    if row is None:
        return
    at.document, practice = row.document, at.tx.practice
    if row.state is not None:
        state = house.sealer.open(row.state, state_place(practice, at.reservation))
        at.script = ScriptSession.from_json(state)
    if row.shown is not None:
        fields = shown_from_json(house.sealer.open(row.shown, shown_place(practice, at.reservation)))
        at.shown = tuple(one for one in fields if at.live and _may_be_seen(house, at, one))
        await _hide(house, at, fields)


async def _hide(house: House, at: At, before: tuple[ShownField, ...]) -> None:
    """Keep no more of ``before`` than what may still be seen."""
    records = hidden_early(at.operator, before, at.shown, house.clock.now())
    if at.script is not None and records:
        async with writing(at.tx, at.script.segment, house.clock, house.random) as pen:
            for record in records:
                await pen.add(record)
        at.script = replace(at.script, segment=pen.segment)
        values = {
            "id": at.reservation,
            "state": house.sealer.seal(at.script.to_json(), state_place(at.tx.practice, at.reservation)),
            **sealed_shown(house.sealer, at.shown, shown_place(at.tx.practice, at.reservation)),
        }
        await at.tx.connection.execute(script_rows.HIDE_EARLY, values)
    elif not at.shown:
        await at.tx.connection.execute(script_rows.HIDE, {"id": at.reservation})
