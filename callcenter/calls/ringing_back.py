"""Ringing somebody back who waited: an operator has taken the callback, and waits while their telephone rings.

The attempt is written down before the carrier is asked, and once the carrier was asked nobody is rung for it again
(decision 31): what fails after that costs the caller one attempt.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls.callbacks import Due, begin_ring, leg_to_tell, rests_until
from callcenter.calls.house import House
from callcenter.kernel.errors import Unavailable
from callcenter.routing.callbacks import postpone
from callcenter.routing.stays import Offer, offer_of
from callcenter.routing.values import EntryKind, ReservationState
from callcenter.store.database import SET_PRACTICE, Transaction

_log = structlog.get_logger(__name__)


class CallbackLines(Protocol):
    """What rings a caller, and leads an operator."""

    async def ring_back(self, number: str, shown: str, token: str, reservation: UUID) -> bool:
        """Ring a caller; whether it rings. Comes back with ``token`` when they answer, and tells of the end.

        Raises:
            Unavailable: it is not known to ring.
        """

    async def nobody_came(self, operator_leg: str, reservation: UUID) -> bool:
        """Lead an operator out of the room where they wait, to be told so; whether they are still there.

        Raises:
            Unavailable: it is not known whether they are led.
        """


class RingingBack:
    """Rings callers back for whoever lets operators take callbacks."""

    def __init__(self, house: House, lines: CallbackLines) -> None:
        self._house = house
        self._lines = lines

    async def rests(self, connection: AsyncConnection, standing: Offer) -> bool:
        """Whether what is offered is a callback that may not be rung at this hour: then it waits for another one."""
        now = self._house.clock.now()
        if standing.kind is not EntryKind.CALLBACK:
            return False
        until = rests_until(await self._house.places.latest(connection, standing.practice, now), now)
        if until is None:
            return False
        return await postpone(connection, standing.call, until, now)

    async def begin(self, connection: AsyncConnection, offer: UUID, standing: Offer, operator_leg: str) -> Due | None:
        """Part of the transaction in which the operator takes it; ring only once that has been committed."""
        house, now = self._house, self._house.clock.now()
        await connection.execute(SET_PRACTICE, {"practice": str(standing.practice)})
        facts = await house.places.latest(connection, standing.practice, now)
        if rests_until(facts, now) is not None:  # since it was offered, the hour has come at which nobody is rung
            return None
        tx = Transaction(connection, standing.practice)
        return await begin_ring(tx, house.sealer, house.random, facts, standing.call, offer, operator_leg, now)

    async def ring(self, offer: UUID, standing: Offer, due: Due | None) -> bool:
        """Ring the caller; whether their telephone rings. If not, the attempt is over."""
        try:
            rings = due is not None and await self._lines.ring_back(due.number, due.shown, due.token, offer)
        except Unavailable as error:
            _log.warning("callback_unconfirmed", offer=str(offer), error=type(error).__name__)
            rings = False
        if not rings:
            async with self._house.database.house() as connection:
                await self._unreached(connection, offer, standing)
        return rings

    async def over(self, offer: UUID) -> None:
        """The caller's leg is over, or never was: an operator who waits in vain is told. Again, it changes nothing."""
        house, now = self._house, self._house.clock.now()
        async with house.database.house() as connection:
            standing = await offer_of(connection, offer)
            if standing is None:
                return
            await self._unreached(connection, offer, standing)
            await connection.execute(SET_PRACTICE, {"practice": str(standing.practice)})
            leg = await leg_to_tell(Transaction(connection, standing.practice), offer, now)
        if leg is not None:
            try:
                await self._lines.nobody_came(leg, offer)
            except Unavailable as error:  # they hear music, and hang up
                _log.warning("operator_not_told", offer=str(offer), error=type(error).__name__)

    async def _unreached(self, connection: AsyncConnection, offer: UUID, standing: Offer) -> None:
        if standing.state is ReservationState.ACCEPTED and standing.kind is EntryKind.CALLBACK:
            await self._house.reservations.unreached(connection, offer, standing.staff, self._house.clock.now())
        elif standing.state is ReservationState.ACCEPTED:
            await self._house.reservations.not_connected(connection, offer, standing.staff, self._house.clock.now())
