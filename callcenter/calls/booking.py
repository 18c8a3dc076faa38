"""The port by which a flow books free slots. It reads agendas, and no patient's file (P6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from callcenter.audit.ledger import Entry, EventKind
from callcenter.calls.desk import Desk
from callcenter.flow.ports import BookablePractitioner, BookingMade, NoSlot, Offered
from callcenter.practice import free_slots
from callcenter.practice.bookings import Bookings
from callcenter.practice.free_slots import OfferedTo
from callcenter.practice.names import normalise_name


class CallBooking:
    """The free slots of the practice that was called. Implements ``flow.ports.Booking``.

    Arguments:
        practitioner: whose number was called, without the title; ``None`` for the practice's.
    """

    def __init__(self, desk: Desk, bookings: Bookings, practitioner: str | None) -> None:
        self._desk = desk
        self._bookings = bookings
        self._practitioner = practitioner

    async def practitioners(self) -> Sequence[BookablePractitioner]:
        return [BookablePractitioner(one.id, one.name, one.rule.new_patients) for one in await self._all()]

    async def offer(self, practitioner: UUID) -> Offered | NoSlot:
        whom = next((one for one in await self._all() if one.id == practitioner), None)
        return NoSlot() if whom is None else await offered(self._desk, self._bookings, whom)

    async def book(self, birth_date: date, number: str) -> BookingMade | NoSlot:
        desk = self._desk
        booked = await self._bookings.book(desk.tx, desk.facts, offered_to(desk), birth_date, number, desk.now)
        if booked is None:
            await desk.writing.add(Entry(EventKind.BOOKING_NOT_CHANGED, desk.actor, None, {"refs": [], "act": "book"}))
            return NoSlot()
        # No subject: no call links a booking to a file (ID-04).
        content = {"refs": [f"booking:{booked.id}"], "identity": "PROV"}
        await desk.writing.add(Entry(EventKind.BOOKING_MADE, desk.actor, None, content))
        return BookingMade(booked.reference)

    async def release(self) -> None:
        await self._bookings.free.release(self._desk.tx, self._desk.call)

    async def _all(self) -> Sequence[free_slots.BookablePractitioner]:
        everybody = await self._bookings.free.practitioners(self._desk.tx, self._desk.facts)
        if self._practitioner is None:
            return everybody
        wanted = normalise_name(self._practitioner)
        return [one for one in everybody if normalise_name(one.name).endswith(wanted)]


def offered_to(desk: Desk) -> OfferedTo:
    """Who is offered slots in this call."""
    return OfferedTo(desk.call, desk.caller)


async def offered(
    desk: Desk, bookings: Bookings, whom: free_slots.BookablePractitioner, *, lasting: int = 0
) -> Offered | NoSlot:
    """The next free slot of ``whom``, held for this call; one that has room for what lasts ``lasting`` minutes."""
    starts = await bookings.free.offer(desk.tx, desk.facts, offered_to(desk), whom, desk.now, lasting=lasting)
    return NoSlot() if starts is None else Offered(whom.name, starts.astimezone(desk.facts.timezone))
