"""Sending a caller on to the practice's own line without speaking to it first.

Our own row says first that they go there; then the carrier is asked to lead them. Where it does not, the room that they
are in is closed all the same, and the flow's own step finds them at the front of the queue.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls import rows
from callcenter.calls.evidence_ends import forget_what_was_proved, lock_the_call
from callcenter.calls.house import House
from callcenter.calls.leading import Led, asked_to_lead, callers_leg
from callcenter.calls.session import Session, session_place
from callcenter.calls.talk_values import Acted
from callcenter.kernel.randomness import new_id
from callcenter.routing import sent_lines
from callcenter.routing import talks as standing_talks
from callcenter.routing.talks import Standing
from callcenter.routing.values import Limits
from callcenter.store.database import SET_PRACTICE


class LineWays(Protocol):
    """What leads a caller out of a talk to a line."""

    async def lead_to_line(self, carrier_sid: str, call: UUID, document: int) -> bool:
        """Lead a caller from wherever they are to the line that rings for them. False when they are not there any more.

        Raises:
            Unavailable: it is not known whether they are led.
        """


class LineSending:
    """Sends callers on.

    Arguments:
        ways: leads them.
    """

    def __init__(self, house: House, ways: LineWays, limits: Limits | None = None) -> None:
        self._house = house
        self._ways = ways
        self._limits = limits or Limits()

    async def send(self, staff: UUID, talk: Standing) -> Acted:
        """The caller hears the line ring; the room that they leave is not closed here. What was proved dies (P2).

        ``NOT_NOW``: somebody else is asked in, the caller is at the keys, or the line may not be rung for that call,
        since the call may come from it (P7).
        """
        house, now = self._house, self._house.clock.now()
        async with house.database.house() as connection:
            await lock_the_call(connection, talk.call)
            locked = await standing_talks.lock_talk(connection, talk.reservation, staff)
            if locked is None:
                return Acted.NOT_YOURS
            if not await self._may_ring(connection, talk):
                return Acted.NOT_NOW
            if not await sent_lines.send(connection, *locked, new_id(house.random), now, self._limits):
                return Acted.NOT_NOW
            await forget_what_was_proved(house, connection, talk.practice, talk.call)
            leg = await callers_leg(connection, talk.practice, talk.call)
        led = await asked_to_lead(lambda: self._ways.lead_to_line(leg.carrier_sid, leg.call, leg.document))
        if led is Led.GONE:  # where it is not known, whoever was not led says so by coming back
            async with house.database.house() as connection:
                await sent_lines.back(connection, talk.call, house.clock.now())
        return Acted.DONE

    async def _may_ring(self, connection: AsyncConnection, talk: Standing) -> bool:
        """As when the flow puts a call through: its line is the one of the settings with which the call began."""
        house = self._house
        await connection.execute(SET_PRACTICE, {"practice": str(talk.practice)})
        row = (await connection.execute(rows.SESSION, {"call": talk.call})).one_or_none()
        if row is None:
            return False
        began = Session.from_json(house.sealer.open(row.state, session_place(talk.practice, talk.call))).beginning
        facts = await house.places.facts(connection, talk.practice, began.revision, began.at)
        return began.way is not None and house.lines.may_ring(facts.rescue_number, began.way)
