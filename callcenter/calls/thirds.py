"""Whoever is asked into a talk by telephone, or is sent its caller: what they hear, the key by which they come in, and
that they have left.

And what hangs: requests that nobody answers, and those whose talk is over.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls.coming_in import come_in
from callcenter.calls.house import House
from callcenter.calls.operators import PutThrough, Taken
from callcenter.calls.rooms import Rooms, hold_caller
from callcenter.calls.talk_values import Seat
from callcenter.kernel.errors import Unavailable
from callcenter.routing import sent_lines, talks
from callcenter.routing.held import lock_reservation
from callcenter.routing.talks import Party, Standing
from callcenter.routing.values import PartyState, Way

#: In one sweep; the rest waits for the next.
MOST = 200


class Thirds:
    """Implements ``telephony.ports.Invited`` for those who are asked into a talk."""

    def __init__(self, house: House, rooms: Rooms) -> None:
        self._house = house
        self._rooms = rooms

    async def offer(self, offer: UUID) -> str | None:
        """For which practice they are asked; nothing of the caller."""
        house, now = self._house, self._house.clock.now()
        async with house.database.house() as connection:
            party = await talks.party_of(connection, offer)
            if party is None or party.state is not PartyState.RINGING or now >= party.ends_at:
                return None
            practice = await self._asks(connection, party)
            if practice is None:
                return None
            facts = await house.places.latest(connection, practice, now)
        return house.flows.book.said("queue.sent" if party.sent else "queue.consult", "fr").render(facts.public(now))

    async def take(self, offer: UUID, operator_leg: str) -> Taken | PutThrough | None:
        """They come in: the room, or that they are joined with whoever was sent on to them. The key again has the same
        answer."""
        async with self._house.database.house() as connection:
            party = await talks.party_of(connection, offer)
            if party is not None and party.sent:
                took = await sent_lines.takes(connection, party, self._house.clock.now())
                return PutThrough.PUT_THROUGH if took else None
        seat = await come_in(self._house, offer)
        return None if seat is None else Taken(seat.room)

    async def join(self, staff: UUID, request: UUID) -> Seat | None:
        """See :meth:`callcenter.calls.talks.Talks.join`."""
        return await come_in(self._house, request, staff)

    async def decline(self, staff: UUID, request: UUID) -> bool:
        """See :meth:`callcenter.calls.talks.Talks.decline`."""
        async with self._house.database.house() as connection:
            party = await talks.party_of(connection, request, staff)
            talk = None if party is None else await talks.talk_of(connection, party.owner, party.reservation)
        if party is None or (talk is not None and party.state is PartyState.THERE and not await self._out(talk, party)):
            return False
        return await self._gone(party, self._house.clock.now())

    async def left(self, offer: UUID) -> None:
        """Their leg is over: the caller hears the operator again. One who had the talk has ended it."""
        house, now = self._house, self._house.clock.now()
        async with house.database.house() as connection:
            party = await talks.party_of(connection, offer)
            if party is None:
                return
            if party.state is PartyState.TOOK:
                if party.way is not Way.TELEPHONE:  # a page says so first; if it has not, the caller waits again
                    return
                mine = (await connection.execute(_TAKEN_UP, {"seat": party.label})).one_or_none()
                if mine is not None:
                    await house.reservations.over(connection, mine.id, mine.staff_id, now)
                return
        await self._gone(party, now)

    async def sweep(self, now: datetime) -> int:
        """End requests that nobody has answered in time, and those whose talk is over."""
        async with self._house.database.house() as connection:
            found = (await connection.execute(_HANGING, {"now": now, "limit": MOST})).all()
            parties = [party for (one,) in found if (party := await talks.party_of(connection, one)) is not None]
        ended = 0
        for party in parties:
            ended += await self._gone(party, now)
        return ended

    @staticmethod
    async def _asks(connection: AsyncConnection, party: Party) -> UUID | None:
        """For which practice somebody is asked; ``None`` when nobody asks any more."""
        if party.sent:
            return await sent_lines.practice_of(connection, party)
        talk = await talks.talk_of(connection, party.owner, party.reservation)
        return None if talk is None else talk.practice

    async def _out(self, talk: Standing, party: Party) -> bool:
        """Nobody listens who says that they have left. False when that is not known."""
        try:
            found = await self._rooms.find(talk.room.hex)
            if found is not None:
                await self._rooms.put_out(found, party.label)  # refused: they have hung up already
        except Unavailable:
            return False
        return True

    async def _gone(self, party: Party, now: datetime) -> bool:
        async with self._house.database.house() as connection:
            held = await lock_reservation(connection, party.reservation, party.owner)
            fresh = await talks.party_of(connection, party.id)
            if held is None or fresh is None or not fresh.live:
                return False
            why = PartyState.LEFT if fresh.state is PartyState.THERE else PartyState.MISSED
            await talks.ended(connection, held, fresh, why, now)
            talk = await talks.talk_of(connection, party.owner, party.reservation)
        if talk is not None and talk.on_hold and fresh.private:
            # If the carrier fails, the operator's page shows that the caller is on hold.
            await hold_caller(self._house, self._rooms, talk, False)
        return True


_TAKEN_UP = text(
    """
    SELECT r.id, r.staff_id FROM talk t JOIN reservation r ON r.id = t.reservation_id
    WHERE t.seat = :seat AND r.state = 'connected'
    """
)
# A line to which the caller was sent rings on although the talk is over: its own bound ends that.
_HANGING = text(
    """
    SELECT y.id FROM talk_party y JOIN reservation r ON r.id = y.reservation_id
    WHERE (y.state = 'ringing' AND y.ends_at <= :now)
        OR (y.state IN ('ringing', 'there') AND NOT y.sent AND r.ended_at IS NOT NULL)
    LIMIT :limit
    """
)
