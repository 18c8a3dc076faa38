"""Somebody who was asked into a talk comes into its room, whichever way they speak."""

from __future__ import annotations

from uuid import UUID

from callcenter.calls.evidence_ends import forget_what_was_proved, lock_the_call
from callcenter.calls.house import House
from callcenter.calls.talk_values import Seat
from callcenter.routing import talks


async def come_in(house: House, request: UUID, staff: UUID | None = None) -> Seat | None:
    """Where whoever comes sits; ``None`` when they are asked no more. The same again changes nothing.

    What was proved dies: it was for one caller and one person, not for whoever joins them (P2).

    Arguments:
        staff: who must have been asked; ``None`` for whoever answers the telephone that we ring.
    """
    async with house.database.house() as connection:
        party = await talks.party_of(connection, request, staff)
        if party is None:
            return None
        talk = await talks.talk_of(connection, party.owner, party.reservation)
        if talk is None:
            return None
        await lock_the_call(connection, talk.call)
        locked = await talks.lock_talk(connection, party.reservation, party.owner)
        third = None if locked is None else locked[1].third
        if locked is None or third is None or third.id != request:
            return None
        if not await talks.joined(connection, locked[1], house.clock.now()):
            return None
        await forget_what_was_proved(house, connection, talk.practice, talk.call)
    return Seat(talk.room.hex, party.label)
