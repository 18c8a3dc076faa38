"""Leading a caller to whoever has taken their call, by whichever way, and giving it back if the caller is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls.house import House
from callcenter.kernel.errors import Unavailable
from callcenter.store.database import SET_PRACTICE

_log = structlog.get_logger(__name__)


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


class Led(Enum):
    """What became of the wish to lead somebody."""

    LED = "led"
    #: Their leg is over.
    GONE = "gone"
    #: The carrier has not said; it may have led them.
    UNKNOWN = "unknown"


async def asked_to_lead(lead: Callable[[], Awaitable[bool]]) -> Led:
    """Lead somebody, and ask once more where the carrier did not say: to lead whoever is led already is borne by every
    place that we lead to."""
    for _ in range(2):
        try:
            return Led.LED if await lead() else Led.GONE
        except Unavailable as error:
            _log.warning("leading_unconfirmed", error=type(error).__name__)
    return Led.UNKNOWN


async def led(leads: Leads, leg: CallersLeg) -> Led:
    """Lead a caller."""
    return await asked_to_lead(lambda: leads.lead(leg.carrier_sid, leg.call, leg.document))


async def led_or_given_back(house: House, leads: Leads, leg: CallersLeg, offer: UUID, staff: UUID) -> bool:
    """Lead a caller to ``staff``, who has taken ``offer``; whether the two may meet. If the caller is gone, the call is
    that operator's no more.

    Where the carrier has not said, the operator waits for a caller who may be on their way: sent off, they would leave
    them alone in the room. One who does not come is given back by their time (``routing.sweeping``).
    """
    if await led(leads, leg) is not Led.GONE:
        return True
    async with house.database.house() as connection:
        await house.reservations.not_connected(connection, offer, staff, house.clock.now())
    return False


_LEG = text("SELECT k.carrier_sid, s.document FROM call k JOIN call_session s ON s.id = k.id WHERE k.id = :call")
