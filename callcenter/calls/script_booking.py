"""The port by which an operator's script books free slots: as a list, of which the caller chooses. It reads no file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from callcenter.audit.ledger import Entry, EventKind
from callcenter.calls.booking import CallBooking, offered_to
from callcenter.calls.desk import Desk
from callcenter.calls.script_record import MOST_SLOTS
from callcenter.flow.ports import BookingMade, NoSlot, Offered
from callcenter.practice.bookings import Bookings


class OperatorsBooking(CallBooking):
    """The free slots of the practice that was called. Implements ``flow.script_ports.ScriptBooking``.

    How much the caller has booked is not counted: that bounds machines, and an operator is a person who has been asked.

    Arguments:
        live: the two talk; a call holds one slot, and once it is another operator's, so is the slot.
    """

    def __init__(self, desk: Desk, bookings: Bookings, practitioner: str | None, *, live: bool) -> None:
        super().__init__(desk, bookings, practitioner)
        self._live = live

    async def release(self) -> None:
        if self._live:
            await super().release()

    async def slots(self, practitioner: UUID, after: datetime | None) -> Sequence[datetime]:
        desk = self._desk
        whom = next((one for one in await self._all() if one.id == practitioner), None)
        if whom is None:
            return ()
        listed = await self._bookings.free.several(
            desk.tx, desk.facts, desk.call, whom, desk.now, most=MOST_SLOTS, after=after
        )
        return [starts.astimezone(desk.facts.timezone) for starts in listed]

    async def hold(self, practitioner: UUID, starts_at: datetime) -> Offered | NoSlot:
        desk = self._desk
        whom = next((one for one in await self._all() if one.id == practitioner), None)
        if whom is None or not self._live:
            return NoSlot()
        held = await self._bookings.free.hold(desk.tx, desk.facts, offered_to(desk), whom, starts_at, desk.now)
        return Offered(whom.name, starts_at.astimezone(desk.facts.timezone)) if held else NoSlot()

    async def book(self, birth_date: date, number: str) -> BookingMade | NoSlot:
        desk = self._desk
        if not self._live:
            return NoSlot()
        booked = await self._bookings.book(
            desk.tx, desk.facts, offered_to(desk), birth_date, number, desk.now, bounded=False
        )
        if booked is None:
            await desk.writing.add(Entry(EventKind.BOOKING_NOT_CHANGED, desk.actor, None, {"refs": [], "act": "book"}))
            return NoSlot()
        content = {"refs": [f"booking:{booked.id}"], "identity": "PROV"}
        await desk.writing.add(Entry(EventKind.BOOKING_MADE, desk.actor, None, content))
        return BookingMade(booked.reference)
