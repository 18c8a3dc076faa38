"""Leading a caller to whoever has taken their call, by whichever way, and giving it back if the caller is gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls.steps import House
from callcenter.kernel.errors import Unavailable
from callcenter.store.database import SET_PRACTICE


class Leads(Protocol):
    """What leads a caller."""

    async def lead(self, carrier_sid: str, call: UUID, document: int) -> bool:
        """Lead a caller out of the queue to the operator; whether they are still there.

        Raises:
            Unavailable: it is not known whether they are led.
        """


@dataclass(frozen=True, slots=True)
class CallersLeg:
    """Where a caller is.

    Arguments:
        carrier_sid: the carrier's identifier of their leg.
        document: number of the document that let them wait.
    """

    call: UUID
    carrier_sid: str
    document: int


async def callers_leg(connection: AsyncConnection, practice: UUID, call: UUID) -> CallersLeg:
    """Where the caller of ``call`` is; ``connection`` is in the scope of ``practice`` afterwards."""
    await connection.execute(SET_PRACTICE, {"practice": str(practice)})
    row = (await connection.execute(_LEG, {"call": call})).one()
    return CallersLeg(call, row.carrier_sid, row.document)


async def led(leads: Leads, leg: CallersLeg) -> bool:
    """Lead a caller; whether they are known to be led."""
    try:
        return await leads.lead(leg.carrier_sid, leg.call, leg.document)
    except Unavailable:
        return False


async def led_or_given_back(house: House, leads: Leads, leg: CallersLeg, offer: UUID, staff: UUID) -> bool:
    """Lead a caller to ``staff``, who has taken ``offer``. If they are not led, the call is that operator's no more."""
    if await led(leads, leg):
        return True
    async with house.database.house() as connection:
        await house.reservations.not_connected(connection, offer, staff, house.clock.now())
    return False


_LEG = text("SELECT k.carrier_sid, s.document FROM call k JOIN call_session s ON s.id = k.id WHERE k.id = :call")
