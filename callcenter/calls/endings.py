"""Status callbacks: forward only, once; the end of a call settles what was still open."""

from __future__ import annotations

from dataclasses import replace

from callcenter.audit.ledger import Entry, EventKind, Value, writing
from callcenter.calls import rows
from callcenter.calls.desk import IVR_ACTOR
from callcenter.calls.house import House
from callcenter.calls.outreach import RING_BACK
from callcenter.calls.playbacks import settle
from callcenter.calls.session import Session, session_place
from callcenter.calls.values import StatusChanged
from callcenter.routing.rooms import dissolve_of_call
from callcenter.routing.values import LeftReason
from callcenter.store.database import Transaction
from callcenter.store.jobs import defer


class Endings:
    """Takes status callbacks in any order and number."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def status(self, event: StatusChanged) -> None:
        """Move the call forward. A repeated, older or unknown status changes nothing."""
        house = self._house
        now = house.clock.now()
        values = {
            "sid": event.carrier_sid,
            "status": int(event.status),
            "terminal": event.status.terminal,
            "now": now,
        }
        async with house.database.house() as connection:
            row = (await connection.execute(rows.ENTER_BY_STATUS, values)).one_or_none()
            if row is None or not event.status.terminal:
                return
            tx = Transaction(connection, row.practice_id)
            await house.queue.leave(connection, row.id, LeftReason.HUNG_UP, now)
            left = (await connection.execute(rows.LEFT_OPEN, {"call": row.id})).one()
            for asked in left.to_ring:
                await defer(connection, RING_BACK, practice=tx.practice, outreach=asked)
            await dissolve_of_call(connection, tx.practice, row.id)
            if left.state is None:
                return
            place = session_place(tx.practice, row.id)
            session = Session.from_json(house.sealer.open(left.state, place))
            content: dict[str, Value] = {"status": event.status.name.lower()}
            async with writing(tx, session.segment, house.clock, house.random) as pen:
                await settle(tx, pen, session.playbacks, reached=False)
                await pen.add(Entry(EventKind.CALL_ENDED, IVR_ACTOR, None, content))
            ended = replace(session, segment=pen.segment, playbacks=(), challenge=None, evidence=None)
            state = house.sealer.seal(ended.to_json(), place)
            await connection.execute(rows.SAVE_STATE, {"call": row.id, "state": state})
