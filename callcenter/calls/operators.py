"""Operators who answer by a telephone: they are rung, take a call by a key, and the caller is led to them.

Who takes it is decided in our own database before anybody is led anywhere (``routing.reservations``); the carrier is
asked only afterwards, so that two who press the key at once are one and a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol
from uuid import UUID

from callcenter.calls.house import House
from callcenter.calls.leading import Leads, callers_leg, led_or_given_back
from callcenter.calls.ringing_back import CallbackLines, RingingBack
from callcenter.calls.shown import shown_for
from callcenter.routing.reservations import Accepted
from callcenter.routing.stays import offer_of
from callcenter.routing.values import EntryKind, Reservation, ReservationState, Way
from callcenter.staff.telephones import telephone_of


@dataclass(frozen=True, slots=True)
class Taken:
    """The call is the operator's.

    Arguments:
        room: opaque name of where the two meet.
        rings: the caller's telephone rings, and the operator waits for them there.
    """

    room: str
    rings: bool = False


class NotReached(Enum):
    """The call was the operator's, and its caller could not be rung."""

    NOT_REACHED = "not_reached"


class PutThrough(Enum):
    """Whoever was rung for a caller takes the call, and is joined with them on the line on which they were rung."""

    PUT_THROUGH = "put_through"


class Lines(CallbackLines, Leads, Protocol):
    """What rings an operator, and leads a caller."""

    async def ring(self, number: str, shown: str, offer: UUID) -> bool:
        """Ring the operator's telephone; whether it rings.

        Raises:
            Unavailable: it is not known to ring.
        """


class Operators:
    """Implements ``telephony.ports.Operators``."""

    def __init__(self, house: House, lines: Lines) -> None:
        self._house = house
        self._lines = lines
        self._ringing = RingingBack(house, lines)

    async def offered(self, reservation: Reservation) -> None:
        """An offer stands: ring its operator, if they answer by a telephone. One who has none lets it run out.

        A callback that may not be rung at this hour is taken back first, however the operator answers.
        """
        house = self._house
        async with house.database.house() as connection:
            offer = await offer_of(connection, reservation.id)
            if offer is None or await self._ringing.rests(connection, offer):
                return
            if offer.way is not Way.TELEPHONE:
                return
            number = await telephone_of(connection, house.sealer, offer.staff)
            shown = await shown_for(house, connection, offer.practice, offer.call)
        if number is not None and shown is not None:
            await self._lines.ring(number, shown, reservation.id)

    async def offer(self, offer: UUID) -> str | None:
        house, now = self._house, self._house.clock.now()
        async with house.database.house() as connection:
            standing = await offer_of(connection, offer)
            if standing is None or standing.state is not ReservationState.OFFERED:
                return None
            facts = await house.places.latest(connection, standing.practice, now)
        words = "queue.offer_callback" if standing.kind is EntryKind.CALLBACK else "queue.offer"
        return house.flows.book.said(words, "fr").render(facts.public(now))

    async def take(self, offer: UUID, operator_leg: str) -> Taken | NotReached | None:
        house = self._house
        async with house.database.house() as connection:
            standing = await offer_of(connection, offer)
            if standing is None or await self._ringing.rests(connection, standing):
                return None
            taken = await house.reservations.accept(connection, offer, standing.staff, house.clock.now())
            if not isinstance(taken, Accepted):
                return None
            leg = await callers_leg(connection, standing.practice, standing.call)
            ringing = taken.kind is EntryKind.CALLBACK
            due = None
            if ringing and not taken.again:
                due = await self._ringing.begin(connection, offer, standing, operator_leg)
        if ringing:
            if not taken.again and not await self._ringing.ring(offer, replace(standing, state=_ACCEPTED), due):
                return NotReached.NOT_REACHED
            return Taken(offer.hex, rings=True)
        if not taken.again and not await led_or_given_back(house, self._lines, leg, offer, standing.staff):
            return None
        return Taken(offer.hex)

    async def over(self, offer: UUID) -> None:
        await self._ringing.over(offer)

    async def left(self, offer: UUID) -> None:
        """An offer that was not taken runs out by itself, and counts as one that was not answered."""
        house, now = self._house, self._house.clock.now()
        async with house.database.house() as connection:
            standing = await offer_of(connection, offer)
            match None if standing is None else standing.state:
                case ReservationState.CONNECTED if standing is not None:
                    await house.reservations.over(connection, offer, standing.staff, now)
                case ReservationState.ACCEPTED if standing is not None:
                    await house.reservations.dropped(connection, offer, standing.staff, now)


_ACCEPTED = ReservationState.ACCEPTED
