"""Where those who are brought together hear each other: the carrier's conferences, as talks see them."""

from __future__ import annotations

import asyncio
from typing import Protocol
from uuid import UUID

from callcenter.calls.house import House
from callcenter.kernel.errors import Unavailable
from callcenter.routing import talks
from callcenter.routing.talks import Standing

#: Label of the caller in every room.
CALLER = "caller"


class Rooms(Protocol):
    """The rooms in which calls are spoken, and the legs in them. Each act may be asked for again.

    Raises, all of them:
        Unavailable: whether anything was done is not known.
    """

    async def find(self, room: str) -> str | None:
        """What the carrier knows a room by that is in use; ``None`` when it is not."""

    async def hold(self, found: str, label: str, on: bool) -> bool:
        """Let somebody hear music instead of the others, or the others again; whether that is so now."""

    async def ends(self, found: str, label: str, on: bool) -> bool:
        """Whether all are put out when somebody leaves; whether that is so now."""

    async def put_out(self, found: str, label: str) -> bool:
        """Put somebody out."""

    async def close(self, found: str) -> bool:
        """Put everybody out."""

    async def ring(self, number: str, shown: str, party: UUID) -> str | None:
        """Ring somebody who is asked in; the leg, or ``None`` when nobody is rung."""

    async def hang_up(self, leg: str) -> bool:
        """End a leg, which may ring yet."""


async def dissolve(rooms: Rooms, room: str) -> None:
    """Put everybody out of a room that may be empty already; the same again changes nothing.

    Raises:
        Unavailable: it is not known to be empty.
    """
    found = await rooms.find(room)
    if found is not None:
        await rooms.close(found)


#: Seconds between tries to hold a caller who is not in the room. Whoever was led back from their keys is there a moment
#: after the page has shown that they come.
COMES_BACK = (0.3, 0.6)


async def _held(rooms: Rooms, found: str, on: bool) -> bool:
    for pause in COMES_BACK if on else ():
        if await rooms.hold(found, CALLER, on):
            return True
        await asyncio.sleep(pause)
    return await rooms.hold(found, CALLER, on)


async def hold_caller(house: House, rooms: Rooms, talk: Standing, on: bool) -> bool:
    """Let the caller of a talk hear music, or the others again; whether that is so now. It is written down only once
    the carrier has done it: what a page shows is what the caller hears."""
    try:
        found = await rooms.find(talk.room.hex)
        if found is None or not await _held(rooms, found, on):
            return False
    except Unavailable:
        return False
    async with house.database.house() as connection:
        await talks.put_on_hold(connection, talk, on)
    return True
